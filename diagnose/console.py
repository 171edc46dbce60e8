"""The two streams of a command: reports to the standard output, everything else to standard error.

Streams may be closed, be a pipe that nobody reads any longer, or be unable to encode what a report
holds; all of this is ordinary and none of it may change what a diagnosis says.

**Invariant:** knows streams and terminals, not diagnoses; whatever it shows has been made harmless.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, TextIO

from diagnose.errors import InputError
from diagnose.render.measures import WIDTH, WIDTH_MAX
from diagnose.render.safe import neutral

if TYPE_CHECKING:
    from diagnose.render.paper import Style

def style_for(
    stream: TextIO | None,
    environ: Mapping[str, str],
    *,
    width: int | None = None,
    no_color: bool = False,
    verbosity: int = 0,
) -> Style:
    """How to write to `stream`: a terminal's own width and colours, else 80 plain columns."""
    from diagnose.render.paper import Style

    terminal = stream is not None and stream.isatty()
    if width is None:
        width = min(columns() if terminal else WIDTH, WIDTH_MAX)
    plain = no_color or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Style(width, terminal and not plain, verbosity, _holds_unicode(stream))


def columns() -> int:
    """How wide the terminal is; `WIDTH` where there is none."""
    import shutil

    return shutil.get_terminal_size((WIDTH, 24)).columns


Write = Callable[[str], bool]
"""Writes a piece of a report; False once nobody reads it any longer."""


def emit(text: str, output: str | None = None) -> None:
    """Write a report to the standard output or to the file `output`.

    Raises InputError where it cannot be written. A reader that goes away early (`| head`) has seen
    what it wanted, so a broken pipe is no error.
    """
    with writing(output) as write:
        write(text)


@contextmanager
def writing(output: str | None = None) -> Iterator[Write]:
    """What writes a report piece by piece, each at once, to the standard output or to a file.

    Opening and writing raise InputError where that cannot be done.
    """
    if output is None:
        yield _to_standard_output
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open(output, "w", encoding="utf-8"))
        except OSError as error:
            raise _unwritable(output, error) from error
        yield partial(_to_file, file, output)


def _to_file(file: TextIO, output: str, text: str) -> bool:
    try:
        file.write(text)
        file.flush()
    except OSError as error:
        raise _unwritable(output, error) from error
    return True


def _unwritable(output: str, error: OSError) -> InputError:
    return InputError(f"{output}: the report cannot be written: {error.strerror}.")


def _to_standard_output(text: str) -> bool:
    if sys.stdout is None:
        raise InputError(
            "The standard output is closed, so the report has nowhere to go. Use --output FILE."
        )
    try:
        sys.stdout.write(_encodable(text, sys.stdout))
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()
        return False
    except OSError as error:
        _silence()
        raise InputError(
            f"The report cannot be written to the standard output: {error.strerror}."
        ) from error
    return True


def lines_of(text: str) -> Iterator[str]:
    """The lines of `text`, or those of the standard input for `-`, without their ends.

    Raises InputError if the standard input is closed.
    """
    if text != "-":
        yield from text.split("\n")
        return
    if sys.stdin is None:
        raise InputError("-: the standard input is closed, so nothing can be read from it.")
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")


def complain(kind: str, text: str) -> None:
    """One line on standard error, such as ``diagnose: error: …``; nowhere if that is closed."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(_encodable(f"diagnose: {kind}: {neutral(text)}\n", sys.stderr))
    except OSError:
        return  # There is no place left to complain to.


def passing(text: str) -> None:
    """Show how far a long work has come, in place of what this showed before; empty: nothing.

    Only a terminal on standard error ever sees it.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        return
    try:
        sys.stderr.write(_encodable(f"\r\x1b[K{neutral(text)[: columns() - 1]}", sys.stderr))
        sys.stderr.flush()
    except OSError:
        return  # A terminal that has gone away misses nothing.


def _encodable(text: str, stream: TextIO) -> str:
    """`text` with what the stream cannot encode as visible escapes."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _holds_unicode(stream: TextIO | None) -> bool:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "").startswith("utf")


def _silence() -> None:
    """Point the standard output at nothing, so that the interpreter's last flush cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
