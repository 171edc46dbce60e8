"""An act of a story as a value, and what has to hold before one can happen.

**Invariant:** looks at the machine and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from emulator.errors import ImpossibleError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import DOM0, LATE_ANSWER, MSIX, Domain, Driver, Guest

Impossible = ImpossibleError

LINGERS: Final = "linger"

FAULTS: Mapping[str, str] = {
    "map_pirq": "the map hypercall returns `ret`; Xen prints nothing",
    "map_nosupport": "the hypervisor knows no MSI: the hypercall returns 0 and no pirq",
    "map_no_vector": "Xen has no free vector left and says so",
    "map_no_pirq": "Xen has no free pirq left in the domain and says so",
    "unmap_pirq": "the unmap hypercall returns `ret`; Xen prints nothing",
    "attach_nomem": "dom0 has no memory to record a pair and does not notice",
    "ioremap_null": "dom0 cannot map the MSI-X table and does not notice",
    LATE_ANSWER: "dom0 answers a guest's request for vectors after the guest has given up; with "
    "`ret` -1 the driver then asks to disable them",
    LINGERS: "somebody else's reference keeps a dying domain while pciback resets its devices",
}


class Act(NamedTuple):
    """One act of a story; `op` is one of `ACTS`, the other fields are its arguments.

    `domid` is any integer (from 32752 on: a domain whose id no line tells).  `nvec`: the driver
    asks for entries 0 to nvec-1 of MSI-X, or with `mode` "msi" for a single vector, with "intx" for
    none.  `fault`: an outside cause during the act, (kind, at, ret) with a
    kind of `FAULTS`: the `at`-th event of the kind fails, where it matters with `ret`.
    """

    op: str
    domid: int | None = None
    device: PciAddress | None = None
    devices: tuple[PciAddress, ...] = ()
    kind: str = "pv"
    nvec: int = 0
    fault: tuple[str, int, int] | None = None
    mode: str = MSIX


def require(condition: bool, reason: str) -> None:
    """Raise Impossible with this reason unless the condition holds."""
    if not condition:
        raise Impossible(reason)


def device_of(act: Act) -> PciAddress:
    """The device of an act that takes one."""
    if act.device is None or not act.device.is_full:
        raise Impossible(f"{act.op} needs the full address of a device")
    return act.device


def devices_of(act: Act) -> tuple[PciAddress, ...]:
    """The devices of an act that takes one or several."""
    devices = act.devices or ((act.device,) if act.device is not None else ())
    require(all(device.is_full for device in devices), f"{act.op} needs full addresses")
    return devices


def living(w: Ledgers, act: Act) -> tuple[int, Domain]:
    """The running domain of the act."""
    domid = act.domid
    domain = None if domid is None else w.domains.get(domid)
    if domid is None or domain is None or domain.dying:
        raise Impossible(f"domain {domid} does not run")
    return domid, domain


def living_guest(w: Ledgers, act: Act) -> tuple[int, Domain]:
    """The running domain of the act, which is not dom0."""
    domid, domain = living(w, act)
    require(domid != DOM0, "dom0 ends with the host")
    return domid, domain


def loaded(w: Ledgers, act: Act) -> tuple[int, Driver]:
    """The running domain of the act and its driver of the device."""
    domid, _ = living(w, act)
    driver = w.guests.get(domid, Guest()).driver(device_of(act))
    if driver is None:
        raise Impossible(f"no driver for {act.device} is loaded in domain {domid}")
    return domid, driver
