"""What may have happened before the first line: the states that a story may start in.

A log that begins with the host's boot starts empty. Any other starts unknown: the devices may have
an owner already, may have had one, or both, and the log may begin between two loads.

**Invariant:** acts only; what the first lines say decides between the beginnings, not this.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from msgspec.structs import replace

from diagnose.costs import costs
from diagnose.enact import Enactor
from diagnose.guess import USUAL_VECTORS, VECTORS_MAX
from diagnose.story import UNKNOWN_DOMID_MIN, Hypothesis
from diagnose.timeline import Timeline
from emulator.kernels import Row, distance
from emulator.life import EMITS, Act
from emulator.pci import PciAddress
from emulator.state import State

#: With more devices than this, only the first few or the last few of them may be loaded already.
SUBSETS_MAX = 3

Devices = tuple[PciAddress, ...]
#: Owners before the log: one long gone, one still there as the log begins.
GONE, PRESENT = UNKNOWN_DOMID_MIN, UNKNOWN_DOMID_MIN + 1


def beginnings(timeline: Timeline, enactor: Enactor, rows: Iterable[Row],
               release: int | None) -> Iterator[Hypothesis]:
    """One story for each row and each state that the machine may start in."""
    empty = State.boot()
    for row in rows:
        prior = costs().other["row_distance"] * distance(row, release)
        fresh = Hypothesis(row, empty, cost=prior,
                           history_open=not timeline.starts_at_boot)
        yield fresh
        if timeline.starts_at_boot:
            continue
        for devices in _device_sets(tuple(_from_before(timeline))):
            for requests in _requests(timeline, devices):
                yield from _histories(timeline, enactor, fresh, requests)


#: What nothing but a seizure prints.
_SEIZED = EMITS["seize"].difference(*(kinds for op, kinds in EMITS.items() if op != "seize"))


def _from_before(timeline: Timeline) -> Iterator[PciAddress]:
    """The devices that may have had an owner before the log: not those it shows being seized first.

    Xen's word of a device may come before that; it is announced as it is seized.
    """
    for device in timeline.devices:
        kinds = (item.event.kind for item in timeline.items
                 if item.device == device and item.event.speaker != "xen")
        if next(kinds, None) not in _SEIZED:
            yield device


def _device_sets(devices: Devices) -> Iterator[Devices]:
    """All devices together, then each by itself: who shared an owner is not told."""
    if devices:
        yield devices
    if len(devices) > 1:
        yield from ((device,) for device in devices)


def _requests(timeline: Timeline, devices: Devices) -> list[dict[PciAddress, int]]:
    """How many vectors each device's driver may have asked for: as bursts tell, else guesses."""
    guesses = dict.fromkeys((USUAL_VECTORS, *timeline.flushes[:1])) \
        if any(device not in timeline.entries for device in devices) else (USUAL_VECTORS,)
    return [{device: timeline.entries.get(device, guess) for device in devices}
            for guess in guesses if guess <= VECTORS_MAX]


def _histories(timeline: Timeline, enactor: Enactor, fresh: Hypothesis,
               requests: dict[PciAddress, int]) -> Iterator[Hypothesis]:
    """Lives that may lie before the log: an owner still there, one long gone, or both."""
    devices = tuple(requests)
    seized = [Act("seize", device=device) for device in devices]
    gone = [*_life(GONE, requests, devices), Act("clean_shutdown", GONE)]
    present = [_life(_first_owner(timeline), requests, loaded) for loaded in _loaded(devices)]
    once, twice = costs().other["present_life"], costs().other["earlier_life"]
    for lives, cost in ([(life, once) for life in present] + [(gone, twice)]
                        + [([*gone, *life], once + twice) for life in present]):
        story = _told(enactor, fresh, [*seized, *lives])
        if story is not None:
            yield story.plus(cost=cost)


def _loaded(devices: Devices) -> Iterator[Devices]:
    """Whose drivers may be loaded as the log begins; their loads keep the devices' order."""
    for count in range(len(devices) + 1):
        if len(devices) <= SUBSETS_MAX:
            yield from combinations(devices, count)
        else:
            yield devices[:count]
            if 0 < count < len(devices):
                yield devices[-count:]


def _life(domid: int, requests: dict[PciAddress, int], loaded: Devices) -> list[Act]:
    """A domain that has the devices, its guest having loaded the drivers of some."""
    acts = [Act("domain_start", domid, devices=tuple(requests))]
    for device in loaded:
        acts.append(Act("driver_load", domid, device, nvec=requests[device]))
        acts.append(Act("ifup", domid, device))
    return acts


def _first_owner(timeline: Timeline) -> int:
    """Who may own the devices as the log begins: the first domid told, or one never told."""
    for item in timeline.items:
        if item.boot or item.event.kind in EMITS["domain_start"]:
            break
        if item.effect and item.domid is not None and item.event.speaker == "dom0":
            return item.domid
    return PRESENT


def _told(enactor: Enactor, hyp: Hypothesis, acts: list[Act]) -> Hypothesis | None:
    """Run acts that came before the log; None where the row does not let them happen."""
    cost = hyp.cost
    for act in acts:
        grown = enactor.enact(hyp, act, 0, budget=0, prior=True, why="before the log begins")
        if grown is None:
            return None
        hyp = grown
    newest = max([d for d in hyp.state.living() if d < UNKNOWN_DOMID_MIN], default=0)
    return replace(hyp, cost=cost, newest=newest, unknowns=2, found=frozenset())
