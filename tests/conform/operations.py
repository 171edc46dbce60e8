"""The operations of the reference traces, each as it is done on the emulator, and their words.

The recordings drove kernel, hypervisor and toolstack functions under names of their own; here, and
nowhere in the emulator, those names stand.

**Invariant:** an operation only calls; what it does is the emulator's business.  Alone the devices
of the recording itself (faults, reserved pirqs, a bare reset) write a ledger directly.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from emulator import (
    dom0,
    domctl,
    pci_bus,
    pci_core,
    pci_stub,
    pciback_xenbus,
    pcifront,
    qemu,
    xen,
    xend,
)
from emulator.counters import Fault
from emulator.errors import Refusal, RefusedError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import DOM0, PIRQ_MAX, Mapped


class Reply(NamedTuple):
    """What a step returns: a number (0, a state, a negative errno) or a word of refusal."""

    ret: int | str
    value: int | None = None
    vectors: tuple[int, ...] | None = None


Result = Reply | int | None
"""None = 0."""

WORDS: Mapping[Refusal, int | str] = {
    Refusal.NO_PCIBACK: -2,
    Refusal.DEVICE_ABSENT: "nohw",
    Refusal.DEVICE_PRESENT: -17,
    Refusal.DRIVER_BOUND: -16,
    Refusal.NO_DRIVER: -19,
    Refusal.NOT_SEIZED: "not_seized",
    Refusal.ALREADY_ASSIGNED: "already_assigned",
    Refusal.DOMID_USED: -17,
    Refusal.NOT_RUNNING: "nodom",
    Refusal.NOT_HELD: -22,
    Refusal.BACKEND_EXISTS: -17,
    Refusal.NO_BACKEND: -19,
    Refusal.DEVICE_UNKNOWN: "nodev",
    Refusal.NO_ANSWER: "noanswer",
}


def perform(w: Ledgers, operation: str, arguments: Mapping[str, Any]) -> Reply:
    """Do one step.  Raises CrashError if the hypervisor dies of it."""
    try:
        if "dev" in arguments and operation != "device_add":
            w.present(arguments["dev"])
        result = OPERATIONS[operation](w, **arguments)
    except RefusedError as error:
        return Reply(WORDS[error.refusal])
    return result if isinstance(result, Reply) else Reply(result or 0)


def xen_assign(w: Ledgers, dom: int, dev: PciAddress, force: int) -> int:
    if not force:
        xend.check_device(w, dev)
    return domctl.assign_device(w, dom, dev)


def fe_state(w: Ledgers, dom: int, fe: int) -> int:
    domain = w.domains.get(dom)
    if domain is None or domain.kind == "hvm":
        raise RefusedError(Refusal.NOT_RUNNING)
    pciback_xenbus.pciback_frontend_changed(w, dom, fe)
    return fe


def conf_read(w: Ledgers, dom: int, dev: PciAddress, off: int, size: int) -> Reply:
    if (off, size) != (4, 2):
        raise ValueError("only PCI_COMMAND (off 4, size 2) is ever read")
    return Reply(*pcifront.pcifront_bus_read(w, dom, dev))


def enable_msix(
    w: Ledgers, dom: int, dev: PciAddress, entries: Sequence[int], nvec: int | None = None
) -> Reply:
    """`nvec` is the number asked for where it is more than the request can carry."""
    if dom == DOM0:
        ret, pirqs = dom0.pci_enable_msix(w, w.device(dev), entries)
    else:
        asked = [*entries, *[0] * ((nvec or 0) - len(entries))]
        ret, pirqs = pcifront.pci_frontend_enable_msix(w, dom, dev, asked)
    return Reply(ret, vectors=(0,) * len(entries) if ret else pirqs)


def disable_msix(w: Ledgers, dom: int, dev: PciAddress) -> Reply:
    if dom == DOM0:
        dom0.pci_disable_msix(w, w.device(dev))
        return Reply(0, w.device(dev).irq)
    return Reply(*pcifront.pci_frontend_disable_msix(w, dom, dev))


def enable_msi(w: Ledgers, dom: int, dev: PciAddress) -> Reply:
    if dom == DOM0:
        return Reply(dom0.pci_enable_msi(w, w.device(dev)), w.device(dev).irq)
    return Reply(*pcifront.pci_frontend_enable_msi(w, dom, dev))


def disable_msi(w: Ledgers, dom: int, dev: PciAddress) -> Reply:
    if dom == DOM0:
        dom0.pci_disable_msi(w, w.device(dev))
        return Reply(0, w.device(dev).irq)
    return Reply(*pcifront.pci_frontend_disable_msi(w, dom, dev))


def unbind_irq(w: Ledgers, dom: int, pirq: int) -> Reply:
    return Reply(0 if xen.evtchn_close(w, dom, pirq) else "unbound")


def hvm_enable_msix(w: Ledgers, dom: int, dev: PciAddress, entries: Sequence[int]) -> Reply:
    ret, pirqs = qemu.pt_msix_update(w, dom, dev, entries)
    return Reply(ret, vectors=pirqs)


def hvm_disable_msix(w: Ledgers, dom: int, dev: PciAddress, pirqs: Sequence[int] = ()) -> int:
    return qemu.pt_msix_disable(w, dom, dev, pirqs)


def reserve_pirqs(w: Ledgers, dom: int, lo: int, hi: int) -> int:
    """Use up pirqs of a domain; how many were free."""
    domain = w.domain(dom)
    if domain is None:
        return xen.ESRCH
    wanted = range(max(xen.PIRQ_MSI_MIN, lo), min(PIRQ_MAX, hi) + 1)
    free = [pirq for pirq in wanted if pirq not in domain.table]
    domain.table.update((pirq, Mapped(0, None)) for pirq in free)
    return len(free)


FAULTS = ("map_pirq", "map_nosupport", "unmap_pirq", "attach_nomem", "ioremap_null")
"""The kinds of `fault` that a recording can arm; the emulator has the same names for them."""


def fault(w: Ledgers, kind: str, at: int, ret: int) -> int:
    """Arm a one-shot failure of the `at`-th next event of a kind; `ret` is echoed."""
    w.arm(Fault(kind, at, ret))
    return ret


OPERATIONS: Mapping[str, Callable[..., Result]] = {
    # dom0's drivers and devices
    "pciback_load": pci_stub.pciback_init,
    "seize": lambda w, dev: pci_bus.pci_bus_probe_wrapper(w, dev, pci_stub.PCIBACK),
    "bind_native": lambda w, dev: pci_bus.pci_bus_probe_wrapper(w, dev, pci_bus.NATIVE),
    "unbind": lambda w, dev: pci_bus.pci_bus_remove_wrapper(w, dev),
    "device_remove": lambda w, dev: pci_bus.pci_remove_bus_device(w, dev),
    "device_add": lambda w, dev: pci_bus.virtfn_add(w, dev),
    "enable_device": lambda w, dev: pci_core.pci_enable_device(w, w.device(dev)),
    "set_master": lambda w, dev: pci_core.pci_set_master(w, w.device(dev)),
    "disable_device": lambda w, dev: pci_core.pci_disable_device(w.device(dev)),
    # domains and the toolstack
    "domain_create": lambda w, dom, kind, hold: domctl.domain_create(w, dom, kind, hold),
    "xen_domain_kill": lambda w, dom: domctl.domain_kill(w, dom),
    "xen_put_ref": lambda w, dom: domctl.free_domheap_pages(w, dom),
    "xen_assign": xen_assign,
    "xen_deassign": lambda w, dom, dev: domctl.deassign_device(w, dom, dev),
    "assign": lambda w, dom, devs, force: xend.setup_device(w, dom, devs, check=not force),
    "flr": lambda w, dev: xend.do_flr(w, dev),
    "backend_remove": lambda w, dom: pciback_xenbus.pciback_xenbus_remove(w, dom),
    # a guest and its devices, or (dom 0) a driver of dom0's own
    "fe_connect": lambda w, dom: pcifront.pcifront_connect(w, dom),
    "fe_state": fe_state,
    "conf_read": conf_read,
    "conf_write": lambda w, dom, dev, off, size, value: pcifront.pcifront_bus_write(
        w, dom, dev, off, size, value
    ),
    "enable_msix": enable_msix,
    "disable_msix": disable_msix,
    "enable_msi": enable_msi,
    "disable_msi": disable_msi,
    "bind_irq": lambda w, dom, pirq: xen.evtchn_bind_pirq(w, dom, pirq),
    "unbind_irq": unbind_irq,
    "hvm_enable_msix": hvm_enable_msix,
    "hvm_disable_msix": hvm_disable_msix,
    # devices of the recording itself
    "reset_device": lambda w, dev: pci_stub.pciback_reset_device(w, w.device(dev)),
    "reserve_pirqs": reserve_pirqs,
    "fault": fault,
    "nop": lambda w, ret: Reply(ret),
}

ARGUMENTS: Mapping[str, Mapping[str, bool]] = {
    name: {
        each.name: each.default is each.empty
        for each in tuple(inspect.signature(operation).parameters.values())[1:]
    }
    for name, operation in OPERATIONS.items()
}
"""The arguments that an operation takes, and whether it needs each."""
