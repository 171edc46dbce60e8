"""An HVM guest's device: qemu-dm maps for it by hypercall, without dom0's record.

Read in hw/pt-msi.c of Xen 3.4's qemu.

**Invariant:** never touches dom0's record, nor asks pciback for an owner.
"""

from __future__ import annotations

from collections.abc import Sequence

from emulator import xen
from emulator.errors import Refusal, RefusedError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import Driver


def pt_msix_update(
    w: Ledgers, domid: int, address: PciAddress, entries: Sequence[int]
) -> tuple[int, tuple[int, ...]]:
    """Map and attach a pirq for each entry until one is refused (pt_msix_update()).

    (0 or the negative errno at which it stopped, the pirqs obtained.)
    """
    device = w.present(address)
    w.running(domid, "hvm")
    backend = w.backends.get(domid)
    if backend is None or not backend.holds(address):
        raise RefusedError(Refusal.DEVICE_UNKNOWN)
    if not device.config.msix_entries or device.config.no_bar:
        return xen.ENODEV, ()
    pirqs: list[int] = []
    for entry_nr in entries:
        pirq = xen.physdev_map_pirq(w, domid, device, entry_nr)
        if pirq < 0:
            return pirq, tuple(pirqs)
        xen.pt_irq_create_bind_vtd(w, domid, pirq)
        pirqs.append(pirq)
    if pirqs:
        device.hw_msix = True
    return 0, tuple(pirqs)


def pt_msix_disable(w: Ledgers, domid: int, address: PciAddress, pirqs: Sequence[int]) -> int:
    """Switch MSI-X off, detach and unmap; the last error or 0 (pt_msix_disable())."""
    device = w.present(address)
    w.running(domid, "hvm")
    device.hw_msix = False
    ret = 0
    for pirq in pirqs:
        domain = w.domain(domid)
        if domain is not None:
            xen.pirq_guest_unbind(w, domain, pirq)
        ret = xen.unmap_domain_pirq(w, domid, pirq) or ret
    return ret


def driver_loaded(w: Ledgers, domid: int, address: PciAddress, nvec: int) -> None:
    """The guest's driver writes entries 0 to nvec-1 and enables MSI-X."""
    _, pirqs = pt_msix_update(w, domid, address, range(nvec))
    w.set_driver(domid, address, Driver(address, pirqs))


def driver_unloaded(w: Ledgers, domid: int, driver: Driver) -> None:
    """The guest's driver disables MSI-X, if the device is still there."""
    if w.device(driver.device).present:
        pt_msix_disable(w, domid, driver.device, driver.vectors)
    w.set_driver(domid, driver.device, None)
