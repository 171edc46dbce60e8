"""What a driver asks of its kernel when it is loaded and when it goes, and what a refusal prints.

Read in drivers/xen/pcifront/pci_op.c, drivers/pci/msi-xen.c and drivers/net/igbvf/netdev.c of
2.6.18-164 to -274.  dom0's own drivers (domid 0) call directly what guests have to request.

**Invariant:** sees of the host only what a request returns.
"""

from __future__ import annotations

from typing import Final

from emulator.effects import Deed
from emulator.machine import Machine
from emulator.pci import PciAddress
from emulator.pci_core import COMMAND_MASTER, COMMAND_MEMORY, LATENCY
from emulator.pciback import COMMAND_OFFSET
from emulator.records import DOM0, MSI, MSIX, Driver, Guest

LATENCY_OFFSET: Final = 0x0D


def read_command(m: Machine, domid: int, device: PciAddress) -> int:
    """PCI_COMMAND as the kernel of the domain reads it; 0 where nobody answers."""
    return m.conf_read(domid, device).value or 0


def write_command(m: Machine, domid: int, device: PciAddress, value: int) -> None:
    """Write PCI_COMMAND, from a guest through pciback."""
    m.conf_write(domid, device, COMMAND_OFFSET, 2, value)


def switch_on(m: Machine, domid: int, device: PciAddress) -> None:
    """pci_enable_device() and pci_set_master(), in dom0 directly and in a guest by its writes."""
    if domid == DOM0:
        m.bind_native(device)
        m.enable_device(device)
        m.set_master(device)
        return
    command = read_command(m, domid, device)
    if not command & COMMAND_MEMORY:
        write_command(m, domid, device, command | COMMAND_MEMORY)
        command = read_command(m, domid, device)
    if not command & COMMAND_MASTER:
        write_command(m, domid, device, command | COMMAND_MASTER)
    m.conf_write(domid, device, LATENCY_OFFSET, 1, LATENCY)


def request_vectors(
    m: Machine, domid: int, device: PciAddress, nvec: int, mode: str
) -> tuple[int | str, tuple[int, ...]]:
    """Ask for vectors: (0, pirqs) or (what the request returned, ())."""
    if mode == MSI:
        reply = m.enable_msi(domid, device)
        return reply.ret, (reply.value or 0,) if not reply.ret else ()
    reply = m.enable_msix(domid, device, range(nvec))
    return reply.ret, () if reply.ret else reply.vectors or ()


def give_up(m: Machine, domid: int, device: PciAddress, late: int) -> None:
    """dom0 did what was asked, after the guest had stopped waiting for it.

    do_pci_op() polls for two seconds, then says so and returns -1 (drivers/xen/pcifront/pci_op.c);
    dom0's answer to the old request is never looked at.  igbvf asks to disable MSI-X then, which
    dom0 works off as well; ixgbevf does not (ixgbevf_main.c: ixgbevf_set_interrupt_capability()).
    The probe of ixgbevf fails.  igbvf stays without vectors, told here as not loaded: it has given
    up its list of entries, so its unload asks for nothing.
    """
    m.guest(domid, "err", "pcifront_not_responding", {"index": 0})
    m.deeds.append(Deed("answered_late", device, domid))
    if late:
        report_failure(m, domid, device, -1, MSIX)
        pci_disable_msix(m, domid, Driver(device, ()))
    else:
        _report_status(m, domid, -1)


def disable(m: Machine, domid: int, driver: Driver) -> None:
    """The driver gives up what it asked for, in the way that fits."""
    if driver.mode == MSI:
        m.disable_msi(domid, driver.device)
    elif driver.mode == MSIX:
        pci_disable_msix(m, domid, driver)


def pci_disable_msix(m: Machine, domid: int, driver: Driver) -> None:
    """The driver gives its vectors up (drivers/pci/msi-xen.c: pci_disable_msix(), in a guest).

    With c/s 956 the guest asks only if its own flag is set.
    """
    if domid == DOM0:
        m.disable_msix(domid, driver.device)
    elif driver.flag or not m.traits.guest_checks_flag:
        ret = m.disable_msix(domid, driver.device).ret
        if ret:
            status = (ret if isinstance(ret, int) else -1) & 0xFFFFFFFF
            m.guest(domid, "default", "disable_msix_get_err", {"status": status})


def report_failure(
    m: Machine, domid: int, device: PciAddress, ret: int | str, mode: str
) -> None:
    """What pcifront, the guest's msi-xen.c and igbvf print about a failed request."""
    if mode == MSI:
        if domid != DOM0:
            named = {"device": own_name(m, domid, device)}
            m.guest(domid, "default", "frontend_enable_msi_failed", named)
        return
    if domid != DOM0:
        _report_status(m, domid, ret)
    m.guest(domid, "err", "igbvf_msix_failed", {"device": own_name(m, domid, device)})


def _report_status(m: Machine, domid: int, ret: int | str) -> None:
    """The two lines about what the frontend got; a request without an answer counts as -1."""
    status = (ret if isinstance(ret, int) else -1) & 0xFFFFFFFF
    m.guest(domid, "default", "enable_msix_get_err", {"status": status})
    m.guest(domid, "default", "get_from_frontend_enable_msix", {"status": status})


def own_name(m: Machine, domid: int, device: PciAddress) -> PciAddress:
    """The device's address as this kernel knows it."""
    return m.guests.get(domid, Guest()).virtual(device)
