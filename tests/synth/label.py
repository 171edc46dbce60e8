"""What a reader of a made-up incident can know: the labels, from the model and the lines shown.

Truth comes from the emulator's violations; what must be found is limited to what the lines that
are left over can show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.kernels import ROWS
from emulator.life import Act
from emulator.pci import PciAddress
from tests.synth.console import Record
from tests.synth.draft import ABRUPT, Scenario
from tests.synth.stage import FAULT_OF, Fact, Step, facts, faults, play
from tests.synth.wrap import Wrapping

ALARMING = (
    "Couldn't locate PCI device", "Failed to obtain physical IRQ", "enable msix get err",
    "map irq failed", "not freed", "not mapped", "type mismatch for IRQ", "unmap irq",
    "forcing unbind", "while still in-use",
)
SIGNATURE = {
    "stale-vector": "msix_entry_not_freed",
    "unmap-failure": "unmap_irq_failed",
    "map-failure": "map_irq_failed",
    "device-busy": "pciback_cant_locate",
}
WHATIF = ("stale-vector", "missing-prune", "unmap-failure")
Key = tuple[int, str, PciAddress]


@dataclass
class Told:
    """What is true of one fault of one device in one boot of the host."""

    domids: set[int] = field(default_factory=set)
    entries: set[int] = field(default_factory=set)
    pirqs: set[int] = field(default_factory=set)
    maybe: set[int] = field(default_factory=set)
    must: bool = False


def label(scenario: Scenario, wrapping: Wrapping, steps: Sequence[Step],
          records: Sequence[Record], texts: Mapping[str, str]) -> dict[str, Any]:
    """The content of expected.json."""
    told = _told(steps, wrapping, records)
    must = [_finding(key, each) for key, each in sorted(told.items(), key=str) if each.must]
    keys = {(fault, device) for _, fault, device in told}
    may = sorted([fault, str(device)] for fault, device in keys)
    whole = "\n".join(texts.values())
    return {
        "cls": scenario.cls,
        "kernel": scenario.row,
        "banner": wrapping.banner,
        "env": wrapping.env,
        "ws": wrapping.space,
        "view": list(wrapping.view),
        "verdicts": _verdicts(steps, wrapping, bool(must), bool(may), records),
        "must": must,
        "may": may,
        **_whatif(scenario, keys),
        "ended": _ended(scenario, wrapping, steps, records),
        "story": [_told_act(act) for act in scenario.acts if act.op not in ("seize", "ifup")],
        "alarming": [each for each in ALARMING if each in whole],
        "notes": sorted(scenario.options),
    }


def _finding(key: Key, each: Told) -> dict[str, Any]:
    boot, fault, device = key
    vectors = fault not in ("map-failure", "device-busy")
    return {
        "fault": fault,
        "device": str(device),
        "boot": boot,
        "domids": sorted(each.domids),
        "domids_may": sorted(each.maybe),
        "entries": sorted(each.entries) if vectors else [],
        "pirqs": sorted(each.pirqs) if vectors else [],
    }


def _told(steps: Sequence[Step], wrapping: Wrapping, records: Sequence[Record],
          ) -> dict[Key, Told]:
    told: dict[Key, Told] = defaultdict(Told)
    partial = bool({"cut-head", "warn-only"} & set(wrapping.view))
    shown = {(record.step, record.kind) for record in records if record.step is not None}
    forced = any(record.kind == "xen_forcing_unbind" for record in records)
    proven = _proven(steps, forced)
    for fact in facts(steps):
        violation, step = fact.violation, fact.step
        fault = FAULT_OF.get(violation.name)
        if fault is None:
            continue
        each = told[step.boot, fault, violation.device]
        seen = fault not in SIGNATURE or (step.number, SIGNATURE[fault]) in shown
        if fault == "missing-prune":
            each.maybe.add(violation.domid)
            seen = (step.number, violation.device) in proven and not partial
        elif fault == "unmap-failure":
            seen = seen and not partial
        elif fault in ("pirq-collision", "collateral-unmap"):
            seen = wrapping.view == ("full",) and violation.note != "mapped"
            if fault == "collateral-unmap" and violation.other is not None:
                # A silent flush names neither; of one devfn, either may have been flushed.
                seen = seen and violation.other.devfn != violation.device.devfn
            if violation.other is not None:
                told[step.boot, fault, violation.other].maybe.add(violation.domid)
        if seen:
            _add(each, fact)
    if partial:
        _doubt(told, steps)
    return told


def _doubt(told: dict[Key, Told], steps: Sequence[Step]) -> None:
    """Where a life's beginning may not be shown, its own pairs can look like another's."""
    for step in steps:
        for each in step.violations:
            if each.name == "own_pairs_reused":
                for fault in WHATIF:
                    told[step.boot, fault, each.device].maybe.add(each.domid)


def _add(each: Told, fact: Fact) -> None:
    violation = fact.violation
    each.must = True
    each.domids.add(violation.domid)
    if violation.entry_nr is not None:
        each.entries.add(violation.entry_nr)
    if violation.pirq is not None:
        each.pirqs.add(violation.pirq)


EVIDENCE = ("stale_served", "stale_unmap_refused", "dom0_unmap_refused", "foreign_unmapped")


def _proven(steps: Sequence[Step], forced: bool = True) -> set[tuple[int, PciAddress]]:
    """Teardowns (step, device) that left pairs which a later line shows.

    A flush that takes pirqs from dom0 shows only where Xen tells that it had to force them.
    """
    pending: dict[PciAddress, set[int]] = defaultdict(set)
    proven: set[tuple[int, PciAddress]] = set()
    for step in steps:
        if step.act.op == "host_boot":
            pending.clear()
        for each in step.violations:
            device = each.other if each.name == "foreign_unmapped" else each.device
            silent = each.name == "foreign_unmapped" and not each.domid and not forced
            if each.name in EVIDENCE and device is not None and not silent:
                proven |= {(number, device) for number in pending.pop(device, ())}
        for deed in step.outcome.deeds:
            if deed.kind in ("mapped", "unmapped", "dropped"):
                pending.pop(deed.device, None)
        for each in step.violations:
            if each.name == "pairs_left":
                pending[each.device].add(step.number)
    return proven


def _verdicts(steps: Sequence[Step], wrapping: Wrapping, must: bool, may: bool,
              records: Sequence[Record]) -> list[str]:
    if must:
        return ["fault"]
    if may:
        return ["fault", "healthy", "inconclusive"]
    loaded = any(step.act.op == "driver_load" for step in steps)
    if not any(record.step is not None for record in records):
        return ["inconclusive"]
    if wrapping.view == ("full",) and loaded and all(s.act.op != "release" for s in steps):
        return ["healthy"]
    return ["healthy", "inconclusive"]


def _whatif(scenario: Scenario, keys: Iterable[tuple[str, PciAddress]]) -> dict[str, Any]:
    """What each row would have left.

    Nothing where some guests' logs are not there: how those guests ended is not told.

    `whatif_open`: what only a teardown without a later line, or a silent reset of a function (flr)
    decides.
    """
    own = set(keys)
    left: dict[str, list[list[str]]] = {}
    unclear = []
    loud = [act for act in scenario.acts if act.op != "flr"]
    for row in () if "one-log" in scenario.options else ROWS:
        played, without = play(row.name, scenario.acts), play(row.name, loud)
        if played is None or without is None:
            continue
        true = faults(played) & own
        left[row.name] = sorted([fault, str(device)] for fault, device in true)
        proven = {device for _, device in _proven(played)}
        unclear += [[row.name, fault, str(device)] for fault, device in own
                    if (fault == "missing-prune" and (fault, device) in true
                        and device not in proven)
                    or ((fault, device) in true) != ((fault, device) in faults(without))]
    return {"whatif": left, "whatif_open": sorted(unclear)}


def _ended(scenario: Scenario, wrapping: Wrapping, steps: Sequence[Step],
           records: Sequence[Record]) -> list[list[Any]]:
    """How PV owners ended, as far as any line tells.

    Logs of several boots of several guests do not tell which boot was which domain.
    """
    if wrapping.style == "one" and len(set(scenario.names.values())) > 1:
        return []
    released = {step.act.device for step in steps if step.act.op == "release"}
    ends = []
    for step in steps:
        act = step.act
        if act.op not in ("clean_shutdown", *ABRUPT) or step.boot or act.domid is None:
            continue
        start = next(s.act for s in steps if s.act.op == "domain_start" and s.act.domid == act.domid
                     and s.boot == step.boot)
        if start.kind != "pv" or not start.devices or released & set(start.devices):
            continue
        if "one-log" in scenario.options and not any(
                record.guest == (step.boot, act.domid) for record in records):
            continue
        if _end_is_shown(step, steps, start.devices, records):
            ends.append([act.domid, act.op])
    return ends


def _end_is_shown(step: Step, steps: Sequence[Step], devices: Sequence[PciAddress],
                  records: Sequence[Record]) -> bool:
    domid = step.act.domid
    if any(record.step == step.number for record in records):
        return True
    said = [r.text for r in records if r.guest == (step.boot, domid)]
    if said and said[-1].startswith(("Restarting", "Power down", "Kernel panic")):
        return True
    return any(
        later.number > step.number and later.boot == step.boot and later.act.op == "domain_start"
        and set(devices) & set(later.act.devices)
        and not any(deed.kind == "assign_refused" for deed in later.outcome.deeds)
        for later in steps
    )


def _told_act(act: Act) -> list[Any]:
    told: list[Any] = [act.op]
    if act.domid is not None:
        told.append(act.domid)
    if act.op == "domain_start":
        told += [act.kind, [str(device) for device in act.devices]]
    elif act.device is not None:
        told.append(str(act.device))
    elif act.devices:
        told.append([str(device) for device in act.devices])
    if act.nvec:
        told.append(act.nvec)
    if act.fault is not None:
        told.append(list(act.fault))
    return told
