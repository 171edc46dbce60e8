"""pciback's backend of a domain: it claims devices, connects, and gives everything back.

Read in drivers/xen/pciback/xenbus.c of 2.6.18-164 to -274.7.1.

**Invariant:** changes owners only through `pci_stub` and virtual buses only through `vpci`.
"""

from __future__ import annotations

from emulator import domctl, pci_stub, vpci, xen
from emulator.effects import Deed
from emulator.errors import Refusal, RefusedError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import (
    BACKEND_CLOSING,
    BACKEND_CONNECTED,
    BACKEND_INIT_WAIT,
    BACKEND_INITIALISED,
    Backend,
)


def pciback_xenbus_probe(w: Ledgers, domid: int, devices: tuple[PciAddress, ...]) -> None:
    """Create the domain's backend and claim its devices until one is refused.

    pciback_xenbus_probe(), pciback_setup_backend().
    """
    w.set_backend(domid, Backend(BACKEND_INIT_WAIT, False, (), devices))
    state = BACKEND_INITIALISED
    for address in devices:
        if not pciback_export_device(w, domid, address):
            state = BACKEND_CLOSING
            break
    w.set_backend(domid, w.backends[domid]._replace(state=state))


def pciback_export_device(w: Ledgers, domid: int, address: PciAddress) -> bool:
    """Claim one device for the domain (pciback_export_device()); False if that is refused."""
    if pci_stub.pcistub_get_pci_dev_by_slot(w, domid, address):
        vpci.pciback_add_pci_dev(w, domid, address)
        return True
    device = w.device(address)
    fields = {"domid": domid, "devid": 0, "errno": -xen.EINVAL, "device": address}
    w.dom0("err", "pciback_cant_locate", fields)
    note = "busy" if device.seized else "no stub"
    w.deeds.append(Deed("assign_refused", address, domid, from_domid=device.owner, note=note))
    return False


def pciback_attach(w: Ledgers, domid: int) -> int:
    """The frontend is Initialised: map its ring, which takes a reference; the backend's state.

    pciback_attach().  Nothing happens unless the backend waits for that.
    """
    domain = w.domain(domid)
    backend = backend_of(w, domid)
    if domain is not None and backend.state == BACKEND_INITIALISED:
        domain.refs += 1
        backend = backend._replace(ring=True, state=BACKEND_CONNECTED)
        w.set_backend(domid, backend)
    return backend.state


def pciback_frontend_changed(w: Ledgers, domid: int, state: int) -> None:
    """The frontend says Closing (5) or Closed (6), and the backend follows.

    pciback_frontend_changed().
    """
    backend_of(w, domid)
    pciback_disconnect(w, domid)
    w.set_backend(domid, w.backends[domid]._replace(state=state))


def pciback_disconnect(w: Ledgers, domid: int) -> None:
    """Unmap the guest's ring; that may drop the domain's last reference (pciback_disconnect())."""
    backend = w.backends[domid]
    if backend.ring:
        w.set_backend(domid, backend._replace(ring=False))
        domctl.put_domain(w, domid)


def pciback_xenbus_remove(w: Ledgers, domid: int) -> None:
    """xend has removed the device's node: disconnect, then take all devices back.

    pciback_xenbus_remove(), free_pdev(); vpci.c: pciback_release_devices().
    """
    backend_of(w, domid)
    pciback_disconnect(w, domid)
    for address in w.backends[domid].devices():
        pci_stub.pcistub_put_pci_dev(w, w.device(address))
    w.set_backend(domid, None)


def backend_of(w: Ledgers, domid: int) -> Backend:
    """The domain's backend; refused if it has none."""
    backend = w.backends.get(domid)
    if backend is None:
        raise RefusedError(Refusal.NO_BACKEND)
    return backend
