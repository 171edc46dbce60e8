"""The records of both ledgers: devices as dom0 and Xen see them, domains, backends, guests.

A record is copied before it is changed (`ledgers.Ledgers` does that once per step), so that two
states share whatever did not change between them.  `stamp` says which step may still write into the
record.

**Invariant:** a record that a State holds is never changed again; nothing here acts.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import Final, NamedTuple

from emulator.pci import PciAddress

DOM0: Final = 0
PIRQ_MAX: Final = 255
VECTOR_FIRST: Final = 0x20
VECTOR_LAST: Final = 0xDF
# 0x80 is the system call gate and 0x82 the hypercall gate of the el5-era Xen.
VECTORS_RESERVED: Final = 1 << 0x80 | 1 << 0x82
GSI_VECTORS: Final = 24
# Xen never hands out a domid from here on, so a caller may use them for domains whose id no line
# tells (xen/include/public/xen.h: DOMID_FIRST_RESERVED).
PLACEHOLDER_FIRST: Final = 0x7FF0

# What a driver asks for: one vector for each of several table entries, a single one, or none.
MSIX: Final = "msix"
MSI: Final = "msi"
INTX: Final = "intx"
# A cause outside the ledgers: dom0 is slower than a guest's patience.
LATE_ANSWER: Final = "late_answer"

VF_SLOT_MIN: Final = 16

BACKEND_INIT_WAIT: Final = 2
BACKEND_INITIALISED: Final = 3
BACKEND_CONNECTED: Final = 4
BACKEND_CLOSING: Final = 5


class DeviceConfig(NamedTuple):
    """What a device is: the defaults describe a virtual function of an 82576."""

    address: PciAddress
    msix_entries: int = 128
    has_msi: bool = False
    has_exp: bool = True
    is_vf: bool = True
    irq: int = 0
    no_msi: bool = False
    no_bar: bool = False
    decode: int = 2

    @classmethod
    def usual(cls, address: PciAddress) -> DeviceConfig:
        """What a device most likely is, where nothing but its address is known.

        Virtual functions of the 82576 and the 82599 begin at routing offset 128 behind their
        physical function (First VF Offset of their SR-IOV capabilities), so that those of functions
        0 and 1 have device numbers from 16 on; other devices can do MSI as well.  On bus 0 such
        numbers are the chipset's own devices.
        """
        is_vf = address.bus != 0 and address.slot >= VF_SLOT_MIN
        return cls(address, has_msi=not is_vf, is_vf=is_vf)


class Pair(NamedTuple):
    """One item of dom0's record, with a witness (for whom, in which assignment) that no kernel
    reads."""

    pirq: int
    entry_nr: int
    from_domid: int
    assignment: int


class Mapped(NamedTuple):
    """One entry of a domain's pirq table: vector > 0 mapped, < 0 forcibly unbound, 0 reserved."""

    vector: int
    device: PciAddress | None


class Descriptor(NamedTuple):
    """Xen's msi_desc behind a vector."""

    device: PciAddress
    is_msix: bool


class Device:
    """dom0's pci_dev, its node in msi_dev_head, its pciback stub and Xen's pdev, with its
    hardware."""

    __slots__ = (
        "_hash",
        "assignment",
        "cmd",
        "config",
        "default_irq",
        "driver",
        "entries",
        "hw_msi",
        "hw_msix",
        "irq",
        "irq_from",
        "is_busmaster",
        "is_enabled",
        "kref",
        "life",
        "mask_base",
        "msi_enabled",
        "msix_enabled",
        "node",
        "owner",
        "present",
        "seized",
        "stamp",
        "warned",
        "xen_owner",
    )

    def __init__(self, config: DeviceConfig, life: int = 1) -> None:
        self.config = config
        self.life = life
        self.present = True
        self.driver = ""
        self.irq = config.irq
        self.irq_from: tuple[int, int] | None = None
        self.msi_enabled = self.msix_enabled = False
        self.is_enabled = self.is_busmaster = False
        self.cmd = 0
        self.hw_msi = self.hw_msix = False
        self.node = False
        self.entries: tuple[Pair, ...] = ()
        self.mask_base = False
        self.default_irq = 0
        self.seized = False
        self.owner: int | None = None
        self.kref = 0
        self.warned = False
        self.assignment = 0
        self.xen_owner: int | None = None
        self.stamp: object = None
        self._hash: int | None = None

    def copy(self, stamp: object) -> Device:
        """A copy that the holder of `stamp` may change."""
        new = Device.__new__(Device)
        new.config = self.config
        new.life = self.life
        new.present = self.present
        new.driver = self.driver
        new.irq = self.irq
        new.irq_from = self.irq_from
        new.msi_enabled = self.msi_enabled
        new.msix_enabled = self.msix_enabled
        new.is_enabled = self.is_enabled
        new.is_busmaster = self.is_busmaster
        new.cmd = self.cmd
        new.hw_msi = self.hw_msi
        new.hw_msix = self.hw_msix
        new.node = self.node
        new.entries = self.entries
        new.mask_base = self.mask_base
        new.default_irq = self.default_irq
        new.seized = self.seized
        new.owner = self.owner
        new.kref = self.kref
        new.warned = self.warned
        new.assignment = self.assignment
        new.xen_owner = self.xen_owner
        new.stamp = stamp
        new._hash = None
        return new

    def key(self) -> tuple[object, ...]:
        """All that makes two records equal."""
        return (
            self.config, self.life, self.present, self.driver, self.irq, self.irq_from,
            self.msi_enabled, self.msix_enabled, self.is_enabled, self.is_busmaster,
            self.cmd, self.hw_msi, self.hw_msix, self.node, self.entries, self.mask_base,
            self.default_irq, self.seized, self.owner, self.kref, self.warned,
            self.assignment, self.xen_owner,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Device) and self.key() == other.key()

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.key())
        return self._hash


def present_life(device: Device) -> tuple[int, int]:
    """For whom a pair attached now is attached: (domid, ordinal of the assignment)."""
    return (DOM0, 0) if device.owner is None else (device.owner, device.assignment)


class Domain:
    """Xen's struct domain: references, pirq table, event channels and access rights to pirqs."""

    __slots__ = ("_hash", "access", "bound", "dying", "hold", "kind", "refs", "stamp", "table")

    def __init__(self, kind: str, hold: int = 0, access: int = 0) -> None:
        self.kind = kind
        self.dying = False
        self.refs = 1 + hold
        self.hold = hold
        self.access = access
        self.table: dict[int, Mapped] = {}
        self.bound: dict[int, int] = {}
        self.stamp: object = None
        self._hash: int | None = None

    def copy(self, stamp: object) -> Domain:
        """A copy that the holder of `stamp` may change."""
        new = Domain.__new__(Domain)
        new.kind = self.kind
        new.dying = self.dying
        new.refs = self.refs
        new.hold = self.hold
        new.access = self.access
        new.table = self.table.copy()
        new.bound = self.bound.copy()
        new.stamp = stamp
        new._hash = None
        return new

    def key(self) -> tuple[object, ...]:
        """All that makes two records equal."""
        return (
            self.kind,
            self.dying,
            self.refs,
            self.hold,
            self.access,
            frozenset(self.table.items()),
            frozenset(self.bound.items()),
        )

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Domain) and self.key() == other.key()

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.key())
        return self._hash


class Backend(NamedTuple):
    """pciback's xenbus device of one domain; `slots` is its virtual bus, `listed` what xend
    wrote."""

    state: int
    ring: bool
    slots: tuple[tuple[PciAddress, ...], ...]
    listed: tuple[PciAddress, ...]

    def holds(self, device: PciAddress) -> bool:
        """Whether the device is on the virtual bus."""
        return device in chain.from_iterable(self.slots)

    def devices(self) -> tuple[PciAddress, ...]:
        """The devices on the virtual bus, by slot and then in order of addition."""
        return tuple(device for slot in self.slots for device in slot)


class Driver(NamedTuple):
    """One loaded network driver: its vectors, and which of them it has requested and got.

    `mode` is what the driver asked for: "msix", "msi", or "intx" for the legacy interrupt.
    """

    device: PciAddress
    vectors: tuple[int, ...]
    requested: tuple[int, ...] = ()
    flag: bool = False
    mode: str = MSIX


_PHYSICAL = itemgetter(0)


class Guest(NamedTuple):
    """What a guest's kernel knows: its devices (physical, virtual) and its loaded drivers.

    `known` holds all that were ever on its virtual bus when it connected, also those gone since.
    """

    known: tuple[tuple[PciAddress, PciAddress], ...] = ()
    drivers: tuple[Driver, ...] = ()

    def knows(self, device: PciAddress) -> bool:
        """Whether the device was on the virtual bus at a time when the frontend connected."""
        return device in map(_PHYSICAL, self.known)

    def virtual(self, device: PciAddress) -> PciAddress:
        """The guest's name of the device; its physical one where it has no other (dom0)."""
        for known, virtual in self.known:
            if known == device:
                return virtual
        return device

    def driver(self, device: PciAddress) -> Driver | None:
        """The loaded driver of the device."""
        for driver in self.drivers:
            if driver.device == device:
                return driver
        return None
