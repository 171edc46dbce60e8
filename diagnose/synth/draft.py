"""A story in the making: who starts, what is done, and which kernel runs below it.

A `Draft` hands out domids and collects acts; a `Scenario` is the finished story.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from emulator.acts import LINGERS, Act
from emulator.pci import PciAddress
from emulator.records import MSIX

BUSES = (0x01, 0x03, 0x05, 0x09, 0x0A, 0x81)
SLOTS = (0x10, 0x11)
FUNCTIONS = (0, 2, 4)
PHYSICAL = (PciAddress(0, 2, 0, 0), PciAddress(0, 4, 0, 1))
CARD = PciAddress(0, 1, 0, 0)
"""The physical function that dom0 keeps for itself."""
VECTORS = (3, 3, 3, 2, 5)
GUEST_NAMES = ("web-a", "db", "mail1", "build.host")
MORE_NAMES = ("ldap", "cache-b", "proxy", "ci.lab")
ABRUPT = ("crash", "destroy")
ENDS = ("clean_shutdown", *ABRUPT)

Devices = Mapping[PciAddress, int]
"""Device → how many vectors its driver asks for."""


class Scenario(Struct, frozen=True):
    """A story: its kind, the kernel row that runs below it, what is done in order.

    `names`: (boot, domid) → name of the guest to whose log that domain writes. `build`: number in
    dom0's banner. `traits`: remarks for the printing and the keeping.
    """

    kind: str
    row: str
    acts: tuple[Act, ...]
    names: Mapping[tuple[int, int], str]
    build: int
    traits: frozenset[str] = frozenset()


BUILDS: Mapping[str, tuple[int, ...]] = {
    "el5": (164, 194, 238, 274),
    "el5+1070": (247, 238, 274),
    "el5+945+956+1070": (264, 238, 274),
    "el5+prune": (274, 238, 194),
    "el5-283": (283, 300, 308, 400),
}
ODD_BUILDS: Mapping[str, tuple[int, ...]] = {"el5-283": (164, 274)}
ODD_BUILDS_ELSE = (283, 300, 400)


class Draft(Struct):
    """Collects the acts of a story. `rng` decides everything that is left open.

    `gaps`: whether domids may be missing, of domains that nobody saw.
    """

    rng: random.Random
    row: str = "el5"
    gaps: bool = True
    acts: list[Act] = field(default_factory=list)
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    boot: int = 0
    next_domid: int = 1
    traits: set[str] = field(default_factory=set)

    def devices(self, count: int, *, vectors: Sequence[int] = VECTORS, same_devfn: bool = False,
                ) -> dict[PciAddress, int]:
        """`count` devices on different buses, each with a number of vectors."""
        buses = self.rng.sample(BUSES, count)
        slot, function = self.rng.choice(SLOTS), self.rng.choice(FUNCTIONS)
        found = {}
        for bus in buses:
            if not same_devfn:
                slot, function = self.rng.choice(SLOTS), self.rng.choice(FUNCTIONS)
            found[PciAddress(0, bus, slot, function)] = self.rng.choice(vectors)
        return found

    def add(self, op: str, domid: int | None = None, device: PciAddress | None = None,
            devices: tuple[PciAddress, ...] = (), kind: str = "pv", nvec: int = 0,
            fault: tuple[str, int, int] | None = None, mode: str = MSIX) -> None:
        """One act, just as it is."""
        self.acts.append(Act(op, domid, device, devices, kind, nvec, fault, mode))

    def seize(self, devices: Iterable[PciAddress]) -> None:
        """pciback takes the devices."""
        for device in devices:
            self.add("seize", device=device)

    def born(self, name: str) -> int:
        """The domid of a domain that is built now; others may have gone by unseen before."""
        if self.gaps and self.acts and self.rng.random() < 0.25:
            self.next_domid += self.rng.choice((1, 1, 2, 5))
        domid = self.next_domid
        self.next_domid += 1
        self.names[self.boot, domid] = name
        return domid

    def start(self, devices: Iterable[PciAddress], *, kind: str = "pv", name: str = "rhel56",
              ) -> int:
        """A domain is built; answers its domid."""
        domid = self.born(name)
        self.add("domain_start", domid, devices=tuple(devices), kind=kind)
        return domid

    def up(self, domid: int, devices: Devices, *, interfaces: bool = True) -> None:
        """All drivers are loaded, then all interfaces are brought up."""
        for device, nvec in devices.items():
            self.add("driver_load", domid, device, nvec=nvec)
        if interfaces:
            for device in devices:
                self.add("ifup", domid, device)

    def boot_guest(self, devices: Devices, *, name: str = "rhel56") -> int:
        """A PV guest starts and uses all its devices."""
        domid = self.start(devices, name=name)
        self.up(domid, devices)
        return domid

    def end(self, domid: int, how: str, *, zombie: bool = False) -> None:
        """The domain ends; as a zombie its domid still resolves while pciback resets."""
        self.add(how, domid, fault=(LINGERS, 1, 0) if zombie else None)

    def unload(self, domid: int, devices: Iterable[PciAddress]) -> None:
        """rmmod for each of the devices."""
        for device in devices:
            self.add("driver_unload", domid, device)

    def heal(self, domid: int, devices: Devices) -> None:
        """Each driver is unloaded and loaded again."""
        for device, nvec in devices.items():
            self.unload(domid, [device])
            self.up(domid, {device: nvec})

    def host_boot(self) -> None:
        """The host starts anew: domids begin at 1."""
        self.boot += 1
        self.next_domid = 1
        self.add("host_boot")

    def bystander(self, *, ends: bool = True) -> int:
        """A guest without passthrough, which may go again."""
        domid = self.start((), name=f"other{self.next_domid}")
        if ends:
            self.end(domid, self.rng.choice(ENDS))
        return domid

    def scenario(self, kind: str) -> Scenario:
        """The finished story."""
        builds = BUILDS[self.row]
        if "odd-banner" in self.traits:
            builds = ODD_BUILDS.get(self.row, ODD_BUILDS_ELSE)
        return Scenario(kind, self.row, tuple(self.acts), dict(self.names),
                        self.rng.choice(builds), frozenset(self.traits))
