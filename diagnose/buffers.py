"""Bytes in, buffers of whole lines out.

Where a buffer ends depends on the bytes alone and not on how they arrive, so that nothing else
does. Lines are cut at `LINE_BYTES_MAX`. Bytes are counted and, if somebody asks, hashed on the way.

**Invariant:** what one buffer may hold is bounded, whatever the bytes are.
"""
from __future__ import annotations

import hashlib
from collections.abc import Iterator

from diagnose.lines import Reading
from diagnose.unpack import HEAD_BYTES

BUFFER_BYTES = 1 << 18
LINE_BYTES_MAX = 1 << 16


def buffers(pieces: Iterator[bytes], reading: Reading) -> Iterator[bytes]:
    """The bytes in buffers that end with a line feed, but perhaps for the last.

    The first one is of HEAD_BYTES, if there are so many. A remark tells of each line that is cut;
    `reading.lines` has to count the lines of the buffers before when the next one is asked for.
    """
    digest = hashlib.sha256()
    begun, cut = b"", 0     # the line that the last buffer left open, and what was cut off it
    for data in _sized(pieces):
        if reading.hashed:
            digest.update(data)
        reading.offset = reading.bytes
        reading.bytes += len(data)
        end = data.rfind(b"\n") + 1
        if not end:
            begun, cut = _held(begun + data, cut)
            continue
        first = 0
        if cut:
            first = data.find(b"\n")
            _remark(reading, 1, len(begun) + cut + first)
        yield _cut(b"".join((begun, memoryview(data)[first:end])), reading)
        begun, cut = _held(data[end:], 0)
    if begun:
        if cut:
            _remark(reading, 1, len(begun) + cut)
        yield begun
    reading.digest = digest.hexdigest() if reading.hashed else ""


def _sized(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of the same sizes."""
    size, held, length = HEAD_BYTES, [], 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length < size:
            continue
        data = b"".join(held) if len(held) > 1 else piece
        if length == size:      # as most are that come of a file
            yield data
            size, held, length = BUFFER_BYTES, [], 0
            continue
        at = 0
        while length - at >= size:
            yield data[at:at + size]
            at += size
            size = BUFFER_BYTES
        held, length = [data[at:]] if at < length else [], length - at
    if length:
        yield b"".join(held)


def _held(line: bytes, cut: int) -> tuple[bytes, int]:
    """The beginning of a line that is kept, and how much of it is cut off."""
    return line[:LINE_BYTES_MAX], cut + max(0, len(line) - LINE_BYTES_MAX)


def _cut(buffer: bytes, reading: Reading) -> bytes:
    """The buffer with its long lines cut."""
    step = LINE_BYTES_MAX // 2      # a line that is too long fills one such stretch, or more
    if all(buffer.find(b"\n", at, at + step) >= 0 for at in range(0, len(buffer) - step, step)):
        return buffer
    lines = buffer.split(b"\n")
    for nth, line in enumerate(lines):
        if len(line) > LINE_BYTES_MAX:
            _remark(reading, nth + 1, len(line))
            lines[nth] = line[:LINE_BYTES_MAX]
    return b"\n".join(lines)


def _remark(reading: Reading, nth: int, length: int) -> None:
    reading.remark("long-line", f"A line is {length} bytes long; what follows byte "
                   f"{LINE_BYTES_MAX} was not read.", reading.lines + nth)
