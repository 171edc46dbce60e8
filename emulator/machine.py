"""The machine: everything that can be done to a host, one small operation at a time.

`host` holds what happens outside a guest, this module what a guest or a driver does with a device.
What was printed and what happened silently collects in `effects` and `deeds`; `state` is the value
of both ledgers after it.

**Invariant:** acts of people and guests, which are sequences of operations, stand in `life`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from emulator import dom0, pci_core, pciback, xen
from emulator.host import DONE, NODOM, NOHW, Host, Reply
from emulator.pci import PciAddress
from emulator.records import DOM0, Device, DeviceConfig, Pair
from emulator.state import State

__all__ = ("OPERATIONS", "DeviceConfig", "Machine", "Pair", "Reply", "State")

# xen/include/public/io/pciif.h: SH_INFO_MAX_VEC, XEN_PCI_ERR_dev_not_found, XEN_PCI_ERR_op_failed
ENTRIES_MAX: Final = 128
DEVICE_NOT_FOUND: Final = -1
OPERATION_FAILED: Final = -5
MISALIGNED: Final = -2

_NODEV: Final = Reply("nodev")
_NOANSWER: Final = Reply("noanswer")
_NO_CAPABILITY: Final = Reply(xen.ENODEV, vectors=())


class Machine(Host):
    """A host at work: micro-operations over the open ledgers of a State."""

    __slots__ = ()

    @property
    def state(self) -> State:
        """The present state as a value."""
        return self.snapshot()

    # --- a PV guest's requests to pciback, and dom0's own drivers (domid 0)

    def _refused(self, dom: int, dev: PciAddress) -> Reply | None:
        """Why a guest's request does not reach the device (drivers/xen/pcifront/pci_op.c)."""
        domain = self.domains.get(dom)
        if domain is None or domain.dying:
            return NODOM
        guest = self.guests.get(dom)
        if domain.kind == "hvm" or guest is None or not guest.knows(dev):
            return _NODEV
        backend = self.backends.get(dom)
        if backend is None or not backend.ring:
            return _NOANSWER
        return None if backend.holds(dev) else Reply(DEVICE_NOT_FOUND)

    def _target(self, dom: int, dev: PciAddress) -> Device | Reply:
        """The device that a request reaches, or the refusal."""
        refusal = None if dom == DOM0 else self._refused(dom, dev)
        if refusal is not None:
            return refusal
        device = self.device(dev)
        return device if device.present else NOHW

    def conf_read(self, dom: int, dev: PciAddress, off: int = 4, size: int = 2) -> Reply:
        """Read PCI_COMMAND; only this field (offset 4, size 2) is modelled."""
        device = self._target(dom, dev)
        if isinstance(device, Reply):
            return device if isinstance(device.ret, str) else device._replace(value=0)
        return Reply(0, pciback.command_read(device))

    def conf_write(self, dom: int, dev: PciAddress, off: int, size: int, value: int) -> Reply:
        """Write to configuration space, offset and size in bytes."""
        device = self._target(dom, dev)
        if isinstance(device, Reply):
            return device
        written = pciback.pciback_config_write(self, device, off, size, value)
        return DONE if written else Reply(MISALIGNED)

    def enable_msix(
        self, dom: int, dev: PciAddress, entries: Sequence[int], nvec: int | None = None
    ) -> Reply:
        """Ask for one pirq for each entry (conf_space_capability_msi.c: pciback_enable_msix()).

        `nvec` is the number asked for where it is more than the request can carry.
        """
        device = self._target(dom, dev)
        none = (0,) * len(entries)
        if isinstance(device, Reply):
            return device if isinstance(device.ret, str) else device._replace(vectors=none)
        if dom != DOM0 and (nvec or len(entries)) > ENTRIES_MAX:
            return Reply(xen.EINVAL, vectors=none)
        ret, pirqs = dom0.pci_enable_msix(self, device, entries)
        return Reply(ret, vectors=none if ret else pirqs)

    def disable_msix(self, dom: int, dev: PciAddress) -> Reply:
        """Give up all pirqs (conf_space_capability_msi.c: pciback_disable_msix())."""
        device = self._target(dom, dev)
        if isinstance(device, Reply):
            return device if isinstance(device.ret, str) else device._replace(value=0)
        dom0.pci_disable_msix(self, device)
        return Reply(0, device.irq)

    def enable_msi(self, dom: int, dev: PciAddress) -> Reply:
        """Ask for one MSI pirq (conf_space_capability_msi.c: pciback_enable_msi())."""
        device = self._target(dom, dev)
        if isinstance(device, Reply):
            return device if isinstance(device.ret, str) else device._replace(value=0)
        ret = dom0.pci_enable_msi(self, device)
        if ret and dom != DOM0:
            fields = {"domid": dom, "status": ret & 0xFFFFFFFF}
            self.dom0("default", "pciback_enable_msi_error", fields)
            return Reply(OPERATION_FAILED, 0)
        return Reply(ret, device.irq)

    def disable_msi(self, dom: int, dev: PciAddress) -> Reply:
        """Give up the MSI pirq (conf_space_capability_msi.c: pciback_disable_msi())."""
        device = self._target(dom, dev)
        if isinstance(device, Reply):
            return device if isinstance(device.ret, str) else device._replace(value=0)
        dom0.pci_disable_msi(self, device)
        return Reply(0, device.irq)

    def enable_device(self, dev: PciAddress, dom: int = DOM0) -> Reply:
        """A dom0 driver enables its device."""
        device = self._target(DOM0, dev)
        if isinstance(device, Reply):
            return device
        pci_core.pci_enable_device(self, device)
        return DONE

    def set_master(self, dev: PciAddress, dom: int = DOM0) -> Reply:
        """A dom0 driver sets bus mastering."""
        device = self._target(DOM0, dev)
        if isinstance(device, Reply):
            return device
        pci_core.pci_set_master(self, device)
        return DONE

    def disable_device(self, dev: PciAddress, dom: int = DOM0) -> Reply:
        """A dom0 driver disables its device."""
        device = self._target(DOM0, dev)
        if isinstance(device, Reply):
            return device
        pci_core.pci_disable_device(device)
        return DONE

    # --- event channels

    def bind_irq(self, dom: int, pirq: int) -> Reply:
        """A guest or dom0 binds an event channel to a pirq."""
        domain = self.domains.get(dom)
        if domain is None or domain.dying or domain.kind == "hvm":
            return NODOM
        return Reply(xen.evtchn_bind_pirq(self, dom, pirq))

    def unbind_irq(self, dom: int, pirq: int) -> Reply:
        """A guest or dom0 closes the event channel of a pirq."""
        domain = self.domain(dom)
        if domain is None or domain.dying or domain.kind == "hvm":
            return NODOM
        return DONE if xen.pirq_guest_unbind(self, domain, pirq) else Reply("unbound")

    # --- an HVM guest's device, through qemu-dm and without dom0's record

    def hvm_enable_msix(self, dom: int, dev: PciAddress, entries: Sequence[int]) -> Reply:
        """qemu-dm maps and attaches one pirq for each entry, and stops at the first refusal."""
        device = self._hvm_target(dom, dev)
        if isinstance(device, Reply):
            return device
        backend = self.backends.get(dom)
        if backend is None or not backend.holds(dev):
            return _NODEV
        if not device.config.msix_entries or device.config.no_bar:
            return _NO_CAPABILITY
        vectors: list[int] = []
        ret = 0
        for entry_nr in entries:
            pirq = xen.physdev_map_pirq(self, dom, device, entry_nr)
            if pirq < 0:
                ret = pirq
                break
            domain = self.domain(dom)
            if domain is not None:
                domain.bound[pirq] = 0
            vectors.append(pirq)
        if not ret and entries:
            device.hw_msix = True
        return Reply(ret, vectors=tuple(vectors))

    def hvm_disable_msix(self, dom: int, dev: PciAddress, pirqs: Sequence[int] = ()) -> Reply:
        """qemu-dm detaches and unmaps; `ret` = the last error."""
        device = self._hvm_target(dom, dev)
        if isinstance(device, Reply):
            return device
        device.hw_msix = False
        ret = 0
        for pirq in pirqs:
            domain = self.domain(dom)
            if domain is not None:
                xen.pirq_guest_unbind(self, domain, pirq)
            ret = xen.unmap_domain_pirq(self, dom, pirq) or ret
        return Reply(ret)

    def _hvm_target(self, dom: int, dev: PciAddress) -> Device | Reply:
        """The device of an HVM domain, or why qemu-dm cannot reach it."""
        device = self.device(dev)
        if not device.present:
            return NOHW
        domain = self.domains.get(dom)
        if domain is None or domain.dying or domain.kind != "hvm":
            return NODOM
        return device


# The vocabulary of the reference traces.
OPERATIONS: Mapping[str, Callable[..., Reply]] = {
    each.__name__: each
    for each in (
        Machine.pciback_load,
        Machine.seize,
        Machine.unbind,
        Machine.bind_native,
        Machine.device_remove,
        Machine.device_add,
        Machine.flr,
        Machine.reset_device,
        Machine.domain_create,
        Machine.xen_domain_kill,
        Machine.xen_put_ref,
        Machine.reserve_pirqs,
        Machine.xen_assign,
        Machine.xen_deassign,
        Machine.assign,
        Machine.fe_connect,
        Machine.fe_state,
        Machine.backend_remove,
        Machine.fault,
        Machine.nop,
        Machine.conf_read,
        Machine.conf_write,
        Machine.enable_msix,
        Machine.disable_msix,
        Machine.enable_msi,
        Machine.disable_msi,
        Machine.enable_device,
        Machine.set_master,
        Machine.disable_device,
        Machine.bind_irq,
        Machine.unbind_irq,
        Machine.hvm_enable_msix,
        Machine.hvm_disable_msix,
    )
}
