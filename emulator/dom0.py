"""dom0's ledger: drivers/pci/msi-xen.c, in that file's order.

Read in 2.6.18-164 to -274.7.1 (identical there); the prune is known from bug 688673 only.
Deeds carry, beside what the kernel knows, for whom a pair was attached: `present_life` and `Pair`.

**Invariant:** no branch of a kernel function reads a pair's witness (from_domid, assignment).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emulator import xen
from emulator.effects import Deed
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.pci_core import disable_msi_mode, disable_msix_mode, enable_msi_mode
from emulator.records import DOM0, Device, Pair, present_life

ERRNO_NAMES: Mapping[int, str] = {
    -1: "EPERM",
    -2: "ENOENT",
    -3: "ESRCH",
    -12: "ENOMEM",
    -16: "EBUSY",
    -17: "EEXIST",
    -19: "ENODEV",
    -22: "EINVAL",
    -28: "ENOSPC",
    -38: "ENOSYS",
}


def is_own(device: Device, pair: Pair) -> bool:
    """Whether the pair was attached in the present assignment of the device."""
    return (pair.from_domid, pair.assignment) == present_life(device)


def get_msi_dev_pirq_list(device: Device) -> None:
    """The device's record comes into being on the first call (get_msi_dev_pirq_list())."""
    device.node = True


def msi_get_dev_owner(w: Ledgers, device: Device) -> int:
    """The domain for which a hypercall will be made (msi_get_dev_owner()).

    The callback is drivers/xen/pciback/pci_stub.c: pciback_get_owner(); the reference that it takes
    is never given back.
    """
    if not w.pciback_loaded:
        return DOM0
    if device.seized:
        device.kref += 1
        if device.owner is not None:
            address = device.config.address
            partial = PciAddress(None, None, address.slot, address.function)
            w.dom0("info", "dom0_get_owner", {"device": partial, "domid": device.owner})
            return device.owner
    w.dom0("warning", "pciback_no_owner")
    return DOM0


def msi_unmap_pirq(w: Ledgers, device: Device, pirq: int, pair: Pair | None) -> None:
    """Unmap for the present owner; no caller looks at the result (msi_unmap_pirq())."""
    domid = msi_get_dev_owner(w, device)
    victim: PciAddress | None = None
    ret = w.fails("unmap_pirq")
    if ret is None:
        victim = xen.device_of(w, domid, pirq)
        ret = xen.unmap_domain_pirq(w, domid, pirq)
    if ret:
        w.dom0("warning", "unmap_irq_failed", {"pirq": pirq})
    if pair is None:
        entry_nr, life = None, device.irq_from or (domid, present_life(device)[1])
    else:
        entry_nr, life = pair.entry_nr, (pair.from_domid, pair.assignment)
    address = device.config.address
    w.deeds.append(
        Deed(
            kind="unmap_refused" if ret else "unmapped",
            device=address,
            domid=domid,
            pirq=pirq,
            entry_nr=entry_nr,
            from_domid=life[0],
            same_life=life == present_life(device),
            other=None if victim == address else victim,
            note=ERRNO_NAMES.get(ret, str(ret)) if ret else "",
        )
    )


def msi_map_pirq_to_vector(w: Ledgers, device: Device, entry_nr: int, *, is_msix: bool) -> int:
    """Map for the present owner; the pirq or a negative errno (msi_map_pirq_to_vector())."""
    domid = msi_get_dev_owner(w, device)
    pirq = -1
    ret = w.fails("map_pirq")
    if ret is None and w.fails("map_nosupport") is None:
        pirq = xen.physdev_map_pirq(w, domid, device, entry_nr, is_msix=is_msix)
        ret = min(pirq, 0)
    if ret:
        w.dom0("warning", "map_irq_failed")
    if pirq < 0:
        # A hypervisor without MSI answers success and leaves the pirq at -1.
        ret = ret or xen.ENOSYS
        note = ERRNO_NAMES.get(ret, str(ret))
        w.deeds.append(
            Deed("map_refused", device.config.address, domid, entry_nr=entry_nr, note=note)
        )
        return ret
    w.deeds.append(Deed("mapped", device.config.address, domid, pirq, entry_nr, domid))
    return pirq


def attach_pirq_entry(w: Ledgers, device: Device, pirq: int, entry_nr: int) -> None:
    """Append to the record; lack of memory goes unnoticed (attach_pirq_entry())."""
    if w.fails("attach_nomem") is None:
        device.entries = (*device.entries, Pair(pirq, entry_nr, *present_life(device)))


def _first(device: Device, entry_nr: int) -> Pair | None:
    """The first pair of the record with this entry number."""
    for pair in device.entries:
        if pair.entry_nr == entry_nr:
            return pair
    return None


def _detach(device: Device, pair: Pair | None) -> None:
    """Delete one pair of the record."""
    if pair is not None:
        at = device.entries.index(pair)
        device.entries = device.entries[:at] + device.entries[at + 1 :]


def msix_capability_init(w: Ledgers, device: Device, entries: Sequence[int]) -> tuple[int, ...]:
    """Find or map a pirq for each entry; the pirqs, or () after a failure and its rollback.

    msix_capability_init().  An entry that is still in the record counts as success, without an
    owner lookup and without a hypercall: this is where a stale pirq is handed out.
    """
    if not device.mask_base and w.fails("ioremap_null") is None:
        device.mask_base = True
    pirqs: list[int] = []
    for entry_nr in entries:
        pair = _first(device, entry_nr)
        if pair is not None:
            _serve(w, device, pair)
            pirqs.append(pair.pirq)
            continue
        pirq = msi_map_pirq_to_vector(w, device, entry_nr, is_msix=True)
        if pirq < 0:
            # The rollback unmaps stale pairs just as those that it has mapped itself.
            for done in reversed(range(len(pirqs))):
                pair = _first(device, entries[done])
                msi_unmap_pirq(w, device, pirqs[done], pair)
                _detach(device, pair)
            return ()
        attach_pirq_entry(w, device, pirq, entry_nr)
        pirqs.append(pirq)
    enable_msi_mode(device, is_msix=True)
    return tuple(pirqs)


def _serve(w: Ledgers, device: Device, pair: Pair) -> None:
    """Answer an entry from the record."""
    address = device.config.address
    w.dom0("warning", "msix_entry_not_freed", {"entry_nr": pair.entry_nr, "device": address})
    w.deeds.append(
        Deed(
            "served",
            address,
            present_life(device)[0],
            pair.pirq,
            pair.entry_nr,
            pair.from_domid,
            is_own(device, pair),
        )
    )


def pci_enable_msi(w: Ledgers, device: Device) -> int:
    """0 or a negative errno (pci_enable_msi()); whether MSI is on already is not checked."""
    get_msi_dev_pirq_list(device)
    config = device.config
    if w.nomsi or config.no_msi or not config.has_msi:
        return xen.EINVAL
    if device.msix_enabled:
        w.dom0("info", "cant_enable_msi_msix_assigned", {"device": config.address})
        return xen.EINVAL
    pirq = msi_map_pirq_to_vector(w, device, 0, is_msix=False)
    if pirq < 0:
        return xen.EBUSY
    device.default_irq = device.irq
    device.irq = pirq
    device.irq_from = present_life(device)
    enable_msi_mode(device, is_msix=False)
    return 0


def pci_disable_msi(w: Ledgers, device: Device) -> None:
    """pci_disable_msi(): as shipped it unmaps dev->irq even if MSI was never enabled."""
    get_msi_dev_pirq_list(device)
    if w.nomsi or (w.traits.disable_checks_flag and not device.msi_enabled):
        return
    if not device.config.has_msi:
        return
    pirq = device.irq
    device.irq = device.default_irq
    msi_unmap_pirq(w, device, pirq, None)
    device.irq_from = None
    disable_msi_mode(device)


def pci_enable_msix(
    w: Ledgers, device: Device, entries: Sequence[int]
) -> tuple[int, tuple[int, ...]]:
    """(0, pirqs) or (negative errno, ()) (pci_enable_msix()).

    Whether MSI-X is on already is not checked.
    """
    get_msi_dev_pirq_list(device)
    config = device.config
    size = 0 if w.nomsi or config.no_msi else config.msix_entries
    if not size or len(entries) > size or any(each >= size for each in entries):
        return xen.EINVAL, ()
    if len(set(entries)) != len(entries):
        return xen.EINVAL, ()
    if device.msi_enabled:
        w.dom0("info", "cant_enable_msix_msi_assigned", {"device": config.address})
        return xen.EINVAL, ()
    if config.no_bar:
        return xen.ENODEV, ()
    pirqs = msix_capability_init(w, device, entries)
    if entries and not pirqs:
        return xen.EBUSY, ()
    device.default_irq = device.irq
    return 0, pirqs


def pci_disable_msix(w: Ledgers, device: Device) -> None:
    """pci_disable_msix(): gated by the hardware's Enable bit, not (until c/s 956) by the flag."""
    get_msi_dev_pirq_list(device)
    if w.nomsi or (w.traits.disable_checks_flag and not device.msix_enabled):
        return
    if not device.config.msix_entries or not device.hw_msix:
        return
    msi_remove_pci_irq_vectors(w, device)
    disable_msix_mode(device, right_position=True)


def msi_remove_pci_irq_vectors(w: Ledgers, device: Device) -> None:
    """Flush the record, in list order (msi_remove_pci_irq_vectors()); flags and bits stay."""
    if w.nomsi:
        return
    get_msi_dev_pirq_list(device)
    pairs, device.entries = device.entries, ()
    for pair in pairs:
        msi_unmap_pirq(w, device, pair.pirq, pair)
    device.mask_base = False
    device.irq = device.default_irq


def msi_prune_pci_irq_vectors(w: Ledgers, device: Device) -> None:
    """Drop the record without a hypercall (msi_prune_pci_irq_vectors(), 2.6.18-283).

    The level of its two lines is not known; info is assumed.
    """
    if w.nomsi or not device.node:
        return
    address = device.config.address
    domid = present_life(device)[0]
    for pair in device.entries:
        own = is_own(device, pair)
        w.dom0("info", "msix_prune_entry", {"device": address, "entry_nr": pair.entry_nr})
        w.deeds.append(
            Deed("dropped", address, domid, pair.pirq, pair.entry_nr, pair.from_domid, own)
        )
    device.entries = ()
    if device.mask_base:
        w.dom0("info", "msix_prune_mask_base", {"device": address})
        device.mask_base = False
