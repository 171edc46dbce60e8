"""Propose what dom0 does with devices by itself: its own drivers, and its own cards' vectors.

A device that no guest owns may be driven by dom0. dom0's own cards hold pirqs from 255 downward in
dom0's table since they were found, and a flush of dead pairs that is tried for dom0 hits them.

**Invariant:** names acts, never kinds of lines.
"""
from __future__ import annotations

from collections.abc import Iterator

from diagnose.guess import USUAL_VECTORS, VECTORS_MAX, Context
from diagnose.plan import Plan
from emulator.life import EMITS, Act
from emulator.pci import PciAddress
from emulator.records import DOM0


def own_loads(context: Context, device: PciAddress) -> Iterator[Plan]:
    """dom0's own driver takes a device that no guest owns, after pciback has let it go."""
    state = context.hyp.state
    if state.loaded(DOM0, device) is not None:
        return
    freed = (Act("release", device=device),) if state.seized(device) else ()
    natives = own_cards(context)
    for nvec in _vectors(context, device):
        load = Act("driver_load", DOM0, device, nvec=nvec)
        yield Plan(freed, load, rare=True)
        if natives:
            yield Plan((*natives, *freed), load, prior=len(natives), rare=True)


def own_cards(context: Context) -> tuple[Act, ...]:
    """dom0's cards get their vectors; none that a guest has or that has them already."""
    state, acts = context.hyp.state, []
    for native in {each.device: each for each in context.timeline.natives}.values():
        if native.device in context.timeline.devices or native.nvec > VECTORS_MAX or \
                state.loaded(DOM0, native.device) is not None:
            continue
        acts.append(Act("driver_load", DOM0, native.device, nvec=native.nvec))
        acts.append(Act("ifup", DOM0, native.device))
    return tuple(acts)


def _vectors(context: Context, device: PciAddress) -> list[int]:
    """How many vectors dom0's driver asks for: the pairs left and the lookups without an owner."""
    items, run = context.timeline.items, 0
    for item in items[context.at:context.at + VECTORS_MAX]:
        if not item.effect or item.event.speaker != "dom0":
            continue
        if item.event.kind not in EMITS["driver_load"] or (
                item.device is not None and not item.device.agrees(device)):
            break
        run += item.device is None or "entry_nr" in item.event.fields
    found = [run, context.timeline.entries.get(device, USUAL_VECTORS)]
    return [nvec for nvec in dict.fromkeys(found) if nvec]
