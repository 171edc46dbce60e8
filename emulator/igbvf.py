"""A network driver's life, in a guest or (domid 0) in dom0: probe, ifup, ifdown, remove, shutdown.

Read in drivers/net/igbvf/netdev.c of 2.6.18-164 to -274.

**Invariant:** sees of the host only what a request returns; nothing here touches a ledger itself.
"""

from __future__ import annotations

from typing import Final

from emulator import pci_core, xen
from emulator.effects import Deed
from emulator.guest_pci import (
    disable,
    give_up,
    own_name,
    pci_disable_device,
    report_failure,
    request_vectors,
    switch_on,
)
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.pci_bus import pci_bus_remove_wrapper
from emulator.records import DOM0, INTX, LATE_ANSWER, MSIX, Driver, Guest, present_life

NO_MSIX_ENTRIES: Final = -1
HANDLER_MISMATCH: Final = -16


def igbvf_probe(w: Ledgers, domid: int, device: PciAddress, nvec: int, mode: str = MSIX) -> None:
    """The driver is loaded and asks for entries 0 to nvec-1 (igbvf_probe()).

    A failed request leaves it loaded without vectors (igbvf_set_interrupt_capability()).  Drivers
    of physical functions can be told to ask for a single MSI vector or for none (parameter IntMode
    of igb and ixgbe).
    """
    switch_on(w, domid, device)
    if mode == INTX:
        w.set_driver(domid, device, Driver(device, (), mode=mode))
        return
    ret, vectors = request_vectors(w, domid, device, nvec, mode)
    late = w.fails(LATE_ANSWER) if domid != DOM0 and not ret else None
    if late is not None:
        give_up(w, domid, device, late)
        return
    flag = w.traits.guest_checks_flag and not ret
    w.set_driver(domid, device, Driver(device, vectors, flag=flag, mode=mode))
    if ret:
        report_failure(w, domid, device, ret, mode)
        disable(w, domid, Driver(device, (), mode=mode))
    for entry_nr in range(len(vectors)):
        _note_sharing(w, domid, Driver(device, vectors), entry_nr)


def _note_sharing(w: Ledgers, domid: int, driver: Driver, entry_nr: int) -> None:
    """Two devices of one guest have been given the same pirq number."""
    pirq = driver.vectors[entry_nr]
    for other in w.guests[domid].drivers:
        if other.device != driver.device and pirq in other.vectors:
            w.deeds.append(_shared(w, domid, driver, entry_nr, other, "mapped"))


def _shared(
    w: Ledgers, domid: int, driver: Driver, entry_nr: int, other: Driver, note: str
) -> Deed:
    """The later device's deed; `same_life` only if neither of the two pairs is stale."""
    deed = _deed("shared", w, domid, driver, entry_nr)
    of_other = _deed("shared", w, domid, other, other.vectors.index(driver.vectors[entry_nr]))
    own = deed.same_life and of_other.same_life
    return deed._replace(same_life=own, other=other.device, note=note)


def _deed(kind: str, w: Ledgers, domid: int, driver: Driver, entry_nr: int) -> Deed:
    """A deed about one of a driver's vectors, with the witness of its pair in dom0's record."""
    device = driver.device
    pirq = driver.vectors[entry_nr]
    holder = w.devices[device]
    for pair in holder.entries:
        if pair.entry_nr == entry_nr and pair.pirq == pirq:
            own = (pair.from_domid, pair.assignment) == present_life(holder)
            return Deed(kind, device, domid, pirq, entry_nr, pair.from_domid, own)
    return Deed(kind, device, domid, pirq, entry_nr)


def igbvf_open(w: Ledgers, domid: int, driver: Driver) -> None:
    """ifup: request every vector (igbvf_request_msix()).

    A refused event channel goes unnoticed (drivers/xen/core/evtchn.c: startup_pirq()); a number
    that another driver has requested ends it (kernel/irq/manage.c: setup_irq()).
    """
    device = driver.device
    if driver.mode == INTX:
        _open_legacy(w, domid, driver)
        return
    error = 0 if driver.vectors else NO_MSIX_ENTRIES
    for entry_nr, pirq in enumerate(driver.vectors):
        other = _requester(w, domid, pirq)
        if other is not None:
            w.guest(domid, "err", "irq_handler_type_mismatch", {"pirq": pirq})
            if other.device != device and pirq in other.vectors:
                w.deeds.append(_shared(w, domid, driver, entry_nr, other, "refused"))
            error = HANDLER_MISMATCH
            break
        driver = driver._replace(requested=(*driver.requested, pirq))
        w.set_driver(domid, device, driver)
        bound = xen.evtchn_bind_pirq(w, domid, pirq) == 0
        if not bound:
            w.guest(domid, "info", "failed_obtain_pirq", {"pirq": pirq})
        w.deeds.append(_deed("bound" if bound else "bind_refused", w, domid, driver, entry_nr))
    if error:
        fields = {"device": own_name(w, domid, device), "error": error}
        w.guest(domid, "err", "igbvf_irq_failed", fields)


def _open_legacy(w: Ledgers, domid: int, driver: Driver) -> None:
    """ifup without MSI: request the interrupt that the device's register names.

    A driver that has it for MSI-X shares it with nobody (kernel/irq/manage.c: setup_irq()).

    pciback shows dom0's dev->irq there (conf_space_header.c: interrupt_read()).  After a single MSI
    vector of an owner that is gone it is still that owner's pirq, which Xen maps for nobody; other
    legacy interrupts are outside this machine's ledgers.
    """
    held = w.device(driver.device)
    other = _requester(w, domid, held.irq)
    if other is not None and other.mode != INTX:
        w.guest(domid, "err", "irq_handler_type_mismatch", {"pirq": held.irq})
        return
    w.set_driver(domid, driver.device, driver._replace(requested=(held.irq,)))
    if held.irq_from is None or held.irq_from == present_life(held):
        return
    w.guest(domid, "info", "failed_obtain_pirq", {"pirq": held.irq})
    w.deeds.append(
        Deed(
            "irq_served", driver.device, domid, held.irq, None, held.irq_from[0], same_life=False
        )
    )


def _requester(w: Ledgers, domid: int, pirq: int) -> Driver | None:
    """The driver that has requested the number already."""
    for driver in w.guests[domid].drivers:
        if pirq in driver.requested:
            return driver
    return None


def igbvf_close(w: Ledgers, domid: int, driver: Driver) -> None:
    """ifdown: give back every vector that was requested (igbvf_free_irq())."""
    for pirq in driver.requested:
        xen.evtchn_close(w, domid, pirq)
    w.set_driver(domid, driver.device, driver._replace(requested=()))


def igbvf_remove(w: Ledgers, domid: int, driver: Driver) -> None:
    """rmmod: close, disable MSI-X, disable the device (igbvf_remove())."""
    device = driver.device
    igbvf_close(w, domid, driver)
    disable(w, domid, driver)
    if domid == DOM0:
        pci_core.pci_disable_device(w.device(device))
        pci_bus_remove_wrapper(w, device)
    else:
        pci_disable_device(w, domid, driver._replace(flag=False))
    w.set_driver(domid, device, None)


def igbvf_suspend(w: Ledgers, domid: int, driver: Driver) -> None:
    """The stock shutdown hook: it never disables MSI-X (igbvf_shutdown(), igbvf_suspend())."""
    device = w.devices.get(driver.device)
    if w.traits.guest_save_state_fails and device is not None and device.hw_msix:
        return
    pci_disable_device(w, domid, driver)


def device_shutdown(w: Ledgers, domid: int) -> None:
    """All interfaces down, then every driver's shutdown hook, the last loaded first.

    drivers/base/power/shutdown.c: device_shutdown().  What the hook does is a module option of the
    patched igbvf of bug 688673 (comment 26).
    """
    for driver in w.guests.get(domid, Guest()).drivers:
        igbvf_close(w, domid, driver)
    for driver in reversed(w.guests.get(domid, Guest()).drivers):
        if w.traits.guest_shutdown == 3:
            igbvf_remove(w, domid, driver)
            continue
        if w.traits.guest_shutdown == 2:
            disable(w, domid, driver)
            driver = driver._replace(flag=False)
        igbvf_suspend(w, domid, driver)
        if w.traits.guest_shutdown == 1:
            # The guest's pci_disable_device() has cleared its own flag by now.
            disable(w, domid, driver._replace(flag=False))
