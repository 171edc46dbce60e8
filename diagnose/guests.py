"""Which boot in which guest's log is which domain's life.

**Invariant:** a name is a hint; what a log says about its guest's end has to fit the story.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from diagnose.costs import costs
from diagnose.segments import Segment
from diagnose.story import UNKNOWN_DOMID_MIN, Hypothesis, Life
from diagnose.timeline import Timeline
from emulator.life import Act
from emulator.pci import PciAddress

#: Boots of one log that may be passed over where the dom0 log begins later than the guest's.
PASSED_MAX = 8


def bindings(timeline: Timeline, hyp: Hypothesis, domid: int,
             at: int | None = None) -> list[Hypothesis]:
    """The story with a boot of a guest's log claimed by a PV domain that has none yet.

    `at` is the item of the spine that shows the domain's driver at work: the boot has begun by then
    and is not over.
    """
    if not timeline.segments or hyp.life(domid) is not None:
        return [hyp]
    bound = [_claimed(timeline, hyp, domid, segment, passed)
             for segment, passed in _claimable(timeline, hyp, domid)
             if _knows_its_devices(timeline.segments[segment], hyp, domid)
             and not _another_ones(timeline, timeline.segments[segment], domid)
             and not (at is not None and _elsewhen(timeline, timeline.segments[segment], at))]
    return bound or [hyp.plus(cost=costs().other["unbound_life"])]


def recognised(timeline: Timeline, hyp: Hypothesis, act: Act) -> list[Hypothesis]:
    """The story with a boot claimed by an owner from before the log, as it acts for the first time.

    Only an owner with a driver loaded is surely a PV guest; it takes the first boot it may have, or
    none, because the guests' logs may begin after its end.
    """
    domid = act.domid
    if domid is None or not hyp.history_open or not timeline.segments:
        return [hyp]
    if hyp.life(domid) is not None:
        return [hyp]
    if not any(hyp.state.loaded(domid, device) for device in hyp.state.owned(domid)):
        return [hyp]
    return [bindings(timeline, hyp, domid)[0], hyp.plus(cost=costs().other["unbound_life"])]


def _claimed(timeline: Timeline, hyp: Hypothesis, domid: int, segment: int,
             passed: tuple[int, ...]) -> Hypothesis:
    """The story in which the domain is that boot, and no life claims the boots passed over."""
    name = timeline.segments[segment].guest
    devices = tuple(sorted(hyp.state.owned(domid)))
    before = dict(hyp.lineages)
    strange = name in before and before[name] != devices
    taken = hyp.taken
    for boot in (*passed, segment):
        taken |= 1 << boot
    seen = _before_the_log(timeline.segments[segment], hyp, domid)
    return replace(
        hyp, taken=taken, lives=tuple(sorted((*hyp.lives, Life(domid, segment, seen)))),
        lineages=tuple(sorted({**before, name: devices}.items())),
        cost=hyp.cost + costs().other["skipped_boot"] * len(passed)
        + costs().other["other_guest"] * strange)


def _another_ones(timeline: Timeline, segment: Segment, domid: int) -> bool:
    """Whether names tell that the log is another domain's.

    A log is called after its guest. It is another's if it is called after another one, or if
    another log is called after this domain's name.
    """
    name = timeline.names.get(domid)
    if name is None or _called_after(segment.guest, name):
        return False
    return any(_called_after(segment.guest, other) for other in set(timeline.names.values())) or \
        any(_called_after(other.guest, name) for other in timeline.segments)


def _called_after(log: str, name: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", log) is not None


def _elsewhen(timeline: Timeline, segment: Segment, at: int) -> bool:
    """Whether the clocks tell that the boot had not begun, or was over, at an item of the spine."""
    return timeline.too_late(segment.events[0], at) or (
        bool(segment.ending) and timeline.too_early(segment.events[-1], at))


def _knows_its_devices(segment: Segment, hyp: Hypothesis, domid: int) -> bool:
    """Whether all devices that the boot names are on the domain's virtual bus.

    pciback gives each physical slot a virtual one and keeps the function's number (vpci.c:
    pciback_add_pci_dev()).
    """
    backend = hyp.state.backends.get(domid)
    return backend is None or segment.devices <= {
        PciAddress(0, 0, number, device.function)
        for number, slot in enumerate(backend.slots) for device in slot}


def _before_the_log(segment: Segment, hyp: Hypothesis, domid: int) -> int:
    """Lines of the boot that something before the dom0 log may have printed."""
    if not hyp.history_open:
        return 0
    vectors = {pirq for device in hyp.state.owned(domid)
               for pirq in hyp.state.loaded(domid, device) or ()}
    return sum(1 << place for place, event in enumerate(segment.events)
               if vectors and event.fields.get("pirq") in vectors)


def _claimable(timeline: Timeline, hyp: Hypothesis,
               domid: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Boots that this domain may claim, each with those passed over for it.

    Where Xen puts a domid before the lines, it is the domain's boot and no other's.
    Logs of one boot with a number in their names are taken to be those domids', or to come in the
    order of their numbers where no line tells the domid or none of the numbers is a domid. Any
    other log gives its boots away in their order, one life at a time.
    """
    known = domid < UNKNOWN_DOMID_MIN and timeline.numbers_are_domids
    numbered: dict[int, int] = {}
    untagged: list[range] = []
    for boots in timeline.guest_logs:
        segment = timeline.segments[boots.start]
        if segment.console_of is not None:
            if segment.console_of == domid:
                yield from _in_order(hyp, boots)
                return
            continue
        untagged.append(boots)
        if len(boots) == 1 and segment.number is not None:
            numbered[segment.number] = boots.start
    if known and domid in numbered and not hyp.taken >> numbered[domid] & 1:
        yield numbered[domid], ()
        return
    if not known:
        yield from _in_order(hyp, [numbered[nr] for nr in sorted(numbered)], one_guest=False)
    taken = frozenset(numbered.values())
    for boots in untagged:
        if boots.start not in taken:
            yield from _in_order(hyp, boots)


def _in_order(hyp: Hypothesis, boots: Sequence[int],
              one_guest: bool = True) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The next boot, of a guest that lives once at a time or of several guests.

    At a log from mid-life also later ones, with those passed over.
    """
    if one_guest and any(life.segment in boots for life in hyp.lives):
        return
    after = _behind_those_taken(hyp.taken, boots)
    last = len(boots) if hyp.history_open and not after else after + 1
    for nth in range(after, min(last, len(boots), after + PASSED_MAX)):
        yield boots[nth], tuple(boots[after:nth])


def _behind_those_taken(taken: int, boots: Sequence[int]) -> int:
    """Where among the boots the first stands behind all that some life has claimed."""
    if isinstance(boots, range):    # there may be thousands
        return (taken >> boots.start & (1 << len(boots)) - 1).bit_length()
    return max((nth for nth, boot in enumerate(boots, 1) if taken >> boot & 1), default=0)
