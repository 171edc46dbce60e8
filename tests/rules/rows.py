"""Facts in one line: ``model("pairs_left", domid=1)``, device and boot being told by default."""

from __future__ import annotations

from diagnose.events import Line
from diagnose.facts import Fact

DEVICE = "0000:01:10.0"
OTHER = "0000:03:10.0"
KINDS = {
    "pciback_no_owner": (),
    "map_irq_failed": (),
    "unmap_irq_failed": ("pirq",),
    "enable_msix_get_err": ("status",),
    "get_from_frontend_enable_msix": ("status",),
    "igbvf_msix_failed": ("device",),
    "igbvf_irq_failed": ("device", "error"),
    "failed_obtain_pirq": ("pirq",),
    "irq_handler_type_mismatch": ("pirq",),
    "pciback_cant_locate": ("domid", "errno", "device"),
    "xm_already_assigned_el5": ("device",),
    "xen_pirq_not_mapped": ("source_file", "source_line", "domid", "pirq"),
    "xen_forcing_unbind": ("source_file", "source_line", "domid", "pirq"),
    "xen_core_pci_warn": (),
    "pciback_remove_in_use_1": ("device",),
    "pciback_remove_in_use_2": (),
    "pciback_remove_in_use_3": (),
    "pciback_remove_in_use_4": (),
    "xen_no_free_pirq": ("source_file", "source_line", "domid"),
    "xen_map_wrong_vector": ("source_file", "source_line", "domid", "bad_vector"),
    "xen_map_already": ("source_file", "source_line", "domid", "map_index", "pirq"),
}
"""Kinds and fields as a grammar would hand them in; these tests do not need a grammar."""


def model(name: str, step: int | None = None, /, **fields: object) -> Fact:
    """A model fact; the assignment is that of the domid unless told."""
    assignment = {"assignment": fields["domid"]} if "domid" in fields else {}
    return Fact("model", name, {"boot": 0, "device": DEVICE} | assignment | fields, (), step)


def event(name: str, line: int = 1, /, **fields: object) -> Fact:
    """An event fact on a line of dom0.log, explained unless told."""
    row = {"boot": 0, "device": DEVICE, "explained": True} | fields
    return Fact("event", name, row, (Line("dom0.log", line, name),))


def steps(op: str, /, **fields: object) -> Fact:
    """A step of the story."""
    return Fact("trace", "story_step", {"boot": 0, "device": DEVICE, "op": op} | fields)
