"""The PCI core of dom0's kernel, as far as it touches the flags, the command register and the bits.

Read in drivers/pci/pci.c, drivers/pci/msi.h and arch/i386/pci/i386.c of 2.6.18-164 to -274.7.1.

**Invariant:** never touches a ledger: that flag and record part ways here is the root of the bug.
"""

from __future__ import annotations

from typing import Final

from emulator.ledgers import Ledgers
from emulator.records import Device

COMMAND_IO: Final = 0x1
COMMAND_MEMORY: Final = 0x2
COMMAND_DECODE: Final = COMMAND_IO | COMMAND_MEMORY
COMMAND_MASTER: Final = 0x4
COMMAND_INTX_DISABLE: Final = 0x400
# A virtual function's command register has no decode bits; they read 0 (SR-IOV 1.0, 3.4.1.3).
_VF_WRITABLE: Final = COMMAND_MASTER
_WRITABLE: Final = 0x0547
LATENCY: Final = 64


def pci_write_command(device: Device, value: int) -> None:
    """Write PCI_COMMAND; only the bits that the hardware has stick."""
    mask = _VF_WRITABLE if device.config.is_vf else _WRITABLE
    device.cmd = device.cmd & ~mask | value & mask


def pci_enable_device(w: Ledgers, device: Device) -> None:
    """drivers/pci/pci.c: pci_enable_device() with arch/i386/pci/i386.c: pcibios_enable_resources().

    The decode bit of a virtual function does not stick, so its line is printed every time.
    """
    if device.is_enabled:
        return
    device.is_enabled = True
    wanted = device.cmd | device.config.decode
    if wanted != device.cmd:
        w.dom0(
            "default",
            "pci_enabling_device",
            {"device": device.config.address, "old_command": device.cmd, "new_command": wanted},
        )
        pci_write_command(device, wanted)


def pci_set_master(w: Ledgers, device: Device) -> None:
    """drivers/pci/pci.c: pci_set_master() with arch/i386/pci/i386.c: pcibios_set_master()."""
    pci_write_command(device, device.cmd | COMMAND_MASTER)
    device.is_busmaster = True
    w.dom0("debug", "pci_latency_timer", {"device": device.config.address, "latency": LATENCY})


def pci_disable_device(device: Device) -> None:
    """drivers/pci/pci.c: pci_disable_device().

    It looks up the MSI capability to clear MSI-X Enable: the flag goes, the hardware's bit and
    dom0's record stay (every el5 kernel, -8 to -274.7.1).
    """
    if device.msi_enabled:
        disable_msi_mode(device)
    if device.msix_enabled:
        disable_msix_mode(device, right_position=False)
    pci_write_command(device, device.cmd & ~COMMAND_MASTER)
    device.is_busmaster = False
    pci_write_command(device, device.cmd & ~COMMAND_DECODE)
    device.is_enabled = False


def enable_msi_mode(device: Device, *, is_msix: bool) -> None:
    """drivers/pci/msi-xen.c: enable_msi_mode(): bit, flag, and INTx off on PCI Express."""
    if is_msix:
        device.hw_msix = device.msix_enabled = True
    else:
        device.hw_msi = device.msi_enabled = True
    if device.config.has_exp:
        pci_write_command(device, device.cmd | COMMAND_INTX_DISABLE)


def disable_msi_mode(device: Device) -> None:
    """drivers/pci/msi-xen.c: disable_msi_mode() for MSI."""
    device.hw_msi = device.msi_enabled = False
    _pci_intx_on(device)


def disable_msix_mode(device: Device, *, right_position: bool) -> None:
    """drivers/pci/msi-xen.c: disable_msi_mode() for MSI-X, at the position that the caller
    found."""
    if right_position:
        device.hw_msix = False
    device.msix_enabled = False
    _pci_intx_on(device)


def _pci_intx_on(device: Device) -> None:
    """drivers/pci/pci.c: pci_intx()."""
    if device.config.has_exp:
        pci_write_command(device, device.cmd & ~COMMAND_INTX_DISABLE)
