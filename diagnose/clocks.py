"""By how much each log's clock is ahead of dom0's, as an interval, from what both tell.

Each pair of lines about one moment gives an interval for the distance of two clocks; the distance
that most pairs allow is taken (Marzullo's algorithm), so that a line that belongs to another moment
is outvoted. Where the best distance is not a single interval, nothing is said.

**Invariant:** times of day are compared with nothing but what lines tell: shifting the stamps of
one log by a constant shifts its distance and changes nothing else.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from diagnose.anchors import Moments, Pair, pairs
from diagnose.diagnosis import Clock
from diagnose.events import Event, Line, Parsed
from diagnose.times import Clocked, clocked

#: Until a kernel's clock is steady it runs behind by up to so many seconds, measured on dom0s of
#: 5.10 to 6.12 under Xen 4.14 to 4.20 as 0.15 to 1.43.
UNSTEADY_SECONDS = 1.5
#: A kernel that does not tell when its clock is steady has set it by then.
STEADY_BY = 30.0
#: A single pair may be of two moments; times that the replay relies on need as many as these.
PAIRS_MIN = 2


class Log(Struct, frozen=True):
    """What one speaker says in one input; `guest` is empty unless one speaks."""

    input: str
    speaker: str
    guest: str


class Told(Struct, frozen=True):
    """What one pair of lines allows the distance of two clocks to be."""

    pair: Pair
    low: float
    high: float


class Distance(Struct, frozen=True):
    """A clock's distance from dom0's in seconds, at least and at most, and the pairs that tell."""

    low: float
    high: float
    pairs: tuple[Pair, ...]


class Window(Struct, frozen=True, gc=False):
    """When a line was printed by dom0's clock of one host boot, at the earliest and the latest."""

    boot: int
    low: float
    high: float


Key = tuple[str, int, int]


class Clocks:
    """The clocks of one incident, and the times of lines by dom0's clock."""

    def __init__(self, reports: Sequence[Clock] = (), lines: Sequence[Clocked] = (),
                 others: Sequence[tuple[Sequence[Clocked], Mapping[int, Distance]]] = ()) -> None:
        self.reports = tuple(reports)
        self._lines, self._others = lines, others

    def window(self, event: Event) -> Window | None:
        """When the line was printed, None where no evidence tells."""
        return self._windows.get(_key(event))

    @cached_property
    def _windows(self) -> Mapping[Key, Window]:
        """Worked out when somebody asks: most diagnoses do not, and lines can be many."""
        windows = dict(_own(self._lines))
        for lines, found in self._others:
            windows.update(_seen(lines, found))
        return windows


NO_CLOCKS = Clocks()


def clocks(parsed: Parsed) -> Clocks:
    """Compare every input's clocks with dom0's."""
    logs: dict[tuple[str, str, str], list[Event]] = {}
    for event in parsed.events:
        logs.setdefault((event.log, event.speaker, event.guest or ""), []).append(event)
    timed = {Log(*name): clocked(events) for name, events in logs.items()}
    first = _reference(timed)
    if first is None:
        return NO_CLOCKS
    reference = Moments(timed[first][0])
    others = [(log, lines, _distances(reference, Moments(lines)))
              for log, (lines, clock) in timed.items() if log != first and clock]
    return Clocks([_report(log, boot, best) for log, _, found in others
                   for boot, best in found.items()],
                  reference.lines, [(lines, found) for _, lines, found in others])


def _reference(timed: Mapping[Log, tuple[list[Clocked], str]]) -> Log | None:
    """dom0's log that tells most: by its uptime if it can, else by the time of day."""
    able = [(clock == "uptime", len(lines), log) for log, (lines, clock) in timed.items()
            if log.speaker == "dom0" and clock]
    return max(able, key=lambda each: each[:2])[2] if able else None


def _own(lines: Sequence[Clocked]) -> Iterator[tuple[Key, Window]]:
    for line in lines:
        yield _key(line.event), Window(line.boot, line.time, line.time + _unit(line))


def _seen(lines: Sequence[Clocked],
          found: Mapping[int, Distance]) -> Iterator[tuple[Key, Window]]:
    for line in lines:
        best = found.get(line.boot)
        if best is None or len(best.pairs) < PAIRS_MIN:
            continue
        boot = best.pairs[0].reference.boot
        yield _key(line.event), Window(boot, line.time - best.high,
                                       line.time + _unit(line) - best.low)


def _key(event: Event) -> Key:
    return event.line.input, event.line.line, event.nth


def _unit(line: Clocked) -> float:
    """The length of the unit in which the line's time is told."""
    return line.event.stamp.coarse if line.event.stamp.uptime is None else 0.0


# --- The distance that most pairs allow ------------------------------------------------------


def _distances(reference: Moments, lines: Moments) -> dict[int, Distance]:
    """For each boot of a log its distance from the host boot with which most pairs agree."""
    steady = {line.boot: line.time for line in reference.telling("steady")
              if line.event.proves("steady")}
    told: dict[tuple[int, int], list[Told]] = {}
    for pair in pairs(reference, lines):
        boot = pair.reference.boot
        told.setdefault((pair.other.boot, boot), []).append(
            Told(pair, *_interval(pair, steady.get(boot, STEADY_BY))))
    found: dict[int, Distance] = {}
    for (boot, _), intervals in told.items():
        best = _marzullo(intervals)
        if best is not None and (boot not in found or len(best.pairs) > len(found[boot].pairs)):
            found[boot] = best
    return found


def _interval(pair: Pair, steady: float) -> tuple[float, float]:
    """What one pair allows: the other clock's time less the reference's, less the delay."""
    low, high = pair.seconds
    apart = pair.other.time - pair.reference.time
    early = pair.reference.event.stamp.uptime is not None and pair.reference.time < steady
    return (apart - high - _unit(pair.reference),
            apart - low + _unit(pair.other) + UNSTEADY_SECONDS * early)


def _marzullo(told: Sequence[Told]) -> Distance | None:
    """The interval that most lines' intervals share, None if several are shared by as many."""
    edges = sorted([(each.low, 0, nth) for nth, each in enumerate(told)]
                   + [(each.high, 1, nth) for nth, each in enumerate(told)])
    inside: dict[int, int] = {}         # intervals by number, and the line that each is of
    best: list[tuple[float, float, tuple[int, ...]]] = []
    most = 0
    for place, (edge, closing, nth) in enumerate(edges):
        if closing:
            del inside[nth]
            continue
        inside[nth] = id(told[nth].pair.other)
        count = len(set(inside.values()))
        if count >= most:
            best = best if count == most else []
            most = count
            best.append((edge, edges[place + 1][0], tuple(sorted(inside))))
    if len(best) != 1:
        return None
    low, high, agreed = best[0]
    return Distance(low, high, tuple(told[nth].pair for nth in agreed))


def _report(log: Log, boot: int, best: Distance) -> Clock:
    lines: dict[Line, None] = {}
    for pair in best.pairs:
        lines.update(dict.fromkeys((pair.other.event.line, pair.reference.event.line)))
    return Clock(log.input, log.speaker, "dom0", (round(best.low, 3), round(best.high, 3)),
                 tuple(lines), boot)
