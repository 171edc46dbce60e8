"""What several commands share: their options, and what follows from a verdict.

**Invariant:** with its sisters in this package the only place that imports typer; what a command
needs besides is imported when it runs, because most of the time of a small diagnosis is the start
of the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from diagnose.console import complain
from diagnose.errors import UsageError, nearest
from diagnose.options import Options
from diagnose.render import FORMATS, REPLAY_FORMATS
from diagnose.render.paper import WIDTH_MIN

if TYPE_CHECKING:
    from diagnose.events import Remark

INTERRUPTED = 130
"""The status of a command that was interrupted, as shells know it."""
REMARKS_MAX = 10
"""Remarks written to standard error; the report holds all of them."""


class FailOn(StrEnum):
    """Which verdicts end the command with a status other than 0."""

    fault = "fault"
    inconclusive = "inconclusive"
    never = "never"


def rows() -> list[str]:
    """The names of all kernel rows."""
    from emulator.kernels import ROWS

    return [row.name for row in ROWS]


def known_row(name: str | None) -> str | None:
    """The name, if a kernel row has it; refused with the nearest ones otherwise."""
    if name is not None and name not in rows():
        like = nearest(name, tuple(rows())) or tuple(rows())
        raise typer.BadParameter(f"no kernel row is called {name!r}; did you mean {either(like)}?")
    return name


def _address(text: str | None) -> str | None:
    from emulator.pci import PciAddress

    if text is not None:
        try:
            PciAddress.parse(text)
        except ValueError as error:
            raise typer.BadParameter(f"{error}.") from error
    return text


def _one_of(formats: Collection[str]) -> Callable[[str], str]:
    """A check that a name is one of these formats."""

    def known(name: str) -> str:
        if name not in formats:
            raise typer.BadParameter(f"{name!r} is not one of {either(tuple(formats))}.")
        return name

    return known


def either(names: Sequence[str]) -> str:
    """Names as a choice: `a, b or c`."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


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
    str,
    typer.Option(
        "--format",
        metavar="|".join(FORMATS),
        help="How to write the report.",
        callback=_one_of(FORMATS),
        autocompletion=lambda: list(FORMATS),
    ),
]
ReplayFormat = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="|".join(REPLAY_FORMATS),
        help="How to write the replay.",
        callback=_one_of(REPLAY_FORMATS),
        autocompletion=lambda: list(REPLAY_FORMATS),
    ),
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

def exit_status(verdict: str, fail_on: FailOn) -> int:
    """What the command ends with, once there is a verdict."""
    if verdict == "fault" and fail_on is not FailOn.never:
        return 1
    return 3 if verdict == "inconclusive" and fail_on is FailOn.inconclusive else 0


def hints(
    dom0: Files, xen: Files, guest: Files, toolstack: Files, kernel: str | None,
    device: str | None = None,
) -> Options:
    """What the options about speakers, kernel and device say. Raises UsageError for a bad guest."""
    return Options(
        kernel=kernel,
        dom0=tuple(dom0 or ()),
        xen=tuple(xen or ()),
        guest=tuple(_named(pair) for pair in guest or ()),
        toolstack=tuple(toolstack or ()),
        device=device,
    )


def _named(pair: str) -> tuple[str, str]:
    name, sign, path = pair.partition("=")
    if not (name and sign and path):
        raise UsageError(
            f"--guest {pair!r} does not tell which guest printed which file; write --guest NAME=F."
        )
    return name, path


def tell(remarks: Sequence[Remark]) -> None:
    """Remarks on standard error, each once, the first few of many."""
    texts = []
    for remark in remarks:
        place = ":".join(str(part) for part in (remark.input, remark.line) if part is not None)
        texts.append(f"{place}: {remark.text}" if place else remark.text)
    texts = list(dict.fromkeys(texts))
    for text in texts[:REMARKS_MAX]:
        complain("remark", text)
    if len(texts) > REMARKS_MAX:
        complain("remark", f"{len(texts) - REMARKS_MAX} more are in the report (-v, JSON)")
