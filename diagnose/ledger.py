"""Turn a story into frames: what was done, both ledgers after it, and what that changed in them.

**Invariant:** every ledger shown is the emulator's state after the step; nothing is guessed here.
"""
from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec.structs import replace

from diagnose.assignments import story_steps
from diagnose.frames import (
    UNTOLD_DOMID_MIN,
    Belief,
    Change,
    DeviceRecord,
    DomainTable,
    Entry,
    Frame,
    Ledgers,
    Parting,
)
from diagnose.story import Step
from diagnose.whatif import runs
from diagnose.witness import lines_for
from emulator.compare import compared
from emulator.kernels import Row
from emulator.pci import PciAddress
from emulator.records import DOM0, Device, Domain
from emulator.state import State


def ledgers_of(state: State) -> Ledgers:
    """Both ledgers and the guests' beliefs as they stand in a state of the machine."""
    return Ledgers(
        {str(device): _record(state, found) for device, found in sorted(state.devices.items())},
        {domid: _table(found) for domid, found in sorted(state.domains.items())
         if domid != DOM0 or found.table},
        {domid: {str(driver.device): Belief(driver.vectors, driver.requested)
                 for driver in guest.drivers}
         for domid, guest in sorted(state.guests.items()) if guest.drivers})


def _record(state: State, device: Device) -> DeviceRecord:
    entries: list[Entry] = [
        (each.pair.pirq, each.pair.entry_nr, each.pair.from_domid, each.standing)
        for each in compared(state, device.config.address)]
    return DeviceRecord(device.owner, device.seized, device.present, device.msix_enabled,
                        tuple(entries))


def _table(found: Domain) -> DomainTable:
    rows = sorted(found.table.items())
    return DomainTable(
        found.kind,
        {pirq: None if mapped.device is None else str(mapped.device)
         for pirq, mapped in rows if mapped.vector > 0},
        tuple(sorted(found.bound)), tuple(pirq for pirq, mapped in rows if mapped.vector < 0))


def frames(steps: Sequence[Step], row: Row) -> tuple[Frame, ...]:
    """One frame for each step of a story under its own row."""
    told = story_steps(steps)
    before, made = Ledgers(), []
    for number, (step, taken, run) in enumerate(zip(steps, told, runs(steps, row), strict=True)):
        assert run.outcome is not None, f"the story's own step {number}: {run.refusal}"
        after = ledgers_of(run.outcome.state)
        made.append(Frame(
            taken.op, taken.args, taken.status, taken.lines, taken.why, taken.boot, number,
            after, tuple(changes(before, after)), _partings(step)))
        before = after
    return tuple(made)


def _partings(step: Step) -> tuple[Parting, ...]:
    return tuple(
        Parting(broken.name, str(broken.device), broken.domid, broken.entry_nr, broken.pirq,
                broken.from_domid, None if broken.other is None else str(broken.other),
                broken.note, lines_for(step, broken))
        for broken in step.violations)


def changes(before: Ledgers, after: Ledgers) -> Iterator[Change]:
    """What differs between two moments, row by row; dom0's ledger first."""
    for device in sorted(before.dom0.keys() | after.dom0.keys()):
        yield from _record_changes(device, _pairs(before, device), _pairs(after, device))
    for domid in sorted(before.xen.keys() | after.xen.keys()):
        yield from _table_changes(domid, _mapped(before, domid), _mapped(after, domid))


Pairs = Mapping[tuple[int, int, int], Entry]


def _pairs(ledgers: Ledgers, device: str) -> Pairs:
    """The pairs of a device by pirq, entry number and the domain that they were attached for."""
    record = ledgers.dom0.get(device)
    return {} if record is None else {pair[:3]: pair for pair in record.entries}


def _mapped(ledgers: Ledgers, domid: int) -> Mapping[int, str | None]:
    return ledgers.xen[domid].pirqs if domid in ledgers.xen else {}


def _record_changes(device: str, before: Pairs, after: Pairs) -> Iterator[Change]:
    for (pirq, entry_nr, domid), pair in after.items():
        old = before.get((pirq, entry_nr, domid))
        if old is None:
            yield Change("dom0", "added", domid, pirq, device, entry_nr)
        elif old[3] != pair[3]:
            yield Change("dom0", pair[3], domid, pirq, device, entry_nr)
    for pirq, entry_nr, domid in before:
        if (pirq, entry_nr, domid) not in after:
            yield Change("dom0", "removed", domid, pirq, device, entry_nr)


def _table_changes(domid: int, before: Mapping[int, str | None],
                   after: Mapping[int, str | None]) -> Iterator[Change]:
    for pirq, device in after.items():
        if pirq not in before or before[pirq] != device:
            yield Change("xen", "added", domid, pirq, device)
    for pirq, device in before.items():
        if pirq not in after:
            yield Change("xen", "removed", domid, pirq, device)


def narrowed(story: Sequence[Frame], device: PciAddress) -> tuple[Frame, ...]:
    """The frames that concern one device, with what the ledgers hold of it; numbers stay."""
    kept, owners = [], frozenset[int]()
    for frame in story:
        meant = _meant(frame.ledgers, device)
        now = _owners(frame.ledgers, meant)
        if _concerns(frame, device, owners | now):
            kept.append(replace(
                frame, ledgers=ledgers_about(frame.ledgers, device),
                changes=tuple(each for each in frame.changes if each.device in meant),
                violations=tuple(each for each in frame.violations
                                 if {each.device, each.other} & meant)))
        owners = now
    return tuple(kept)


def _meant(ledgers: Ledgers, device: PciAddress) -> set[str]:
    return {name for name in ledgers.dom0 if device.agrees(PciAddress.parse(name))}


def _owners(ledgers: Ledgers, devices: Collection[str]) -> frozenset[int]:
    return frozenset(record.owner for name, record in ledgers.dom0.items()
                     if name in devices and record.owner is not None)


def _concerns(frame: Frame, device: PciAddress, owners: frozenset[int]) -> bool:
    """Whether a step is about the device, or about a domain that has it before or after."""
    told = frame.args.get("device")
    names = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    if names:
        return any(device.agrees(PciAddress.parse(name)) for name in names)
    if "domid" not in frame.args:
        return True
    untold = any(owner >= UNTOLD_DOMID_MIN for owner in owners)
    return frame.args["domid"] in owners or (frame.args["domid"] is None and untold)


def ledgers_about(ledgers: Ledgers, device: PciAddress) -> Ledgers:
    """What the ledgers hold of one device: its record, and the pirqs that it speaks of."""
    devices = _meant(ledgers, device)
    owners = _owners(ledgers, devices)
    spoken = {(record.owner or DOM0, pirq) for name, record in ledgers.dom0.items()
              if name in devices for pirq, _, _, _ in record.entries}
    tables = {}
    for domid, table in ledgers.xen.items():
        pirqs = {pirq: device for pirq, device in table.pirqs.items()
                 if device in devices or (domid, pirq) in spoken}
        if pirqs or domid in owners:
            tables[domid] = replace(
                table, pirqs=pirqs, bound=tuple(p for p in table.bound if p in pirqs),
                forced=tuple(p for p in table.forced if (domid, p) in spoken))
    return Ledgers(
        {name: record for name, record in ledgers.dom0.items() if name in devices}, tables,
        {domid: own for domid, held in ledgers.guests.items()
         if (own := {name: belief for name, belief in held.items() if name in devices})})
