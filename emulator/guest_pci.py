"""The PCI core and msi-xen.c of the kernel that a driver runs in, and what they say of a failure.

Read in drivers/pci/ (pci.c, msi-xen.c) and drivers/xen/pcifront/pci_op.c of 2.6.18-164 to -274.  A
driver of dom0's own (domid 0) reaches the device directly, one of a guest by requests.

**Invariant:** sees of the host only what a request returns.
"""

from __future__ import annotations

from typing import Final

from emulator import dom0, pci_core, pcifront
from emulator.conf_space import COMMAND_OFFSET
from emulator.effects import Deed
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.pci_bus import NATIVE, pci_bus_probe_wrapper
from emulator.pci_core import (
    COMMAND_DECODE,
    COMMAND_INTX_DISABLE,
    COMMAND_MASTER,
    COMMAND_MEMORY,
    LATENCY,
)
from emulator.records import DOM0, MSI, MSIX, Driver, Guest

LATENCY_OFFSET: Final = 0x0D
# Where the MSI capability of the modelled devices stands; without one the PCI core takes position
# 0 for it and so writes to the device id (drivers/pci/pci.c: pci_disable_device()).
MSI_CAPABILITY_OFFSET: Final = 0x50


def read_command(w: Ledgers, domid: int, device: PciAddress) -> int:
    """PCI_COMMAND as the guest reads it; 0 where the device is gone."""
    return pcifront.pcifront_bus_read(w, domid, device)[1]


def write_command(w: Ledgers, domid: int, device: PciAddress, value: int) -> None:
    """Write PCI_COMMAND in the guest."""
    pcifront.pcifront_bus_write(w, domid, device, COMMAND_OFFSET, 2, value)


def switch_on(w: Ledgers, domid: int, device: PciAddress) -> None:
    """pci_enable_device() and pci_set_master(), in dom0 directly and in a guest by its writes."""
    if domid == DOM0:
        pci_bus_probe_wrapper(w, device, NATIVE)
        pci_core.pci_enable_device(w, w.device(device))
        pci_core.pci_set_master(w, w.device(device))
        return
    command = read_command(w, domid, device)
    if not command & COMMAND_MEMORY:
        write_command(w, domid, device, command | COMMAND_MEMORY)
        command = read_command(w, domid, device)
    if not command & COMMAND_MASTER:
        write_command(w, domid, device, command | COMMAND_MASTER)
    pcifront.pcifront_bus_write(w, domid, device, LATENCY_OFFSET, 1, LATENCY)


def request_vectors(
    w: Ledgers, domid: int, device: PciAddress, nvec: int, mode: str
) -> tuple[int, tuple[int, ...]]:
    """Ask for vectors: (0, pirqs) or (what the request returned, ())."""
    if mode == MSI:
        ret, pirq = pci_enable_msi(w, domid, device)
        return ret, () if ret else (pirq,)
    if domid == DOM0:
        return dom0.pci_enable_msix(w, w.device(device), range(nvec))
    return pcifront.pci_frontend_enable_msix(w, domid, device, range(nvec))


def pci_enable_msi(w: Ledgers, domid: int, device: PciAddress) -> tuple[int, int]:
    """Ask for a single vector: (0 or an error, pirq) (drivers/pci/msi-xen.c: pci_enable_msi())."""
    if domid == DOM0:
        held = w.device(device)
        return dom0.pci_enable_msi(w, held), held.irq
    return pcifront.pci_frontend_enable_msi(w, domid, device)


def give_up(w: Ledgers, domid: int, device: PciAddress, late: int) -> None:
    """dom0 did what was asked, after the guest had stopped waiting for it.

    do_pci_op() polls for two seconds, then says so and returns -1 (drivers/xen/pcifront/pci_op.c);
    dom0's answer to the old request is never looked at.  igbvf asks to disable MSI-X then, which
    dom0 works off as well; ixgbevf does not (ixgbevf_main.c: ixgbevf_set_interrupt_capability()).
    The probe of ixgbevf fails.  igbvf stays without vectors, told here as not loaded: it has given
    up its list of entries, so its unload asks for nothing.
    """
    w.guest(domid, "err", "pcifront_not_responding", {"index": 0})
    w.deeds.append(Deed("answered_late", device, domid))
    if late:
        report_failure(w, domid, device, -1, MSIX)
        pci_disable_msix(w, domid, Driver(device, ()))
    else:
        _report_status(w, domid, -1)


def disable(w: Ledgers, domid: int, driver: Driver) -> None:
    """The driver gives up what it asked for, in the way that fits."""
    if driver.mode == MSI:
        pci_disable_msi(w, domid, driver.device)
    elif driver.mode == MSIX:
        pci_disable_msix(w, domid, driver)


def pci_disable_msi(w: Ledgers, domid: int, device: PciAddress) -> None:
    """The driver gives its one vector up (drivers/pci/msi-xen.c: pci_disable_msi())."""
    if domid == DOM0:
        dom0.pci_disable_msi(w, w.device(device))
    else:
        pcifront.pci_frontend_disable_msi(w, domid, device)


def pci_disable_msix(w: Ledgers, domid: int, driver: Driver) -> None:
    """The driver gives its vectors up (drivers/pci/msi-xen.c: pci_disable_msix()).

    With c/s 956 a guest asks only if its own flag is set.
    """
    if domid == DOM0:
        dom0.pci_disable_msix(w, w.device(driver.device))
    elif driver.flag or not w.traits.guest_checks_flag:
        ret, _ = pcifront.pci_frontend_disable_msix(w, domid, driver.device)
        if ret:
            w.guest(domid, "default", "disable_msix_get_err", {"status": ret & 0xFFFFFFFF})


def report_failure(w: Ledgers, domid: int, device: PciAddress, ret: int, mode: str) -> None:
    """What pcifront, the guest's msi-xen.c and igbvf print about a failed request."""
    if mode == MSI:
        if domid != DOM0:
            named = {"device": own_name(w, domid, device)}
            w.guest(domid, "default", "frontend_enable_msi_failed", named)
        return
    if domid != DOM0:
        _report_status(w, domid, ret)
    w.guest(domid, "err", "igbvf_msix_failed", {"device": own_name(w, domid, device)})


def _report_status(w: Ledgers, domid: int, ret: int) -> None:
    """The two lines about what the frontend got."""
    status = ret & 0xFFFFFFFF
    w.guest(domid, "default", "enable_msix_get_err", {"status": status})
    w.guest(domid, "default", "get_from_frontend_enable_msix", {"status": status})


def pci_disable_device(w: Ledgers, domid: int, driver: Driver) -> None:
    """The guest's pci_disable_device(): its writes make dom0 clear its own flag.

    Only a guest kernel with c/s 956 has the flag set here and toggles MSI-X Enable, in the wrong
    place (drivers/pci/pci.c: pci_disable_device(), arch/i386/pci: pci_intx()).
    """
    device = driver.device
    if driver.flag:
        config = w.device(device).config
        position = MSI_CAPABILITY_OFFSET if config.has_msi else 0
        pcifront.pcifront_bus_write(w, domid, device, position + 2, 2, 0)
        command = read_command(w, domid, device)
        if config.has_exp and command & COMMAND_INTX_DISABLE:
            write_command(w, domid, device, command & ~COMMAND_INTX_DISABLE)
    command = read_command(w, domid, device)
    if command & COMMAND_MASTER:
        command &= ~COMMAND_MASTER
        write_command(w, domid, device, command)
    write_command(w, domid, device, command & ~COMMAND_DECODE)


def own_name(w: Ledgers, domid: int, device: PciAddress) -> PciAddress:
    """The device's address as this kernel knows it."""
    return w.guests.get(domid, Guest()).virtual(device)
