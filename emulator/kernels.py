"""The kernel rows: which kernel, pciback and hypervisor behave how, each trait with its source.

A row is data.  `Traits` names every knob that the code of this package reads; a row sets some of
them and cites where the behaviour was read.  `distance` tells how far a row is from what a boot
banner suggests.

**Invariant:** no module but this one knows the name of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Hypervisor(NamedTuple):
    """Where Xen's printing statements stand, and the two points in which builds differ.

    `signed_vectors`: whether a vector in state "unbinding" (negative) is handled as such, as in the
    el5 hypervisor's code (the snapshot of 2008-12-11); Xen 3.4.4 keeps it in an unsigned variable
    and reads memory out of bounds (xen/arch/x86/irq.c: pirq_guest_unbind()).
    """

    not_mapped: tuple[str, int] = ("irq.c", 934)
    forcing_unbind: tuple[str, int] = ("irq.c", 942)
    wrong_vector: tuple[str, int] = ("physdev.c", 90)
    already_mapped: tuple[str, int] = ("physdev.c", 119)
    no_free_pirq: tuple[str, int] = ("physdev.c", 133)
    evtchnop: tuple[str, int] = ("event_channel.c", 314)
    evtchnop_kind: str = "xen_evtchnop_32"
    signed_vectors: bool = True


class Traits(NamedTuple):
    """Every knob of the machine; the defaults are the shipped kernel of 2.6.18-164 to -274."""

    reset_disables: bool = False
    reset_prunes: bool = False
    disable_checks_flag: bool = False
    guest_checks_flag: bool = False
    guest_save_state_fails: bool = False
    guest_shutdown: int = 0
    teardown_window: str = "gone"
    hw_bit_cleared_before_reset: bool = False
    pm_flr: bool = False
    pciback_loaded: bool = True
    xen: Hypervisor = Hypervisor()


TRAIT_MEANINGS: Mapping[str, str] = {
    "reset_disables": "pciback's reset disables MSI-X and MSI if dom0's flags are set (c/s 1070)",
    "reset_prunes": "pciback's reset drops what is left in the record, without a hypercall",
    "disable_checks_flag": "dom0's disable functions do nothing unless the flag is set (945, 956)",
    "guest_checks_flag": "the guest kernel sets the flag and sends no disable without it (956)",
    "guest_save_state_fails": "the guest's pci_save_state() fails, its shutdown stops there",
    "guest_shutdown": "igbvf's shutdown hook: 0 suspend, 1 and disable, 2 disable first, 3 remove",
    "teardown_window": "the domid, while pciback resets: gone or zombie (still resolves)",
    "hw_bit_cleared_before_reset": "the Enable bit is lost before pciback resets the device",
    "pm_flr": "the toolstack resets the function before it assigns it",
    "pciback_loaded": "pciback is loaded from the host's boot on",
    "xen": "where Xen's messages stand and how it treats a forcibly unbound vector",
}


class Row(NamedTuple):
    """One kernel row.

    `base`: the shipped dom0 line from which it is made; `change`: what an administrator had to
    change for it; `releases`: first and last build number for whose banner this row is the shipped
    one, None if none ever was.
    """

    name: str
    title: str
    traits: Traits
    base: str
    change: str
    releases: tuple[int, int] | None = None
    cites: Mapping[str, str] = MappingProxyType({})


_RESET = "drivers/xen/pciback/pci_stub.c: pciback_reset_device()"
_1070 = f"{_RESET}, linux-2.6.18-xen c/s 1070 (attachment 502139 of bug 688673)"
_PRUNE = (
    "drivers/pci/msi-xen.c: msi_prune_pci_irq_vectors(), called by "
    f"{_RESET}, attachment 502141 of bug 688673"
)
_956 = "drivers/pci/msi-xen.c: pci_disable_msix(), linux-2.6.18-xen c/s 956 (attachment 501323)"
_945 = "drivers/pci/msi-xen.c: pci_disable_msi(), linux-2.6.18-xen c/s 945 (attachment 501323)"
BUILD_MAX = 99_999

ROWS: tuple[Row, ...] = (
    Row(
        name="el5",
        title="RHEL 5 kernel 2.6.18-164 to -274 as shipped",
        traits=Traits(),
        base="el5",
        change="none",
        releases=(164, 282),
        cites={"reset_disables": f"{_RESET}, 2.6.18-164 to -274.7.1"},
    ),
    Row(
        name="el5+1070",
        title="shipped kernel, pciback rebuilt with c/s 1070",
        traits=Traits(reset_disables=True),
        base="el5",
        change="pciback module",
        cites={"reset_disables": _1070},
    ),
    Row(
        name="el5+945+956+1070",
        title="dom0 and guest kernels with c/s 945, 956 and 1070 (the first patch set)",
        traits=Traits(reset_disables=True, disable_checks_flag=True, guest_checks_flag=True),
        base="el5",
        change="dom0 and guest kernels",
        cites={
            "reset_disables": _1070,
            "disable_checks_flag": f"{_956}; {_945}",
            "guest_checks_flag": _956,
        },
    ),
    Row(
        name="el5+prune",
        title="shipped kernel with the prune alone",
        traits=Traits(reset_prunes=True),
        base="el5",
        change="dom0 kernel",
        cites={"reset_prunes": _PRUNE},
    ),
    Row(
        name="el5-283",
        title="RHEL 5 kernel 2.6.18-283 and later: c/s 1070 and the prune",
        traits=Traits(reset_disables=True, reset_prunes=True),
        base="el5-283",
        change="none",
        releases=(283, BUILD_MAX),
        cites={"reset_disables": f"{_1070}, 2.6.18-283", "reset_prunes": f"{_PRUNE}, 2.6.18-283"},
    ),
)

_BY_NAME: Mapping[str, Row] = {each.name: each for each in ROWS}

CHANGE_STEPS: Mapping[str, int] = {
    "none": 0,
    "pciback module": 1,
    "dom0 kernel": 2,
    "dom0 and guest kernels": 3,
}
_OTHER_KERNEL = 4


def row(name: str) -> Row:
    """The row of that name; raises KeyError with the known names."""
    try:
        return _BY_NAME[name]
    except KeyError:
        known = ", ".join(_BY_NAME)
        raise KeyError(f"no kernel row {name!r}; known rows: {known}") from None


def shipped(release_build: int | None) -> Row | None:
    """The row that a banner with this build number (the 274 of 2.6.18-274.el5xen) suggests."""
    if release_build is None:
        return None
    for each in ROWS:
        if each.releases and each.releases[0] <= release_build <= each.releases[1]:
            return each
    return ROWS[0]


def distance(candidate: Row, release_build: int | None) -> int:
    """How far `candidate` is from what the banner suggests, in steps of what had to be changed.

    0 as shipped, 1 a rebuilt pciback module, 2 a patched dom0 kernel, 3 patched dom0 and guest
    kernels; 4 more if the row belongs to another dom0 kernel line than the banner's.  Without a
    banner every shipped row is at 0.
    """
    steps = CHANGE_STEPS[candidate.change]
    suggested = shipped(release_build)
    if suggested is None or suggested.base == candidate.base:
        return steps
    return steps + _OTHER_KERNEL
