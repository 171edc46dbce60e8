"""A PV guest's requests to pciback, and what pciback answers.

Read in drivers/xen/pcifront/pci_op.c and drivers/xen/pciback/ (pciback_ops.c,
conf_space_capability_msi.c) of 2.6.18-164 to -274.7.1.

**Invariant:** whatever a guest does to dom0's record passes here; dom0's own drivers do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from emulator import conf_space, dom0, xen
from emulator.errors import Refusal, RefusedError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.pciback_xenbus import pciback_attach
from emulator.records import BACKEND_CONNECTED, Device, Guest

# xen/include/public/io/pciif.h: SH_INFO_MAX_VEC and XEN_PCI_ERR_*
ENTRIES_MAX: Final = 128
DEV_NOT_FOUND: Final = -1
INVALID_OFFSET: Final = -2
OP_FAILED: Final = -5


def pcifront_connect(w: Ledgers, domid: int) -> int:
    """The frontend publishes its ring, and learns what is on its bus; the backend's state.

    What it learned when it connected before is not forgotten, though the device be gone since.
    drivers/xen/pcifront/xenbus.c: pcifront_publish_info(), pcifront_try_connect().
    """
    w.running(domid, "pv", "dom0")
    state = pciback_attach(w, domid)
    if state == BACKEND_CONNECTED:
        guest = w.guests.get(domid, Guest())
        found = {
            address: PciAddress(0, 0, number, address.function)
            for number, slot in enumerate(w.backends[domid].slots)
            for address in slot
        }
        known = tuple({**dict(guest.known), **found}.items())
        w.set_guest(domid, Guest(known, guest.drivers))
    return state


def _do_pci_op(w: Ledgers, domid: int, address: PciAddress) -> Device | None:
    """The device that a request reaches; None if it is on the guest's virtual bus no longer.

    pci_op.c: do_pci_op(), pciback_ops.c: pciback_do_op().  Refused where nobody asks or answers.
    """
    domain = w.domains.get(domid)
    if domain is None or domain.dying:
        raise RefusedError(Refusal.NOT_RUNNING)
    guest = w.guests.get(domid)
    if domain.kind == "hvm" or guest is None or not guest.knows(address):
        raise RefusedError(Refusal.DEVICE_UNKNOWN)
    backend = w.backends.get(domid)
    if backend is None or not backend.ring:
        raise RefusedError(Refusal.NO_ANSWER)
    return w.device(address) if backend.holds(address) else None


def pcifront_bus_read(w: Ledgers, domid: int, address: PciAddress) -> tuple[int, int]:
    """Read PCI_COMMAND, the only field that is modelled: (0 or an error, value)."""
    device = _do_pci_op(w, domid, address)
    return (DEV_NOT_FOUND, 0) if device is None else (0, conf_space.command_read(device))


def pcifront_bus_write(
    w: Ledgers, domid: int, address: PciAddress, offset: int, size: int, value: int
) -> int:
    """Write to configuration space, offset and size in bytes; 0 or an error."""
    device = _do_pci_op(w, domid, address)
    if device is None:
        return DEV_NOT_FOUND
    written = conf_space.pciback_config_write(w, device, offset, size, value)
    return 0 if written else INVALID_OFFSET


def pci_frontend_enable_msix(
    w: Ledgers, domid: int, address: PciAddress, entries: Sequence[int]
) -> tuple[int, tuple[int, ...]]:
    """Ask for one pirq for each entry: (0, pirqs) or (an error, ()).

    Worked off by pciback_enable_msix().
    """
    device = _do_pci_op(w, domid, address)
    if device is None:
        return DEV_NOT_FOUND, ()
    if len(entries) > ENTRIES_MAX:
        return xen.EINVAL, ()
    return dom0.pci_enable_msix(w, device, entries)


def pci_frontend_disable_msix(w: Ledgers, domid: int, address: PciAddress) -> tuple[int, int]:
    """Give up all pirqs: (0 or an error, dom0's dev->irq); worked off by pciback_disable_msix()."""
    device = _do_pci_op(w, domid, address)
    if device is None:
        return DEV_NOT_FOUND, 0
    dom0.pci_disable_msix(w, device)
    return 0, device.irq


def pci_frontend_enable_msi(w: Ledgers, domid: int, address: PciAddress) -> tuple[int, int]:
    """Ask for one MSI pirq: (0, pirq) or (an error, 0); worked off by pciback_enable_msi()."""
    device = _do_pci_op(w, domid, address)
    if device is None:
        return DEV_NOT_FOUND, 0
    ret = dom0.pci_enable_msi(w, device)
    if ret:
        w.dom0("default", "pciback_enable_msi_error", {"domid": domid, "status": ret & 0xFFFFFFFF})
        return OP_FAILED, 0
    return 0, device.irq


def pci_frontend_disable_msi(w: Ledgers, domid: int, address: PciAddress) -> tuple[int, int]:
    """Give up the MSI pirq: (0 or an error, dom0's dev->irq).

    Worked off by pciback_disable_msi().
    """
    device = _do_pci_op(w, domid, address)
    if device is None:
        return DEV_NOT_FOUND, 0
    dom0.pci_disable_msi(w, device)
    return 0, device.irq
