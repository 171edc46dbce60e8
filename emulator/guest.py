"""A guest's side: its PCI core, pcifront and the network driver's life, in requests to pciback.

Read in drivers/net/igbvf/netdev.c, drivers/pci/ and drivers/xen/pcifront/ of 2.6.18-164 to -274.
dom0's own drivers (domid 0) go the same way, with direct calls instead of requests.

**Invariant:** sees of the host only what a request returns; nothing here touches a ledger itself.
"""

from __future__ import annotations

from typing import Final

from emulator.effects import Deed
from emulator.machine import Machine
from emulator.pci import PciAddress
from emulator.pci_core import COMMAND_DECODE, COMMAND_INTX_DISABLE, COMMAND_MASTER
from emulator.records import DOM0, INTX, LATE_ANSWER, MSIX, Driver, Guest, present_life
from emulator.requests import (
    disable,
    give_up,
    own_name,
    read_command,
    report_failure,
    request_vectors,
    switch_on,
    write_command,
)

# Where the MSI capability of the modelled devices stands; without one the PCI core takes position
# 0 for it and so writes to the device id (drivers/pci/pci.c: pci_disable_device()).
MSI_CAPABILITY_OFFSET: Final = 0x50
NO_MSIX_ENTRIES: Final = -1
HANDLER_MISMATCH: Final = -16


def igbvf_probe(m: Machine, domid: int, device: PciAddress, nvec: int, mode: str = MSIX) -> None:
    """The driver is loaded and asks for entries 0 to nvec-1 (igbvf_probe()).

    A failed request leaves it loaded without vectors (igbvf_set_interrupt_capability()).  Drivers
    of physical functions can be told to ask for a single MSI vector or for none (parameter IntMode
    of igb and ixgbe).
    """
    switch_on(m, domid, device)
    if mode == INTX:
        m.set_driver(domid, device, Driver(device, (), mode=mode))
        return
    ret, vectors = request_vectors(m, domid, device, nvec, mode)
    late = m.fails(LATE_ANSWER) if domid != DOM0 and not ret else None
    if late is not None:
        give_up(m, domid, device, late)
        return
    flag = m.traits.guest_checks_flag and not ret
    m.set_driver(domid, device, Driver(device, vectors, flag=flag, mode=mode))
    if ret:
        report_failure(m, domid, device, ret, mode)
        disable(m, domid, Driver(device, (), mode=mode))
    for entry_nr in range(len(vectors)):
        _note_sharing(m, domid, Driver(device, vectors), entry_nr)


def _note_sharing(m: Machine, domid: int, driver: Driver, entry_nr: int) -> None:
    """Two devices of one guest have been given the same pirq number."""
    pirq = driver.vectors[entry_nr]
    for other in m.guests[domid].drivers:
        if other.device != driver.device and pirq in other.vectors:
            m.deeds.append(_shared(m, domid, driver, entry_nr, other, "mapped"))


def _shared(
    m: Machine, domid: int, driver: Driver, entry_nr: int, other: Driver, note: str
) -> Deed:
    """The later device's deed; `same_life` only if neither of the two pairs is stale."""
    deed = _deed("shared", m, domid, driver, entry_nr)
    of_other = _deed("shared", m, domid, other, other.vectors.index(driver.vectors[entry_nr]))
    own = deed.same_life and of_other.same_life
    return deed._replace(same_life=own, other=other.device, note=note)


def _deed(kind: str, m: Machine, domid: int, driver: Driver, entry_nr: int) -> Deed:
    """A deed about one of a driver's vectors, with the witness of its pair in dom0's record."""
    device = driver.device
    pirq = driver.vectors[entry_nr]
    holder = m.devices[device]
    for pair in holder.entries:
        if pair.entry_nr == entry_nr and pair.pirq == pirq:
            own = (pair.from_domid, pair.assignment) == present_life(holder)
            return Deed(kind, device, domid, pirq, entry_nr, pair.from_domid, own)
    return Deed(kind, device, domid, pirq, entry_nr)


def igbvf_open(m: Machine, domid: int, driver: Driver) -> None:
    """ifup: request every vector (igbvf_request_msix()).

    A refused event channel goes unnoticed (drivers/xen/core/evtchn.c: startup_pirq()); a number
    that another driver has requested ends it (kernel/irq/manage.c: setup_irq()).
    """
    device = driver.device
    if driver.mode == INTX:
        _open_legacy(m, domid, driver)
        return
    error = 0 if driver.vectors else NO_MSIX_ENTRIES
    for entry_nr, pirq in enumerate(driver.vectors):
        other = _requester(m, domid, pirq)
        if other is not None:
            m.guest(domid, "err", "irq_handler_type_mismatch", {"pirq": pirq})
            if other.device != device and pirq in other.vectors:
                m.deeds.append(_shared(m, domid, driver, entry_nr, other, "refused"))
            error = HANDLER_MISMATCH
            break
        driver = driver._replace(requested=(*driver.requested, pirq))
        m.set_driver(domid, device, driver)
        bound = m.bind_irq(domid, pirq).ret == 0
        if not bound:
            m.guest(domid, "info", "failed_obtain_pirq", {"pirq": pirq})
        m.deeds.append(_deed("bound" if bound else "bind_refused", m, domid, driver, entry_nr))
    if error:
        fields = {"device": own_name(m, domid, device), "error": error}
        m.guest(domid, "err", "igbvf_irq_failed", fields)


def _open_legacy(m: Machine, domid: int, driver: Driver) -> None:
    """ifup without MSI: request the interrupt that the device's register names.

    A driver that has it for MSI-X shares it with nobody (kernel/irq/manage.c: setup_irq()).

    pciback shows dom0's dev->irq there (conf_space_header.c: interrupt_read()).  After a single MSI
    vector of an owner that is gone it is still that owner's pirq, which Xen maps for nobody; other
    legacy interrupts are outside this machine's ledgers.
    """
    held = m.device(driver.device)
    other = _requester(m, domid, held.irq)
    if other is not None and other.mode != INTX:
        m.guest(domid, "err", "irq_handler_type_mismatch", {"pirq": held.irq})
        return
    m.set_driver(domid, driver.device, driver._replace(requested=(held.irq,)))
    if held.irq_from is None or held.irq_from == present_life(held):
        return
    m.guest(domid, "info", "failed_obtain_pirq", {"pirq": held.irq})
    m.deeds.append(
        Deed(
            "irq_served", driver.device, domid, held.irq, None, held.irq_from[0], same_life=False
        )
    )


def _requester(m: Machine, domid: int, pirq: int) -> Driver | None:
    """The driver that has requested the number already."""
    for driver in m.guests[domid].drivers:
        if pirq in driver.requested:
            return driver
    return None


def igbvf_close(m: Machine, domid: int, driver: Driver) -> None:
    """ifdown: give back every vector that was requested (igbvf_free_irq())."""
    for pirq in driver.requested:
        m.unbind_irq(domid, pirq)
    m.set_driver(domid, driver.device, driver._replace(requested=()))


def igbvf_remove(m: Machine, domid: int, driver: Driver) -> None:
    """rmmod: close, disable MSI-X, disable the device (igbvf_remove())."""
    device = driver.device
    igbvf_close(m, domid, driver)
    disable(m, domid, driver)
    if domid == DOM0:
        m.disable_device(device)
        m.unbind(device)
    else:
        pci_disable_device(m, domid, driver._replace(flag=False))
    m.set_driver(domid, device, None)


def igbvf_suspend(m: Machine, domid: int, driver: Driver) -> None:
    """The stock shutdown hook: it never disables MSI-X (igbvf_shutdown(), igbvf_suspend())."""
    device = m.devices.get(driver.device)
    if m.traits.guest_save_state_fails and device is not None and device.hw_msix:
        return
    pci_disable_device(m, domid, driver)


def pci_disable_device(m: Machine, domid: int, driver: Driver) -> None:
    """The guest's pci_disable_device(): its writes make dom0 clear its own flag.

    Only a guest kernel with c/s 956 has the flag set here and toggles MSI-X Enable, in the wrong
    place (drivers/pci/pci.c: pci_disable_device(), arch/i386/pci: pci_intx()).
    """
    device = driver.device
    if driver.flag:
        config = m.device(device).config
        position = MSI_CAPABILITY_OFFSET if config.has_msi else 0
        m.conf_write(domid, device, position + 2, 2, 0)
        command = read_command(m, domid, device)
        if config.has_exp and command & COMMAND_INTX_DISABLE:
            write_command(m, domid, device, command & ~COMMAND_INTX_DISABLE)
    command = read_command(m, domid, device)
    if command & COMMAND_MASTER:
        command &= ~COMMAND_MASTER
        write_command(m, domid, device, command)
    write_command(m, domid, device, command & ~COMMAND_DECODE)


def device_shutdown(m: Machine, domid: int) -> None:
    """All interfaces down, then every driver's shutdown hook, the last loaded first.

    drivers/base/power/shutdown.c: device_shutdown().  What the hook does is a module option of the
    patched igbvf of bug 688673 (comment 26).
    """
    for driver in m.guests.get(domid, Guest()).drivers:
        igbvf_close(m, domid, driver)
    for driver in reversed(m.guests.get(domid, Guest()).drivers):
        if m.traits.guest_shutdown == 3:
            igbvf_remove(m, domid, driver)
            continue
        if m.traits.guest_shutdown == 2:
            disable(m, domid, driver)
            driver = driver._replace(flag=False)
        igbvf_suspend(m, domid, driver)
        if m.traits.guest_shutdown == 1:
            # The guest's pci_disable_device() has cleared its own flag by now.
            disable(m, domid, driver._replace(flag=False))


def qemu_probe(m: Machine, domid: int, device: PciAddress, nvec: int) -> None:
    """An HVM guest's driver: qemu-dm maps for it, dom0's record is not involved."""
    reply = m.hvm_enable_msix(domid, device, range(nvec))
    m.set_driver(domid, device, Driver(device, reply.vectors or ()))


def qemu_remove(m: Machine, domid: int, driver: Driver) -> None:
    """An HVM guest's driver goes; qemu-dm unmaps for it."""
    m.hvm_disable_msix(domid, driver.device, driver.vectors)
    m.set_driver(domid, driver.device, None)
