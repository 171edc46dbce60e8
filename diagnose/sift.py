"""Pick out of buffers the lines that somebody wants to read, and count the others.

**Invariant:** each line is either yielded, in order and with its number, or passed over.
"""
from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from typing import Protocol

from diagnose.buffers import Buffer
from diagnose.lines import RawLine, Reading, is_text, raw_line
from diagnose.sieve import Sieve
from diagnose.unpack import HEAD_BYTES, OTHERS

LOOK_BACK_LINES_MAX = 8
"""Nobody asks for more lines than these before a line that says something."""
Bytes = bytes | bytearray
BLANKS_MAX = 8
"""So many blank lines in a row tell all that blank lines tell: that no record or entry goes on."""
_FEED = ord("\n")
_EMPTY = re.compile(rb"(?:^|(?<=\n))\r?\n")


try:
    from stringzilla import count as _count
    from stringzilla import find as _find
except ImportError:     # no wheel for this machine: the same, several times slower
    _count, _find = bytes.count, bytes.find


def _newlines(buffer: Bytes, begin: int, end: int) -> int:
    """How many line feeds stand in a stretch."""
    return int(_count(buffer, b"\n", begin, end))


class Listener(Protocol):
    """Who reads the lines. All of those up to number `until` are wanted."""

    until: float

    def sieve(self) -> Sieve | None:
        """What picks the lines of the next buffer, None if all are wanted."""

    def prose(self) -> bool:
        """Whether that is to pick lines of prose, too."""

    def ready(self) -> bool:
        """Whether lines may be taken as they stand, without being shown."""

    def run(self, text: str, at: int) -> tuple[int, int]:
        """Take such lines of a text, where each byte is a letter, from `at` on.

        Returns where the first one begins that was not taken, and how many were.
        """

    def back(self, raw: RawLine) -> int:
        """How many of the lines before a picked one are wanted as well."""

    def passed_over(self, lines: int, empty: int) -> None:
        """So many lines are not read, of which so many hold nothing at all."""

    def unreadable(self, lines: int) -> None:
        """So many lines are no text."""


def sifted(buffers: Iterator[Buffer], reading: Reading, listener: Listener) -> Iterator[RawLine]:
    """The lines that the listener wants; `reading.lines` counts all of them."""
    sifter = _Sifter(reading, listener)
    text: bool | None = None
    what = ""
    for buffer, size in buffers:
        if text is None:
            head = bytes(buffer[:min(size, HEAD_BYTES)])
            text = is_text(head)
            what = next((name for magic, name in OTHERS if head.startswith(magic)), "")
        if text:
            yield from sifter.lines(buffer, size)
        else:
            lines = _newlines(buffer, 0, size) + (buffer[size - 1] != _FEED)
            reading.lines += lines
            listener.unreadable(lines)
    sifter.forget(0)
    if text is False:
        reading.remark("binary-input", f"This is {what}, which is not undone here; unpack it first."
                       if what else "This is no text; no line of it was read.")


class _Sifter:
    """Picks lines out of one buffer after the other."""

    def __init__(self, reading: Reading, listener: Listener) -> None:
        self._reading = reading
        self._listener = listener
        self._text = ""                 # the buffer as letters, if somebody has asked
        self._gaps = False              # whether blank lines stand within the buffer
        self._blanks = 0                # so many have come in a row
        self._held: list[bytes] = []    # the last lines, of which nobody has asked for any so far

    def lines(self, buffer: Bytes, size: int) -> Iterator[RawLine]:
        """The lines of a buffer that are wanted."""
        sieve = self._listener.sieve()
        if sieve is None:
            self.forget(0)
            yield from self._all(_split(buffer, 0, size))
        else:
            self._text = ""
            self._gaps = _has_gaps(buffer, 0, size)
            places = sieve.places(memoryview(buffer)[:size], self._listener.prose())
            yield from self._picked(buffer, size, places)

    def _all(self, lines: Iterable[bytes]) -> Iterator[RawLine]:
        blanks, passed = self._blanks, 0
        for data in lines:
            if data and data.strip(b"\r"):
                blanks = 0
            elif (blanks := blanks + 1) > BLANKS_MAX:
                passed += 1
                continue
            if passed:
                self._pass_blanks(passed)
                passed = 0
            yield self._next(data)
        self._blanks = blanks
        self._pass_blanks(passed)

    def _pass_blanks(self, lines: int) -> None:
        if lines:
            self._reading.lines += lines
            self._listener.passed_over(lines, lines)

    def forget(self, kept: int) -> None:
        """Pass over all held lines but the last ones."""
        gone = self._held[:len(self._held) - kept]
        if gone:
            self._listener.passed_over(len(gone), sum(not line.strip(b"\r") for line in gone))
            self._held = self._held[len(gone):]

    def _next(self, data: bytes) -> RawLine:
        self._reading.lines += 1
        return raw_line(self._reading.lines, data)

    def _picked(self, buffer: Bytes, size: int, places: list[int]) -> Iterator[RawLine]:
        listener, reading = self._listener, self._reading
        at = yield from self._until(buffer, 0, size)    # the first line that is still undecided
        for place in places:
            if place < at:
                continue
            begin = buffer.rfind(b"\n", at, place) + 1 or at
            if begin == at and not self._held:
                at = self._run(buffer, at, size)
                if listener.until > reading.lines:
                    at = yield from self._until(buffer, at, size)
                if place < at:
                    continue
                begin = buffer.rfind(b"\n", at, place) + 1 or at
            end = buffer.find(b"\n", place, size)
            end = size if end < 0 else end
            data = bytes(buffer[begin:end])
            if begin > at or self._held:
                lines = _newlines(buffer, at, begin)
                raw = raw_line(reading.lines + lines + 1, data)
                wanted = listener.back(raw)
                if wanted:
                    yield from self._before(buffer, at, begin, lines, wanted)
                else:
                    self.forget(0)
                    self._pass_over(buffer, at, begin, lines)
                reading.lines += 1
            else:
                raw = self._next(data)
            yield raw
            at = end + 1
            if listener.until > reading.lines:
                at = yield from self._until(buffer, at, size)
        if at < size:
            self._hold(buffer, at, size)

    def _until(self, buffer: Bytes, at: int, size: int) -> Generator[RawLine, None, int]:
        """The lines that are wanted whatever they hold; returns where the next one begins."""
        while at < size and self._listener.until > self._reading.lines:
            self.forget(0)
            at = self._run(buffer, at, size)
            if at >= size or self._listener.until <= self._reading.lines:
                break
            end = buffer.find(b"\n", at, size)
            end = size if end < 0 else end
            yield self._next(bytes(buffer[at:end]))
            at = end + 1
        return at

    def _run(self, buffer: Bytes, at: int, size: int) -> int:
        """Have the listener take lines that need not be shown; where the next one begins."""
        if not self._listener.ready():
            return at
        self._text = self._text or str(memoryview(buffer)[:size], "latin-1")
        at, lines = self._listener.run(self._text, at)
        self._reading.lines += lines
        return at

    def _before(self, buffer: Bytes, at: int, begin: int, lines: int,
                wanted: int) -> Iterator[RawLine]:
        """The wanted ones of the lines before a picked one; the others are passed over."""
        first = _last_lines(buffer, at, begin, min(wanted, lines))
        shown = _split(buffer, first, begin) if first < begin else []
        self.forget(min(len(self._held), max(0, wanted - lines)))
        number = self._reading.lines - len(self._held)
        yield from (raw_line(number + nth, data) for nth, data in enumerate(self._held, 1))
        self._held = []
        self._pass_over(buffer, at, first, lines - len(shown))
        for data in shown:
            yield self._next(data)

    def _hold(self, buffer: Bytes, at: int, size: int) -> None:
        """Keep the last lines until it is known whether a line behind them needs them."""
        first = _last_lines(buffer, at, size, LOOK_BACK_LINES_MAX)
        shown = _split(buffer, first, size)
        self.forget(max(0, LOOK_BACK_LINES_MAX - len(shown)) if first == at else 0)
        self._pass_over(buffer, at, first, _newlines(buffer, at, first))
        self._held += shown
        self.forget(min(len(self._held), LOOK_BACK_LINES_MAX))
        self._reading.lines += len(shown)

    def _pass_over(self, buffer: Bytes, at: int, end: int, lines: int) -> None:
        if lines:
            self._reading.lines += lines
            empty = buffer[at] in b"\r\n" or (
                self._gaps and _has_gaps(buffer, max(at - 1, 0), end))
            self._listener.passed_over(lines, len(_EMPTY.findall(buffer, at, end)) if empty else 0)


def _split(buffer: Bytes, begin: int, end: int) -> list[bytes]:
    """The lines of a stretch that holds one at least."""
    return bytes(memoryview(buffer)[begin:end]).removesuffix(b"\n").split(b"\n")


def _has_gaps(buffer: Bytes, begin: int, end: int) -> bool:
    """Whether blank lines follow on others in a stretch."""
    return any(_find(buffer, gap, begin, end) >= 0 for gap in (b"\n\n", b"\n\r\n"))


def _last_lines(buffer: Bytes, at: int, end: int, lines: int) -> int:
    """Where the last so many of the lines in a stretch begin; it ends with a line's end."""
    first = end
    for _ in range(lines):
        if first <= at:
            break
        first = max(buffer.rfind(b"\n", at, first - 1) + 1, at)
    return first
