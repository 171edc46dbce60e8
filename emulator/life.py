"""What people, toolstacks and guests do: the acts of a story, each a sequence of operations.

`perform` is the one door to the machine: a pure function from traits, state and act to the next
state, the lines that the kernels print, and the deeds that nobody prints.

**Invariant:** knows no line of a log; which act a line hints at is read from `EMITS` and `BINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from emulator import guest
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
from emulator.kernels import Traits
from emulator.ledgers import CrashError
from emulator.machine import Machine
from emulator.pci import PciAddress
from emulator.records import BACKEND_CONNECTED, BACKEND_INITIALISED, DOM0, Guest
from emulator.state import State
from emulator.vocabulary import BINDS, EMITS, FAULT_EMITS, FIRMWARE_FIELDS

__all__ = (
    "ACTS", "BINDS", "EMITS", "FAULTS", "FAULT_EMITS", "FIRMWARE_FIELDS",
    "Act", "Crash", "Impossible", "Outcome", "perform",
)  # fmt: skip

Crash = CrashError

FRONTEND_CLOSING = 5


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
    m = Machine(traits, state)
    if act.fault is not None:
        require(act.fault[0] in FAULTS, f"no fault {act.fault[0]!r}; known: {', '.join(FAULTS)}")
        m.arm(Fault(*act.fault))
    run(m, act)
    if m.faults:
        # A cause that found nothing to spoil must not wait for a later act.
        m.faults = ()
    return Outcome(m.snapshot(), tuple(m.effects), tuple(m.deeds))


def _present(m: Machine, device: PciAddress) -> None:
    require(m.device(device).present, f"{device} does not exist")


def _host_boot(m: Machine, act: Act) -> None:
    """The host starts: both ledgers are empty; devices keep only their kind."""
    configs = tuple(device.config for device in m.devices.values())
    m.open(State.boot(configs, nomsi=m.nomsi, pciback_loaded=m.traits.pciback_loaded))


def _seize(m: Machine, act: Act) -> None:
    device = device_of(act)
    _present(m, device)
    require(not m.device(device).driver, f"{device} has a driver already")
    require(m.seize(device).ret == 0, "pciback is not loaded")


def _release(m: Machine, act: Act) -> None:
    device = device_of(act)
    require(m.device(device).seized, f"{device} is not seized")
    m.unbind(device)


def _domain_start(m: Machine, act: Act) -> None:
    """xend builds a domain and creates its pciback backend."""
    domid = act.domid
    if domid is None or domid <= DOM0:
        raise Impossible("domain_start needs a domid above 0")
    devices = devices_of(act)
    require(m.domain_create(domid, act.kind).ret == 0, f"domid {domid} was used before")
    for device in devices:
        if m.traits.pm_flr:
            m.flr(device)
        if act.kind == "hvm":
            m.xen_assign(domid, device, force=1)
    if devices:
        reply = m.assign(domid, devices, force=1)
        require(reply.ret == 0, f"the backend of domain {domid} could not be made: {reply.ret}")


def _driver_load(m: Machine, act: Act) -> None:
    device = device_of(act)
    domid, domain = living(m, act)
    known = m.guests.get(domid, Guest())
    require(known.driver(device) is None, f"a driver for {device} is loaded in {domid}")
    if domid == DOM0:
        _present(m, device)
        require(not m.device(device).driver, f"{device} has another driver in dom0")
        m.set_guest(domid, known)
    else:
        backend = m.backends.get(domid)
        if backend is None or not backend.holds(device):
            raise Impossible(f"domain {domid} does not have {device}")
        if domain.kind == "hvm":
            guest.qemu_probe(m, domid, device, act.nvec)
            return
        if not backend.ring:
            require(m.fe_connect(domid).ret == BACKEND_CONNECTED, "the backend is closed")
    guest.igbvf_probe(m, domid, device, act.nvec, act.mode)


def _ifup(m: Machine, act: Act) -> None:
    domid, driver = loaded(m, act)
    require(m.domains[domid].kind != "hvm", "an HVM guest's interrupts are qemu's business")
    require(not driver.requested, f"the interface of {act.device} is up")
    guest.igbvf_open(m, domid, driver)


def _ifdown(m: Machine, act: Act) -> None:
    domid, driver = loaded(m, act)
    require(bool(driver.requested), f"the interface of {act.device} is down")
    guest.igbvf_close(m, domid, driver)


def _driver_unload(m: Machine, act: Act) -> None:
    domid, driver = loaded(m, act)
    if m.domains[domid].kind == "hvm":
        guest.qemu_remove(m, domid, driver)
    else:
        guest.igbvf_remove(m, domid, driver)


def _clean_shutdown(m: Machine, act: Act) -> None:
    """The guest goes down in order, then xend destroys the domain."""
    domid, domain = living_guest(m, act)
    if domain.kind == "pv":
        guest.device_shutdown(m, domid)
        m.fe_state(domid, FRONTEND_CLOSING)
    m.clean = True
    _teardown(m, act, domid)


def _abrupt(m: Machine, act: Act) -> None:
    """The domain ends without a word from its guest: crash or xm destroy."""
    domid, _ = living_guest(m, act)
    m.clean = False
    _teardown(m, act, domid)


def _unknown_end(m: Machine, act: Act) -> None:
    """The same, by an unknown cause."""
    domid, _ = living_guest(m, act)
    _teardown(m, act, domid)


def _teardown(m: Machine, act: Act, domid: int) -> None:
    """xend's destroyDomain(): first the domain, then its device nodes.

    pciback therefore resets the devices of a domain whose last reference goes when its ring is
    unmapped, unless somebody else holds another.
    """
    lingering = m.traits.teardown_window == "zombie" or (
        act.fault is not None and act.fault[0] == LINGERS
    )
    domain = m.domain(domid)
    if lingering and domain is not None:
        domain.refs += 1
        domain.hold += 1
    m.xen_domain_kill(domid)
    backend = m.backends.get(domid)
    if backend is not None:
        if m.traits.hw_bit_cleared_before_reset:
            for device in backend.devices():
                m.flr(device)
        m.backend_remove(domid)
    if lingering:
        m.xen_put_ref(domid)


def _kexec(m: Machine, act: Act) -> None:
    """The guest starts another kernel: it forgets, the domain and both ledgers stay."""
    domid, domain = living_guest(m, act)
    require(domain.kind == "pv", "an HVM guest's kexec is qemu's business")
    guest.device_shutdown(m, domid)
    backend = m.backends.get(domid)
    if backend is not None and backend.ring:
        m.fe_state(domid, FRONTEND_CLOSING)
        m.set_backend(domid, m.backends[domid]._replace(state=BACKEND_INITIALISED))
    m.set_guest(domid, None)


def _vf_destroy(m: Machine, act: Act) -> None:
    """Virtual functions vanish: rmmod of their physical function's driver, or IOV switched off."""
    devices = devices_of(act)
    require(bool(devices), "vf_destroy needs a device")
    for device in devices:
        _present(m, device)
        _hot_remove(m, device)


def _hot_remove(m: Machine, device: PciAddress) -> None:
    """A driver of dom0's own is removed in order; pciback's guests are not asked."""
    driver = m.guests.get(DOM0, Guest()).driver(device)
    if driver is not None:
        guest.igbvf_remove(m, DOM0, driver)
    m.device_remove(device)


def _pf_reload(m: Machine, act: Act) -> None:
    """The physical function's driver is loaded anew: virtual functions vanish and come back."""
    devices = devices_of(act)
    require(bool(devices), "pf_reload needs a device")
    for device in devices:
        if m.device(device).present:
            _hot_remove(m, device)
    for device in devices:
        m.device_add(device)


def _flr(m: Machine, act: Act) -> None:
    device = device_of(act)
    _present(m, device)
    m.flr(device)


ACTS: Mapping[str, Callable[[Machine, Act], None]] = {
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
