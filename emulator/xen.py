"""The hypervisor's ledger: vectors, pirq tables, event channels and device descriptors.

Read in Xen 3.4.4 and, where the el5 hypervisor agrees, in the snapshot of 2008-12-11.

**Invariant:** knows neither dom0's record nor pciback.
"""

from __future__ import annotations

from typing import Final

from emulator.counters import next_vector
from emulator.effects import Deed
from emulator.errors import CrashError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import PIRQ_MAX, Descriptor, Device, Domain, Mapped

EPERM: Final = -1
ESRCH: Final = -3
EBUSY: Final = -16
EEXIST: Final = -17
ENODEV: Final = -19
EINVAL: Final = -22
ENOSPC: Final = -28
ENOSYS: Final = -38

# MSI takes the highest free pirq above the legacy ones (xen/arch/x86/physdev.c:
# physdev_map_pirq()).
PIRQ_MSI_MIN: Final = 16


def pci_add_device(w: Ledgers, device: Device) -> None:
    """Announce a device to Xen, for dom0 (xen/drivers/passthrough/pci.c: pci_add_device())."""
    if device.xen_owner is None:
        device.xen_owner = 0
    w.xen("debug", "xen_pci_add", {"device": device.config.address})


def pci_remove_device(w: Ledgers, device: Device) -> int:
    """Forget a device; 0, or a negative errno if Xen did not know it.

    xen/drivers/passthrough/pci.c: pci_remove_device().
    """
    if device.xen_owner is None:
        return ENODEV
    pci_cleanup_msi(w, device)
    device.xen_owner = None
    w.xen("debug", "xen_pci_remove", {"device": device.config.address})
    return 0


def pci_cleanup_msi(w: Ledgers, device: Device) -> None:
    """Drop all descriptors of a device (xen/arch/x86/msi.c: pci_cleanup_msi()).

    The vectors stay in use and the domains' tables keep their entries: that is the leak of
    xen/arch/x86/msi.c: msi_free_vectors(), 3.4.4.
    """
    device.hw_msi = device.hw_msix = False
    address = device.config.address
    held = [vector for vector, each in w.descriptors.items() if each.device == address]
    for vector in held:
        if _is_bound(w, vector):
            raise CrashError("xen", "BUG_ON(desc->status & IRQ_GUEST)")
        w.set_descriptor(vector, None)


def _is_bound(w: Ledgers, vector: int) -> bool:
    """Whether any domain has an event channel (or an HVM interrupt) on the vector."""
    return any(
        domain.table[pirq].vector == vector
        for domain in w.domains.values()
        for pirq in domain.bound
        if pirq in domain.table
    )


def assign_irq_vector(w: Ledgers) -> int | None:
    """Take the next free vector (xen/arch/x86/io_apic.c: assign_irq_vector())."""
    vector = next_vector(w.vectors_used, w.vector_last)
    if vector is not None:
        w.vectors_used |= 1 << vector
        w.vector_last = vector
    return vector


def free_irq_vector(w: Ledgers, vector: int) -> None:
    """Give a vector back (xen/arch/x86/io_apic.c: free_irq_vector())."""
    w.vectors_used &= ~(1 << vector)


def physdev_map_pirq(
    w: Ledgers, domid: int, device: Device, entry_nr: int, *, is_msix: bool = True
) -> int:
    """Map a pirq of the domain to the device's MSI-X entry or MSI; the pirq, or a negative errno.

    xen/arch/x86/physdev.c: physdev_map_pirq(), 3.4.4.  An unknown domain fails silently.  Fault
    points: map_no_vector and map_no_pirq, as if others had used up what there is.
    """
    domain = w.domain(domid)
    if domain is None:
        return ESRCH
    hypervisor = w.traits.xen
    vector = None if w.fails("map_no_vector") is not None else assign_irq_vector(w)
    if vector is None:
        _complain(w, "xen_map_wrong_vector", hypervisor.wrong_vector, domid, bad_vector=ENOSPC)
        return EINVAL
    # Only a forced unbind leaves an entry behind whose vector is free again.
    for held, mapped in domain.table.items():
        if mapped.vector == -vector:
            source = hypervisor.already_mapped
            _complain(w, "xen_map_already", source, domid, map_index=-1, wanted_pirq=-1, pirq=-held)
            free_irq_vector(w, vector)
            return EBUSY
    pirq = _highest_free_pirq(domain)
    if pirq is None or w.fails("map_no_pirq") is not None:
        _complain(w, "xen_no_free_pirq", hypervisor.no_free_pirq, domid)
        free_irq_vector(w, vector)
        return ENOSPC
    domain.access |= 1 << pirq
    if device.xen_owner is None:
        free_irq_vector(w, vector)
        return ENODEV
    if is_msix and entry_nr >= device.config.msix_entries:
        free_irq_vector(w, vector)
        return EINVAL
    address = device.config.address
    w.set_descriptor(vector, Descriptor(address, is_msix))
    domain.table[pirq] = Mapped(vector, address)
    return pirq


def _highest_free_pirq(domain: Domain) -> int | None:
    """xen/arch/x86/irq.c: get_free_pirq() for MSI.

    The test for "none free" compares with the lowest allowed pirq, so that one is never given.
    """
    pirq = PIRQ_MAX
    while pirq in domain.table and pirq > PIRQ_MSI_MIN:
        pirq -= 1
    return pirq if pirq > PIRQ_MSI_MIN else None


def unmap_domain_pirq(w: Ledgers, domid: int, pirq: int) -> int:
    """Unmap a pirq; 0 or a negative errno (xen/arch/x86/irq.c: unmap_domain_pirq(), 3.4.4)."""
    domain = w.domain(domid)
    if domain is None:
        return ESRCH
    if not 0 <= pirq <= PIRQ_MAX:
        return EINVAL
    mapped = domain.table.get(pirq)
    if mapped is None or mapped.vector <= 0:
        _complain(w, "xen_pirq_not_mapped", w.traits.xen.not_mapped, domid, pirq=pirq)
        return EINVAL
    forced = pirq in domain.bound
    if forced:
        _complain(
            w, "xen_forcing_unbind", w.traits.xen.forcing_unbind, domid, "gwarning", pirq=pirq
        )
        if mapped.device is not None:
            w.deeds.append(Deed("forced_unbind", mapped.device, domid, pirq))
    msi_free_vector(w, mapped.vector)
    if forced:
        domain.table[pirq] = Mapped(-mapped.vector, mapped.device)
    else:
        del domain.table[pirq]
    domain.access &= ~(1 << pirq)
    return 0


def msi_free_vector(w: Ledgers, vector: int) -> None:
    """Drop the vector's descriptor and free it; without a descriptor the vector leaks.

    xen/arch/x86/msi.c: msi_free_vector().  MSI is switched off in the hardware, MSI-X is not.
    """
    descriptor = w.descriptors.get(vector)
    if descriptor is None:
        return
    if not descriptor.is_msix:
        w.device(descriptor.device).hw_msi = False
    w.set_descriptor(vector, None)
    free_irq_vector(w, vector)


def _complain(
    w: Ledgers,
    kind: str,
    source: tuple[str, int],
    domid: int,
    level: str = "gerr",
    **fields: object,
) -> None:
    """A guest-marked message under its file and line (xen/include/xen/lib.h: dprintk())."""
    w.xen(
        level, kind, {"source_file": source[0], "source_line": source[1], "domid": domid, **fields}
    )


def evtchn_bind_pirq(w: Ledgers, domid: int, pirq: int) -> int:
    """A kernel binds an event channel to a pirq; 0 or a negative errno.

    xen/common/event_channel.c: evtchn_bind_pirq().  Lack of access is refused without a message.
    """
    domain = w.running(domid, "pv", "dom0")
    if not 0 <= pirq <= PIRQ_MAX:
        return EINVAL
    if not domain.access >> pirq & 1:
        return EPERM
    if pirq in domain.bound:
        _complain(
            w, w.traits.xen.evtchnop_kind, w.traits.xen.evtchnop, domid, "gwarning", error=EEXIST
        )
        return EEXIST
    mapped = domain.table.get(pirq)
    if mapped is None or mapped.vector == 0:
        return EINVAL
    if mapped.vector < 0:
        _unsigned_vector(w)
        return EINVAL
    ports = set(domain.bound.values())
    port = 1
    while port in ports:
        port += 1
    domain.bound[pirq] = port
    return 0


def evtchn_close(w: Ledgers, domid: int, pirq: int) -> bool:
    """A kernel closes the event channel of a pirq; whether there was one.

    xen/common/event_channel.c: evtchn_close().
    """
    return pirq_guest_unbind(w, w.running(domid, "pv", "dom0"), pirq)


def pt_irq_create_bind_vtd(w: Ledgers, domid: int, pirq: int) -> None:
    """Attach an HVM domain's interrupt to a pirq; it needs no event channel.

    xen/drivers/passthrough/io.c: pt_irq_create_bind_vtd().
    """
    domain = w.domain(domid)
    if domain is not None:
        domain.bound[pirq] = 0


def pirq_guest_unbind(w: Ledgers, domain: Domain, pirq: int) -> bool:
    """Detach a domain from a pirq; whether it was attached.

    xen/arch/x86/irq.c: pirq_guest_unbind().  A forcibly unbound pirq becomes free here.
    """
    if pirq not in domain.bound:
        return False
    mapped = domain.table.get(pirq)
    if mapped is not None and mapped.vector < 0:
        _unsigned_vector(w)
        del domain.table[pirq]
    del domain.bound[pirq]
    return True


def _unsigned_vector(w: Ledgers) -> None:
    """Xen 3.4.4 indexes its descriptors with the negative vector."""
    if not w.traits.xen.signed_vectors:
        raise CrashError("xen", "invalid memory access")


def device_of(w: Ledgers, domid: int, pirq: int) -> PciAddress | None:
    """The device whose interrupt the pirq of the domain really is; None if it is not mapped."""
    domain = w.domains.get(domid)
    mapped = None if domain is None else domain.table.get(pirq)
    return None if mapped is None or mapped.vector <= 0 else mapped.device
