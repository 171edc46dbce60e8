"""The desk at which one step is worked out: open copies of a state's records, and what came of it.

A `Ledgers` starts from a State, opens (copies) each record when it is first changed and closes them
all in `snapshot`.  Every function of a kernel or of the toolstack takes it as its first argument.

**Invariant:** knows how records are opened and closed, not what any kernel does with them.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.counters import Fault
from emulator.effects import Deed, Effect
from emulator.errors import Refusal, RefusedError
from emulator.kernels import Traits
from emulator.pci import PciAddress
from emulator.records import (
    PLACEHOLDER_FIRST,
    Backend,
    Descriptor,
    Device,
    DeviceConfig,
    Domain,
    Driver,
    Guest,
)
from emulator.state import State

NO_FIELDS: Mapping[str, object] = {}


class Ledgers:
    """The open ledgers of one step or one act."""

    __slots__ = (
        "_backends_open",
        "_descriptors_open",
        "_devices_open",
        "_domains_open",
        "_guests_open",
        "_stamp",
        "backends",
        "clean",
        "deeds",
        "descriptors",
        "devices",
        "domains",
        "domids",
        "effects",
        "faults",
        "guests",
        "nomsi",
        "pciback_loaded",
        "placeholders",
        "traits",
        "vector_last",
        "vectors_used",
    )

    def __init__(self, traits: Traits, state: State) -> None:
        self.traits = traits
        self.effects: list[Effect] = []
        self.deeds: list[Deed] = []
        self.clean: bool | None = None
        self.open(state)

    def open(self, state: State) -> None:
        """Go on from this state, whatever stood here before."""
        self.devices = state.devices
        self.domains = state.domains
        self.backends = state.backends
        self.guests = state.guests
        self.descriptors = state.descriptors
        self.vectors_used = state.vectors_used
        self.vector_last = state.vector_last
        self.domids = state.domids
        self.placeholders = state.placeholders
        self.faults = state.faults
        self.pciback_loaded = state.pciback_loaded
        self.nomsi = state.nomsi
        self._close()

    def _close(self) -> None:
        """From now on every record has to be opened again before it is changed."""
        self._stamp = object()
        self._devices_open = self._domains_open = False
        self._backends_open = self._guests_open = self._descriptors_open = False

    def snapshot(self) -> State:
        """The present state as a value; what happens from here on leaves it alone."""
        self._close()
        return State(
            self.devices,
            self.domains,
            self.backends,
            self.guests,
            self.descriptors,
            self.vectors_used,
            self.vector_last,
            self.domids,
            self.placeholders,
            self.faults,
            self.pciback_loaded,
            self.nomsi,
        )

    def device(self, address: PciAddress) -> Device:
        """The device, open for change; one that was never named before comes into being."""
        device = self.devices.get(address)
        if device is not None and device.stamp is self._stamp:
            return device
        if device is None:
            device = Device(DeviceConfig.usual(address))
            device.stamp = self._stamp
        else:
            device = device.copy(self._stamp)
        self._put_device(address, device)
        return device

    def present(self, address: PciAddress) -> Device:
        """The device, open for change; refused if it was removed from the host."""
        device = self.device(address)
        if not device.present:
            raise RefusedError(Refusal.DEVICE_ABSENT)
        return device

    def replace_device(self, config: DeviceConfig, life: int) -> Device:
        """A fresh device in the place of one that is gone."""
        device = Device(config, life)
        device.stamp = self._stamp
        self._put_device(config.address, device)
        return device

    def _put_device(self, address: PciAddress, device: Device) -> None:
        if not self._devices_open:
            self.devices = self.devices.copy()
            self._devices_open = True
        self.devices[address] = device

    def domain(self, domid: int) -> Domain | None:
        """The domain in Xen's hash, open for change."""
        domain = self.domains.get(domid)
        if domain is None or domain.stamp is self._stamp:
            return domain
        domain = domain.copy(self._stamp)
        self._domains_dict()[domid] = domain
        return domain

    def running(self, domid: int, *kinds: str) -> Domain:
        """The domain, open for change; refused unless it runs and is of one of these kinds."""
        domain = self.domain(domid)
        if domain is None or domain.dying or (kinds and domain.kind not in kinds):
            raise RefusedError(Refusal.NOT_RUNNING)
        return domain

    def add_domain(self, domid: int, domain: Domain) -> None:
        """Put a new domain into Xen's hash; its domid is used from now on."""
        domain.stamp = self._stamp
        self._domains_dict()[domid] = domain
        if domid >= PLACEHOLDER_FIRST:
            self.placeholders = self.placeholders.with_used(domid)
        else:
            self.domids = self.domids.with_used(domid)

    def drop_domain(self, domid: int) -> None:
        """Take a domain out of Xen's hash, with all that it held."""
        del self._domains_dict()[domid]

    def _domains_dict(self) -> dict[int, Domain]:
        if not self._domains_open:
            self.domains = self.domains.copy()
            self._domains_open = True
        return self.domains

    def was_used(self, domid: int) -> bool:
        """Whether a domain has or had this domid."""
        ids = self.placeholders if domid >= PLACEHOLDER_FIRST else self.domids
        return ids.used(domid)

    def set_backend(self, domid: int, backend: Backend | None) -> None:
        """Replace or (None) remove the domain's pciback backend."""
        if not self._backends_open:
            self.backends = self.backends.copy()
            self._backends_open = True
        if backend is None:
            self.backends.pop(domid, None)
        else:
            self.backends[domid] = backend

    def set_guest(self, domid: int, guest: Guest | None) -> None:
        """Replace or (None) forget what the guest's kernel knows."""
        if not self._guests_open:
            self.guests = self.guests.copy()
            self._guests_open = True
        if guest is None:
            self.guests.pop(domid, None)
        else:
            self.guests[domid] = guest

    def set_driver(self, domid: int, device: PciAddress, driver: Driver | None) -> None:
        """Replace or (None) unload the device's driver in the guest; a new one comes last."""
        guest = self.guests.get(domid, Guest())
        drivers = guest.drivers
        if driver is None:
            drivers = tuple(each for each in drivers if each.device != device)
        elif guest.driver(device) is None:
            drivers = (*drivers, driver)
        else:
            drivers = tuple(driver if each.device == device else each for each in drivers)
        self.set_guest(domid, Guest(guest.known, drivers))

    def set_descriptor(self, vector: int, descriptor: Descriptor | None) -> None:
        """Attach a descriptor to a vector or (None) drop it."""
        if not self._descriptors_open:
            self.descriptors = self.descriptors.copy()
            self._descriptors_open = True
        if descriptor is None:
            self.descriptors.pop(vector, None)
        else:
            self.descriptors[vector] = descriptor

    def arm(self, fault: Fault) -> None:
        """Arm a one-shot failure; one of the same kind is replaced."""
        rest = tuple(each for each in self.faults if each.kind != fault.kind)
        self.faults = (*rest, fault) if fault.left > 0 else rest

    def fails(self, kind: str) -> int | None:
        """Count one event of the kind: what it has to return if it is the one that fails."""
        for fault in self.faults:
            if fault.kind == kind:
                self.arm(fault._replace(left=fault.left - 1))
                return fault.ret if fault.left == 1 else None
        return None

    def dom0(self, level: str, kind: str, fields: Mapping[str, object] = NO_FIELDS) -> None:
        """dom0's kernel prints."""
        self.effects.append(Effect(kind, fields, "dom0", level))

    def xen(self, level: str, kind: str, fields: Mapping[str, object] = NO_FIELDS) -> None:
        """The hypervisor prints."""
        self.effects.append(Effect(kind, fields, "xen", level))

    def guest(
        self, domid: int, level: str, kind: str, fields: Mapping[str, object] = NO_FIELDS
    ) -> None:
        """A guest's kernel prints (dom0's own drivers print with dom0's voice)."""
        if domid:
            self.effects.append(Effect(kind, fields, "guest", level, domid))
        else:
            self.effects.append(Effect(kind, fields, "dom0", level))
