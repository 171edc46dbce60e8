"""Which lines of one log stand in another one too, because two have kept what one has printed.

Stamps of one clock tell it line by line. Where two clocks, or none, were at work, a run of lines
tells it: what both logs show of the kinds that both show is the same, one after the other, and the
two clocks go on at the same pace.

**Invariant:** a pair is two events that say the same; nothing is said of what only one log has.
"""
from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Hashable, Sequence

from msgspec import Struct

from diagnose.events import Event
from diagnose.times import Clocked, clocked, key_of

#: So many lines at least have to be the same before one log is held for the other's copy.
LINES_MIN = 3
#: Share of the lines of the stretch that both cover, of the log that has fewer there, which have to
#: be the same.
SHARE = 0.7
#: So many lines in a row, and so many different ones, where no stamps can be compared.
RUN_MIN = 5
#: By so many seconds may the distance of two clocks vary: syslog is slow at times.
PACE_SECONDS = 10.0
#: Before that a kernel's clock may stand still, so that two boots show the same stamps.
STILL_SECONDS = 1.0


class Kept(Struct, frozen=True):
    """One speaker's events in one input, in order, by the clock that most of them have."""

    name: str
    lines: Sequence[Clocked]
    clock: str

    def boots(self) -> dict[int, list[Clocked]]:
        """The lines of each boot."""
        found: dict[int, list[Clocked]] = defaultdict(list)
        for line in self.lines:
            found[line.boot].append(line)
        return found


def kept(name: str, events: Sequence[Event]) -> Kept:
    """One speaker's events of one input."""
    return Kept(name, *clocked(events))


Pairs = list[tuple[Event, Event]]


def by_stamps(first: Kept, second: Kept) -> Pairs:
    """Events of the first and their copies in the second, told by the stamps of one clock."""
    if not first.clock or first.clock != second.clock:
        return []
    found: Pairs = []
    for mine in second.boots().values():
        for theirs in first.boots().values():
            found += _boot_pairs(theirs, mine, second)
    return found


def _boot_pairs(theirs: list[Clocked], mine: list[Clocked], second: Kept) -> Pairs:
    low = max(min(line.time for line in lines) for lines in (theirs, mine))
    high = min(max(line.time for line in lines) for lines in (theirs, mine))
    there: dict[Hashable, list[Clocked]] = defaultdict(list)
    for line in reversed(theirs):
        there[line.time, key_of(line.event)].append(line)
    within = [line for line in mine if low <= line.time <= high]
    same = [(there[key].pop(), line) for line in within
            if there.get(key := (line.time, key_of(line.event)))]
    told = sum(line.time > STILL_SECONDS or second.clock == "wall" for _, line in same)
    every = len(same) == len(within)
    enough = told >= LINES_MIN or (every and (
        len(within) == len(second.lines) or (second.clock == "uptime" and told > 1)))
    fewer = min(len(within), sum(low <= line.time <= high for line in theirs))
    return [(a.event, b.event) for a, b in same] \
        if same and enough and len(same) >= SHARE * fewer else []


def by_runs(first: Kept, second: Kept) -> Pairs:
    """Events of the first and their copies in the second, told by what stands one after the other.

    The second lies within the first, or goes on where the first ends, or the first where it ends.
    """
    if first.clock == second.clock == "uptime":
        return []       # one kernel's own stamps would have told
    kinds = {line.event.kind for line in first.lines} & {line.event.kind for line in second.lines}
    ours, theirs = ([line for line in log.lines if line.event.kind in kinds]
                    for log in (first, second))
    places = _common(ours, theirs)
    if places is None:
        return []
    at, start, length = places
    pairs = [(ours[at + nth], theirs[start + nth]) for nth in range(length)]
    different = len({key_of(line.event) for _, line in pairs})
    if length < RUN_MIN or different < LINES_MIN or not _at_one_pace(pairs):
        return []
    return [(a.event, b.event) for a, b in pairs]


def _common(ours: Sequence[Clocked], theirs: Sequence[Clocked]) -> tuple[int, int, int] | None:
    """Where the run that both share begins in either, and its length."""
    numbers: dict[Hashable, int] = {}
    a, b = (array("L", (numbers.setdefault(key_of(line.event), len(numbers)) for line in lines))
            for lines in (ours, theirs))
    at = _last_place(a, b)
    if at is not None:
        return at, 0, len(b)
    goes_on, before = _overlap(a, b), _overlap(b, a)
    if goes_on >= before:
        return (len(a) - goes_on, 0, goes_on) if goes_on else None
    return 0, len(b) - before, before


def _last_place(whole: array[int], part: array[int]) -> int | None:
    """Where the part stands last in the whole, as a ring buffer does in what was kept of it."""
    text, run, size = whole.tobytes(), part.tobytes(), whole.itemsize
    end = len(text)
    while (place := text.rfind(run, 0, end)) >= 0:
        if place % size == 0:
            return place // size
        end = place + len(run) - 1
    return None


def _overlap(head: array[int], tail: array[int]) -> int:
    """How many of the head's last numbers are the tail's first (Knuth, Morris and Pratt)."""
    failure = [0] * len(tail)
    fits = 0
    for nth in range(1, len(tail)):
        while fits and tail[nth] != tail[fits]:
            fits = failure[fits - 1]
        fits += tail[nth] == tail[fits]
        failure[nth] = fits
    fits = 0
    for number in head[-len(tail):]:
        while fits and (fits == len(tail) or number != tail[fits]):
            fits = failure[fits - 1]
        fits += number == tail[fits]
    return fits


def _at_one_pace(pairs: Sequence[tuple[Clocked, Clocked]]) -> bool:
    """Whether the distance of the clocks stays the same within a boot, if both logs have one."""
    apart: dict[tuple[int, int], list[float]] = defaultdict(list)
    for a, b in pairs:
        if a.event.stamp.kind and b.event.stamp.kind:
            apart[a.boot, b.boot].append(a.time - b.time)
    return all(max(each) - min(each) <= PACE_SECONDS for each in apart.values())
