"""Find the lines that may say something: those with a cue of some message, or with odd bytes.

The cues are derived from the grammars (see `catalogue`): every line that a production reads holds
one, and a message that was torn in two holds one in either part if it is long enough. Odd bytes
are all that may hide a cue: escape sequences, carriage returns within a line, letters beyond ASCII.
What is left says nothing, and nobody looks at it any more.

Hyperscan looks for all of them at once. Where it cannot be had, a regular expression finds the
same lines, many times slower.

**Invariant:** both engines find the same lines.
"""
from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Protocol

from diagnose import kept
from diagnose.quoting import SMALL_WORDS, SMALL_WORDS_MIN

#: What only entries of the journal hold, which are more than their message.
ENTRY_MARKS = ("__CURSOR", '"MESSAGE"')
#: Anything but printable ASCII, tabs and line ends; a carriage return ends a line before its feed.
_ODD = rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]|\r[^\n]"
_WORD = rb"\b(?i:%s)\b" % b"|".join(word.encode() for word in sorted(SMALL_WORDS))
_PROSE = rb"[^\n]*".join([_WORD] * SMALL_WORDS_MIN)


class Sieve(Protocol):
    """Finds the lines of a buffer that may say something."""

    def places(self, buffer: bytes | memoryview, prose: bool = False) -> list[int]:
        """A place in each such line, in order; there may be several in one.

        With `prose` lines that may be sentences of English are picked as well.
        """


class Expressions:
    """The engine that is always there."""

    def __init__(self, literals: Sequence[str]) -> None:
        cues = sorted(literal.encode() for literal in literals)
        self._any = re.compile(b"(?:%s|%s)[^\n]*" % (_factored(cues), _ODD))
        self._small = re.compile(_WORD)

    def places(self, buffer: bytes | memoryview, prose: bool = False) -> list[int]:
        """The end of each line that may say something."""
        data = bytes(buffer)
        found = [match.end() - 1 for match in self._any.finditer(data)]
        if prose:
            found += _of_many(data, [match.start() for match in self._small.finditer(data)])
        found.sort()
        return found


def _of_many(buffer: bytes, words: list[int]) -> Iterator[int]:
    """The last word of those in one line, where there are enough of them."""
    for nth in range(SMALL_WORDS_MIN - 1, len(words)):
        if buffer.find(b"\n", words[nth - SMALL_WORDS_MIN + 1], words[nth]) < 0:
            yield words[nth]


def _factored(texts: Sequence[bytes]) -> bytes:
    """An expression for any of the sorted texts, in which each shared beginning stands once."""
    by_letter: dict[bytes, list[bytes]] = {}
    for text in texts:
        by_letter.setdefault(text[:1], []).append(text[1:])
    if b"" in by_letter:    # the others begin with this one, and are found with it
        return b""
    branches = [re.escape(letter) + _factored(rests) for letter, rests in by_letter.items()]
    return branches[0] if len(branches) == 1 else b"(?:%s)" % b"|".join(branches)


class Hyperscan:
    """The engine for all who can install it."""

    def __init__(self, literals: Sequence[str]) -> None:
        # Apart, each of the two is found faster than both together.
        self._always = [_scanner([re.escape(each.encode()) for each in literals]),
                        _scanner([_ODD])]
        self._prose = [_scanner([_PROSE])]

    def places(self, buffer: bytes | memoryview, prose: bool = False) -> list[int]:
        """The ends of all cues and of all that is odd, and of all small words from the third on."""
        found: list[int] = []

        def heard(_nr: int, _begin: int, end: int, _flags: int, _context: object) -> None:
            found.append(end - 1)

        for scan in self._always + self._prose * prose:
            scan(buffer, match_event_handler=heard)
        found.sort()
        return found


def _scanner(expressions: Sequence[bytes]) -> Callable[..., object]:
    """What scans with a compiled database, kept for the next start on the same processor."""
    import hyperscan

    identity = repr(expressions).encode()
    name = f"sieve-{hashlib.sha256(identity).hexdigest()[:32]}"
    content = kept.read(name)
    if content is not None:
        try:
            made = hyperscan.loadb(content, hyperscan.HS_MODE_BLOCK)
            return partial(made.scan, scratch=hyperscan.Scratch(made))
        except hyperscan.error:
            content = None      # of another processor or release; made anew below
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(expressions=expressions, elements=len(expressions),
                 ids=list(range(len(expressions))), flags=[0] * len(expressions))
    kept.write(name, hyperscan.dumpb(made))
    return partial(made.scan, scratch=hyperscan.Scratch(made))


@lru_cache(maxsize=1)
def sieve(literals: tuple[str, ...]) -> Sieve:
    """The sieve for these cues, with the best engine that runs here."""
    wanted = (*literals, *ENTRY_MARKS)
    try:
        import hyperscan
    except ImportError:     # no wheel for this machine
        return Expressions(wanted)
    try:
        return Hyperscan(wanted)
    except hyperscan.error:     # a processor without what the wheel was built for
        return Expressions(wanted)
