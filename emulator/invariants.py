"""When the two ledgers disagree: violations computed from deeds, and laws that a state must obey.

A violation is the raw material of a fault; whether it is one, and whose, is for the rules to say.

**Invariant:** needs no log: everything here is computed from the machine alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from emulator.effects import Deed
from emulator.pci import PciAddress
from emulator.records import DOM0, Device
from emulator.state import State


class Violation(NamedTuple):
    """The ledgers disagree; `VIOLATIONS` tells what each name means and whom its fields name.

    `record` is the device in whose record the pair stood that entry_nr, pirq and from_domid tell.
    """

    name: str
    device: PciAddress
    domid: int
    entry_nr: int | None = None
    pirq: int | None = None
    from_domid: int | None = None
    other: PciAddress | None = None
    note: str = ""
    clean: bool | None = None
    record: PciAddress | None = None


VIOLATIONS: Mapping[str, str] = {
    "pairs_left": "a teardown left a pair in the record; domid = the departing owner",
    "stale_served": "an enable was answered from a pair of an earlier assignment",
    "own_pairs_reused": "an enable was answered from a pair of the same living domain",
    "stale_unmap_refused": "Xen refused to unmap a pair of an earlier assignment",
    "own_unmap_refused": "Xen refused to unmap a pair of the domain for which it was tried",
    "dom0_unmap_refused": "Xen refused to unmap a pair that was tried for dom0",
    "map_refused": "a vector was asked for and refused; note = name of the error",
    "shared_pirq": "two devices of one domain hold one pirq number, one of them stale; device = "
    "the later one (note 'mapped') or the one whose request was refused (note 'refused')",
    "foreign_unmapped": "device lost its pirq in domid when other's pair was flushed",
    "assign_refused": "the device was busy (from_domid = its owner) or not seized",
    "bind_refused": "Xen refused an event channel for a pirq that the guest was handed",
    "answered_late": "dom0 answered a request for vectors after the guest had given up",
    "stale_irq_served": "a driver without MSI got, as the device's legacy interrupt, the MSI pirq "
    "of an earlier assignment",
}


def violations(deeds: Iterable[Deed]) -> tuple[Violation, ...]:
    """The violations that an act's deeds amount to, in the order of the deeds."""
    found = []
    for deed in deeds:
        name = _name(deed)
        if name is None:
            continue
        device, other = deed.device, deed.other
        if name == "foreign_unmapped" and other is not None:
            device, other = other, device
        found.append(
            Violation(
                name,
                device,
                deed.domid,
                deed.entry_nr,
                deed.pirq,
                deed.from_domid,
                other,
                deed.note,
                deed.clean,
                deed.device,
            )
        )
    return tuple(found)


# What a deed amounts to if its pair is of the present life, and if it is of an earlier one.
_NAMES: Mapping[str, tuple[str | None, str | None]] = {
    "served": ("own_pairs_reused", "stale_served"),
    "unmap_refused": ("own_unmap_refused", "stale_unmap_refused"),
    "map_refused": ("map_refused", "map_refused"),
    "left": ("pairs_left", "pairs_left"),
    "assign_refused": ("assign_refused", "assign_refused"),
    "bind_refused": ("bind_refused", "bind_refused"),
    "shared": (None, "shared_pirq"),
    "answered_late": ("answered_late", "answered_late"),
    "irq_served": (None, "stale_irq_served"),
}


def _name(deed: Deed) -> str | None:
    if deed.kind == "unmapped":
        return None if deed.other is None else "foreign_unmapped"
    if deed.kind == "unmap_refused" and deed.domid == DOM0:
        return "dom0_unmap_refused"
    own, stale = _NAMES.get(deed.kind, (None, None))
    return own if deed.same_life else stale


class BrokenError(AssertionError):
    """A state that no sequence of operations may lead to."""


Broken = BrokenError


def check(state: State) -> None:
    """Raise Broken if a law of the ledgers does not hold in this state."""
    for address, device in state.devices.items():
        _check_device(state, address, device)
    _check_vectors(state)
    for domid, backend in state.backends.items():
        for address in backend.devices():
            _require(state.owner(address) == domid, f"{address} is on the bus of domain {domid}")
        _require(not backend.ring or domid in state.domains, f"ring of gone domain {domid}")
    for domid in state.guests:
        _require(domid in state.domains, f"a guest without domain {domid}")


def _check_device(state: State, address: PciAddress, device: Device) -> None:
    numbers = [pair.entry_nr for pair in device.entries]
    _require(len(set(numbers)) == len(numbers), f"{address}: an entry is recorded twice")
    _require(device.node or not device.entries, f"{address}: pairs without a node")
    held = int(device.seized) + int(device.owner is not None)
    _require(device.kref >= held or not device.seized, f"{address}: too few references")
    _require(device.owner is None or device.seized, f"{address}: owned and not seized")
    if device.owner is not None:
        backend = state.backends.get(device.owner)
        _require(backend is not None and backend.holds(address), f"{address}: owner without bus")
    for pair in device.entries:
        _require(0 <= pair.assignment <= device.assignment, f"{address}: pair from the future")


def _check_vectors(state: State) -> None:
    for vector in state.descriptors:
        _require(bool(state.vectors_used >> vector & 1), f"descriptor on free vector {vector:x}")
    seen: set[int] = set()
    for domid, domain in state.domains.items():
        mapped = [each.vector for each in domain.table.values() if each.vector > 0]
        _require(seen.isdisjoint(mapped), f"domain {domid} shares a vector")
        _require(len(set(mapped)) == len(mapped), f"domain {domid} maps a vector twice")
        seen.update(mapped)
        for vector in mapped:
            _require(bool(state.vectors_used >> vector & 1), f"free vector {vector:x} is mapped")
        for pirq in domain.bound:
            _require(pirq in domain.table, f"domain {domid}: channel of unmapped pirq {pirq}")
        _require(domain.refs > 0, f"domain {domid} without references")


def _require(condition: bool, law: str) -> None:
    if not condition:
        raise BrokenError(law)
