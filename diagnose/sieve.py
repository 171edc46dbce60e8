"""Find the lines that may say something: those with a cue of some message, or with odd bytes.

The cues are derived from the grammars (see `catalogue`): every line that a production reads holds
one, and a message that was torn in two holds one in either part if it is long enough. Odd bytes are
all that may hide a cue: tabs, escape sequences, carriage returns within a line, letters beyond ASCII.
What is left says nothing, and nobody looks at it any more.

Hyperscan looks for all of them at once. Where there is none a regular expression finds the same
lines, some fifty times slower.

**Invariant:** both engines find the same lines.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from diagnose import sieve_file

#: How tabs are shown by those who keep logs, and what only entries of the journal hold.
MARKS = ("^I", "#011", "\\x09", "__CURSOR", '"MESSAGE"')
#: Anything but printable ASCII and line ends; a carriage return ends a line only before its feed.
ODD = rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\xff]|\r[^\n]"

Found = Callable[[bytes], list[int]]


class Engine(Protocol):
    """What finds the ends of cues and of odd bytes in a buffer, in any order."""

    name: str

    def ends(self, buffer: bytes) -> list[int]:
        """The places behind what was found."""


class _Expressions:
    """The engine that is always there."""

    name = "re"

    def __init__(self, literals: Sequence[str]) -> None:
        either = _alternation([literal.encode() for literal in literals])
        self._cues = re.compile(either)
        self._odd = re.compile(ODD)

    def ends(self, buffer: bytes) -> list[int]:
        """The places behind what was found, the first of each run of overlapping ones."""
        found = [match.end() for match in self._cues.finditer(buffer)]
        found += [match.start() + 1 for match in self._odd.finditer(buffer)]
        return found


class _Hyperscan:
    """The engine for all who can install it."""

    name = "hyperscan"

    def __init__(self, literals: Sequence[str]) -> None:
        self._cues = sieve_file.database([re.escape(each.encode()) for each in literals])
        self._odd = sieve_file.database([ODD])

    def ends(self, buffer: bytes) -> list[int]:
        """The places behind everything that was found."""
        found: list[int] = []

        def heard(_nr: int, _begin: int, end: int, _flags: int, _context: object) -> None:
            found.append(end)

        def odd(_nr: int, _begin: int, end: int, _flags: int, _context: object) -> None:
            found.append(end - (buffer[end - 2] == 13))

        self._cues.scan(buffer, match_event_handler=heard)
        self._odd.scan(buffer, match_event_handler=odd)
        return found
