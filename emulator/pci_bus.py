"""dom0's driver core and hot plug: drivers bind and let go, functions vanish and come back.

Read in drivers/xen/core/pci.c, drivers/pci/remove.c and drivers/pci/iov.c of 2.6.18-164 to
-274.7.1.

**Invariant:** whatever binds or lets go of a device passes here, because Xen is told of it here.
"""

from __future__ import annotations

from typing import Final

from emulator import dom0, pci_stub, xen
from emulator.errors import Refusal, RefusedError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress

NATIVE: Final = "igbvf"
"""dom0's own driver; which one makes no difference to the ledgers."""


def pci_bus_probe_wrapper(w: Ledgers, address: PciAddress, driver: str) -> None:
    """Bind a driver, pciback or a native one, and announce the device to Xen first.

    drivers/xen/core/pci.c: pci_bus_probe_wrapper().
    """
    device = w.present(address)
    if driver == pci_stub.PCIBACK and not w.pciback_loaded:
        raise RefusedError(Refusal.NO_PCIBACK)
    if device.driver:
        raise RefusedError(Refusal.DRIVER_BOUND)
    xen.pci_add_device(w, device)
    if driver == pci_stub.PCIBACK:
        pci_stub.pcistub_probe(w, device)
    device.driver = driver


def pci_bus_remove_wrapper(w: Ledgers, address: PciAddress) -> None:
    """Let the device's driver go, then have Xen forget the device.

    drivers/xen/core/pci.c: pci_bus_remove_wrapper(), which warns if Xen did not know it.
    """
    device = w.present(address)
    if not device.driver:
        raise RefusedError(Refusal.NO_DRIVER)
    if device.driver == pci_stub.PCIBACK:
        pci_stub.pcistub_remove(w, device)
    device.driver = ""
    if xen.pci_remove_device(w, device):
        w.dom0("default", "xen_core_pci_warn")


def pci_remove_bus_device(w: Ledgers, address: PciAddress) -> None:
    """Hot removal, as of a virtual function whose physical function's driver goes.

    drivers/pci/remove.c: pci_remove_bus_device(); its pci_free_resources() flushes the record.
    """
    device = w.present(address)
    if device.driver:
        pci_bus_remove_wrapper(w, address)
    dom0.msi_remove_pci_irq_vectors(w, device)
    device.present = False


def virtfn_add(w: Ledgers, address: PciAddress) -> None:
    """The function appears (again), with a new struct pci_dev and so with an empty record.

    drivers/pci/iov.c: virtfn_add().
    """
    old = w.device(address)
    if old.present:
        raise RefusedError(Refusal.DEVICE_PRESENT)
    new = w.replace_device(old.config, old.life + 1)
    new.assignment = old.assignment
    new.xen_owner = old.xen_owner
