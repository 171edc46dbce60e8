"""Bytes in, buffers of whole lines out.

Where a buffer ends depends on the bytes alone and not on how they arrive, so that nothing else
does. Lines are cut at `LINE_BYTES_MAX`. Bytes are counted and, if somebody asks, hashed on the way.

**Invariant:** what one buffer may hold is bounded, whatever the bytes are.
"""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from diagnose.lines import Reading
from diagnose.unpack import HEAD_BYTES

BUFFER_BYTES = 1 << 18
LINE_BYTES_MAX = 1 << 16

Buffer = tuple[bytes | bytearray, int]
"""Bytes, and how many of them count."""


def buffers(fill: Callable[[memoryview], int], reading: Reading) -> Iterator[Buffer]:
    """Buffers that end with a line feed, but perhaps for the last.

    `fill` puts some bytes into a stretch and tells how many, 0 at the end. It is one bytearray that
    is filled again and again: whoever wants to keep bytes copies them. The first buffer is of
    HEAD_BYTES, if there are so many. A remark tells of each line that is cut; `reading.lines` has
    to count the lines of the buffers before when the next one is asked for.
    """
    digest = hashlib.sha256()
    room = bytearray(LINE_BYTES_MAX + max(HEAD_BYTES, BUFFER_BYTES))
    view = memoryview(room)
    begun = cut = 0     # the line that is open at the beginning, and what was cut off it
    size = HEAD_BYTES
    while count := _filled(fill, view[begun:begun + size]):
        size = BUFFER_BYTES
        if reading.hashed:
            digest.update(view[begun:begun + count])
        reading.offset = reading.bytes
        reading.bytes += count
        whole = begun + count
        end = room.rfind(b"\n", begun, whole) + 1
        if end:
            if cut:
                feed = room.find(b"\n", begun, whole)
                _remark(reading, 1, feed + cut)
                view[begun:whole + begun - feed] = view[feed:whole]
                whole, end = whole + begun - feed, end + begun - feed
            yield _cut(room, end, reading)
            cut = 0
        begun = min(whole - end, LINE_BYTES_MAX)
        view[:begun] = view[end:end + begun]
        cut += whole - end - begun
    if begun:
        if cut:
            _remark(reading, 1, begun + cut)
        yield room, begun
    reading.digest = digest.hexdigest() if reading.hashed else ""


def _filled(fill: Callable[[memoryview], int], stretch: memoryview) -> int:
    """Fill a whole stretch, if there are so many bytes; how many there are."""
    count = 0
    while count < len(stretch) and (more := fill(stretch[count:])):
        count += more
    return count


def _cut(room: bytearray, end: int, reading: Reading) -> Buffer:
    """So many bytes, their long lines cut."""
    step = LINE_BYTES_MAX // 2      # a line that is too long fills one such stretch, or more
    if all(room.find(b"\n", at, at + step) >= 0 for at in range(0, end - step, step)):
        return room, end
    lines = bytes(memoryview(room)[:end]).split(b"\n")
    for nth, line in enumerate(lines):
        if len(line) > LINE_BYTES_MAX:
            _remark(reading, nth + 1, len(line))
            lines[nth] = line[:LINE_BYTES_MAX]
    shown = b"\n".join(lines)
    return shown, len(shown)


def _remark(reading: Reading, nth: int, length: int) -> None:
    reading.remark("long-line", f"A line is {length} bytes long; what follows byte "
                   f"{LINE_BYTES_MAX} was not read.", reading.lines + nth)
