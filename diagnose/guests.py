"""Which boot in which guest's log is which domain's life.

**Invariant:** a name is a hint; what a log says about its guest's end has to fit the story.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from diagnose.costs import costs
from diagnose.story import UNKNOWN_DOMID_MIN, Hypothesis, Life
from diagnose.timeline import Timeline

#: Boots of one log that may be passed over where the dom0 log begins later than the guest's.
PASSED_MAX = 8


def bindings(timeline: Timeline, hyp: Hypothesis, domid: int) -> list[Hypothesis]:
    """The story with a boot of a guest's log claimed by a PV domain that has none yet."""
    if not timeline.segments or hyp.life(domid) is not None:
        return [hyp]
    bound = [_claimed(timeline, hyp, domid, segment, passed)
             for segment, passed in _claimable(timeline, hyp, domid)]
    return bound or [hyp.plus(cost=costs().other["unbound_life"])]


def _claimed(timeline: Timeline, hyp: Hypothesis, domid: int, segment: int,
             passed: int) -> Hypothesis:
    """The story in which the domain is that boot, after `passed` boots that no life claims."""
    name = timeline.segments[segment].input
    devices = tuple(sorted(hyp.state.owned(domid)))
    before = dict(hyp.lineages)
    strange = name in before and before[name] != devices
    taken = hyp.taken
    for boot in range(segment - passed, segment + 1):
        taken |= 1 << boot
    return replace(
        hyp, taken=taken, lives=tuple(sorted((*hyp.lives, Life(domid, segment, 0)))),
        lineages=tuple(sorted({**before, name: devices}.items())),
        cost=hyp.cost + costs().other["skipped_boot"] * passed
        + costs().other["other_guest"] * strange)


def _claimable(timeline: Timeline, hyp: Hypothesis, domid: int) -> list[tuple[int, int]]:
    """Boots that this domain may claim, each with how many of its log are passed over.

    A log of one boot with a number in its name is taken to be that domid's, if a domain of that id
    asks for one; any other log gives its boots away in their order, one life at a time.
    """
    chosen: list[tuple[int, int]] = []
    known = domid < UNKNOWN_DOMID_MIN
    for first, count in _logs(timeline):
        free = next((i for i in range(first, first + count) if not hyp.taken >> i & 1), None)
        number = timeline.segments[first].number
        if free is None or any(first <= life.segment < first + count for life in hyp.lives):
            continue
        if count == 1 and number is not None and known:
            if number == domid:
                return [(free, 0)]
            continue
        chosen.append((free, 0))
        if hyp.history_open and free == first:
            chosen.extend((first + n, n) for n in range(1, min(count, PASSED_MAX)))
    return chosen


def _logs(timeline: Timeline) -> Iterator[tuple[int, int]]:
    """Each guest's log as the index of its first boot and their number."""
    first = 0
    segments = timeline.segments
    for i in range(1, len(segments) + 1):
        if i == len(segments) or segments[i].input != segments[first].input:
            yield first, i - first
            first = i
