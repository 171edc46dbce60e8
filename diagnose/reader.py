"""Bytes in, lines out: plain or compressed files, standard input, or bytes at hand.

A line ends at a line feed and nowhere else. Lines are cut at `LINE_BYTES_MAX`, long runs of blank
ones at `BLANKS_MAX`, decompressed bytes are counted and hashed on the way, and nothing is kept, so
that memory does not depend on the input.

**Invariant:** no bytes make reading fail once it has begun: a damaged archive ends early, with a
remark; a text that is none gives lines that say so.
"""
from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO, RawIOBase
from typing import NamedTuple, cast

from diagnose.errors import InputError
from diagnose.events import Remark
from diagnose.unpack import HEAD_BYTES, LimitError, Meter, Stream, unpacked

CHUNK_BYTES = 1 << 18
LINE_BYTES_MAX = 1 << 16
#: So many blank lines in a row tell all that blank lines tell: that no record or entry goes on.
BLANKS_MAX = 8
#: Share of bytes that are no text above which a line is none. Programs, pictures and archives
#: have more than three tenths in their first bytes, logs with a damaged stretch do not.
ODD_LINE_SHARE = 0.1
ODD_FILE_SHARE = 0.3

_NO_TEXT = bytes(set(range(32)) - {0, 7, 8, 9, 10, 12, 13, 27}) + b"\x7f"


class RawLine(NamedTuple):
    """One line: `text` without its end, for people; None in `payload` where it is no text.

    `payload` is the text to be read, without a byte order mark; `data` the bytes as they stand, cut
    at LINE_BYTES_MAX.
    """

    number: int
    text: str
    payload: str | None
    data: bytes


@dataclass(slots=True)
class Input:
    """Something to read. `open` may be called once; `path` tells two names of one file apart.

    `compression` is what has been taken off already, `hint` who speaks in it if nothing else tells.
    `state`: by its name it is no log, so that it is read only if it is a state file.
    """

    name: str
    path: str
    open: Callable[[], BufferedReader]
    compression: str = ""
    hint: str | None = None
    state: bool = False


@dataclass(slots=True)
class Reading:
    """What reading has counted so far; complete when the lines are exhausted.

    `blank` of the `lines` follow on BLANKS_MAX blank ones and are counted alone.
    """

    name: str
    compression: str = ""
    bytes: int = 0
    lines: int = 0
    blank: int = 0
    remarks: list[Remark] = field(default_factory=list)
    digest: str = ""

    def remark(self, code: str, text: str, line: int | None = None) -> None:
        """Note something that a reader of the report has to know."""
        self.remarks.append(Remark(code, text, self.name, line))


def from_path(path: str | os.PathLike[str]) -> Input:
    """A file, or standard input for `-`. Bytes of a name that are no UTF-8 are shown as escapes."""
    name = os.fspath(path)
    if name == "-":
        return Input("-", "-", _standard_input)
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    return Input(shown, os.path.realpath(name), lambda: open(name, "rb"))  # closed by `read`


def _standard_input() -> BufferedReader:
    if sys.stdin is None:   # the shell's `<&-`
        raise OSError("the standard input is closed")
    return cast("BufferedReader", sys.stdin.buffer)


def from_bytes(name: str, data: bytes) -> Input:
    """Bytes at hand, under a name of their own."""
    return Input(name, f"bytes:{name}", lambda: BufferedReader(cast("RawIOBase", BytesIO(data))))


def opened(source: Input, meter: Meter) -> Stream:
    """The bytes of an input. Raises OSError if it cannot be opened, or nothing of it be read."""
    stream = Stream(source.open(), meter)
    if stream.failure is not None and not (stream.head or source.compression):
        raise stream.failure
    return stream


def read(source: Input, reading: Reading) -> Iterator[RawLine]:
    """The lines of an input; `reading` is filled on the way.

    Raises InputError if the input cannot be opened or its first bytes cannot be read.
    """
    meter = Meter()
    try:
        stream = opened(source, meter)
    except OSError as error:
        raise unreadable(source, error) from error
    with stream:
        reading.compression, plain = unpacked(stream, meter) or (source.compression, stream)
        yield from _lines(_pieces(BufferedReader(plain), reading), reading)


def unreadable(source: Input, error: OSError) -> InputError:
    """The error that tells that an input cannot be read, and what to do."""
    return InputError(f"{source.name}: cannot be read ({error.strerror or error}). "
                      "Check the path and the permissions.")


def _pieces(stream: BufferedReader, reading: Reading) -> Iterator[bytes]:
    """The bytes, as far as they can be read."""
    while True:
        try:
            piece = stream.read1(CHUNK_BYTES)
        except LimitError as error:
            reading.remark("unpacked-limit", f"It {error}; the rest was not read.")
            return
        except OSError as error:
            reading.remark(
                "damaged-input",
                f"Its {reading.compression or 'bytes'} cannot be read to the end ({error}); "
                "what comes before was read.",
            )
            return
        if not piece:
            return
        yield piece


def _lines(chunks: Iterator[bytes], reading: Reading) -> Iterator[RawLine]:
    digest = hashlib.sha256()
    begun: list[bytes] = []     # the line that the last chunk left open, cut at LINE_BYTES_MAX
    kept = dropped = blanks = 0
    binary: bool | None = None
    for chunk in _headed(chunks):
        digest.update(chunk)
        reading.bytes += len(chunk)
        if binary is None:
            binary = not is_text(chunk[:HEAD_BYTES])
            if binary:
                reading.remark("binary-input", "This is no text; no line of it was read.")
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            blanks = 0 if part or kept else blanks + 1
            if blanks > BLANKS_MAX and not binary:
                reading.lines += 1
                reading.blank += 1
                continue
            line = b"".join([*begun, part[: LINE_BYTES_MAX - kept]])
            yield _line(line, dropped + max(0, kept + len(part) - LINE_BYTES_MAX), binary, reading)
            begun, kept, dropped = [], 0, 0
        part = rest[: LINE_BYTES_MAX - kept]
        dropped += len(rest) - len(part)
        kept += len(part)
        if part:
            begun.append(part)
    if kept:
        yield _line(b"".join(begun), dropped, bool(binary), reading)
    reading.digest = digest.hexdigest()


def _headed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes with at least HEAD_BYTES in the first piece, if there are so many."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    if head:
        yield head
    yield from chunks


def _line(line: bytes, dropped: int, binary: bool, reading: Reading) -> RawLine:
    reading.lines += 1
    if dropped:
        reading.remark(
            "long-line",
            f"A line is {len(line) + dropped} bytes long; what follows byte {LINE_BYTES_MAX} "
            "was not read.",
            reading.lines,
        )
    text = line.decode("utf-8", "replace").rstrip("\r")
    payload: str | None = text
    if binary or not line.isascii() or not text.isprintable():
        payload = None if binary else _cleaned(line, text)
    return RawLine(reading.lines, text, payload, line)


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
