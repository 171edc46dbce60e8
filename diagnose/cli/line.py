"""The command `diagnose line`: how one line is read."""

from __future__ import annotations

from diagnose.cli.app import Text
from diagnose.console import emit, lines_of
from diagnose.render.safe import neutral


def line(text: Text) -> None:
    """Show how one line is read: envelope, speaker, message and fields, or where it broke."""
    from diagnose.explain_line import explain
    from diagnose.explain_line import render as told

    for number, one in enumerate(lines_of(text)):
        rows = told(explain(one)).split("\n")
        emit("\n" * bool(number) + "\n".join(neutral(row) for row in rows))


