"""One line as it stands in an input, and what reading an input has counted.

**Invariant:** a text that is none gives lines that say so; no bytes make anything fail.
"""
from __future__ import annotations

from msgspec import Struct, field

from diagnose.events import Remark

#: Share of bytes that are no text above which a line is none. Programs, pictures and archives
#: have more than three tenths in their first bytes, logs with a damaged stretch do not.
ODD_LINE_SHARE = 0.1
ODD_FILE_SHARE = 0.3

_NO_TEXT = bytes(set(range(32)) - {0, 7, 8, 9, 10, 12, 13, 27}) + b"\x7f"


class RawLine(Struct, frozen=True, gc=False):
    """One line: `text` without its end, for people; None in `payload` where it is no text.

    `payload` is the text to be read, without a byte order mark; `data` the bytes as they stand, cut
    at LINE_BYTES_MAX.
    """

    number: int
    text: str
    payload: str | None
    data: bytes


class Reading(Struct):
    """What reading has counted so far; complete when the lines are exhausted.

    `offset` is where the buffer begins of which lines are being read. `digest` is the SHA-256 in
    hexadecimal digits, empty unless `hashed`.
    """

    name: str
    compression: str = ""
    bytes: int = 0
    lines: int = 0
    remarks: list[Remark] = field(default_factory=list)
    digest: str = ""
    offset: int = 0
    hashed: bool = True

    def remark(self, code: str, text: str, line: int | None = None) -> None:
        """Note something that a reader of the report has to know."""
        self.remarks.append(Remark(code, text, self.name, line))


def raw_line(number: int, data: bytes) -> RawLine:
    """A line of a text, of its bytes without the line feed."""
    text = data.decode("utf-8", "replace").rstrip("\r")
    if data.isascii() and text.isprintable():
        return RawLine(number, text, text, data)
    return RawLine(number, text, _cleaned(data, text), data)


def _cleaned(line: bytes, text: str) -> str | None:
    """The text without what an editor left at its beginning; None if it is no text."""
    if (text and not text.strip("\0\ufeff")) or _is_odd(line, ODD_LINE_SHARE):
        return None
    return text.strip("\ufeff")


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a text."""
    return not _is_odd(head, ODD_FILE_SHARE)


def _is_odd(data: bytes, share: float) -> bool:
    """Whether more than a share is neither text nor the NUL bytes of a lost block of a log."""
    told = len(data) - data.count(b"\0")
    if not told:
        return False
    odd = len(data) - len(data.translate(None, _NO_TEXT))
    if not data.isascii():
        odd += data.decode("utf-8", "replace").count("\ufffd")
    return odd > told * share
