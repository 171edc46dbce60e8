"""Put events in the order in which they were printed, once each, as far as stamps and texts tell.

A file may hold a stretch twice or in another place than its own; two files may hold the same lines
of one host, because a console and a syslog, or a ring buffer and a file, were both collected. What
stamps do not tell stays as it stands.

**Invariant:** no event is made or changed; what is left out is a copy, and a remark says so.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from typing import NamedTuple

from diagnose.chunks import in_order
from diagnose.events import Event, Parsed, Remark
from diagnose.times import Clocked, clocked, is_boot, key_of

#: So many lines at least have to be the same in two files before one is held for the other's copy.
COPY_LINES_MIN = 3
#: Share of the lines of the stretch that both files cover which have to be the same.
COPY_SHARE = 0.7
#: So many lines in a row, where no stamps can be compared.
COPY_RUN_MIN = 5


class _File(NamedTuple):
    """One speaker's events in one input, in order, by the clock that all of them have."""

    name: str
    speaker: str
    lines: Sequence[Clocked]
    clock: str

    def span(self, boot: int) -> tuple[float, float]:
        times = [line.time for line in self.lines if line.boot == boot]
        return min(times), max(times)

    @property
    def boots(self) -> list[int]:
        return sorted({line.boot for line in self.lines})


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
    copies: dict[str, list[Copies]] = {}
    for speaker in ("dom0", "xen"):
        for found in _without_copies(by_input, speaker):
            copies.setdefault(found.name, []).append(found)
    remarks = tuple(_told(name, found) for name, found in copies.items())
    woven = tuple(event for group in _groups(by_input) for event in group)
    return replace(parsed, events=woven, remarks=(*parsed.remarks, *remarks))


class Copies(NamedTuple):
    """How many events of an input another one has as well."""

    name: str
    other: str
    lines: int


def _told(name: str, found: Sequence[Copies]) -> Remark:
    others = ", ".join(dict.fromkeys(each.other for each in found))
    lines = sum(each.lines for each in found)
    return Remark("copies", f"{lines} of its lines stand in {others} as well; each was read once.",
                  name)


def _by_input(parsed: Parsed) -> dict[str, list[Event]]:
    by_input: dict[str, list[Event]] = {source.log: [] for source in parsed.sources}
    for event in parsed.events:
        by_input[event.log].append(event)
    return by_input


# --- Copies ----------------------------------------------------------------------------------


def _without_copies(by_input: dict[str, list[Event]], speaker: str) -> Iterator[Copies]:
    """Leave out of each input what an earlier one has of this speaker, boot by boot."""
    kept: list[_File] = []
    for name, events in by_input.items():
        mine = [event for event in events if event.speaker == speaker]
        if not mine:
            continue
        file = _File(name, speaker, *clocked(mine))
        copies: set[int] = set()
        for other in kept:
            found = _copies(other, file) - copies
            if found:
                copies |= found
                yield Copies(name, other.name, len(found))
        if copies:
            by_input[name] = [event for event in events if id(event) not in copies]
        kept.append(file)


def _copies(first: _File, second: _File) -> set[int]:
    """The events of the second that are the first's."""
    if not first.clock or first.clock != second.clock:
        return _run_copies(first, second)
    found: set[int] = set()
    for boot in second.boots:
        for other in first.boots:
            found |= _boot_copies(first, other, second, boot)
    return found


def _boot_copies(first: _File, other: int, second: _File, boot: int) -> set[int]:
    (low, high), (begin, end) = first.span(other), second.span(boot)
    low, high = max(low, begin), min(high, end)
    there: Counter[Hashable] = Counter(
        (line.time, key_of(line.event)) for line in first.lines if line.boot == other)
    within = [line for line in second.lines if line.boot == boot and low <= line.time <= high]
    same = []
    for line in within:
        key = (line.time, key_of(line.event))
        if there[key] > 0:
            there[key] -= 1
            same.append(line)
    told = sum(line.time > 1.0 or second.clock == "wall" for line in same)
    all_ = len(same) == len(within)
    enough = told >= COPY_LINES_MIN or (
        all_ and (len(within) == len(second.lines) or (second.clock == "uptime" and told > 1)))
    return {id(line.event) for line in same} \
        if same and enough and len(same) >= COPY_SHARE * len(within) else set()


def _run_copies(first: _File, second: _File) -> set[int]:
    """All of the second, if it stands in the first as one run and holds no boot of its own."""
    whole, part = ([key_of(line.event) for line in file.lines] for file in (first, second))
    boots = any(is_boot(line.event) for line in second.lines[1:])
    if len(part) < COPY_RUN_MIN or boots or len(set(part)) < COPY_LINES_MIN:
        return set()
    letters: dict[Hashable, str] = {}
    text, run = ("".join(letters.setdefault(key, chr(len(letters) + 1)) for key in keys)
                 for keys in (whole, part))
    return {id(line.event) for line in second.lines} if run in text else set()


# --- Files in order --------------------------------------------------------------------------


def _groups(by_input: dict[str, list[Event]]) -> Iterator[Sequence[Event]]:
    """The inputs, those with dom0's lines in the order of their times if all tell them alike."""
    spine = [name for name, events in by_input.items()
             if any(event.speaker == "dom0" for event in events)]
    yield from (events for name, events in by_input.items() if name not in spine)
    files = [_carried(by_input[name]) for name in spine]
    clocks = {clock for _, clock in files}
    if len(spine) < 2 or len(clocks) > 1 or "" in clocks:
        yield from (by_input[name] for name in spine)
        return
    if clocks == {"uptime"}:
        yield from _byis_boot([lines for lines, _ in files])
        return
    yield [line.event for line in merge(*(lines for lines, _ in files), key=lambda c: c.time)]


def _byis_boot(files: list[Sequence[Clocked]]) -> Iterator[Sequence[Event]]:
    """Files that tell the time since boot only: joined where they continue one boot.

    A file that begins with a boot begins another one than those before it, unless it overlaps with
    none of them in time.
    """
    groups: list[list[Sequence[Clocked]]] = []
    for lines in sorted(files, key=lambda lines: lines[0].time if not _starts(lines) else -1.0):
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
    told = {id(line.event): line for line in mine}
    last = mine[0]
    lines = []
    for event in events:
        last = told.get(id(event), last)
        lines.append(Clocked(event, last.boot, last.time))
    return lines, clock
