"""What happens to a host from outside a guest: drivers bind, domains come and go, devices vanish.

Operations bear the names of the reference traces of the real kernel code.  Each answers a `Reply`.

**Invariant:** an operation is what one kernel function, hypercall or xenstore write does; sequences
of them are acts and stand in `life`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from emulator import dom0, pciback, xen
from emulator.counters import Fault
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import (
    BACKEND_CONNECTED,
    BACKEND_INITIALISED,
    PIRQ_MAX,
    Domain,
    Guest,
    Mapped,
)

ENOENT: Final = -2


class Reply(NamedTuple):
    """What an operation returns: a number (0, a state, a negative errno) or a word of refusal."""

    ret: int | str
    value: int | None = None
    vectors: tuple[int, ...] | None = None


DONE: Final = Reply(0)
NODOM: Final = Reply("nodom")
NOHW: Final = Reply("nohw")
ABSENT: Final = Reply(xen.ENODEV)


class Host(Ledgers):
    """What administrators, the toolstack and dom0's drivers do to the ledgers."""

    __slots__ = ()

    # --- dom0's drivers and devices

    def pciback_load(self) -> Reply:
        """From now on dom0 asks pciback for the owners of devices."""
        self.pciback_loaded = True
        return DONE

    def seize(self, dev: PciAddress) -> Reply:
        """Bind to pciback."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        if not self.pciback_loaded:
            return Reply(ENOENT)
        if device.driver:
            return Reply(xen.EBUSY)
        pciback.pcistub_probe(self, device)
        return DONE

    def unbind(self, dev: PciAddress) -> Reply:
        """Unbind from whatever driver holds the device in dom0."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        if not device.driver:
            return ABSENT
        pciback.unbind(self, device)
        return DONE

    def bind_native(self, dev: PciAddress) -> Reply:
        """Bind to dom0's own driver."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        if device.driver:
            return Reply(xen.EBUSY)
        xen.pci_add_device(self, device)
        device.driver = "igbvf"
        return DONE

    def device_remove(self, dev: PciAddress) -> Reply:
        """Hot removal, as of a virtual function (drivers/pci/remove.c: pci_free_resources())."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        if device.driver:
            pciback.unbind(self, device)
        dom0.msi_remove_pci_irq_vectors(self, device)
        device.present = False
        return DONE

    def device_add(self, dev: PciAddress) -> Reply:
        """The device appears (again), with a new struct pci_dev and so with an empty record."""
        old = self.device(dev)
        if old.present:
            return Reply(xen.EEXIST)
        new = self.replace_device(old.config, old.life + 1)
        new.assignment = old.assignment
        new.xen_owner = old.xen_owner
        return DONE

    def flr(self, dev: PciAddress) -> Reply:
        """Function level reset: the hardware forgets, nobody else does."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        device.cmd = 0
        device.hw_msi = device.hw_msix = False
        return DONE

    def reset_device(self, dev: PciAddress) -> Reply:
        """pciback's device reset, directly."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        pciback.pciback_reset_device(self, device)
        return DONE

    # --- domains and the toolstack

    def domain_create(self, dom: int, kind: str = "pv", hold: int = 0) -> Reply:
        """Xen creates a domain; `hold` references besides the creator's keep it from going."""
        if self.was_used(dom):
            return Reply(xen.EEXIST)
        self.add_domain(dom, Domain(kind, hold))
        return DONE

    def xen_domain_kill(self, dom: int) -> Reply:
        """xc.domain_destroy(): the first thing that xend does at a domain's end."""
        return Reply(xen.domain_kill(self, dom))

    def xen_put_ref(self, dom: int) -> Reply:
        """Somebody lets go of a page of a killed domain."""
        domain = self.domain(dom)
        if domain is None or not domain.hold or not domain.dying:
            return Reply(xen.EINVAL)
        domain.hold -= 1
        xen.put_domain(self, dom)
        return DONE

    def reserve_pirqs(self, dom: int, lo: int, hi: int) -> Reply:
        """Use up pirqs of a domain; `ret` = how many were free."""
        domain = self.domain(dom)
        if domain is None:
            return Reply(xen.ESRCH)
        wanted = range(max(xen.PIRQ_MSI_MIN, lo), min(PIRQ_MAX, hi) + 1)
        free = [pirq for pirq in wanted if pirq not in domain.table]
        for pirq in free:
            domain.table[pirq] = Mapped(0, None)
        return Reply(len(free))

    def xen_assign(self, dom: int, dev: PciAddress, force: int = 0) -> Reply:
        """VT-d assignment to an HVM domain (xen/drivers/passthrough/iommu.c: assign_device())."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        refusal = None if force else self._refused_by_xend(dev)
        if refusal is not None:
            return refusal
        domain = self.domains.get(dom)
        if domain is None:
            return Reply(xen.EINVAL)
        if domain.kind != "hvm":
            return Reply(xen.ENOSYS)
        if device.xen_owner is None:
            return ABSENT
        if device.xen_owner != 0:
            return Reply(xen.EINVAL)
        device.xen_owner = dom
        return DONE

    def xen_deassign(self, dom: int, dev: PciAddress) -> Reply:
        """Give a VT-d assigned device back to dom0."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        if dom not in self.domains:
            return Reply(xen.EINVAL)
        if device.xen_owner is None:
            return ABSENT
        if device.xen_owner != dom:
            return Reply(xen.EINVAL)
        device.xen_owner = 0
        return DONE

    def _refused_by_xend(self, dev: PciAddress) -> Reply | None:
        """xend's own check before an assignment (tools/python/xen/xend/server/pciif.py)."""
        if self.device(dev).driver != "pciback":
            return Reply("not_seized")
        if any(dev in backend.listed for backend in self.backends.values()):
            return Reply("already_assigned")
        return None

    def assign(self, dom: int, devs: Sequence[PciAddress], force: int = 0) -> Reply:
        """xend creates the pciback backend of a domain, which claims its devices."""
        domain = self.domain(dom)
        if domain is None or domain.dying:
            return NODOM
        for dev in devs:
            if not self.device(dev).present:
                return NOHW
            refusal = None if force else self._refused_by_xend(dev)
            if refusal is not None:
                return refusal
        for dev in devs:
            irq = self.device(dev).irq
            if 0 < irq <= PIRQ_MAX:
                domain.access |= 1 << irq
        if not self.pciback_loaded:
            return Reply(ENOENT)
        if dom in self.backends:
            return Reply(xen.EEXIST)
        pciback.pciback_attach(self, dom, tuple(devs))
        return DONE

    def fe_connect(self, dom: int) -> Reply:
        """The guest's pcifront is Initialised: pciback maps its ring; `ret` = backend state."""
        domain = self.domain(dom)
        if domain is None or domain.dying or domain.kind == "hvm":
            return NODOM
        backend = self.backends.get(dom)
        if backend is None:
            return ABSENT
        if backend.state == BACKEND_INITIALISED:
            domain.refs += 1
            backend = backend._replace(ring=True, state=BACKEND_CONNECTED)
            self.set_backend(dom, backend)
        if backend.state == BACKEND_CONNECTED:
            known = tuple(
                (device, PciAddress(0, 0, number, device.function))
                for number, slot in enumerate(backend.slots)
                for device in slot
            )
            drivers = self.guests[dom].drivers if dom in self.guests else ()
            self.set_guest(dom, Guest(known, drivers))
        return Reply(backend.state)

    def fe_state(self, dom: int, fe: int) -> Reply:
        """The guest's pcifront says Closing (5) or Closed (6)."""
        domain = self.domains.get(dom)
        if domain is None or domain.kind == "hvm":
            return NODOM
        if dom not in self.backends:
            return ABSENT
        pciback.pciback_disconnect(self, dom)
        self.set_backend(dom, self.backends[dom]._replace(state=fe))
        return Reply(fe)

    def backend_remove(self, dom: int) -> Reply:
        """xend removes the device from xenstore: pciback takes all devices back."""
        if dom not in self.backends:
            return ABSENT
        pciback.pciback_release_devices(self, dom)
        return DONE

    # --- outside causes

    def fault(self, kind: str, at: int, ret: int = 0) -> Reply:
        """Arm a one-shot failure of the `at`-th next event of a kind; `ret` is echoed."""
        self.arm(Fault(kind, at, ret))
        return Reply(ret)

    def nop(self, ret: int | str = 0) -> Reply:
        """Somebody found nothing to do."""
        return Reply(ret)
