"""Stretches of one file that stand in it twice, or in another place than their own.

A clock that falls back tells. What it goes through for the second time with the same lines is a
copy; a stretch that fits between two others where the clock jumps forward has been moved. A clock
that was set back does neither, and the file's own order is kept.

**Invariant:** looks at one file; its order is changed only if its stamps leave no other reading.
"""
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from diagnose.events import Event, Remark
from diagnose.times import HALF_A_YEAR, Clocked, carried, clocked, is_boot, key_of, wall_of

#: Lines of several processors, and of a slow syslog, may stand so many seconds out of turn.
OUT_OF_TURN = {"uptime": 0.05, "wall": 2.0}
OUT_OF_TURN_FINE = 0.05
"""The same where the time of day is told with a fraction."""
FIRST_SECOND = 1.0
"""So long, in seconds, may a clock seem to stand still at a boot."""
#: A block that is moved is parted from its neighbours at so many places at most.
SEAMS_A_STEP = 3
#: Changes between summer and winter time, give or take a few lines, in seconds.
ZONE_STEP = (3480.0, 3720.0)
#: So many lines at least are the same again in a copy where stamps are coarse.
COPY_LINES_MIN = 3


def in_order(name: str, events: Sequence[Event]) -> tuple[list[Event], list[Remark]]:
    """The events of one input in order and once each, and what was done to them."""
    shown = _without_reprints(events)
    lines, clock = _timed(shown)
    turned = _boots_in_turn(lines) if clock == "uptime" else None
    if turned is not None:
        shown, remarks = in_order(name, [line.event for line in turned])
        return shown, [Remark("out-of-order", "Its boots do not stand in the order of their times "
                              "of day; they were read in that order.", name), *remarks]
    slack = _slack(lines, clock)
    falls = clock and any(_falls(a, b, slack) for a, b in pairwise(lines))
    once = _once(lines, slack) if falls else lines
    copies = len(events) - (len(once) if falls else len(shown))
    remarks = []
    if copies:
        remarks.append(Remark("doubled", f"{copies} of its lines stand in it twice, with the same "
                              "stamps; each was read once.", name))
    if not falls:
        return shown, remarks
    steps = [(a, b) for a, b in pairwise(once) if _falls(a, b, slack)]
    if steps:
        moved = sorted(once, key=lambda line: (line.boot, line.time))
        if _plausible(once, moved, steps, clock):
            remarks.append(Remark("out-of-order", "Its lines do not stand in the order of their "
                                  "stamps; they were read in that of the stamps.", name))
            once = moved
        else:
            fall = max(a.time - b.time for a, b in steps)
            remarks.append(Remark("clock-set-back", f"Its clock falls back by {fall:.1f} s; its "
                                  "lines were read in the order in which they stand.", name,
                                  steps[0][1].event.line.line))
    return [line.event for line in once], remarks


def _without_reprints(events: Sequence[Event]) -> list[Event]:
    """The events without those of a ring buffer that was shown again: same text, same uptime.

    A kernel's clock stands still while it begins, at zero or wherever it starts, so that lines of
    two boots may be the same; such lines are copies only where the next line of their speaker with
    a time of its own is one.
    """
    still: dict[str, float] = {}        # until when a speaker's clock may have stood still
    seen: dict[str, set[str]] = {}
    newest: dict[str, float] = {}
    doubtful: dict[str, list[Event]] = {}
    shown_again: set[str] = set()       # who printed his last line for the second time
    copies: set[int] = set()
    for event in events:
        who, text, uptime = event.speaker, event.line.text.strip(), event.stamp.uptime or 0.0
        known = seen.setdefault(who, set())
        behind = newest.get(who, 0.0) - uptime
        again = text in known and (behind > 0 or (behind == 0 and who in shown_again))
        known.add(text)
        (shown_again.add if again else shown_again.discard)(who)
        if is_boot(event):
            still[who] = uptime + FIRST_SECOND
        if uptime <= still.get(who, FIRST_SECOND):
            if again:
                doubtful.setdefault(who, []).append(event)
            continue
        if again:
            copies.update(map(id, (event, *doubtful.get(who, ()))))
        doubtful[who] = []
        newest[who] = max(uptime, newest.get(who, 0.0))
    return [event for event in events if id(event) not in copies] if copies else list(events)


def _boots_in_turn(lines: Sequence[Clocked]) -> list[Clocked] | None:
    """The boots of a log in the order of their times of day, None if they stand in it already.

    A time that falls back by most of a year is that of the next one.
    """
    boots: dict[int, list[Clocked]] = {}
    for line in lines:
        boots.setdefault(line.boot, []).append(line)
    begins = {boot: wall_of(own) for boot, own in boots.items()}
    ends = {boot: wall_of(own[::-1]) for boot, own in boots.items()}
    if len(boots) < 2 or None in begins.values():
        return None
    falls = [(begins[b] or 0.0) - (ends[a] or 0.0) for a, b in pairwise(boots)]
    if not any(-HALF_A_YEAR < fall < -ZONE_STEP[1] for fall in falls) or \
            any(fall <= -HALF_A_YEAR for fall in falls):
        return None
    order = sorted(boots, key=lambda boot: begins[boot] or 0.0)
    apart = all((ends[a] or 0.0) <= (begins[b] or 0.0) for a, b in pairwise(order))
    return [line for boot in order for line in boots[boot]] if apart else None


def _timed(events: Sequence[Event]) -> tuple[list[Clocked], str]:
    """All events by the clock of the speaker who says most; the others' have the time before."""
    counts: dict[str, int] = {}
    for event in events:
        if event.stamp.kind:
            counts[event.speaker] = counts.get(event.speaker, 0) + 1
    if not counts:
        return [], ""
    leader = max(sorted(counts), key=lambda speaker: counts[speaker])
    led, clock = clocked([event for event in events if event.speaker == leader])
    return carried(events, led), clock


def _slack(lines: Sequence[Clocked], clock: str) -> float:
    fine = clock == "wall" and all(line.event.stamp.coarse < 1 for line in lines
                                   if line.event.stamp.wall is not None)
    return OUT_OF_TURN_FINE if fine else OUT_OF_TURN.get(clock, 0.0)


def _falls(before: Clocked, after: Clocked, slack: float) -> bool:
    return before.boot == after.boot and after.time < before.time - slack


def _once(lines: Sequence[Clocked], slack: float) -> list[Clocked]:
    """The lines without those that a stretch goes through for the second time."""
    kept: list[Clocked] = []
    places: dict[object, int] = {}
    copy: int | None = None         # the place of the original of the line before, in a copy
    run: list[Clocked] = []
    for line in lines:
        key = (line.boot, line.time, key_of(line.event))
        if copy is None and kept and _falls(kept[-1], line, slack):
            copy = places.get(key)
        elif copy is not None:
            copy = copy + 1 if copy + 1 < len(kept) and _same(kept[copy + 1], line) else None
        if copy is not None:
            run.append(line)
            continue
        if len(run) < COPY_LINES_MIN:   # too short to be told from a coincidence
            kept.extend(run)
        run = []
        places[key] = len(kept)
        kept.append(line)
    return kept if len(run) >= COPY_LINES_MIN else kept + run


def _same(first: Clocked, second: Clocked) -> bool:
    return first.boot == second.boot and first.time == second.time and \
        key_of(first.event) == key_of(second.event)


def _plausible(stand: Sequence[Clocked], moved: Sequence[Clocked],
               falls: Sequence[tuple[Clocked, Clocked]], clock: str) -> bool:
    """Whether the order of the stamps moves whole stretches, and no clock was set back instead."""
    place = {id(line.event): nth for nth, line in enumerate(stand)}
    seams = sum(place[id(b.event)] != place[id(a.event)] + 1 for a, b in pairwise(moved))
    if seams > SEAMS_A_STEP * len(falls):
        return False
    if clock == "uptime":
        return True
    zone = any(ZONE_STEP[0] <= a.time - b.time <= ZONE_STEP[1] for a, b in falls)
    first = stand[0].event
    return not zone and (moved[0].event is first or not is_boot(first))
