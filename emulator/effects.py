"""What comes out of the machine: what the kernels print, and what happens unprinted.

An `Effect` is a line before it is text: its kind and fields are those of the grammar's production,
so that predicted and observed lines can be compared as values.  A `Deed` is an event of the ledgers
that no kernel prints (or not with all its particulars); `invariants.violations` turns deeds into
violations.

**Invariant:** no text of any message stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from emulator.pci import PciAddress


class Effect(NamedTuple):
    """One printk: `level` is the printk level (dom0, guest) or Xen's level (`g…` =
    guest-marked)."""

    kind: str
    fields: Mapping[str, object]
    speaker: str
    level: str
    domid: int | None = None


class Deed(NamedTuple):
    """One silent event; the kinds and their meaning stand in `DEEDS`.

    `from_domid` is the domain for which the pair was attached (or the owner of a busy device);
    `same_life` tells whether that was in the present assignment of the device to this very domain.
    """

    kind: str
    device: PciAddress
    domid: int
    pirq: int | None = None
    entry_nr: int | None = None
    from_domid: int | None = None
    same_life: bool = True
    other: PciAddress | None = None
    clean: bool | None = None
    note: str = ""


DEEDS: Mapping[str, str] = {
    "served": "an enable was answered from the record, without a hypercall",
    "mapped": "a pirq was mapped and attached to the record",
    "map_refused": "a map failed; note = name of the error",
    "unmapped": "a pair was flushed and Xen agreed; other = the device that really had the pirq",
    "unmap_refused": "a pair was flushed and Xen refused",
    "dropped": "the prune deleted a pair without a hypercall",
    "left": "a pair was still in the record after the device was taken from its owner (domid)",
    "assign_refused": "an assignment found the device busy (from_domid = its owner) or unseized",
    "bound": "the guest got an event channel for the pirq",
    "bind_refused": "Xen refused an event channel for the pirq",
    "answered_late": "dom0 did what a guest had asked for after the guest had given up",
    "irq_served": "a driver without MSI was shown, as the device's legacy interrupt, an MSI pirq "
    "of an owner that is gone",
    "shared": "two devices of one domain use one pirq number; device = the later one; "
    "note = 'mapped' (when it was handed out) or 'refused' (when the guest requested it)",
    "forced_unbind": "Xen unbound a pirq that was still in use; device = the one that lost it",
}
