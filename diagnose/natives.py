"""Propose what dom0 does with devices by itself: its own drivers, and its own cards' vectors.

A device that no guest owns may be driven by dom0. dom0's own cards hold pirqs from 255 downward in
dom0's table since they were found, and a flush of dead pairs that is tried for dom0 hits them.

**Invariant:** names acts, never kinds of lines.
"""
from __future__ import annotations

from collections.abc import Iterator

from diagnose.guess import USUAL_VECTORS, VECTORS_MAX, Context, burst, endings
from diagnose.plan import Plan
from diagnose.spine import Item
from diagnose.timeline import Native
from emulator.life import EMITS, Act
from emulator.pci import PciAddress
from emulator.records import DOM0, INTX


def own_loads(context: Context, device: PciAddress) -> Iterator[Plan]:
    """dom0's own driver takes a device that pciback has let go; its owner may have gone unseen."""
    state = context.hyp.state
    told = any(native.device == device for native in context.timeline.natives)
    let_go = not (context.hyp.history_open or state.seized(device))
    if state.loaded(DOM0, device) is not None or not (
            told or let_go or context.item.device is None):
        return          # lines of a load look alike whoever loads: dom0's own word has to tell
    freed = (Act("release", device=device),) if state.seized(device) else ()
    natives = own_cards(context)
    for ending, cost in _ends(context, state.owner(device)):
        for load in _loads(context, device):
            yield Plan((*ending, *freed), load, cost, rare=not told)
            if natives:
                before = (*natives, *ending, *freed)
                yield Plan(before, load, cost, prior=len(natives), rare=True)


def _loads(context: Context, device: PciAddress) -> Iterator[Act]:
    """What dom0's driver may ask for: vectors, or its legacy interrupt where no line counts any."""
    load = Act("driver_load", DOM0, device)
    for nvec in _vectors(context, device):
        yield load._replace(nvec=nvec)
    if context.hyp.state.has_msi(device) and not burst(context, device):
        yield load._replace(nvec=1, mode=INTX)


def _ends(context: Context, owner: int | None) -> Iterator[tuple[tuple[Act, ...], int]]:
    """How the device came free: it was, or its owner has gone."""
    if owner is None:
        yield (), 0
        return
    for acts, cost, rare in endings(context, owner):
        if not rare:
            yield acts, cost


def card_loads(context: Context) -> Iterator[Plan]:
    """dom0's own card gets its vectors here: nothing of passthrough, but its lines look alike."""
    run = len(_vectors_run(context, None))
    for native in _unloaded_cards(context):
        if context.item.device is None or context.item.device.agrees(native.device):
            for nvec in dict.fromkeys((native.nvec, run)):
                if 0 < nvec <= VECTORS_MAX:
                    yield Plan((), Act("driver_load", DOM0, native.device, nvec=nvec))


def own_cards(context: Context) -> tuple[Act, ...]:
    """dom0's cards got their vectors before; none that a guest has or that has them already."""
    acts = []
    for native in _unloaded_cards(context):
        acts.append(Act("driver_load", DOM0, native.device, nvec=native.nvec))
        acts.append(Act("ifup", DOM0, native.device))
    return tuple(acts)


def own_loaded(context: Context) -> Iterator[PciAddress]:
    """dom0's own cards, none of them a guest's, that have their vectors in the story."""
    for device in dict.fromkeys(native.device for native in context.timeline.natives):
        if device not in context.timeline.devices and \
                context.hyp.state.loaded(DOM0, device) is not None:
            yield device


def _unloaded_cards(context: Context) -> Iterator[Native]:
    """dom0's cards that tell their vectors and that do not have them yet in the story."""
    for native in {each.device: each for each in context.timeline.natives}.values():
        if native.device not in context.timeline.devices and 1 < native.nvec <= VECTORS_MAX and \
                context.hyp.state.loaded(DOM0, native.device) is None:
            yield native


def _vectors(context: Context, device: PciAddress) -> list[int]:
    """How many vectors dom0's driver asks for: the pairs left and the lookups without an owner."""
    found = [len(_vectors_run(context, device)),
             context.timeline.entries.get(device, USUAL_VECTORS)]
    return [nvec for nvec in dict.fromkeys(found) if nvec]


def _vectors_run(context: Context, device: PciAddress | None) -> list[Item]:
    """The lines from here on, one a vector, that a load by dom0 may have printed."""
    items, run = context.timeline.items, []
    for item in items[context.at:context.at + VECTORS_MAX]:
        if not item.effect or item.event.speaker != "dom0":
            continue
        other = item.device is not None and device is not None and not item.device.agrees(device)
        if item.event.kind not in EMITS["driver_load"] or other:
            break
        if item.device is None or "entry_nr" in item.event.fields:
            run.append(item)
    return run
