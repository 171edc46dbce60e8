"""The command `diagnose`: what people type, turned into one call of the pipeline and one report.

Exit status: 0 no fault, 1 at least one fault, 2 wrong usage or nothing that could be read,
3 inconclusive when `--fail-on inconclusive` asks for it.

**Invariant:** the only module that imports typer; everything else is imported when a command needs
it, because most of the time of a small diagnosis is the start of the interpreter.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from diagnose import __version__
from diagnose.console import complain, emit, lines_of, style_for
from diagnose.errors import DiagnoseError, UsageError, nearest
from diagnose.options import Options
from diagnose.render import FORMATS, render
from diagnose.render.paper import WIDTH_MIN
from diagnose.render.safe import neutral

if TYPE_CHECKING:
    from diagnose.events import Remark

REMARKS_MAX = 10
"""Remarks written to standard error; the report holds all of them."""


class FailOn(StrEnum):
    """Which verdicts end the command with a status other than 0."""

    fault = "fault"
    inconclusive = "inconclusive"
    never = "never"


app = typer.Typer(
    name="diagnose",
    help="Finds out from logs why a device that Xen passes through lost its MSI-X interrupts.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _rows() -> list[str]:
    from emulator.kernels import ROWS

    return [row.name for row in ROWS]


def _known_row(name: str | None) -> str | None:
    if name is not None and name not in _rows():
        like = nearest(name, tuple(_rows())) or tuple(_rows())
        raise typer.BadParameter(f"no kernel row is called {name!r}; did you mean {_either(like)}?")
    return name


def _address(text: str | None) -> str | None:
    from emulator.pci import PciAddress

    if text is not None:
        try:
            PciAddress.parse(text)
        except ValueError as error:
            raise typer.BadParameter(f"{error}.") from error
    return text


def _known_format(name: str) -> str:
    if name not in FORMATS:
        raise typer.BadParameter(f"{name!r} is not one of {_either(tuple(FORMATS))}.")
    return name


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"diagnose {__version__}")
        raise typer.Exit


Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help="Logs of one incident of one host, compressed or not; - is the standard input.",
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
        callback=_known_row,
        autocompletion=_rows,
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
        callback=_known_format,
        autocompletion=lambda: list(FORMATS),
    ),
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report to FILE.")
]
FailOnOption = Annotated[FailOn, typer.Option(help="The verdict that gives a status other than 0.")]
Width = Annotated[
    int | None, typer.Option(min=WIDTH_MIN, metavar="N", help="Columns of a text report.")
]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours, whatever the terminal.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Verdict and findings in short.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Every line and every step.")]
Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
]


@app.callback()
def diagnose(version: Version = False) -> None:
    """Holds what belongs to no command; its help text is the application's."""


@app.command()
def log(
    paths: Paths,
    dom0: Dom0 = None,
    xen: Xen = None,
    guest: Guest = None,
    toolstack: Toolstack = None,
    kernel: Kernel = None,
    device: Device = None,
    form: Format = "text",
    output: Output = None,
    fail_on: FailOnOption = FailOn.fault,
    width: Width = None,
    no_color: NoColor = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Diagnose one incident of one host from its logs."""
    from diagnose.pipeline import diagnose as conclude

    options = Options(
        kernel=kernel,
        dom0=tuple(dom0 or ()),
        xen=tuple(xen or ()),
        guest=tuple(_named(pair) for pair in guest or ()),
        toolstack=tuple(toolstack or ()),
        device=device,
    )
    result = conclude(paths, options)
    _tell(tuple(remark for remark in result.remarks
                if not quiet or remark.code == "unreadable-input"))
    target = None if output else sys.stdout
    verbosity = int(verbose) - int(quiet)
    style = style_for(target, os.environ, width=width, no_color=no_color, verbosity=verbosity)
    emit(render(result, form, style), output)
    raise typer.Exit(exit_status(result.verdict, fail_on))


@app.command()
def line(text: Text) -> None:
    """Show how one line is read: envelope, speaker, message and fields, or where it broke."""
    from diagnose.explain_line import explain
    from diagnose.explain_line import render as told

    for number, one in enumerate(lines_of(text)):
        rows = told(explain(one)).split("\n")
        emit("\n" * bool(number) + "\n".join(neutral(row) for row in rows))


def exit_status(verdict: str, fail_on: FailOn) -> int:
    """What the command ends with, once there is a verdict."""
    if verdict == "fault" and fail_on is not FailOn.never:
        return 1
    return 3 if verdict == "inconclusive" and fail_on is FailOn.inconclusive else 0


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; errors are told on standard error."""
    try:
        app(list(arguments), prog_name="diagnose")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    except DiagnoseError as error:
        complain("error", str(error))
        return error.exit_status
    except Exception:
        # Status 1 would say "fault", and a mistake in this program must not accuse anybody's host.
        import traceback

        complain("internal error", "this is a mistake in diagnose itself; no verdict was reached")
        traceback.print_exc()
        return 2
    return 0


def main() -> None:
    """Entry point of the command."""
    # An interrupt ends the process as it ends any other filter: at once and without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run(sys.argv[1:]))


def _named(pair: str) -> tuple[str, str]:
    name, sign, path = pair.partition("=")
    if not (name and sign and path):
        raise UsageError(
            f"--guest {pair!r} does not tell which guest printed which file; write --guest NAME=F."
        )
    return name, path


def _tell(remarks: Sequence[Remark]) -> None:
    texts = []
    for remark in remarks:
        place = ":".join(str(part) for part in (remark.input, remark.line) if part is not None)
        texts.append(f"{place}: {remark.text}" if place else remark.text)
    texts = list(dict.fromkeys(texts))
    for text in texts[:REMARKS_MAX]:
        complain("remark", text)
    if len(texts) > REMARKS_MAX:
        complain("remark", f"{len(texts) - REMARKS_MAX} more are in the report (-v, JSON)")
