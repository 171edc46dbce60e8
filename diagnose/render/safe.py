"""Makes text from outside harmless to look at: log lines, file names, guest names.

A log is written by whoever could make a kernel print something. Escape sequences would move the
cursor, bidirectional controls would reorder words, line feeds would forge lines of the report.

**Invariant:** a result is one line of printable characters, whatever went in.
"""

from __future__ import annotations

import re

CHARS_MAX = 400
"""How much of one log line is ever shown; one of ten megabytes is evidence by its place."""

_BLANKS = re.compile(r"[ \t]+")


def neutral(text: str) -> str:
    """`text` with all that is unprintable as visible escapes: \\x1b, \\u202e."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def folded(text: str) -> str:
    """A log line made neutral, with runs of blanks as one, as lines are read; long ones cut."""
    head = _BLANKS.sub(" ", text[: 2 * CHARS_MAX]).strip()
    if len(text) <= 2 * CHARS_MAX and len(head) <= CHARS_MAX:
        return neutral(head)
    return f"{neutral(head[:CHARS_MAX])}… ({len(text)} characters)"


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
