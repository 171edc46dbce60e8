"""A guest's view of its device's configuration space, as far as pciback lets it through.

Read in drivers/xen/pciback/ (conf_space.c, conf_space_header.c) of 2.6.18-164 to -274.7.1.

**Invariant:** never touches a ledger: a guest's write can clear dom0's flag and no more.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from emulator.ledgers import Ledgers
from emulator.pci_core import (
    COMMAND_DECODE,
    COMMAND_MASTER,
    pci_disable_device,
    pci_enable_device,
    pci_set_master,
    pci_write_command,
)
from emulator.records import Device

COMMAND_OFFSET: Final = 4
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
    touched = _touched(offset, size)
    if COMMAND_OFFSET in touched:
        command_write(w, device, _merged(command_read(device), offset, size, value))
    if not touched and not device.warned:
        device.warned = True
        fields = {"device": device.config.address, "offset": offset, "size": size}
        w.dom0("warning", "pciback_readonly_write", fields)
        w.dom0("warning", "pciback_readonly_write_2")
        w.dom0("warning", "pciback_readonly_write_3")
    return True


@cache
def _touched(offset: int, size: int) -> tuple[int, ...]:
    """Where the intercepted fields begin that an access reaches."""
    end = offset + size
    return tuple(
        start
        for start, length in _FIELDS
        if start <= offset < start + length or start < end <= start + length
    )


def _merged(current: int, offset: int, size: int, value: int) -> int:
    """PCI_COMMAND with the written bytes in it (conf_space.c: merge_value())."""
    mask = (1 << 8 * size) - 1
    shift = (offset - COMMAND_OFFSET) * 8
    if shift >= 0:
        mask, value = mask << shift, value << shift
    else:
        mask, value = mask >> -shift, value >> -shift
    return (current & ~mask | value & mask) & 0xFFFF
