"""The command `diagnose line`: how one line is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.console import emit, lines_of
from diagnose.render.safe import neutral

if TYPE_CHECKING:
    from diagnose.cli.parameters import Text, Verbose


def line(text: Text, verbose: Verbose = False) -> None:
    """Show how a line is read: envelope, time, speaker, message and fields, or where it broke.

    Lines from standard input are read together, as one log; -v tells why each speaker was chosen.
    """
    from diagnose.explain_line import explain_lines
    from diagnose.explain_line import render as told

    for number, reading in enumerate(explain_lines(list(lines_of(text)))):
        rows = told(reading, verbose).split("\n")
        emit("\n" * bool(number) + "\n".join(neutral(row) for row in rows))
