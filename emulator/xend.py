"""The toolstack: what xend checks, grants and resets before pciback is asked for a device.

Read in tools/python/xen/xend/server/pciif.py and tools/python/xen/util/pci.py of Xen 3.4.

**Invariant:** prints nothing that this program reads, and writes in no ledger but by hypercall.
"""

from __future__ import annotations

from collections.abc import Sequence

from emulator import pciback_xenbus
from emulator.errors import Refusal, RefusedError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.pci_stub import PCIBACK
from emulator.records import PIRQ_MAX


def check_device(w: Ledgers, address: PciAddress) -> None:
    """Refuse a device that pciback does not hold or that a domain has.

    pciif.py: setupOneDevice(), get_all_assigned_pci_devices().
    """
    if w.device(address).driver != PCIBACK:
        raise RefusedError(Refusal.NOT_SEIZED)
    if any(address in backend.listed for backend in w.backends.values()):
        raise RefusedError(Refusal.ALREADY_ASSIGNED)


def setup_device(
    w: Ledgers, domid: int, addresses: Sequence[PciAddress], *, check: bool = True
) -> None:
    """Give devices to a domain: checks, permissions, the node from which pciback makes a backend.

    pciif.py: setupDevice().  `check` is off where somebody writes xenstore without asking xend.
    """
    w.running(domid)
    for address in addresses:
        w.present(address)
        if check:
            check_device(w, address)
    for address in addresses:
        domain_irq_permission(w, domid, w.device(address).irq)
    if not w.pciback_loaded:
        raise RefusedError(Refusal.NO_PCIBACK)
    if domid in w.backends:
        raise RefusedError(Refusal.BACKEND_EXISTS)
    pciback_xenbus.pciback_xenbus_probe(w, domid, tuple(addresses))


def domain_irq_permission(w: Ledgers, domid: int, irq: int) -> None:
    """Let the domain bind the device's interrupt, as dom0 knows it (pciif.py: setupOneDevice())."""
    domain = w.domain(domid)
    if domain is not None and 0 < irq <= PIRQ_MAX:
        domain.access |= 1 << irq


def do_flr(w: Ledgers, address: PciAddress) -> None:
    """Function level reset: the hardware forgets, nobody else does (util/pci.py: do_FLR())."""
    device = w.present(address)
    device.cmd = 0
    device.hw_msi = device.hw_msix = False
