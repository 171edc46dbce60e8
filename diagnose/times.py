"""The times of events by one clock, boot by boot, and what makes two events the same.

**Invariant:** reads stamps and compares; nothing is put in order here.
"""
from __future__ import annotations

from collections.abc import Hashable, Sequence

from msgspec import Struct

from diagnose.events import Event

HALF_A_YEAR = 183 * 86400.0
YEAR = 366 * 86400.0
"""Stamps without a year lie in a leap year."""


#: What a line proves with which a kernel or the hypervisor begins.
BOOTS = frozenset(("host_boot", "guest_boot"))


class Clocked(Struct, frozen=True, gc=False):
    """An event and its time: seconds since boot number `boot` of the file, or the time of day."""

    event: Event
    boot: int
    time: float


def clocked(events: Sequence[Event]) -> tuple[list[Clocked], str]:
    """Events of one speaker by the clock that most stamped ones have: "uptime", "wall" or "".

    An event without a stamp has the time of the one before it. A wall clock without a year goes on
    into the next one where it falls back by most of a year.
    """
    clock = _clock(events)
    lines: list[Clocked] = []
    boot, time, years = 0, 0.0, 0.0
    begun = False
    by_uptime = clock == "uptime"
    for event in events:
        stamp = event.stamp
        told = stamp.uptime if by_uptime else stamp.wall if clock else None
        if by_uptime and begun and (told is None or told < time) and is_boot(event):
            boot, time = boot + 1, 0.0
        if told is not None:
            if not by_uptime and begun and told + years < time - HALF_A_YEAR:
                years += YEAR
            time, begun = told + years, True
        lines.append(Clocked(event, boot, time))
    first = next((line for line in lines if getattr(line.event.stamp, clock or "time") is not None),
                 None)
    if first is None:
        return lines, clock
    at = lines.index(first)
    return [Clocked(line.event, line.boot, first.time) for line in lines[:at]] + lines[at:], clock


def carried(events: Sequence[Event], told: Sequence[Clocked]) -> list[Clocked]:
    """All events, of which some are `told`, in this order; the others have the time of the line
    before, and those at the beginning that of the first one told.
    """
    lines: list[Clocked] = []
    nth, last = 0, told[0]
    for event in events:
        if nth < len(told) and told[nth].event is event:
            last = told[nth]
            nth += 1
            lines.append(last)
        else:
            lines.append(Clocked(event, last.boot, last.time))
    return lines


def is_boot(event: Event) -> bool:
    """Whether a kernel or the hypervisor begins there."""
    terms = event.production.terms
    return not BOOTS.isdisjoint(terms) if terms is not None else \
        any(event.proves(boot) for boot in BOOTS)


def _clock(events: Sequence[Event]) -> str:
    """The clock of most stamped events: a hypervisor that boots has no uptime for its first lines,
    and a syslog none for what others than kernels say.
    """
    stamped = [event.stamp for event in events if event.stamp.kind]
    uptimes = sum(stamp.uptime is not None for stamp in stamped)
    if uptimes * 2 >= len(stamped) > 0:
        return "uptime"
    walls = sum(stamp.wall is not None for stamp in stamped)
    return "wall" if walls * 2 >= len(stamped) > 0 else ""


def years(walls: Sequence[float]) -> list[float]:
    """What to add to the first times of several logs of one host, which may tell no year.

    Logs that all lie within a year, and further apart than half of one, go over a new year.
    """
    first, last = min(walls), max(walls)
    turn = last < YEAR and last - first > HALF_A_YEAR
    return [YEAR if turn and wall < last - HALF_A_YEAR else 0.0 for wall in walls]


def wall_of(lines: Sequence[Clocked]) -> float | None:
    """The time of day of the first of these lines that tells one."""
    return next((line.event.stamp.wall for line in lines if line.event.stamp.wall is not None),
                None)


def key_of(event: Event) -> Hashable:
    """What two events have in common that are the same line in two places."""
    return event.kind, event.speaker, event.nth, tuple(sorted(
        (name, str(value)) for name, value in event.fields.items()))
