"""Lines that are not counted yet, and records that may go on in a later one.

**Invariant:** values only; whether something goes on is decided by its neighbours' envelopes.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct

from diagnose import mend
from diagnose.envelope import Envelope
from diagnose.grammar import NOTHING
from diagnose.lines import RawLine

#: The classes of the coverage, the one that counts most first: a line may hold several records.
CLASSES = ("events", "near_misses", "unreadable", "unknown", "known_noise")


class Taken(Struct):
    """One line until it is counted."""

    raw: RawLine
    verdict: str = "known_noise"
    text: str = ""
    layered: bool = False
    missed: str | None = None       # what came near to a message

    def count(self, verdict: str) -> None:
        """Let it count as that, if that counts more than what it was."""
        if CLASSES.index(verdict) < CLASSES.index(self.verdict):
            self.verdict = verdict


class Begun(Struct):
    """A record that may go on in a later line."""

    envelope: Envelope
    parts: list[mend.Part]
    lines: list[Taken]
    place: int                      # where its reading stands among those heard
    whole: str = ""                 # it is a message as it is: a "generic" one, or "free" text

    @property
    def last(self) -> int:
        """The number of the last line in which it may go on."""
        return self.lines[0].raw.number + mend.HELD_LINES_MAX


class Kept:
    """The last lines that were kept at once, each a message as it is, which may go on."""

    def __init__(self) -> None:
        self._lines = deque[tuple[int, str, str, int]](maxlen=mend.HELD_LINES_MAX)

    def add(self, number: int, text: str, whole: str, place: int) -> None:
        """Note a line of printable ASCII, and where its reading stands (see `Begun`)."""
        self._lines.append((number, text, whole, place))

    def begun(self, until: int, peel: Callable[[str], Envelope]) -> Iterator[Begun]:
        """What may go on in the line with number `until`; all are forgotten."""
        for number, text, whole, place in self._lines:
            if number + mend.HELD_LINES_MAX >= until:
                taken = Taken(RawLine(number, text, text, text.encode()), "events")
                piece = mend.Piece(peel(text), NOTHING, broken=False)
                yield Begun(piece.envelope, [part_of(taken, piece)], [taken], place, whole)
        self._lines.clear()


def part_of(taken: Taken, piece: mend.Piece) -> mend.Part:
    """What stands of a record on one line."""
    text, line = piece.envelope.payload, taken.raw.text
    blank = text.endswith(" ") or (not piece.broken and line.endswith(" "))
    whole, rest = line.strip(" "), text.strip(" ")
    marked = whole.endswith(rest) and 0 < len(whole) - len(rest) <= mend.MARK_LENGTH_MAX
    return mend.Part(rest, taken.raw.number, line.startswith(" "), blank, piece.broken, len(line),
                     whole if marked else "")


def follows(before: mend.Part, after: mend.Part) -> bool:
    """Whether free text may go on there."""
    return before.torn or mend.wrapped(before, after)


def may_go_on(taken: Taken, piece: mend.Piece, after: Envelope, number: int) -> bool:
    """Whether the line after an unread one makes it look torn.

    Somebody else speaks there, who may have broken into it; or it lacks the envelope of the others.
    """
    return taken.raw.number == number - 1 and (
        after.speaker not in (None, piece.envelope.speaker)
        or (after.outer and not piece.envelope.outer))
