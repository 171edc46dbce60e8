"""Propose what may have happened where a line stands: an act that prints it, and what must precede.

Which acts can print a line is read from the emulator's table `EMITS`; whom they concern, from the
line's fields and from the state that the story has reached. A proposal is a chain of inferred acts
and one observed act at its end.

**Invariant:** names acts, never kinds of lines.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import product

from msgspec import Struct

from diagnose.costs import costs
from diagnose.events import RANK
from diagnose.guess import (
    ENOSPC,
    MAP_FAULTS,
    NEIGHBOURHOOD,
    SILENT_FAULT,
    USUAL_VECTORS,
    Context,
    burst,
    domids,
    endings,
    vector_counts,
)
from diagnose.natives import card_loads, own_cards, own_loaded, own_loads
from diagnose.plan import Plan
from diagnose.story import Hypothesis
from diagnose.timeline import Timeline
from emulator.life import EMITS, FAULT_EMITS, Act
from emulator.pci import PciAddress
from emulator.records import DOM0, INTX, LATE_ANSWER, MSI, MSIX


def plans(timeline: Timeline, hyp: Hypothesis, at: int, strict: bool) -> Iterator[Plan]:
    """All proposals for the item at `at`; `strict`: no line may be missing that has to be there."""
    context = Context(timeline, hyp, at, strict)
    for propose in _proposers(context.item.event.kind):
        yield from propose(context)


# --- Loading a driver ---------------------------------------------------------------------------

class Request(Struct, frozen=True):
    """What a driver may have asked for: `nvec` and `mode` as in an act, a cause of failure."""

    nvec: int
    cost: int = 0
    fault: tuple[str, int, int] | None = None
    mode: str = MSIX


def _loads(context: Context) -> Iterator[Plan]:
    state = context.hyp.state
    for device in context.devices():
        owner = state.owner(device)
        requests = list(_requests(context, device, vector_counts(context, device)))
        owners = list(_replacements(context, device, owner))
        if owner is not None and context.domid_fits(owner):
            owners[:0] = [(again, 0, owner, 0) for again in _again(context, owner, device)]
        for before, cost, domid, prior in owners:
            unseen = any(act.op == "domain_start" for act in before)
            for request in requests:
                if unseen and request.fault is not None and request.fault[0] == LATE_ANSWER:
                    continue        # a rare mishap of an owner that no line tells of
                load = Act("driver_load", domid, device, nvec=request.nvec, fault=request.fault,
                           mode=request.mode)
                yield Plan(before, load, cost + request.cost, prior)
        if context.item.domid is None:
            yield from own_loads(context, device)
    if context.item.domid is None:
        yield from card_loads(context)


def _again(context: Context, owner: int, device: PciAddress) -> Iterator[tuple[Act, ...]]:
    """What made a new load by the same owner possible: another kernel, or a silent unload.

    A driver that got no vectors has none to give back, so nothing tells of its unload.
    """
    vectors = context.hyp.state.loaded(owner, device)
    if vectors is None:
        yield ()
        return
    if not vectors:
        yield (Act("driver_unload", owner, device),)
    yield (Act("kexec", owner),)


def _requests(context: Context, device: PciAddress, counts: list[int]) -> Iterator[Request]:
    """Plain requests, then those that fail where lines say so, and other kinds of interrupts."""
    hint = context.timeline.entries.get(device, USUAL_VECTORS)
    odd = costs().other["odd_count"]
    lone = burst(context, device)
    if lone < 2 and context.hyp.state.has_msi(device):
        yield Request(lone, mode=MSI if lone else INTX)
    for nvec in counts:
        yield Request(nvec, 0 if nvec == hint else odd)
    first_line = context.hyp.history_open and context.at == 0
    if FAULT_EMITS[LATE_ANSWER] & context.timeline.guest_kinds and not first_line:
        # The driver may have asked to disable them, and may have been loaded again at once.
        for nvec in dict.fromkeys((*counts, lone // 2, lone // 3)):
            for then in (0, -1) if nvec else ():
                yield Request(nvec, 0 if nvec == hint else odd, (LATE_ANSWER, 1, then))
    held = len(context.hyp.state.pairs(device))
    for nth, cause in product(range(1, max(lone - held, 1) + 1), _causes(context, lone > held)):
        yield Request(max(held + nth, hint), costs().other["fault"] + nth, (cause, nth, ENOSPC))


def _causes(context: Context, counted: bool) -> Sequence[str]:
    """Why a map may have failed, as far as lines tell that one did: dom0's own, or a guest's.

    A guest's word is enough only where dom0 tells how many vectors it was `counted` to map, and no
    guest has given up waiting for them.
    """
    refusals = _refusals_ahead(context)
    if refusals:
        return MAP_FAULTS if "xen" in refusals else MAP_FAULTS[:1]
    told = context.timeline.complaints
    silent = counted and not FAULT_EMITS[LATE_ANSWER] & told and any(
        _ops(kind) == {"driver_load"} for kind in told)
    return (SILENT_FAULT,) if silent else ()


def _refusals_ahead(context: Context) -> set[str]:
    """Who says, among the next lines of this burst, that a load's request was refused."""
    items, said = context.timeline.items, set()
    first = items[context.at]
    for item in items[context.at:context.at + 24]:
        other = item.device is not None and item.device.is_full and item is not first
        if other and item.effect and item.event.speaker == "dom0" and (
                item.device != first.device or item.event.kind == first.event.kind):
            break
        if item.effect and item.alarming and item.device is None and \
                _ops(item.event.kind) == {"driver_load"}:
            said.add(item.event.speaker)
    beside = context.timeline.xen[context.hyp.boot:context.hyp.boot + 1]
    if said and any(_ops(e.kind) == {"driver_load"} for run in beside for e in run):
        said.add("xen")
    return said


@cache
def _ops(kind: str) -> frozenset[str]:
    return frozenset(op for op, kinds in EMITS.items() if kind in kinds)


def _replacements(context: Context, device: PciAddress, owner: int | None,
                  ) -> Iterator[tuple[tuple[Act, ...], int, int, int]]:
    """Unlogged starts of a new owner (and ends of the old): acts, cost, domid, prior acts."""
    state = context.hyp.state
    if context.strict and _start_shows(context):
        return
    order = context.timeline.devices.index
    held = set(state.owned(owner)) if owner is not None else {device}
    free = {d for d in context.timeline.devices if state.owner(d) is None and state.seized(d)}
    sets = dict.fromkeys(tuple(sorted(devices, key=order)) for devices in (held, held | free))
    for devices in sets:
        seizes, prior = _seizes(context, devices)
        for domid, guess in domids(context, devices):
            if not context.domid_fits(domid):
                continue
            start = _start(context, domid, devices)
            if owner is None:
                yield (*seizes, start), guess, domid, prior
                continue
            for ending, cost, rare in endings(context, owner):
                if not rare:
                    yield (*ending, start), guess + cost, domid, 0


def _start_shows(context: Context) -> bool:
    """Whether a domain's start must have left a line here (pciback's vpci.c says it at info)."""
    source = context.item.event.log
    if context.hyp.history_open and context.at == 0:
        return False
    return source in context.timeline.spine_inputs and \
        (source, "dom0") not in context.timeline.gaps and \
        context.timeline.rank_shown(source, "dom0") >= RANK["info"]


def _start(context: Context, domid: int, devices: tuple[PciAddress, ...]) -> Act:
    kind = "hvm" if domid in context.timeline.hvm else "pv"
    return Act("domain_start", domid, devices=devices, kind=kind)


def _seizes(context: Context, devices: Sequence[PciAddress]) -> tuple[tuple[Act, ...], int]:
    """Seizures that must have come first; in a log from mid-life, before its first line."""
    acts = tuple(Act("seize", device=d) for d in devices if not context.hyp.state.seized(d))
    return acts, len(acts) if context.hyp.history_open else 0


# --- The other acts -----------------------------------------------------------------------------

def _unloads(context: Context) -> Iterator[Plan]:
    state = context.hyp.state
    for device in context.devices():
        owner = state.owner(device)
        if owner is not None and context.domid_fits(owner) and \
                state.loaded(owner, device) is not None:
            yield Plan((), Act("driver_unload", owner, device))
        elif owner is None and state.loaded(DOM0, device) is not None:
            yield Plan((), Act("driver_unload", DOM0, device))
    if context.item.device is None:
        for device in own_loaded(context):
            yield Plan((), Act("driver_unload", DOM0, device))


def _ends(op: str) -> Callable[[Context], Iterator[Plan]]:
    def propose(context: Context) -> Iterator[Plan]:
        state = context.hyp.state
        owners = dict.fromkeys(state.owner(d) for d in context.devices())
        for domid in owners:
            if domid is None or not context.domid_fits(domid):
                continue
            for acts, cost, rare in endings(context, domid):
                if acts[-1].op == op:
                    yield Plan(acts[:-1], acts[-1], cost, rare=rare)
    return propose


def _starts(context: Context) -> Iterator[Plan]:
    for devices in _started_together(context):
        owners = {owner for d in devices if (owner := context.hyp.state.owner(d)) is not None}
        seizes, prior = _seizes(context, devices)
        for domid, guess in domids(context, devices):
            if not context.domid_fits(domid):
                continue
            start = _start(context, domid, devices)
            yield Plan(seizes, start, guess, prior)
            if seizes:
                yield Plan((), start, guess)
            if len(owners) == 1:
                for acts, cost, rare in endings(context, owners.pop()):
                    yield Plan((*acts, *seizes), start, guess + cost, rare=rare)
                owners = {o for d in devices if (o := context.hyp.state.owner(d)) is not None}


def _started_together(context: Context) -> Iterator[tuple[PciAddress, ...]]:
    """The device of the line alone, then with those of the lines of starts that follow it.

    A further function of one slot has a line of another kind than the first.
    """
    items, found = context.timeline.items, []
    for place in range(context.at, min(len(items), context.at + NEIGHBOURHOOD)):
        item = items[place]
        if item.event.kind not in EMITS["domain_start"] or item.device in found:
            if item.effect and item.event.speaker == "dom0":
                break
            continue
        if item.device is None or not item.device.is_full:
            break
        found.append(item.device)
        yield tuple(found)
    every = context.timeline.devices
    if context.at == 0 and context.hyp.history_open and context.item.device in every:
        yield every                 # the lines of the others may be cut off


def _seizures(context: Context) -> Iterator[Plan]:
    """A seizure; of a device that pciback has, an unlogged release first, and its owner's end."""
    state = context.hyp.state
    for device in context.devices():
        seize, release = Act("seize", device=device), Act("release", device=device)
        if not state.seized(device):
            yield Plan((), seize)
            continue
        yield Plan((release,), seize, rare=True)
        owner = state.owner(device)
        for acts, cost, _ in endings(context, owner) if owner is not None else ():
            yield Plan((*acts, release), seize, cost, rare=True)


def _releases(context: Context) -> Iterator[Plan]:
    """A release, perhaps of a device that is in use, or whose owner has gone without a line."""
    state = context.hyp.state
    for device in context.devices():
        if not state.seized(device):
            if context.hyp.history_open:
                seizes, prior = _seizes(context, (device,))
                yield Plan(seizes, Act("release", device=device), prior=prior, rare=True)
            continue
        yield Plan((), Act("release", device=device), rare=True)
        owner = state.owner(device)
        if owner is not None and state.is_up(owner, device):
            yield Plan((Act("ifdown", owner, device),), Act("release", device=device), rare=True)
        for acts, cost, _ in endings(context, owner) if owner is not None else ():
            yield Plan(acts, Act("release", device=device), cost, rare=True)


def _destructions(context: Context) -> Iterator[Plan]:
    """VFs destroyed (and made anew): one, or all of them with their physical function's driver.

    Their owners may have gone before without a line, or lose them in full use.
    """
    state = context.hyp.state
    known = [d for d in context.devices() if state.seized(d) or state.pairs(d)]
    every = tuple(d for d in context.timeline.devices if state.seized(d))
    sets = dict.fromkeys([*((device,) for device in known), *([every] if known else [])])
    for devices in sets:
        reload = Act("pf_reload", devices=devices)
        yield Plan((), reload, rare=True)
        natives = own_cards(context)
        if natives:
            yield Plan(natives, reload, prior=len(natives), rare=True)
        owners = dict.fromkeys(o for d in devices if (o := state.owner(d)) is not None)
        common = [[(acts, cost) for acts, cost, rare in endings(context, owner) if not rare]
                  for owner in owners]
        for ends in product(*common) if owners else ():
            yield Plan(tuple(act for acts, _ in ends for act in acts), reload,
                       sum(cost for _, cost in ends), rare=True)


def _kexecs(context: Context) -> Iterator[Plan]:
    for domid in context.hyp.state.living():
        if context.domid_fits(domid):
            yield Plan((), Act("kexec", domid), rare=True)


#: Who proposes each act. Acts that print nothing on dom0's side appear in chains only.
_PROPOSERS: dict[str, Callable[[Context], Iterator[Plan]]] = {
    "seize": _seizures,
    "domain_start": _starts,
    "driver_load": _loads,
    "driver_unload": _unloads,
    "clean_shutdown": _ends("clean_shutdown"),
    "crash": _ends("crash"),
    "destroy": _ends("destroy"),
    "teardown": _ends("teardown"),
    "release": _releases,
    "pf_reload": _destructions,
    "kexec": _kexecs,
}


@cache
def _proposers(kind: str) -> tuple[Callable[[Context], Iterator[Plan]], ...]:
    """Those of the acts that can print a line of this kind."""
    return tuple(propose for op, propose in _PROPOSERS.items() if kind in EMITS[op])
