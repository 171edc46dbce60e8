"""What people, toolstacks and guests do: the acts of a story, each a sequence of operations.

`perform` is the one door to the machine: a pure function from traits, state and act to the next
state, the lines that the kernels print, and the deeds that nobody prints.

**Invariant:** knows no line of a log; which act a line hints at is read from `EMITS` and `BINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from emulator import domctl, igbvf, pci_bus, pci_stub, pciback_xenbus, pcifront, qemu, xend
from emulator.acts import (
    FAULTS,
    LINGERS,
    Act,
    Impossible,
    device_of,
    devices_of,
    living,
    living_guest,
    loaded,
    require,
)
from emulator.counters import Fault
from emulator.effects import Deed, Effect
from emulator.errors import CrashError
from emulator.kernels import Traits
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import (
    BACKEND_CLOSING,
    BACKEND_CONNECTED,
    BACKEND_INITIALISED,
    DOM0,
    Guest,
)
from emulator.state import State
from emulator.vocabulary import BINDS, EMITS, FAULT_EMITS, FIRMWARE_FIELDS

__all__ = (
    "ACTS", "BINDS", "EMITS", "FAULTS", "FAULT_EMITS", "FIRMWARE_FIELDS",
    "Act", "Crash", "Impossible", "Outcome", "perform",
)  # fmt: skip

Crash = CrashError


class Outcome(NamedTuple):
    """What an act leads to."""

    state: State
    effects: tuple[Effect, ...]
    deeds: tuple[Deed, ...]


def perform(traits: Traits, state: State, act: Act) -> Outcome:
    """Let an act happen; pure and deterministic.

    Raises Impossible if it cannot happen in this state, and its subclass Crash if the hypervisor
    dies of it.
    """
    try:
        run = ACTS[act.op]
    except KeyError:
        raise Impossible(f"no act {act.op!r}; acts are {', '.join(ACTS)}") from None
    w = Ledgers(traits, state)
    if act.fault is not None:
        if act.fault[0] not in FAULTS:
            raise Impossible(f"no fault {act.fault[0]!r}; known: {', '.join(FAULTS)}")
        w.arm(Fault(*act.fault))
    run(w, act)
    if w.faults:
        # A cause that found nothing to spoil must not wait for a later act.
        w.faults = ()
    return Outcome(w.snapshot(), tuple(w.effects), tuple(w.deeds))


def _present(w: Ledgers, device: PciAddress) -> None:
    if not w.device(device).present:
        raise Impossible(f"{device} does not exist")


def _host_boot(w: Ledgers, act: Act) -> None:
    """The host starts: both ledgers are empty; devices keep only their kind."""
    configs = tuple(device.config for device in w.devices.values())
    w.open(State.boot(configs, nomsi=w.nomsi, pciback_loaded=w.traits.pciback_loaded))


def _seize(w: Ledgers, act: Act) -> None:
    device = device_of(act)
    _present(w, device)
    if w.device(device).driver:
        raise Impossible(f"{device} has a driver already")
    pci_bus.pci_bus_probe_wrapper(w, device, pci_stub.PCIBACK)


def _release(w: Ledgers, act: Act) -> None:
    device = device_of(act)
    if not w.device(device).seized:
        raise Impossible(f"{device} is not seized")
    pci_bus.pci_bus_remove_wrapper(w, device)


def _domain_start(w: Ledgers, act: Act) -> None:
    """xend builds a domain and creates its pciback backend."""
    domid = act.domid
    if domid is None or domid <= DOM0:
        raise Impossible("domain_start needs a domid above 0")
    devices = devices_of(act)
    if w.was_used(domid):
        raise Impossible(f"domid {domid} was used before")
    domctl.domain_create(w, domid, act.kind)
    for device in devices:
        if w.traits.pm_flr:
            xend.do_flr(w, device)
        if act.kind == "hvm":
            domctl.assign_device(w, domid, device)
    if devices:
        xend.setup_device(w, domid, devices, check=False)


def _driver_load(w: Ledgers, act: Act) -> None:
    device = device_of(act)
    domid, domain = living(w, act)
    known = w.guests.get(domid, Guest())
    if known.driver(device) is not None:
        raise Impossible(f"a driver for {device} is loaded in {domid}")
    if domid == DOM0:
        _present(w, device)
        if w.device(device).driver:
            raise Impossible(f"{device} has another driver in dom0")
        w.set_guest(domid, known)
    else:
        backend = w.backends.get(domid)
        if backend is None or not backend.holds(device):
            raise Impossible(f"domain {domid} does not have {device}")
        if domain.kind == "hvm":
            qemu.driver_loaded(w, domid, device, act.nvec)
            return
        if not backend.ring:
            state = pcifront.pcifront_connect(w, domid)
            require(state == BACKEND_CONNECTED, "the backend is closed")
    igbvf.igbvf_probe(w, domid, device, act.nvec, act.mode)


def _ifup(w: Ledgers, act: Act) -> None:
    domid, driver = loaded(w, act)
    require(w.domains[domid].kind != "hvm", "an HVM guest's interrupts are qemu's business")
    if driver.requested:
        raise Impossible(f"the interface of {act.device} is up")
    igbvf.igbvf_open(w, domid, driver)


def _ifdown(w: Ledgers, act: Act) -> None:
    domid, driver = loaded(w, act)
    if not driver.requested:
        raise Impossible(f"the interface of {act.device} is down")
    igbvf.igbvf_close(w, domid, driver)


def _driver_unload(w: Ledgers, act: Act) -> None:
    domid, driver = loaded(w, act)
    if w.domains[domid].kind == "hvm":
        qemu.driver_unloaded(w, domid, driver)
    else:
        igbvf.igbvf_remove(w, domid, driver)


def _clean_shutdown(w: Ledgers, act: Act) -> None:
    """The guest goes down in order, then xend destroys the domain."""
    domid, domain = living_guest(w, act)
    if domain.kind == "pv":
        igbvf.device_shutdown(w, domid)
        if domid in w.backends:
            pciback_xenbus.pciback_frontend_changed(w, domid, BACKEND_CLOSING)
    w.clean = True
    _teardown(w, act, domid)


def _abrupt(w: Ledgers, act: Act) -> None:
    """The domain ends without a word from its guest: crash or xm destroy."""
    domid, _ = living_guest(w, act)
    w.clean = False
    _teardown(w, act, domid)


def _unknown_end(w: Ledgers, act: Act) -> None:
    """The same, by an unknown cause."""
    domid, _ = living_guest(w, act)
    _teardown(w, act, domid)


def _teardown(w: Ledgers, act: Act, domid: int) -> None:
    """xend's destroyDomain(): first the domain, then its device nodes.

    pciback therefore resets the devices of a domain whose last reference goes when its ring is
    unmapped, unless somebody else holds another.
    """
    lingering = w.traits.teardown_window == "zombie" or (
        act.fault is not None and act.fault[0] == LINGERS
    )
    domain = w.domain(domid)
    if lingering and domain is not None:
        domain.refs += 1
        domain.hold += 1
    domctl.domain_kill(w, domid)
    backend = w.backends.get(domid)
    if backend is not None:
        if w.traits.hw_bit_cleared_before_reset:
            for device in backend.devices():
                xend.do_flr(w, device)
        pciback_xenbus.pciback_xenbus_remove(w, domid)
    if lingering:
        domctl.free_domheap_pages(w, domid)


def _kexec(w: Ledgers, act: Act) -> None:
    """The guest starts another kernel: it forgets, the domain and both ledgers stay."""
    domid, domain = living_guest(w, act)
    require(domain.kind == "pv", "an HVM guest's kexec is qemu's business")
    igbvf.device_shutdown(w, domid)
    backend = w.backends.get(domid)
    if backend is not None and backend.ring:
        pciback_xenbus.pciback_frontend_changed(w, domid, BACKEND_CLOSING)
        w.set_backend(domid, w.backends[domid]._replace(state=BACKEND_INITIALISED))
    w.set_guest(domid, None)


def _vf_destroy(w: Ledgers, act: Act) -> None:
    """Virtual functions vanish: rmmod of their physical function's driver, or IOV switched off."""
    devices = devices_of(act)
    require(bool(devices), "vf_destroy needs a device")
    for device in devices:
        _present(w, device)
        _hot_remove(w, device)


def _hot_remove(w: Ledgers, device: PciAddress) -> None:
    """A driver of dom0's own is removed in order; pciback's guests are not asked."""
    driver = w.guests.get(DOM0, Guest()).driver(device)
    if driver is not None:
        igbvf.igbvf_remove(w, DOM0, driver)
    pci_bus.pci_remove_bus_device(w, device)


def _pf_reload(w: Ledgers, act: Act) -> None:
    """The physical function's driver is loaded anew: virtual functions vanish and come back."""
    devices = devices_of(act)
    require(bool(devices), "pf_reload needs a device")
    for device in devices:
        if w.device(device).present:
            _hot_remove(w, device)
    for device in devices:
        if not w.device(device).present:
            pci_bus.virtfn_add(w, device)


def _flr(w: Ledgers, act: Act) -> None:
    device = device_of(act)
    _present(w, device)
    xend.do_flr(w, device)


ACTS: Mapping[str, Callable[[Ledgers, Act], None]] = {
    "host_boot": _host_boot,
    "seize": _seize,
    "release": _release,
    "domain_start": _domain_start,
    "driver_load": _driver_load,
    "ifup": _ifup,
    "ifdown": _ifdown,
    "driver_unload": _driver_unload,
    "clean_shutdown": _clean_shutdown,
    "crash": _abrupt,
    "destroy": _abrupt,
    "kexec": _kexec,
    "teardown": _unknown_end,
    "vf_destroy": _vf_destroy,
    "pf_reload": _pf_reload,
    "flr": _flr,
}
