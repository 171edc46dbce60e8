"""What the commands' parameters are: their options, and how each is checked.

What a command takes stands in the annotations of its function, and these are the names in them. A
command's own module asks for them in its annotations only, so that it can be called without typer.

**Invariant:** nothing here is looked at unless somebody asks typer for a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from diagnose.cli.shared import FailOn
from diagnose.errors import nearest
from diagnose.render.measures import WIDTH_MIN


def rows() -> list[str]:
    """The names of all kernel rows."""
    from emulator.kernels import ROWS

    return [row.name for row in ROWS]


def known_row(name: str | None) -> str | None:
    """The name, if a kernel row has it; refused with the nearest ones otherwise."""
    if name is not None and name not in rows():
        like = nearest(name, tuple(rows())) or tuple(rows())
        raise typer.BadParameter(f"no kernel row is called {name!r}; did you mean {_either(like)}?")
    return name


def _either(names: Sequence[str]) -> str:
    """Names as a choice: `a, b or c`."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _address(text: str | None) -> str | None:
    from emulator.pci import PciAddress

    if text is not None:
        try:
            PciAddress.parse(text)
        except ValueError as error:
            raise typer.BadParameter(f"{error}.") from error
    return text


Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help="Logs of one incident of one host, compressed or not, or directories and archives of"
        " them; - is the standard input.",
    ),
]
Text = Annotated[
    str,
    typer.Argument(metavar="TEXT|-", help="A raw line, or - to read lines from standard input."),
]
Files = list[str] | None
Dom0 = Annotated[Files, typer.Option(metavar="F", help="F was printed by the dom0 kernel.")]
Xen = Annotated[Files, typer.Option(metavar="F", help="F was printed by the hypervisor.")]
Guest = Annotated[
    Files, typer.Option(metavar="NAME=F", help="F was printed by guest NAME's kernel.")
]
Toolstack = Annotated[Files, typer.Option(metavar="F", help="F was printed by the toolstack.")]
Kernel = Annotated[
    str | None,
    typer.Option(
        metavar="ROW",
        help="Kernel row; pins what the banners only suggest.",
        callback=known_row,
        autocompletion=rows,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="BDF",
        help="Tell of this device only, say 0000:01:10.0.",
        callback=_address,
    ),
]
Format = Annotated[
    Literal["text", "json"], typer.Option("--format", help="How to write the report.")
]
ReplayFormat = Annotated[
    Literal["text", "json"], typer.Option("--format", help="How to write the replay.")
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report to FILE.")
]
FailOnOption = Annotated[FailOn, typer.Option(help="The verdict that gives a status other than 0.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", min=1, metavar="N", help="Processes; all processors unless told."
    ),
]
Width = Annotated[
    int | None, typer.Option(min=WIDTH_MIN, metavar="N", help="Columns of a text report.")
]
NoColor = Annotated[
    bool,
    typer.Option(
        "--no-color/--color", help="No colours, or as the terminal can.", show_default=False
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Verdict and findings in short.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Every line and every step.")]
Incidents = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help="A file is an incident. A directory is one, of all its logs; but if it has"
        " sub-directories with logs, each of these is an incident, and so is each log beside them."
        " A *.case file is always one, and so is an archive.",
    ),
]
RowFormat = Annotated[
    Literal["table", "jsonl"],
    typer.Option("--format", help="A table for people, or a JSON object a line."),
]
RowsQuiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No rows in a table, no remarks, no progress.")
]
At = Annotated[
    str | None,
    typer.Option(metavar="FILE:LINE", help="Show both ledgers as that line was printed."),
]
Watch = Annotated[
    str | None,
    typer.Option(metavar="DEVICE/ENTRY", help="Tell the life of an entry, say 01:10.0/0."),
]
Assume = Annotated[
    str | None,
    typer.Option(
        metavar="ROW",
        help="Run the story again under that kernel row, and show where it differs.",
        callback=known_row,
        autocompletion=rows,
    ),
]
