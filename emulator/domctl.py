"""The domains that Xen knows: made, killed, let go, and given devices by the toolstack.

Read in xen/common/domain.c and xen/drivers/passthrough/iommu.c of Xen 3.4.4.

**Invariant:** a domain leaves the hash only here, when its last reference is dropped.
"""

from __future__ import annotations

from emulator import xen
from emulator.errors import Refusal, RefusedError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import Domain


def domain_create(w: Ledgers, domid: int, kind: str = "pv", hold: int = 0) -> None:
    """Make a domain, pv or hvm; `hold` references besides the creator's keep it from going.

    xen/common/domain.c: domain_create().
    """
    if w.was_used(domid):
        raise RefusedError(Refusal.DOMID_USED)
    w.add_domain(domid, Domain(kind, hold))


def domain_kill(w: Ledgers, domid: int) -> int:
    """Destroy a domain as far as its references allow (xen/common/domain.c: domain_kill())."""
    if domid == 0:
        return xen.EINVAL
    domain = w.domain(domid)
    if domain is None:
        return xen.ESRCH
    if domain.dying:
        return 0
    domain.dying = True
    w.set_guest(domid, None)
    if domain.kind == "pv":
        for pirq in sorted(domain.bound, key=domain.bound.__getitem__):
            xen.pirq_guest_unbind(w, domain, pirq)
    put_domain(w, domid)
    return 0


def put_domain(w: Ledgers, domid: int) -> None:
    """Drop a reference; the last one takes the domain out of the hash and frees its pirqs.

    xen/common/domain.c: domain_destroy(), then xen/arch/x86/domain.c: arch_domain_destroy() with
    pci_release_devices() and free_domain_pirqs(), all silent.
    """
    domain = w.domain(domid)
    if domain is None:
        return
    domain.refs -= 1
    if domain.refs:
        return
    if domain.kind == "hvm":
        for pirq in sorted(domain.bound):
            xen.pirq_guest_unbind(w, domain, pirq)
        for address, each in tuple(w.devices.items()):
            if each.xen_owner == domid:
                device = w.device(address)
                xen.pci_cleanup_msi(w, device)
                device.xen_owner = 0
    for mapped in domain.table.values():
        if mapped.vector > 0:
            xen.msi_free_vector(w, mapped.vector)
    w.drop_domain(domid)


def free_domheap_pages(w: Ledgers, domid: int) -> None:
    """Somebody lets go of the last page that kept a killed domain.

    xen/common/page_alloc.c: free_domheap_pages(), which drops a reference then.
    """
    domain = w.domain(domid)
    if domain is None or not domain.hold or not domain.dying:
        raise RefusedError(Refusal.NOT_HELD)
    domain.hold -= 1
    put_domain(w, domid)


def assign_device(w: Ledgers, domid: int, address: PciAddress) -> int:
    """Give a device to an HVM domain for its DMA (VT-d); 0 or a negative errno.

    xen/drivers/passthrough/iommu.c: assign_device().
    """
    device = w.present(address)
    domain = w.domains.get(domid)
    if domain is None:
        return xen.EINVAL
    if domain.kind != "hvm":
        return xen.ENOSYS
    if device.xen_owner is None:
        return xen.ENODEV
    if device.xen_owner != 0:
        return xen.EINVAL
    device.xen_owner = domid
    return 0


def deassign_device(w: Ledgers, domid: int, address: PciAddress) -> int:
    """Give such a device back to dom0; 0 or a negative errno.

    xen/drivers/passthrough/iommu.c: deassign_device().
    """
    device = w.present(address)
    if domid not in w.domains:
        return xen.EINVAL
    if device.xen_owner is None:
        return xen.ENODEV
    if device.xen_owner != domid:
        return xen.EINVAL
    device.xen_owner = 0
    return 0
