"""The state of both ledgers and of everything that decides who writes in them, as one value.

Two states share all records that did not change between them, so a step costs what it changes and a
long story holds no more than its ledgers do: a domain that is gone leaves nothing but a bit in a
window of used domids.

**Invariant:** a State never changes and nothing here acts.
"""

from __future__ import annotations

from collections.abc import Iterable

from emulator.counters import Domids, Fault, next_vector
from emulator.pci import PciAddress
from emulator.records import (
    DOM0,
    GSI_VECTORS,
    PIRQ_MAX,
    PLACEHOLDER_FIRST,
    VECTOR_FIRST,
    VECTOR_LAST,
    VECTORS_RESERVED,
    Backend,
    Descriptor,
    Device,
    DeviceConfig,
    Domain,
    Guest,
    Pair,
    present_life,
)


class State:
    """An immutable, hashable snapshot of a host."""

    __slots__ = (
        "_essence",
        "_hash",
        "backends",
        "descriptors",
        "devices",
        "domains",
        "domids",
        "faults",
        "guests",
        "nomsi",
        "pciback_loaded",
        "placeholders",
        "vector_last",
        "vectors_used",
    )

    def __init__(
        self,
        devices: dict[PciAddress, Device],
        domains: dict[int, Domain],
        backends: dict[int, Backend],
        guests: dict[int, Guest],
        descriptors: dict[int, Descriptor],
        vectors_used: int,
        vector_last: int,
        domids: Domids,
        placeholders: Domids,
        faults: tuple[Fault, ...],
        pciback_loaded: bool,
        nomsi: bool,
    ) -> None:
        self.devices = devices
        self.domains = domains
        self.backends = backends
        self.guests = guests
        self.descriptors = descriptors
        self.vectors_used = vectors_used
        self.vector_last = vector_last
        self.domids = domids
        self.placeholders = placeholders
        self.faults = faults
        self.pciback_loaded = pciback_loaded
        self.nomsi = nomsi
        self._hash: int | None = None
        self._essence: tuple[object, ...] | None = None

    @classmethod
    def boot(
        cls,
        devices: Iterable[DeviceConfig] = (),
        *,
        gsi_vectors: int = GSI_VECTORS,
        nomsi: bool = False,
        pciback_loaded: bool = True,
    ) -> State:
        """A host that has just come up: all devices in dom0 without a driver, no domain but dom0.

        `gsi_vectors` is the number of dynamic vectors that Xen used up for legacy interrupts.
        """
        used, last = VECTORS_RESERVED, VECTOR_FIRST
        for _ in range(gsi_vectors):
            vector = next_vector(used, last)
            if vector is None:
                break
            used, last = used | 1 << vector, vector
        dom0 = Domain("dom0", access=(1 << PIRQ_MAX + 1) - 1)
        return cls(
            {config.address: Device(config) for config in devices},
            {DOM0: dom0},
            {},
            {},
            {},
            used,
            last,
            Domids(0, 1),
            Domids(PLACEHOLDER_FIRST - 1, 1),
            (),
            pciback_loaded,
            nomsi,
        )

    def key(self) -> tuple[object, ...]:
        """All that makes two states equal."""
        return (
            frozenset(self.devices.items()),
            frozenset(self.domains.items()),
            frozenset(self.backends.items()),
            frozenset(self.guests.items()),
            frozenset(self.descriptors.items()),
            self.vectors_used,
            self.vector_last,
            self.domids,
            self.placeholders,
            self.faults,
            self.pciback_loaded,
            self.nomsi,
        )

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, State) or hash(self) != hash(other):
            return False
        return self.key() == other.key()

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.key())
        return self._hash

    def essence(self) -> tuple[object, ...]:
        """A hashable key of all that later lines can depend on.

        It leaves out what only names things (which of the free vectors, how many leaked references,
        the ordinals of assignments, used domids), so states of equal future compare equal. Of the
        vectors' numbers it keeps where the last one given out is: that one comes next if it is free
        (`counters.next_vector`). That an older one comes round again, after some hundred maps, and
        then meets a forcibly unbound pirq, is left out.
        """
        if self._essence is None:
            self._essence = self._make_essence()
        return self._essence

    def _make_essence(self) -> tuple[object, ...]:
        devices = frozenset(_device_essence(each) for each in self.devices.values())
        domains = frozenset(
            _domain_essence(domid, domain, self.vector_last)
            for domid, domain in self.domains.items()
        )
        descriptors = frozenset(
            (device, sum(1 for each in self.descriptors.values() if each.device == device))
            for device in {each.device for each in self.descriptors.values()}
        )
        return (
            devices,
            domains,
            frozenset(self.backends.items()),
            frozenset(self.guests.items()),
            descriptors,
            self.free_vectors,
            bool(self.vectors_used >> self.vector_last & 1),
            self.faults,
            self.pciback_loaded,
            self.nomsi,
        )

    @property
    def free_vectors(self) -> int:
        """How many dynamic vectors the hypervisor can still hand out."""
        dynamic = self.vectors_used >> VECTOR_FIRST & (1 << VECTOR_LAST - VECTOR_FIRST + 1) - 1
        return VECTOR_LAST - VECTOR_FIRST + 1 - dynamic.bit_count()

    @property
    def highest_domid(self) -> int:
        """The highest domid given out so far, placeholders aside; 0 = only dom0 exists."""
        return self.domids.highest

    def was_used(self, domid: int) -> bool:
        """Whether a domain has or had this domid."""
        ids = self.placeholders if domid >= PLACEHOLDER_FIRST else self.domids
        return ids.used(domid)

    def owner(self, device: PciAddress) -> int | None:
        """The domid to which pciback has given the device."""
        found = self.devices.get(device)
        return None if found is None else found.owner

    def owned(self, domid: int) -> tuple[PciAddress, ...]:
        """The devices that pciback has given to the domain, in the order of its virtual bus."""
        backend = self.backends.get(domid)
        return () if backend is None else backend.devices()

    def seized(self, device: PciAddress) -> bool:
        """Whether pciback holds the device."""
        found = self.devices.get(device)
        return found is not None and found.seized

    def present(self, device: PciAddress) -> bool:
        """Whether the device exists; one that nobody named yet counts as present."""
        found = self.devices.get(device)
        return found is None or found.present

    def alive(self, domid: int) -> bool:
        """Whether the domain runs (a dying one does not)."""
        domain = self.domains.get(domid)
        return domain is not None and not domain.dying

    def living(self) -> tuple[int, ...]:
        """All running guests' domids, in ascending order."""
        return tuple(
            sorted(domid for domid, each in self.domains.items() if domid and not each.dying)
        )

    def kind(self, domid: int) -> str | None:
        """pv, hvm or dom0; None if Xen does not know the domid (any more)."""
        domain = self.domains.get(domid)
        return None if domain is None else domain.kind

    def has_msi(self, device: PciAddress) -> bool:
        """Whether the device can do MSI, as far as it is known or as such devices do."""
        found = self.devices.get(device)
        return (DeviceConfig.usual(device) if found is None else found.config).has_msi

    def pairs(self, device: PciAddress) -> tuple[Pair, ...]:
        """dom0's record of the device: (pirq, entry_nr, from_domid, assignment), in list order."""
        found = self.devices.get(device)
        return () if found is None else found.entries

    def assignment(self, device: PciAddress) -> int:
        """How many times the device has been given to a domain; the present one's ordinal."""
        found = self.devices.get(device)
        return 0 if found is None else found.assignment

    def loaded(self, domid: int, device: PciAddress) -> tuple[int, ...] | None:
        """The vectors of the device's driver in that domain; None = no driver is loaded there."""
        guest = self.guests.get(domid)
        driver = None if guest is None else guest.driver(device)
        return None if driver is None else driver.vectors

    def is_up(self, domid: int, device: PciAddress) -> bool:
        """Whether the interface is up: its driver has requested interrupts."""
        guest = self.guests.get(domid)
        driver = None if guest is None else guest.driver(device)
        return driver is not None and bool(driver.requested)

    def backend_state(self, domid: int) -> int | None:
        """The xenbus state of the domain's pciback backend (2 to 6); None = it has none."""
        backend = self.backends.get(domid)
        return None if backend is None else backend.state

    def pirqs(self, domid: int) -> tuple[int, ...]:
        """The pirqs that Xen maps in the domain, in ascending order."""
        domain = self.domains.get(domid)
        if domain is None:
            return ()
        return tuple(sorted(pirq for pirq, each in domain.table.items() if each.vector > 0))


def _device_essence(device: Device) -> tuple[object, ...]:
    """A device without the sizes of its counters."""
    held = int(device.seized) + int(device.owner is not None)
    life = present_life(device)
    pairs = tuple(
        (pair.pirq, pair.entry_nr, pair.from_domid, (pair.from_domid, pair.assignment) == life)
        for pair in device.entries
    )
    irq_from = device.irq_from and (device.irq_from[0], device.irq_from == life)
    return (
        device.config, device.present, device.driver, device.irq, irq_from,
        device.msi_enabled, device.msix_enabled, device.is_enabled, device.is_busmaster,
        device.cmd, device.hw_msi, device.hw_msix, device.mask_base, device.default_irq,
        pairs, device.seized, device.owner, device.kref > held, device.warned, device.xen_owner,
    )  # fmt: skip


def _domain_essence(domid: int, domain: Domain, last: int) -> tuple[object, ...]:
    """A domain without the values of its vectors, but for where the last one given out is."""
    table = frozenset(
        (pirq, (each.vector > 0) - (each.vector < 0), abs(each.vector) == last, each.device)
        for pirq, each in domain.table.items()
    )
    bound = frozenset(domain.bound)
    return domid, domain.kind, domain.dying, domain.refs, domain.hold, domain.access, table, bound
