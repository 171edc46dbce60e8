"""pciback's list of seized devices: who owns one, and what happens when it changes hands.

Read in drivers/xen/pciback/pci_stub.c of 2.6.18-164 to -274.7.1.

**Invariant:** changes the record only through `dom0`.
"""

from __future__ import annotations

from typing import Final

from emulator import dom0, vpci
from emulator.effects import Deed
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.pci_core import pci_disable_device, pci_enable_device, pci_write_command
from emulator.records import Device, present_life

PCIBACK: Final = "pciback"


def pciback_init(w: Ledgers) -> None:
    """The module is loaded: from now on dom0 asks it for the owners of devices (pciback_init())."""
    w.pciback_loaded = True


def pciback_reset_device(w: Ledgers, device: Device) -> None:
    """Reset a device (pciback_reset_device()): here the fixes of bug 688673 differ."""
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
    """Seize a device (pcistub_probe(), pcistub_init_device()).

    The reset runs before the device is on the stub list, so it finds no owner.
    """
    w.dom0("info", "pciback_seizing", {"device": device.config.address})
    pci_enable_device(w, device)
    pciback_reset_device(w, device)
    device.seized = True
    device.owner = None
    device.kref = 1
    device.warned = False


def pcistub_get_pci_dev_by_slot(w: Ledgers, domid: int, address: PciAddress) -> bool:
    """Give a seized device to the domain (pcistub_get_pci_dev_by_slot()); False if it has an owner
    or is not seized."""
    device = w.device(address)
    if not device.seized or device.owner is not None:
        return False
    device.kref += 1
    device.owner = domid
    device.assignment += 1
    return True


def pcistub_put_pci_dev(w: Ledgers, device: Device) -> None:
    """Take a device back from its owner (pcistub_put_pci_dev()).

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
    """Let a seized device go (pcistub_remove(), pcistub_device_release())."""
    owner = device.owner
    if owner is not None:
        w.dom0("warning", "pciback_remove_in_use_1", {"device": device.config.address})
        for line in (2, 3, 4):
            w.dom0("warning", f"pciback_remove_in_use_{line}")
        vpci.pciback_release_pci_dev(w, owner, device.config.address)
        pcistub_put_pci_dev(w, device)
    device.seized = False
    device.kref -= 1
    if not device.kref:
        # pcistub_device_release(); only reached while no owner lookup has leaked a reference yet.
        pciback_reset_device(w, device)
