"""Put events in the order in which they were printed, once each, as far as stamps and texts tell.

A file may hold a stretch twice or in another place than its own; two files may hold the same lines
of one host, because a console and a syslog, or a ring buffer and a file, were both collected. What
stamps do not tell stays as it stands.

**Invariant:** no event is made or changed; what is left out is a copy, and a remark says so.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import merge

from msgspec.structs import replace

from diagnose.chunks import in_order
from diagnose.copies import Kept, Pairs, by_runs, by_stamps, kept
from diagnose.events import Event, Parsed, Remark
from diagnose.times import Clocked, carried, clocked, is_boot, wall_of, years


def ordered(parsed: Parsed) -> Parsed:
    """The same inputs with the events of each in order and once."""
    by_input = _by_input(parsed)
    remarks: list[Remark] = []
    for name, events in by_input.items():
        by_input[name], told = in_order(name, events)
        remarks.extend(told)
    woven = tuple(event for own in by_input.values() for event in own)
    return replace(parsed, events=woven, remarks=(*parsed.remarks, *remarks))


def weave(parsed: Parsed) -> Parsed:
    """The inputs' events together, each input in order: without copies, dom0's in one order."""
    by_input = _by_input(parsed)
    copies: dict[str, Counter[str]] = {}
    for speaker in ("dom0", "xen"):
        for name, other, lines in _without_copies(by_input, speaker):
            copies.setdefault(name, Counter())[other] += lines
    remarks = tuple(Remark(
        "copies", f"{sum(others.values())} of its lines stand in {', '.join(others)} as well; each "
        "was read once.", name) for name, others in copies.items())
    woven = tuple(event for group in _groups(by_input) for event in group)
    return replace(parsed, events=woven, remarks=(*parsed.remarks, *remarks))


def _by_input(parsed: Parsed) -> dict[str, list[Event]]:
    by_input: dict[str, list[Event]] = {source.log: [] for source in parsed.sources}
    for event in parsed.events:
        by_input[event.log].append(event)
    return by_input


# --- Copies ----------------------------------------------------------------------------------


def _without_copies(by_input: dict[str, list[Event]],
                    speaker: str) -> Iterator[tuple[str, str, int]]:
    """Leave out of each input what an earlier one has of this speaker.

    Yields both names and the number of lines. Where stamps cannot put in order what is left of the
    input, the places of the copies do, and it is read among the other one's lines.
    """
    before: list[Kept] = []
    own = {name: mine for name, events in by_input.items()
           if (mine := [event for event in events if event.speaker == speaker])}
    if len(own) < 2:
        return
    # The log that has most is what the others are copies of, in whatever order they are given.
    for name in sorted(own, key=lambda name: (-len(own[name]), name)):
        mine = own[name]
        log = kept(name, mine)
        copies: set[int] = set()
        for other in before:
            found = [pair for pair in by_stamps(other, log) if id(pair[1]) not in copies]
            if found:
                copies.update(id(copy) for _, copy in found)
                yield name, other.name, len(found)
        by_input[name] = [event for event in by_input[name] if id(event) not in copies]
        if copies:
            before.append(log)
            continue
        for other in before:
            pairs = by_runs(other, log)
            if pairs:
                by_input[other.name] = _folded(by_input[other.name], mine, pairs)
                by_input[name] = [event for event in by_input[name] if event.speaker != speaker]
                yield name, other.name, len(pairs)
                break
        else:
            before.append(log)


def _folded(first: list[Event], second: list[Event], pairs: Pairs) -> list[Event]:
    """The first log with what only the second has, where the second has it."""
    original = {id(copy): event for event, copy in pairs}
    ahead: list[Event] = []
    behind: dict[int, list[Event]] = {}
    last: Event | None = None
    for event in second:
        if id(event) in original:
            last = original[id(event)]
        elif last is None:
            ahead.append(event)
        else:
            behind.setdefault(id(last), []).append(event)
    begin = pairs[0][0]
    return [each for event in first for each in (
        *(ahead if event is begin else ()), event, *behind.get(id(event), ()))]


# --- Files in order --------------------------------------------------------------------------


def _groups(by_input: dict[str, list[Event]]) -> Iterator[Sequence[Event]]:
    """The inputs, those with dom0's lines in the order of their times if all tell them alike."""
    spine = [name for name, events in by_input.items()
             if any(event.speaker == "dom0" for event in events)]
    yield from (events for name, events in by_input.items() if name not in spine)
    files = [_carried(by_input[name]) for name in spine] if len(spine) > 1 else []
    clocks = {clock for _, clock in files}
    if len(spine) < 2 or len(clocks) > 1 or "" in clocks:
        yield from (by_input[name] for name in spine)
        return
    if clocks == {"uptime"}:
        yield from _by_boots([lines for lines, _ in files])
        return
    later = years([lines[0].time for lines, _ in files])
    yield [line.event for line in merge(
        *([replace(line, time=line.time + year) for line in lines]
          for (lines, _), year in zip(files, later, strict=True)), key=lambda c: c.time)]


def _by_boots(files: list[Sequence[Clocked]]) -> Iterator[Sequence[Event]]:
    """Files that tell the time since boot: joined where they continue one boot.

    Their times of day put them in order, if all tell one; else a file that begins with a boot
    begins another one than those before it.
    """
    walls = [wall for lines in files if (wall := wall_of(lines)) is not None]
    if len(walls) == len(files):
        times = {id(lines): wall + year
                 for lines, wall, year in zip(files, walls, years(walls), strict=True)}
        files = sorted(files, key=lambda lines: times[id(lines)])
    else:
        files = sorted(files, key=lambda lines: -1.0 if _starts(lines) else lines[0].time)
    groups: list[list[Sequence[Clocked]]] = []
    for lines in files:
        if groups and not _starts(lines) and all(line.boot == 0 for each in groups[-1]
                                                 for line in each):
            groups[-1].append(lines)
        else:
            groups.append([lines])
    for group in groups:
        yield [line.event for line in merge(*group, key=lambda c: (c.boot, c.time))]


def _starts(lines: Sequence[Clocked]) -> bool:
    return is_boot(lines[0].event)


def _carried(events: Sequence[Event]) -> tuple[Sequence[Clocked], str]:
    """All events of an input, by dom0's clock; others' lines have the time of the line before."""
    mine, clock = clocked([event for event in events if event.speaker == "dom0"])
    return carried(events, mine), clock
