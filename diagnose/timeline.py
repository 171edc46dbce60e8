"""Lay the events of one incident out for the replay: what is in order, what runs beside it.

dom0's lines (with Xen's where both stand in one file) are the *spine*: their order is certain. A
Xen log of its own and the guests' logs run beside it and are joined by what they say, never by
their position. Everything that a search would ask of the text again and again is worked out here,
once.

**Invariant:** knows what a line proves, never what it is called.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from msgspec import Struct

from diagnose.annotation import DATING
from diagnose.clocks import NO_CLOCKS, Clocks, Window
from diagnose.events import Event, Parsed
from diagnose.grammar import load
from diagnose.segments import Segment, cut, logs
from diagnose.spine import (
    EFFECT_KINDS,
    Item,
    address,
    bursts,
    flushes,
    item_of,
    number,
    passed_through,
    proved,
)
from diagnose.state.host import BootOption, muted, names, options
from emulator.pci import PciAddress

#: Xen lets this many guest-level messages through before its rate limit drops any
#: (xen/drivers/char/console.c: printk_ratelimit_burst).
GUEST_MESSAGES_BURST = 10
#: The lines that one act prints in several logs come within so many seconds, clocks aside.
ONE_ACT_SECONDS = 3.0


class Native(Struct, frozen=True):
    """A device that dom0's own driver runs with MSI-X, and the line that tells it."""

    device: PciAddress
    nvec: int
    event: Event


class Timeline(Struct, frozen=True):
    """Everything the replay needs to know about the logs of one incident."""

    items: tuple[Item, ...]
    xen: tuple[tuple[Event, ...], ...]       # effects in a Xen log of its own, by host boot
    xen_spent: tuple[int, ...]               # lines in each that the rate limit counts
    segments: tuple[Segment, ...]
    guest_logs: tuple[range, ...]            # each guest's segments, by their places
    floors: Mapping[tuple[str, str], int]    # (input, speaker) → rank of the least level it shows
    places: Mapping[str, tuple[int, ...]]    # speaker → where its effects, and host boots, stand
    spoken: tuple[int, ...]                  # guest-level Xen lines on the spine before each item
    starts_at_boot: bool
    devices: tuple[PciAddress, ...]          # devices on the passthrough path, by first appearance
    entries: Mapping[PciAddress, int]        # most MSI-X entries seen in one burst of a device
    flushes: tuple[int, ...]                 # lengths of runs of lines that name a pirq
    spine_inputs: frozenset[str]
    mixed: frozenset[str]                    # of these, those that hold Xen's console too
    lines: Mapping[str, int]                 # how many lines each input has
    absent: frozenset[tuple[str, str]]       # (input, kind) that any host prints but it
    gaps: frozenset[tuple[str, str]]         # (input, speaker) that says it left lines out
    numbers_are_domids: bool                 # numbers in names of guests' logs are domids here
    hvm: frozenset[int]                      # domids that some line tells to be HVM domains
    ends: Mapping[int, tuple[str, Event]]    # how domains ended, as the toolstack or Xen tells it
    natives: tuple[Native, ...]
    guest_kinds: frozenset[str]              # kinds of lines in the guests' logs
    complaints: frozenset[str]               # those that are alarming
    aside: tuple[tuple[int, Event], ...]     # host boot and line of those who write in no ledger
    quoted: tuple[Event, ...]                # in passages that a text quotes, of who knows when
    names: Mapping[int, str]                 # domid → name, by the toolstack or a list of domains
    options: tuple[BootOption, ...]          # by state files, where no log has the boot line
    muted: bool                              # Xen keeps from its log what it says of guests
    times: Clocks = NO_CLOCKS

    @property
    def has_words(self) -> bool:
        """Whether some guest's log holds its guest's last words, so that their absence counts."""
        return any(segment.ending == "clean" for segment in self.segments)

    def candidates(self, device: PciAddress) -> tuple[PciAddress, ...]:
        """Named devices that a nameless one may be: those with its slot and function."""
        if device.is_named:
            return ()
        named = {item.device for item in self.items if item.device is not None
                 and item.device.is_full and item.device.devfn == device.devfn}
        return tuple(sorted(named))

    def too_late(self, event: Event, at: int) -> bool:
        """Whether the line was printed after item `at` of the spine, by what the clocks tell."""
        mine, spine = self.times.window(event), self._time(at)
        return mine is not None and spine is not None and (
            mine.boot > spine.boot or
            (mine.boot == spine.boot and mine.low > spine.high + ONE_ACT_SECONDS))

    def too_early(self, event: Event, at: int) -> bool:
        """Whether the line was printed before item `at` of the spine, by what the clocks tell."""
        mine, spine = self.times.window(event), self._time(at)
        return mine is not None and spine is not None and (
            mine.boot < spine.boot or
            (mine.boot == spine.boot and mine.high < spine.low - ONE_ACT_SECONDS))

    def _time(self, at: int) -> Window | None:
        return self.times.window(self.items[at].event) if at < len(self.items) else None

    def told_end(self, domid: int) -> str:
        """How the domain ended as the toolstack or Xen tells it, empty if neither does."""
        return self.ends[domid][0] if domid in self.ends else ""

    def rank_shown(self, source: str, speaker: str) -> int:
        """Rank of the least important level that this input shows of this speaker; -1 for none."""
        return self.floors.get((source, speaker), -1)


def _matters(event: Event) -> bool:
    """Whether the search has to look at the line.

    Lines that prove nothing can be many, as traces are, and would part those that belong together;
    what only dates lines or names things is no step either.
    """
    return event.production.alarming or (event.level or "").startswith("g") or \
        (not event.production.quiet and any(
            term.name != "nothing" and term.name not in DATING for term in event.proofs()))


def _completed(event: Event, full: Mapping[tuple[int | None, int, int], int]) -> Event:
    """Fill the segment in where the line gave only bus, slot and function."""
    device = address(event)
    if device is None or device.segment is not None or device.bus is None:
        return event
    segment = full.get((device.bus, device.slot, device.function), 0)
    fields = {**event.fields, "device": device._replace(segment=segment)}
    return Event(event.kind, fields, event.line, event.speaker, event.guest, event.level,
                 event.production, event.stamp, event.nth, event.console_of, event.part_of)


def _xen_boots(events: list[Event], boots: int) -> tuple[tuple[Event, ...], ...]:
    """Cut a Xen log at its banners and lay the pieces on dom0's boots, the last on the last."""
    runs: list[list[Event]] = [[]]
    for event in events:
        if event.proves("host_boot") and runs[-1]:
            runs.append([])
        runs[-1].append(event)
    while len(runs) > boots:
        runs[1] = runs[0] + runs[1]
        del runs[0]
    return tuple([()] * (boots - len(runs)) + [tuple(run) for run in runs])


def assemble(parsed: Parsed, times: Clocks = NO_CLOCKS) -> Timeline:
    """Order the events of an incident for the replay."""
    full = {(d.bus, d.slot, d.function): d.segment for e in parsed.events
            if (d := address(e)) is not None and d.segment is not None and e.speaker != "guest"}
    texts = {source.name for source in parsed.sources if len(source.passages) > 1}
    completed = [_completed(event, full) for event in parsed.events]
    events = [event for event in completed if event.line.input not in texts] if texts else completed
    telling = [event for event in events if not event.production.quiet]
    spine_inputs = frozenset(e.log for e in events if e.speaker == "dom0")
    spine = [e for e in events if e.log in spine_inputs and e.speaker in ("dom0", "xen")]
    items = tuple(item_of(e) for e in spine if _matters(e))
    boots = _host_boots(items)
    beside = [e for e in events if e.speaker == "xen" and e.log not in spine_inputs]
    runs = _xen_boots(beside, boots)
    devices = passed_through(items, beside)
    effects, spent = zip(*(_effects_beside(run, devices) for run in runs), strict=True)
    guests = [e for e in events if e.speaker == "guest"]
    segments = tuple(cut(guests, spine_inputs))
    told = {domid for item in items for domid in (item.domid, item.birth) if domid is not None}
    return Timeline(
        items=items, xen=effects, xen_spent=spent, segments=segments,
        guest_logs=tuple(logs(segments)), floors=parsed.floors,
        numbers_are_domids=any(segment.number in told for segment in segments),
        places={speaker: tuple(nth for nth, item in enumerate(items) if item.boot or (
            item.effect and item.event.speaker == speaker)) for speaker in ("dom0", "xen")},
        spoken=tuple(accumulate(
            ((item.event.level or "").startswith("g") for item in items), initial=0)),
        starts_at_boot=any(i.boot for i in items) and not _before_boot(items),
        devices=devices, entries=bursts(items, devices),
        flushes=flushes(items, max(len(devices), 1)), spine_inputs=spine_inputs,
        mixed=frozenset(i.event.log for i in items if i.effect and i.event.speaker == "xen"),
        lines={source.name: source.passages[-1][1] if source.passages else source.lines
               for source in parsed.sources},
        absent=_absent(items, spine_inputs),
        gaps=frozenset((e.log, e.speaker) for e in telling if e.proves("gap")),
        hvm=frozenset(domid for e in events if e.production.hint == "hvm"
                      and (domid := number(e, "domid")) is not None),
        ends=_ends(telling) if boots == 1 else {},
        natives=tuple(_natives(telling)), guest_kinds=frozenset(e.kind for e in guests),
        complaints=frozenset(e.kind for e in guests if e.production.alarming),
        aside=(*_passed_over(spine), *_aside(events, runs, effects)),
        quoted=tuple(event for event in completed if event.line.input in texts),
        options=tuple(options(parsed.state, telling)), muted=muted(parsed.state, telling),
        names={**(names(parsed.state) if boots == 1 else {}), **_names(telling)}, times=times,
    )


def _host_boots(items: tuple[Item, ...]) -> int:
    """How many lives of the host the spine goes through: a boot ends one that has had effects."""
    first = next((nth for nth, item in enumerate(items) if item.effect), len(items))
    return 1 + sum(item.boot and item.event.speaker == "dom0" for item in items[first + 1:])


def _names(events: list[Event]) -> dict[int, str]:
    return {domid: str(e.fields[term.args[0]]) for e in events for term in e.proofs()
            if term.name == "named" and (domid := number(e, term.args[1])) is not None}


def _passed_over(spine: list[Event]) -> Iterator[tuple[int, Event]]:
    """Lines of the spine that the search does not look at, with their host boot."""
    boot, begun = 0, False
    for event in spine:
        boot += event.proves("host_boot") and event.speaker == "dom0" and begun
        begun = begun or event.proves("effect")
        if not _matters(event):
            yield boot, event


def _aside(events: list[Event], runs: Iterable[tuple[Event, ...]],
           effects: Sequence[tuple[Event, ...]]) -> Iterator[tuple[int, Event]]:
    """Xen's lines beside the spine that are no effects, and all that the toolstack says."""
    for boot, run in enumerate(runs):
        known = {id(event) for event in effects[boot]}
        yield from ((boot, event) for event in run if id(event) not in known)
    yield from ((0, event) for event in events if event.speaker == "toolstack")


def _natives(events: list[Event]) -> Iterator[Native]:
    """Devices whose driver in dom0 tells its interrupts: one for each queue, and one besides."""
    for event in events:
        device = address(event)
        if event.speaker == "dom0" and event.proves("driver_load") and device is not None:
            queues = [value for name, value in event.fields.items()
                      if name.endswith("_queues") and isinstance(value, int)]
            yield Native(device, 1 + sum(queues), event)


def _absent(items: tuple[Item, ...], inputs: frozenset[str]) -> frozenset[tuple[str, str]]:
    """Lines that any host prints and a log never shows: somebody has picked lines out of it."""
    seen = {(item.event.log, item.event.kind) for item in items}
    return frozenset((name, kind) for name in inputs for kind in load().anyhost) - seen


def _ends(events: list[Event]) -> dict[int, tuple[str, Event]]:
    """Domid → "clean" or "abrupt" with the line, where one tells it and no other contradicts."""
    told: dict[int, dict[str, Event]] = defaultdict(dict)
    for event in events:
        for proof, how in (("death_clean", "clean"), ("death_abrupt", "abrupt")):
            domid = proved(event, proof)
            if domid is not None:
                told[domid].setdefault(how, event)
    return {domid: next(iter(hows.items())) for domid, hows in told.items() if len(hows) == 1}


def _before_boot(items: tuple[Item, ...]) -> bool:
    """Whether the first host boot in the log comes after lines of an earlier one."""
    first = next(nth for nth, item in enumerate(items) if item.boot)
    return any(item.effect or item.birth is not None for item in items[:first])


def _effects_beside(run: tuple[Event, ...], devices: tuple[PciAddress, ...],
                    ) -> tuple[tuple[Event, ...], int]:
    """The effects in a stretch of Xen's own log, and its messages at a guest's level."""
    effects = []
    for event in run:
        device = address(event)
        other = device is not None and not any(device.agrees(d) for d in devices)
        if event.proves("effect") and event.kind in EFFECT_KINDS and not other:
            effects.append(event)
    return tuple(effects), sum((event.level or "").startswith("g") for event in run)
