"""Hold the effects of one act against the lines that follow: which are there, which are missing.

Order is certain on the spine; in a Xen log of its own and in a guest's log a line is found by what
it says. A missing line counts only where its printer could not have been silent.

**Invariant:** compares kinds and fields and never names one.
"""
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from diagnose.events import RANK, Event
from diagnose.spine import Item
from diagnose.story import Hypothesis, Life, first_left
from diagnose.timeline import GUEST_MESSAGES_BURST, Timeline
from emulator.effects import Effect
from emulator.life import FIRMWARE_FIELDS
from emulator.pci import PciAddress

#: How many spine items ahead the lines of one act may lie, other acts' lines between them.
LOOKAHEAD_MAX = 64
#: Xen's rate limit is held to have recovered after this many spine items without a stamp to tell.
RATE_WINDOW = 200
#: Lines that may still follow at the end of a log that was cut in the middle of an act's lines.
LAST_LINES = 2
#: How far past its first unexplained line a Xen log beside the spine is searched, in effects.
XEN_LOOKAHEAD_MAX = 256


def agrees(effect: Effect, event: Event) -> bool:
    """Whether this line can be the print of this effect: every field that both have agrees."""
    if effect.kind != event.kind or effect.speaker != event.speaker:
        return False
    fields: Mapping[str, object] = event.fields
    for name, value in effect.fields.items():
        told = fields.get(name)
        if told is None or name in FIRMWARE_FIELDS:
            continue
        if isinstance(value, PciAddress) and isinstance(told, PciAddress):
            if not value.agrees(told):
                return False
        elif told != value:
            return False
    return True


class Match(Struct):
    """What became of the effects of one act."""

    lines: list[Event] = field(default_factory=list)
    unseen: list[Effect] = field(default_factory=list)     # should be there and is not
    lost: list[Effect] = field(default_factory=list)       # the same, and dom0 says that some are
    passed_over: list[Event] = field(default_factory=list)  # of Xen's own log, now unexplained
    first: int | None = None                               # index of the first spine item matched
    cut_short: bool = False                                # the log ends among its lines
    passed: int = 0                                        # other acts' lines between its own
    mask: int = 0
    xen_mask: int = 0
    life: Life | None = None


def align(timeline: Timeline, hyp: Hypothesis, effects: Sequence[Effect], at: int,
          devices: frozenset[PciAddress], domid: int | None, anchored: bool = False,
          ahead: bool = True) -> Match | None:
    """Match the effects of an act, as `_align` does.

    Where a log from mid-life begins inside the act's lines, any number of them may be cut off; the
    reading that leaves nothing missing and cuts off the least is taken.
    """
    match = _align(timeline, hyp, effects, at, devices, domid, anchored, ahead)
    if not anchored or at or not hyp.history_open or (match is not None and not match.unseen):
        return match
    for cut in range(1, len(effects)):
        later = _align(timeline, hyp, effects[cut:], at, devices, domid, anchored, ahead)
        if later is not None and not later.unseen:
            return later
    return match


def _align(timeline: Timeline, hyp: Hypothesis, effects: Sequence[Effect], at: int,
           devices: frozenset[PciAddress], domid: int | None, anchored: bool,
           ahead: bool) -> Match | None:
    """Match the effects of an act that happens where the spine stands at item `at`.

    `anchored` asks that item `at` itself is one of them; None is returned where the act does not
    print it. `ahead`: its lines may stand from `at` on; else all of it came before that item.
    """
    life = hyp.life(domid) if domid is not None else None
    match = Match(mask=hyp.mask, xen_mask=hyp.xen_mask, life=life)
    cursor = {"dom0": at, "xen": at}
    missing: list[tuple[int, Effect]] = []
    found: list[int] = []                 # which of the effects stand on the spine
    for nth, effect in enumerate(effects):
        if effect.speaker == "guest":
            _in_guest(timeline, match, effect)
            continue
        place = _on_spine(timeline, match, effect, cursor[effect.speaker], at, devices, domid) \
            if ahead else None
        if place is not None:
            if anchored and not found and place != at and effect.speaker == \
                    timeline.items[at].event.speaker:
                return None
            cursor[effect.speaker] = place + 1
            match.first = place if match.first is None else min(match.first, place)
            found.append(nth)
        elif effect.speaker != "xen" or not _in_xen_log(timeline, hyp, match, effect, at, anchored):
            missing.append((nth, effect))
    if anchored and not match.mask & 1:
        return None
    begun = found[0] if found and at == 0 and hyp.history_open else 0
    ended = found[-1] if found and _log_ends(timeline, match, at) else len(effects)
    for nth, effect in missing:
        if nth >= begun and _must_show(timeline, hyp, effect, at):
            match.cut_short = match.cut_short or nth > ended
            if nth <= ended:
                gone = effect.speaker == "dom0" and _left_out(timeline, at)
                (match.lost if gone else match.unseen).append(effect)
    return match


def _log_ends(timeline: Timeline, match: Match, at: int) -> bool:
    """Whether the last line matched on the spine is the last event of its input, near its end."""
    place = at + match.mask.bit_length() - 1
    event = timeline.items[place].event
    last = event.line
    after = timeline.items[place + 1:place + 2]
    return timeline.lines[last.input] - last.line < LAST_LINES and not any(
        item.event.log == event.log for item in after)


def _on_spine(timeline: Timeline, match: Match, effect: Effect, start: int, at: int,
              devices: frozenset[PciAddress], domid: int | None) -> int | None:
    """The next unexplained item that prints the effect, if no line forbids to look that far."""
    items, passed = timeline.items, 0
    others: list[PciAddress] = []
    places = timeline.places[effect.speaker]
    for nth in range(bisect_left(places, start), len(places)):
        place = places[nth]
        if match.mask >> (place - at) & 1:
            continue
        item = items[place]
        if item.boot or place >= at + LOOKAHEAD_MAX:
            return None
        if agrees(effect, item.event):
            match.mask |= 1 << (place - at)
            match.lines.append(item.event)
            match.passed += passed if match.first is not None else 0
            return place
        passed += 1
        if _blocks(item, devices, domid) and not _of_another(item, others):
            return None
        if item.device is not None and item.device.is_full:
            others.append(item.device)
    return None


def _blocks(item: Item, devices: frozenset[PciAddress], domid: int | None) -> bool:
    """Whether a line of the same device or domain stands where another was expected."""
    if item.domid is not None and domid is not None and item.domid != domid:
        return False
    if item.device is None:
        return item.domid is not None or item.event.speaker == "dom0"
    return any(item.device.agrees(device) for device in devices)


def _of_another(item: Item, others: Sequence[PciAddress]) -> bool:
    """Whether a line that tells no bus may be of one of those devices, whose lines came before."""
    device = item.device
    return device is not None and not device.is_full and any(map(device.agrees, others))


def _in_xen_log(timeline: Timeline, hyp: Hypothesis, match: Match, effect: Effect, at: int,
                anchored: bool) -> bool:
    """Find the effect in the Xen log beside the spine, where the clocks do not forbid it.

    An act that a line of the spine shows happens as that is printed; any other one may have
    happened long before the line that cannot do without it.
    """
    if hyp.boot >= len(timeline.xen):
        return False
    run, mask = timeline.xen[hyp.boot], match.xen_mask
    first = first_left(mask)
    for place in range(first, min(len(run), first + XEN_LOOKAHEAD_MAX)):
        if not mask >> place & 1 and agrees(effect, run[place]) and not (
                timeline.too_late(run[place], at) or
                (anchored and timeline.too_early(run[place], at))):
            match.xen_mask |= 1 << place
            match.lines.append(run[place])
            _pass_over(timeline, match, run, first, place)
            return True
    return False


def _pass_over(timeline: Timeline, match: Match, run: Sequence[Event], first: int,
               place: int) -> None:
    """Give up the alarming lines before this one: inside one log the order is certain."""
    for earlier in range(first, place):
        event = run[earlier]
        if not match.xen_mask >> earlier & 1 and event.production.alarming and \
                event.fields.get("domid") not in timeline.hvm:
            match.xen_mask |= 1 << earlier
            match.passed_over.append(event)


def _in_guest(timeline: Timeline, match: Match, effect: Effect) -> None:
    """Find the effect in the guest's own log of this life; order inside it is left open."""
    if match.life is None:
        return
    segment = timeline.segments[match.life.segment]
    for place, event in enumerate(segment.events):
        if not match.life.seen >> place & 1 and agrees(effect, event):
            match.life = replace(match.life, seen=match.life.seen | 1 << place)
            match.lines.append(event)
            return
    shown = timeline.rank_shown(segment.input, "guest")
    if RANK[effect.level] <= shown and (segment.input, "guest") not in timeline.gaps and (
            not segment.last or segment.over):
        match.unseen.append(effect)


def _must_show(timeline: Timeline, hyp: Hypothesis, effect: Effect, at: int) -> bool:
    """Whether the absence of this effect's line contradicts the act: its printer had to print."""
    items = timeline.items
    if at >= len(items):
        return False
    if effect.speaker == "dom0":
        source = items[at].event.log
        return (source, effect.kind) not in timeline.absent and \
            RANK[effect.level] <= timeline.rank_shown(source, "dom0")
    return _xen_must_show(timeline, hyp, effect, at)


def _left_out(timeline: Timeline, at: int) -> bool:
    """Whether dom0 says, anywhere in the input of this item, that it left lines out."""
    return (timeline.items[at].event.log, "dom0") in timeline.gaps


def _xen_must_show(timeline: Timeline, hyp: Hypothesis, effect: Effect, at: int) -> bool:
    """Xen's own lines: only errors and warnings, and only while its rate limit has tokens left."""
    if timeline.muted or RANK[effect.level] > RANK["gwarning"]:
        return False
    if hyp.boot < len(timeline.xen) and timeline.xen[hyp.boot]:
        return timeline.xen_spent[hyp.boot] < GUEST_MESSAGES_BURST and not (
            timeline.gaps and any((event.log, "xen") in timeline.gaps
                                  for event in timeline.xen[hyp.boot]))
    source = timeline.items[at].event.log
    if source not in timeline.mixed or (source, "xen") in timeline.gaps:
        return False
    since = timeline.spoken[max(0, at - RATE_WINDOW)]
    return timeline.spoken[at] - since < GUEST_MESSAGES_BURST
