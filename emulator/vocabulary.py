"""Which act can print which line, and whom a line names: tables for readers of logs.

`EMITS` and `BINDS` let a reader propose acts from lines without naming a kind of line in code.

**Invariant:** data only; that `EMITS` is complete is a test over the reference traces.
"""

from __future__ import annotations

from collections.abc import Mapping

_OWNER = frozenset({"dom0_get_owner", "pciback_no_owner"})
_MAP = _OWNER | {
    "map_irq_failed",
    "xen_map_already",
    "xen_map_wrong_vector",
    "xen_no_free_pirq",
}
_UNMAP = _OWNER | {"unmap_irq_failed", "xen_forcing_unbind", "xen_pirq_not_mapped"}
_RESET = _UNMAP | {"msix_prune_entry", "msix_prune_mask_base"}
_ENABLE_DEVICE = frozenset({"pci_enabling_device"})
_DROPPED_WRITES = frozenset(
    {"pciback_readonly_write", "pciback_readonly_write_2", "pciback_readonly_write_3"}
)
_REMOVE = _RESET | {
    "pciback_remove_in_use_1",
    "pciback_remove_in_use_2",
    "pciback_remove_in_use_3",
    "pciback_remove_in_use_4",
    "xen_core_pci_warn",
    "xen_pci_remove",
}
_DISABLE = frozenset({"disable_msix_get_err"})
_SHUTDOWN = _UNMAP | _DROPPED_WRITES | _DISABLE

EMITS: Mapping[str, frozenset[str]] = {
    "host_boot": frozenset(),
    "seize": _RESET | _ENABLE_DEVICE | {"xen_pci_add", "pciback_seizing"},
    "release": _REMOVE,
    "domain_start": frozenset(
        {
            "pciback_cant_locate",
            "pciback_vpci_assign",
            "pciback_vpci_assign_func",
        }
    ),
    "driver_load": _MAP
    | _UNMAP
    | _ENABLE_DEVICE
    | _DISABLE
    | {
        "cant_enable_msix_msi_assigned",
        "enable_msix_get_err",
        "get_from_frontend_enable_msix",
        "igbvf_msix_failed",
        "msix_entry_not_freed",
        "pci_latency_timer",
        "pciback_enable_msi_error",
        "frontend_enable_msi_failed",
        "pcifront_not_responding",
        "cant_enable_msi_msix_assigned",
        "xen_pci_add",
    },
    "ifup": frozenset(
        {
            "failed_obtain_pirq",
            "igbvf_irq_failed",
            "irq_handler_type_mismatch",
            "xen_evtchnop_32",
        }
    ),
    "ifdown": frozenset(),
    "driver_unload": _SHUTDOWN | {"xen_pci_remove"},
    "clean_shutdown": _RESET | _SHUTDOWN,
    "crash": _RESET,
    "destroy": _RESET,
    "kexec": _SHUTDOWN,
    "teardown": _RESET,
    "vf_destroy": _REMOVE,
    "pf_reload": _REMOVE,
    "flr": frozenset(),
}

# Lines that an act prints only with such a cause from outside (see `acts.FAULTS`).
FAULT_EMITS: Mapping[str, frozenset[str]] = {
    "late_answer": frozenset({"pcifront_not_responding"}),
}

# Fields of lines whose values firmware and a device's resources decide, not what was done.
FIRMWARE_FIELDS = frozenset({"old_command", "new_command"})

# How an act's arguments are read from a line that it prints: (act, kind) -> {argument: field}.
# `devices` collects the field over consecutive lines; `owner` is the domain that owns the device.
_DEVICE: Mapping[str, str] = {"device": "device"}
_OWNED: Mapping[str, str] = {"device": "device", "domid": "owner"}
_TOLD: Mapping[str, str] = {"device": "device", "domid": "domid"}
_START: Mapping[str, str] = {"devices": "device"}
_ENDS = ("clean_shutdown", "crash", "destroy", "teardown")

BINDS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("seize", "xen_pci_add"): _DEVICE,
    ("seize", "pciback_seizing"): _DEVICE,
    ("seize", "pci_enabling_device"): _DEVICE,
    ("release", "pciback_remove_in_use_1"): _DEVICE,
    ("release", "xen_pci_remove"): _DEVICE,
    ("vf_destroy", "pciback_remove_in_use_1"): _DEVICE,
    ("vf_destroy", "xen_pci_remove"): _DEVICE,
    ("pf_reload", "pciback_remove_in_use_1"): _DEVICE,
    ("pf_reload", "xen_pci_remove"): _DEVICE,
    ("domain_start", "pciback_vpci_assign"): _START,
    ("domain_start", "pciback_vpci_assign_func"): _START,
    ("domain_start", "pciback_cant_locate"): {"devices": "device", "domid": "domid"},
    ("driver_load", "pci_enabling_device"): _OWNED,
    ("driver_load", "pci_latency_timer"): _OWNED,
    ("driver_load", "msix_entry_not_freed"): _OWNED,
    ("driver_load", "dom0_get_owner"): _TOLD,
    ("driver_unload", "dom0_get_owner"): _TOLD,
    **{(end, "dom0_get_owner"): _TOLD for end in _ENDS},
    **{(end, "msix_prune_entry"): _OWNED for end in _ENDS},
    **{(end, "msix_prune_mask_base"): _OWNED for end in _ENDS},
}
