"""pciback: who owns a device, and what a guest may do to its configuration space.

Read in drivers/xen/pciback/ (pci_stub.c, vpci.c, xenbus.c, conf_space*.c) of 2.6.18-164 to
-274.7.1.

**Invariant:** changes the record only through `dom0`.
"""

from __future__ import annotations

from emulator import dom0, xen
from emulator.effects import Deed
from emulator.ledgers import ImpossibleError, Ledgers
from emulator.pci import PciAddress
from emulator.pci_core import (
    COMMAND_DECODE,
    COMMAND_MASTER,
    pci_disable_device,
    pci_enable_device,
    pci_set_master,
    pci_write_command,
)
from emulator.records import (
    BACKEND_CLOSING,
    BACKEND_INIT_WAIT,
    BACKEND_INITIALISED,
    Backend,
    Device,
    present_life,
)

VPCI_SLOTS = 32
COMMAND_OFFSET = 4
# Offset and size of the fields that pciback intercepts (conf_space_header.c: header_0[]).
_FIELDS = (
    (0x00, 2),
    (0x02, 2),
    (0x04, 2),
    (0x3C, 1),
    (0x3D, 1),
    (0x0C, 1),
    (0x0D, 1),
    (0x0F, 1),
    (0x10, 4),
    (0x14, 4),
    (0x18, 4),
    (0x1C, 4),
    (0x20, 4),
    (0x24, 4),
    (0x30, 4),
)


def pciback_reset_device(w: Ledgers, device: Device) -> None:
    """pci_stub.c: pciback_reset_device(), where the fixes of bug 688673 differ."""
    if w.traits.reset_disables:
        if device.msix_enabled:
            dom0.pci_disable_msix(w, device)
        if device.msi_enabled:
            dom0.pci_disable_msi(w, device)
    if w.traits.reset_prunes:
        dom0.msi_prune_pci_irq_vectors(w, device)
    pci_disable_device(device)
    pci_write_command(device, 0)
    device.is_enabled = device.is_busmaster = False


def pcistub_probe(w: Ledgers, device: Device) -> None:
    """Seize a device (pci_stub.c: pcistub_probe(), pcistub_init_device()).

    The reset runs before the device is on the stub list, so it finds no owner.
    """
    xen.pci_add_device(w, device)
    w.dom0("info", "pciback_seizing", {"device": device.config.address})
    pci_enable_device(w, device)
    pciback_reset_device(w, device)
    device.seized = True
    device.owner = None
    device.kref = 1
    device.warned = False
    device.driver = "pciback"


def pcistub_put_pci_dev(w: Ledgers, device: Device) -> None:
    """Take a device back from its owner (pci_stub.c: pcistub_put_pci_dev()).

    The reset runs with the departing owner still set.
    """
    pciback_reset_device(w, device)
    owner = present_life(device)[0]
    for pair in device.entries:
        w.deeds.append(
            Deed(
                "left",
                device.config.address,
                owner,
                pair.pirq,
                pair.entry_nr,
                pair.from_domid,
                dom0.is_own(device, pair),
                clean=w.clean,
            )
        )
    device.owner = None
    device.kref -= 1


def pcistub_remove(w: Ledgers, device: Device) -> None:
    """Let a seized device go (pci_stub.c: pcistub_remove(), pcistub_device_release())."""
    owner = device.owner
    if owner is not None:
        w.dom0("warning", "pciback_remove_in_use_1", {"device": device.config.address})
        for line in (2, 3, 4):
            w.dom0("warning", f"pciback_remove_in_use_{line}")
        _take_off_bus(w, owner, device.config.address)
        pcistub_put_pci_dev(w, device)
    device.seized = False
    device.kref -= 1
    if not device.kref:
        # Only reached while no owner lookup has leaked a reference yet.
        pciback_reset_device(w, device)


def unbind(w: Ledgers, device: Device) -> None:
    """Detach the device's driver, pciback or native (drivers/base: driver_detach())."""
    if device.driver == "pciback":
        pcistub_remove(w, device)
    device.driver = ""
    xen.pci_remove_device(w, device)


def _take_off_bus(w: Ledgers, domid: int, address: PciAddress) -> None:
    """vpci.c: pciback_release_pci_dev()."""
    backend = w.backends[domid]
    slots = tuple(tuple(each for each in slot if each != address) for slot in backend.slots)
    w.set_backend(domid, backend._replace(slots=slots))


def pciback_attach(w: Ledgers, domid: int, devices: tuple[PciAddress, ...]) -> None:
    """Create the domain's backend and claim its devices (xenbus.c: pciback_setup_backend())."""
    w.set_backend(domid, Backend(BACKEND_INIT_WAIT, False, (), devices))
    state = BACKEND_INITIALISED
    for address in devices:
        if not pciback_export_device(w, domid, address):
            state = BACKEND_CLOSING
            break
    w.set_backend(domid, w.backends[domid]._replace(state=state))


def pciback_export_device(w: Ledgers, domid: int, address: PciAddress) -> bool:
    """Claim one device for the domain; False if it is busy or not seized.

    xenbus.c: pciback_export_device() with pci_stub.c: pcistub_get_pci_dev_by_slot().
    """
    device = w.device(address)
    if not device.seized or device.owner is not None:
        fields = {"domid": domid, "devid": 0, "errno": -xen.EINVAL, "device": address}
        w.dom0("err", "pciback_cant_locate", fields)
        note = "busy" if device.seized else "no stub"
        w.deeds.append(Deed("assign_refused", address, domid, from_domid=device.owner, note=note))
        return False
    device.kref += 1
    device.owner = domid
    device.assignment += 1
    pciback_add_pci_dev(w, domid, address)
    return True


def pciback_add_pci_dev(w: Ledgers, domid: int, address: PciAddress) -> None:
    """Put the device on the domain's virtual bus (vpci.c: pciback_add_pci_dev()).

    Functions of one physical slot share a virtual slot; otherwise the first empty one is taken.
    """
    backend = w.backends[domid]
    slots = list(backend.slots)
    for number, slot in enumerate(slots):
        if slot and slot[0][:3] == address[:3]:
            slots[number] = (*slot, address)
            w.dom0(
                "info",
                "pciback_vpci_assign_func",
                {
                    "device": address,
                    "virtual_slot": number,
                    "virtual_function": address.function,
                },
            )
            break
    else:
        number = next((at for at, slot in enumerate(slots) if not slot), len(slots))
        if number >= VPCI_SLOTS:
            raise ImpossibleError(f"the virtual bus of domain {domid} has {VPCI_SLOTS} slots")
        slots[number : number + 1] = [(address,)]
        w.dom0("info", "pciback_vpci_assign", {"device": address, "virtual_slot": number})
    w.set_backend(domid, backend._replace(slots=tuple(slots)))


def pciback_disconnect(w: Ledgers, domid: int) -> None:
    """Unmap the guest's ring; that may drop the domain's last reference.

    xenbus.c: pciback_disconnect().
    """
    backend = w.backends[domid]
    if backend.ring:
        w.set_backend(domid, backend._replace(ring=False))
        xen.put_domain(w, domid)


def pciback_release_devices(w: Ledgers, domid: int) -> None:
    """The backend goes away (xenbus.c: free_pdev(), vpci.c: pciback_release_devices())."""
    pciback_disconnect(w, domid)
    for address in w.backends[domid].devices():
        pcistub_put_pci_dev(w, w.device(address))
    w.set_backend(domid, None)


def command_read(device: Device) -> int:
    """PCI_COMMAND as a guest reads it (conf_space_header.c: command_read(), 2.6.18-238)."""
    return device.cmd | (device.config.decode if device.is_enabled else 0)


def command_write(w: Ledgers, device: Device, value: int) -> None:
    """A guest writes PCI_COMMAND (conf_space_header.c: command_write()).

    Clearing both decode bits runs pci_disable_device() in dom0: the flag goes, the record stays.
    """
    if not device.is_enabled and value & COMMAND_DECODE:
        pci_enable_device(w, device)
    elif device.is_enabled and not value & COMMAND_DECODE:
        pci_disable_device(device)
    if not device.is_busmaster and value & COMMAND_MASTER:
        pci_set_master(w, device)
    pci_write_command(device, value)


def pciback_config_write(w: Ledgers, device: Device, offset: int, size: int, value: int) -> bool:
    """A guest's configuration write; False if the access is not aligned.

    conf_space.c: pciback_config_write(): what hits no intercepted field is dropped, with one
    warning (of three lines) per seizure.
    """
    if size not in (1, 2, 4) or offset % size:
        return False
    end = offset + size
    touched = [
        start
        for start, length in _FIELDS
        if start <= offset < start + length or start < end <= start + length
    ]
    if COMMAND_OFFSET in touched:
        command_write(w, device, _merged(command_read(device), offset, size, value))
    if not touched and not device.warned:
        device.warned = True
        fields = {"device": device.config.address, "offset": offset, "size": size}
        w.dom0("warning", "pciback_readonly_write", fields)
        w.dom0("warning", "pciback_readonly_write_2")
        w.dom0("warning", "pciback_readonly_write_3")
    return True


def _merged(current: int, offset: int, size: int, value: int) -> int:
    """PCI_COMMAND with the written bytes in it (conf_space.c: merge_value())."""
    mask = (1 << 8 * size) - 1
    shift = (offset - COMMAND_OFFSET) * 8
    if shift >= 0:
        mask, value = mask << shift, value << shift
    else:
        mask, value = mask >> -shift, value >> -shift
    return (current & ~mask | value & mask) & 0xFFFF
