"""Prints effects as the kernels would: the byte-exact text of each message, without its newline."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from emulator.effects import Effect
from emulator.pci import PciAddress

LogLine = tuple[str, str, str]

_READONLY = (
    "Driver tried to write to a read-only configuration space field at offset 0x{offset:x}, "
    "size {size}. This may be harmless, but if you have problems with your device:"
)
TABLE: dict[str, str] = {
    "cant_enable_msi_msix_assigned": "PCI: {device}: Can't enable MSI.  "
    "Device already has MSI-X vectors assigned",
    "cant_enable_msix_msi_assigned": "PCI: {device}: Can't enable MSI-X.  "
    "Device already has an MSI vector assigned",
    "dom0_get_owner": "get owner for dev {device.devfn:x} get {domid:x} ",
    "failed_obtain_pirq": "Failed to obtain physical IRQ {pirq}",
    "map_irq_failed": "map irq failed",
    "msix_entry_not_freed": "msix entry {entry_nr} for dev "
    "{device.bus:02x}:{device.slot:02x}:{device.function:01x} are "
    "\t\t\t\t       not freed before acquire again.",
    "msix_prune_entry": "PCI: {device}: cleaning up MSI-X entry {entry_nr}",
    "msix_prune_mask_base": "PCI: {device}: cleaning up mask_base",
    "pci_enabling_device": "PCI: Enabling device {device} ({old_command:04x} -> {new_command:04x})",
    "pci_latency_timer": "PCI: Setting latency timer of device {device} to {latency}",
    "pciback_cant_locate": "pciback pci-{domid}-0: {errno} Couldn't locate PCI device ({device})! "
    "perhaps already in-use?",
    "pciback_enable_msi_error": "error enable msi for guest {domid:x} status {status:x}",
    "pciback_no_owner": "no owner",
    "pciback_readonly_write": "pciback {device}: " + _READONLY,
    "pciback_readonly_write_2": "1) see permissive attribute in sysfs",
    "pciback_readonly_write_3": "2) report problems to the xen-devel mailing list along with "
    "details of your device obtained from lspci.",
    "pciback_remove_in_use_1": "pciback: ****** removing device {device} while still in-use! "
    "******",
    "pciback_remove_in_use_2": "pciback: ****** driver domain may still access this device's "
    "i/o resources!",
    "pciback_remove_in_use_3": "pciback: ****** shutdown driver domain before binding device",
    "pciback_remove_in_use_4": "pciback: ****** to other drivers or domains",
    "pciback_seizing": "pciback {device}: seizing device",
    "pciback_vpci_assign": "pciback: vpci: {device}: assign to virtual slot {virtual_slot}",
    "pciback_vpci_assign_func": "pciback: vpci: {device}: assign to virtual slot {virtual_slot} "
    "func {virtual_function}",
    "unmap_irq_failed": "unmap irq {pirq:x} failed",
    "xen_core_pci_warn": "BUG: warning at drivers/xen/core/pci.c:41/pci_bus_remove_wrapper()",
    "xen_evtchnop_32": "{source_file}:{source_line}:d{domid} EVTCHNOP failure: error {error}",
    "xen_forcing_unbind": "{source_file}:{source_line}: dom{domid}: forcing unbind of pirq {pirq}",
    "xen_map_already": "{source_file}:{source_line}: dom{domid}: "
    "{map_index}:{wanted_pirq} already mapped to {pirq}",
    "xen_map_wrong_vector": "{source_file}:{source_line}: dom{domid}: "
    "map irq with wrong vector {bad_vector}",
    "xen_no_free_pirq": "{source_file}:{source_line}: dom{domid}: no free pirq",
    "xen_pci_add": "PCI add device {device.bus:02x}:{device.slot:02x}.{device.function:x}",
    "xen_pci_remove": "PCI remove device {device.bus:02x}:{device.slot:02x}.{device.function:x}",
    "xen_pirq_not_mapped": "{source_file}:{source_line}: dom{domid}: pirq {pirq} not mapped",
}
# One printk with inner newlines is one production a line.
_CONTINUATIONS = ("pciback_readonly_write_2", "pciback_readonly_write_3")


def _print_by_table(effect: Effect) -> str:
    return TABLE[effect.kind].format(**effect.fields)


PRINT: Callable[[Effect], str] = _print_by_table


def log_of(effects: Iterable[Effect]) -> list[LogLine]:
    """What dom0 and Xen log, as (source, level, text); guests are left out."""
    lines: list[LogLine] = []
    for effect in effects:
        if effect.speaker == "guest":
            continue
        text = PRINT(effect)
        if effect.kind in _CONTINUATIONS:
            source, level, so_far = lines.pop()
            lines.append((source, level, f"{so_far}\n{text}"))
        else:
            lines.append((effect.speaker, effect.level, text))
    return lines


def address(text: str) -> PciAddress:
    """A device of a trace."""
    return PciAddress.parse(text)
