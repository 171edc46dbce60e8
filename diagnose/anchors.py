"""Moments that two speakers tell of, by diagnose/anchors.toml, and the pairs of lines that do.

**Invariant:** knows what lines prove, never what they are called.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from functools import cache
from itertools import product

from msgspec import Struct

from diagnose import tables
from diagnose.annotation import DATING
from diagnose.errors import DataError
from diagnose.events import SPEAKERS, Event
from diagnose.times import BOOTS, Clocked
from emulator.pci import PciAddress

ANCHOR = "anchor"
BEGINNING_SECONDS = 10.0
"""A domain gets its devices, one after the other, within so many seconds of each other."""
PAIRS_MAX = 400
"""Where one key comes often in both logs, only so many pairings of its lines are tried."""


#: Whatever an anchor may name.
TOLD = frozenset(DATING) | BOOTS


class Side(Struct, frozen=True):
    """Who tells, and by which term or named anchor."""

    speaker: str
    term: str
    word: str


class Anchor(Struct, frozen=True):
    """The second side's line follows the first's by `seconds`, at least and at most."""

    first: Side
    second: Side
    seconds: tuple[float, float]


class Pair(Struct, frozen=True):
    """A line of the reference, one of another clock, and by how much the second follows the first.
    """

    reference: Clocked
    other: Clocked
    seconds: tuple[float, float]


@cache
def anchors() -> tuple[Anchor, ...]:
    """The table of anchors. Raises DataError for a row that cannot be used."""
    found = []
    for row in tables.own("anchors.toml")["anchor"]:
        low, high = row["seconds"]
        if low > high:
            raise DataError("anchors.toml", None, f"{row['first']}: {low} is more than {high}")
        found.append(Anchor(_side(row["first"]), _side(row["second"]), (low, high)))
    return tuple(found)


def _side(text: str) -> Side:
    speaker, _, term = text.partition(" ")
    word = term[1:] if term.startswith(":") else ""
    if speaker not in SPEAKERS or not (word or term in DATING or term.endswith("_boot")):
        raise DataError("anchors.toml", None, f"{text!r} names no speaker and term")
    return Side(speaker, ANCHOR if word else term, word)


class Moments:
    """The lines of one clock, and which may prove what an anchor names."""

    def __init__(self, lines: Sequence[Clocked]) -> None:
        self.lines = lines
        self._telling: dict[str, list[Clocked]] = defaultdict(list)
        names: dict[str, tuple[str, ...]] = {}
        for line in lines:
            production = line.event.production
            told = names.get(production.kind)
            if told is None:
                told = tuple({term.name for term in production.proves} & TOLD)
                names[production.kind] = told
            for name in told:
                self._telling[name].append(line)

    def telling(self, term: str) -> Sequence[Clocked]:
        """The lines that may prove it, in order."""
        return self._telling.get(term, ())


def pairs(reference: Moments, other: Moments) -> Iterator[Pair]:
    """Lines of two clocks that tell of the same moment.

    Where one thing is told as often in both, the lines belong together in their order; else any may
    belong to any.
    """
    if not reference.lines or not other.lines:
        return
    here, there = reference.lines[0].event.speaker, other.lines[0].event.speaker
    for row in anchors():
        low, high = row.seconds
        if (row.first.speaker, row.second.speaker) == (here, there):
            yield from _matched(_keyed(reference, row.first), _keyed(other, row.second), low, high)
        elif (row.second.speaker, row.first.speaker) == (here, there):
            yield from _matched(_keyed(reference, row.second), _keyed(other, row.first),
                                -high, -low)


Keyed = dict[Hashable, list[Clocked]]


def _keyed(lines: Moments, side: Side) -> Keyed:
    """The lines that tell of it, by the device, domain or number that they tell it of."""
    found: Keyed = defaultdict(list)
    for line in lines.telling(side.term):
        key = _key(line.event, side)
        if key is not None and line.event.stamp.kind:
            found[key].append(line)
    return found


def _key(event: Event, side: Side) -> Hashable | None:
    for term in event.production.proves:
        if term.name == side.term and term.holds(event.fields, event.speaker):
            word, fields = (term.args[:1], term.args[1:]) if side.word else ((), term.args)
            if not side.word or word == (side.word,):
                return tuple(_plain(event.fields.get(name)) for name in fields)
    return None


def _plain(value: object) -> Hashable:
    """A field for comparing: Xen's short addresses lack the segment."""
    if isinstance(value, PciAddress):
        return value.segment or 0, value.bus, value.slot, value.function
    return str(value)


def _matched(reference: Keyed, other: Keyed, low: float, high: float) -> Iterator[Pair]:
    if _keyless(reference) or _keyless(other):
        reference, other = {(): _one_a_domain(reference)}, {(): _one_a_domain(other)}
    for key, ours in reference.items():
        theirs = other.get(key, [])
        if len(ours) == len(theirs):
            yield from (Pair(a, b, (low, high)) for a, b in zip(ours, theirs, strict=True))
        elif len(ours) * len(theirs) <= PAIRS_MAX:
            yield from (Pair(a, b, (low, high)) for a, b in product(ours, theirs))


def _one_a_domain(side: Keyed) -> list[Clocked]:
    """All lines in order; where the keys end in a domid, the last of those that begin its life."""
    lives: dict[Hashable, Clocked] = {}
    every = sorted(((key, line) for key, lines in side.items() for line in lines),
                   key=lambda each: (each[1].boot, each[1].time))
    for nth, (key, line) in enumerate(every):
        life = (line.boot, key[-1]) if isinstance(key, tuple) and key else nth
        begun = lives.setdefault(life, line)
        if line.time - begun.time <= BEGINNING_SECONDS:
            lives[life] = line
    return list(lives.values())


def _keyless(side: Keyed) -> bool:
    return list(side) == [()]
