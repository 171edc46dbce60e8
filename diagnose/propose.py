"""Propose what may have happened where a line stands: an act that prints it, and what must precede.

Which acts can print a line is read from the emulator's table `EMITS`; whom they concern, from the
line's fields and from the state that the story has reached. A proposal is a chain of inferred acts
and one observed act at its end.

**Invariant:** names acts, never kinds of lines.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from diagnose.costs import costs
from diagnose.story import UNKNOWN_DOMID_MIN, Hypothesis
from diagnose.timeline import Item, Timeline
from emulator.acts import LINGERS
from emulator.life import EMITS, Act
from emulator.pci import PciAddress

#: igbvf asks for three vectors (transmit, receive, mailbox): the guess where no line counts them.
USUAL_VECTORS = 3
#: More than any network VF of that era has; it bounds the search only, never a reading.
VECTORS_MAX = 16
#: How far from a start the lines that tell its domid may lie, in spine items.
NEIGHBOURHOOD = 14
#: Linux and Xen fail a map with one of many numbers; dom0 reports them alike (msi-xen.c).
ENOSPC = -28


class Plan(NamedTuple):
    """Inferred acts, then the act that prints the line; `prior` of them came before the log."""

    before: tuple[Act, ...]
    act: Act
    cost: int = 0
    prior: int = 0
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """Where a proposal is asked for."""

    timeline: Timeline
    hyp: Hypothesis
    at: int

    @property
    def item(self) -> Item:
        return self.timeline.items[self.at]

    def devices(self) -> list[PciAddress]:
        """The devices of the incident that the line may speak of."""
        told = self.item.device
        return [d for d in self.timeline.devices if told is None or told.agrees(d)]

    def domid_fits(self, domid: int) -> bool:
        """Whether the line may speak of this domain."""
        return self.item.domid is None or self.item.domid == domid


def plans(timeline: Timeline, hyp: Hypothesis, at: int) -> Iterator[Plan]:
    """All proposals for the item at `at`, likely ones first."""
    context = Context(timeline, hyp, at)
    kind = context.item.event.kind
    for op, propose in _PROPOSERS.items():
        if kind in EMITS[op]:
            yield from propose(context)


def endings(context: Context, domid: int) -> Iterator[tuple[tuple[Act, ...], int, bool]]:
    """How a living domain may have gone: acts, extra cost, and whether that is rare."""
    state = context.hyp.state
    loaded = [d for d in sorted(state.owned(domid)) if state.loaded(domid, d) is not None]
    clean, destroy = Act("clean_shutdown", domid), Act("destroy", domid)
    life = context.hyp.life(domid)
    word = context.timeline.segments[life.segment] if life is not None else None
    unloaded = (*(Act("driver_unload", domid, device) for device in loaded), clean)
    if not loaded and word is None:
        yield (Act("teardown", domid),), 0, False
        return
    if word is not None and word.ending == "abrupt":
        yield (Act("crash", domid),), 0, False
    elif word is None or word.ending == "clean":
        yield (clean,), 0, False
        if loaded:
            yield unloaded, 0, False
    elif word.last:
        yield (clean,), costs().other["clean_without_word"], False
    if word is None or not word.ending:
        yield (destroy,), 0, False
    if loaded and (word is None or word.ending != "clean"):
        final = Act("crash", domid) if word is not None and word.ending else destroy
        yield (final._replace(fault=(LINGERS, 1, 0)),), 0, True
        yield (*(Act("flr", device=device) for device in loaded), final), 0, True


def domids(context: Context, devices: Sequence[PciAddress]) -> Iterator[tuple[int, int]]:
    """Whom a starting domain may be, with the cost of the guess: what lines near its start tell."""
    hyp, told = context.hyp, context.item.domid
    if told is not None and told > hyp.newest and context.item.event.speaker == "dom0":
        yield told, 0
        return
    births = [domid for domid in _births(context) if domid > hyp.newest]
    later = [domid for domid in _next_told(context, devices) if domid > hyp.newest]
    yield from ((domid, 0) for domid in list(dict.fromkeys([*births, *later]))[:3])
    if not births:
        yield UNKNOWN_DOMID_MIN + hyp.unknowns, costs().other["unknown_domid"]


def _births(context: Context) -> Iterator[int]:
    """Domids born between dom0's effects before this line and after it, nearest first."""
    items, at = context.timeline.items, context.at
    before = range(at - 1, max(-1, at - NEIGHBOURHOOD), -1)
    after = range(at + 1, min(len(items), at + NEIGHBOURHOOD))
    for places in (before, after):
        for place in places:
            item = items[place]
            if item.birth is not None:
                yield item.birth
            elif item.boot or (item.effect and item.event.speaker == "dom0" and
                               item.event.kind != items[at].event.kind):
                break


def _next_told(context: Context, devices: Sequence[PciAddress]) -> Iterator[int]:
    """The next domid that a line tells of one of these devices, here and in Xen's own log."""
    items = context.timeline.items
    for place in range(context.at, min(len(items), context.at + 200)):
        item = items[place]
        if item.boot and place > context.at:
            break
        if item.effect and item.domid is not None and (
                item.device is None or any(item.device.agrees(d) for d in devices)):
            yield item.domid
            break
    if context.hyp.boot < len(context.timeline.xen):
        for place, event in enumerate(context.timeline.xen[context.hyp.boot]):
            domid = event.fields.get("domid")
            if isinstance(domid, int) and domid > context.hyp.newest and \
                    not context.hyp.xen_mask >> place & 1:
                yield domid
                break


# --- Loading a driver ---------------------------------------------------------------------------

def vector_counts(context: Context, device: PciAddress) -> list[int]:
    """How many entries the driver may have asked for: by this burst, then by others."""
    burst, scattered = _burst(context, device, lenient=False), _burst(context, device, lenient=True)
    hint = context.timeline.entries.get(device)
    found = [n for n in (burst, hint) if n]
    if burst:
        found.append(burst - 1)      # the last line may begin a flush that follows at once
    if burst and burst % 2 == 0:
        found.append(burst // 2)
    if scattered:
        found.append(scattered)
    if not burst:
        found.extend(context.timeline.flushes)
    found.append(USUAL_VECTORS)
    return [n for n in dict.fromkeys(found) if 0 < n <= VECTORS_MAX][:6]


def _burst(context: Context, device: PciAddress, lenient: bool) -> int:
    """Lines from here on, one an entry, that a load of this device's driver can have printed.

    `lenient`: lines of other devices may stand between them.
    """
    items, count = context.timeline.items, 0
    mask = context.hyp.mask
    for place in range(context.at, min(len(items), context.at + 48)):
        item = items[place]
        if mask >> (place - context.at) & 1 or not item.effect or item.event.speaker != "dom0":
            continue
        if item.device is None or not item.device.agrees(device):
            if count and (item.device is None or not lenient):
                break
            continue
        if item.event.kind not in EMITS["driver_load"]:
            break
        per_entry = item.domid is not None or "entry_nr" in item.event.fields
        if count and not per_entry:
            break
        count += per_entry
    return count


def _loads(context: Context) -> Iterator[Plan]:
    state = context.hyp.state
    for device in context.devices():
        owner = state.owner(device)
        counts = vector_counts(context, device)
        for nvec, fault, extra in _requests(context, device, counts):
            if owner is not None and context.domid_fits(owner):
                load = Act("driver_load", owner, device, nvec=nvec, fault=fault)
                if state.loaded(owner, device) is None:
                    yield Plan((), load, extra)
                else:
                    yield Plan((Act("kexec", owner),), load, extra)
            for before, cost, domid, prior in _replacements(context, device, owner):
                load = Act("driver_load", domid, device, nvec=nvec, fault=fault)
                yield Plan(before, load, cost + extra, prior)


def _requests(context: Context, device: PciAddress, counts: list[int],
              ) -> Iterator[tuple[int, tuple[str, int, int] | None, int]]:
    """(vectors asked for, fault, cost): plain requests, then those that fail where lines say so."""
    hint = context.timeline.entries.get(device, USUAL_VECTORS)
    odd = costs().other["odd_count"]
    for nvec in counts:
        yield nvec, None, 0 if nvec == hint else odd
    if _refusal_ahead(context, device):
        for nth in range(1, max([*counts, USUAL_VECTORS]) + 2):
            yield max(nth, hint), ("map_pirq", nth, ENOSPC), costs().other["fault"] + nth


def _refusal_ahead(context: Context, device: PciAddress) -> bool:
    """Whether an alarming line that only a load prints stands among the next lines."""
    items = context.timeline.items
    for item in items[context.at:context.at + 24]:
        if item.effect and item.alarming and item.device is None and item.domid is None and \
                _ops(item.event.kind) == {"driver_load"}:
            return True
    return False


def _ops(kind: str) -> set[str]:
    return {op for op, kinds in EMITS.items() if kind in kinds}


def _replacements(context: Context, device: PciAddress, owner: int | None,
                  ) -> Iterator[tuple[tuple[Act, ...], int, int, int]]:
    """Unlogged starts of a new owner (and ends of the old): acts, cost, domid, prior acts."""
    state = context.hyp.state
    order = context.timeline.devices.index
    held = set(state.owned(owner)) if owner is not None else {device}
    free = {d for d in context.timeline.devices if state.owner(d) is None and state.seized(d)}
    sets = dict.fromkeys(tuple(sorted(devices, key=order)) for devices in (held, held | free))
    for devices in sets:
        seizes, prior = _seizes(context, devices)
        for domid, guess in domids(context, devices):
            if not context.domid_fits(domid):
                continue
            start = Act("domain_start", domid, devices=devices)
            if owner is None:
                yield (*seizes, start), guess, domid, prior
                continue
            for ending, cost, rare in endings(context, owner):
                if not rare:
                    yield (*ending, start), guess + cost, domid, 0


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
            start = Act("domain_start", domid, devices=devices)
            yield Plan(seizes, start, guess, prior)
            if len(owners) == 1:
                for acts, cost, rare in endings(context, owners.pop()):
                    yield Plan((*acts, *seizes), start, guess + cost, rare=rare)
                owners = {o for d in devices if (o := context.hyp.state.owner(d)) is not None}


def _started_together(context: Context) -> Iterator[tuple[PciAddress, ...]]:
    """The device of the line alone, then with those of the like lines that follow it."""
    items, found = context.timeline.items, []
    for place in range(context.at, min(len(items), context.at + NEIGHBOURHOOD)):
        item = items[place]
        if item.event.kind != context.item.event.kind or item.device in found:
            if item.effect and item.event.speaker == "dom0":
                break
            continue
        if item.device is None or not item.device.is_full:
            break
        found.append(item.device)
        yield tuple(found)


def _seizures(context: Context) -> Iterator[Plan]:
    for device in context.devices():
        if not context.hyp.state.seized(device):
            yield Plan((), Act("seize", device=device))
        else:
            yield Plan((Act("release", device=device),), Act("seize", device=device))


def _releases(context: Context) -> Iterator[Plan]:
    for device in context.devices():
        if context.hyp.state.seized(device):
            yield Plan((), Act("release", device=device))


def _destructions(context: Context) -> Iterator[Plan]:
    """VFs destroyed (and made anew): one, or all of them with their physical function's driver."""
    known = [d for d in context.devices() if context.hyp.state.seized(d)
             or context.hyp.state.pairs(d)]
    for device in known:
        yield Plan((), Act("pf_reload", devices=(device,)))
    every = tuple(d for d in context.timeline.devices if context.hyp.state.seized(d))
    if len(every) > 1:
        yield Plan((), Act("pf_reload", devices=every))


def _kexecs(context: Context) -> Iterator[Plan]:
    for domid in context.hyp.state.living():
        if context.domid_fits(domid):
            yield Plan((), Act("kexec", domid))


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
