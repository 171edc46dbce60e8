"""Where a fault shows itself, and whether the logs that are there can show it at all.

**Invariant:** looks at the story and at which lines are there, never at what a line says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from diagnose.synth.keep import Keeping
from diagnose.synth.record import Record
from diagnose.synth.stage import Fact, Step
from emulator.pci import PciAddress

# Names of the emulator's violations, by what they do to a label.
SHOW_LEFT = ("stale_served", "stale_unmap_refused", "dom0_unmap_refused", "foreign_unmapped")
"""What shows in a later step that pairs were left."""
TAKES, SHARES, LEAVES, REFUSED, OWN = (
    "foreign_unmapped", "shared_pirq", "pairs_left", "stale_unmap_refused", "own_pairs_reused")
MILD = "warn-only"
PARTIAL = frozenset({"cut-head", MILD})
HIDDEN_BY: Mapping[str, frozenset[str]] = {
    LEAVES: PARTIAL, REFUSED: PARTIAL, "stale_irq_served": frozenset({MILD}),
}
"""Violation → views that show it to nobody. That an owner had MSI is no warning."""


def in_view(fact: Fact, keeping: Keeping) -> bool:
    """Whether the logs that are there can show such a thing at all."""
    violation, view = fact.violation, keeping.view
    if violation.name in (TAKES, SHARES):
        # A silent flush names neither; of one devfn, either may have been flushed.
        return view in (["full"], ["lossy"], ["cut-tail"]) and violation.note != "mapped" and not (
            violation.name == TAKES and violation.other is not None
            and violation.other.devfn == violation.device.devfn)
    return not HIDDEN_BY.get(violation.name, frozenset()) & set(view)


def is_named(fact: Fact, steps: Sequence[Step], keeping: Keeping, shown: Set[tuple[int, str]],
             ) -> bool:
    """Whether it can be told whose fault it is; `shown` are (step, kind) of the lines there.

    A line that names no device has its own beside it at a lower level. Without that one, a line
    that follows on it in its step has to name one: what stands before may be of another load. A
    guest's own bus keeps the function number; it names a device if no other one has it.
    """
    devices = {device for step in steps for device in (step.act.device, *step.act.devices)
               if device is not None}
    if not fact.fault.nameless or MILD not in keeping.view or len(devices) == 1:
        return True
    effects = fact.step.outcome.effects
    signs = [place for place, effect in enumerate(effects) if effect.kind == fact.fault.sign]
    return any((fact.step.number, effect.kind) in shown
               and _means(effect.fields.get("device"), devices) == {fact.violation.device}
               for effect in effects[min(signs, default=len(effects)):])


def _means(name: object, devices: Set[PciAddress]) -> set[PciAddress]:
    """The devices that a name in a line may be of."""
    if not isinstance(name, PciAddress):
        return set()
    return {name} if name in devices else {
        each for each in devices if each.function == name.function}


def began(fact: Fact, steps: Sequence[Step]) -> int:
    """The number of the step in which the life began that left the pair, or that met with it."""
    violation = fact.violation
    lives = {violation.domid, violation.from_domid} - {None}
    starts = [step.number for step in steps
              if step.boot == fact.step.boot and step.number <= fact.step.number
              and step.act.op == "domain_start" and step.act.domid in lives]
    return min(starts) if len(starts) == len(lives) else -1


def is_forcing_told(steps: Sequence[Step], records: Sequence[Record]) -> bool:
    """Whether Xen tells anywhere that it had to force an unbind."""
    forcing = {step.number for step in steps
               if any(deed.kind == "forced_unbind" for deed in step.outcome.deeds)}
    return any(record.speaker == "xen" and record.step in forcing for record in records)


def shown_later(steps: Sequence[Step], forced: bool = True) -> dict[tuple[int, PciAddress], int]:
    """Teardowns (step, device) that left pairs → the later step that shows it.

    A flush that takes pirqs from dom0 shows only where Xen tells that it had to force them.
    """
    pending: dict[PciAddress, set[int]] = defaultdict(set)
    showing: dict[tuple[int, PciAddress], int] = {}
    for step in steps:
        if step.act.op == "host_boot":
            pending.clear()
        for each in step.violations:
            device = each.other if each.name == TAKES else each.device
            silent = each.name == TAKES and not each.domid and not forced
            if each.name in SHOW_LEFT and device is not None and not silent:
                showing |= {(number, device): step.number for number in pending.pop(device, ())}
        for deed in step.outcome.deeds:
            if deed.kind in ("mapped", "unmapped", "dropped"):
                pending.pop(deed.device, None)
        for each in step.violations:
            if each.name == LEAVES:
                pending[each.device].add(step.number)
    return showing
