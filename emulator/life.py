"""What people, toolstacks and guests do: the acts of a story, each a sequence of operations.

`perform` is the one door to the machine: a pure function from traits, state and act to the next
state, the lines that the kernels print, and the deeds that nobody prints.

**Invariant:** knows no line of a log; which act a line hints at is read from `EMITS` and `BINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from emulator import guest
from emulator.effects import Deed, Effect
from emulator.kernels import Traits
from emulator.ledgers import CrashError, ImpossibleError
from emulator.machine import Machine
from emulator.pci import PciAddress
from emulator.records import BACKEND_CONNECTED, BACKEND_INITIALISED, DOM0, Domain, Driver, Guest
from emulator.state import Fault, State
from emulator.vocabulary import BINDS, EMITS

__all__ = (
    "ACTS", "BINDS", "EMITS", "Act", "Crash", "Impossible", "Outcome", "perform",
)  # fmt: skip

Impossible = ImpossibleError
Crash = CrashError

FRONTEND_CLOSING = 5
# A fault that is no failure of a call: somebody else's reference keeps the domain while pciback
# resets its devices.
LINGERS = "linger"


class Act(NamedTuple):
    """One act of a story; `op` is one of `ACTS`, the other fields are its arguments.

    `domid` is any integer (from 32752 on: a domain whose id no line tells).  `nvec`: the driver
    asks for entries 0 to nvec-1.  `fault`: an outside cause during the act, (kind, at, ret): the
    `at`-th event of the kind fails with `ret`; ("linger", 1, 0) keeps a dying domain in Xen's hash.
    """

    op: str
    domid: int | None = None
    device: PciAddress | None = None
    devices: tuple[PciAddress, ...] = ()
    kind: str = "pv"
    nvec: int = 0
    fault: tuple[str, int, int] | None = None


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
    if act.fault is not None and act.fault[0] != LINGERS:
        m.arm(Fault(*act.fault))
    run(m, act)
    if m.faults:
        # A cause that found nothing to spoil must not wait for a later act.
        m.faults = ()
    return Outcome(m.snapshot(), tuple(m.effects), tuple(m.deeds))


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise Impossible(reason)


def _device(act: Act) -> PciAddress:
    if act.device is None or not act.device.is_full:
        raise Impossible(f"{act.op} needs the full address of a device")
    return act.device


def _devices(act: Act) -> tuple[PciAddress, ...]:
    """The devices of an act that takes one or several."""
    devices = act.devices or ((act.device,) if act.device is not None else ())
    _require(all(device.is_full for device in devices), f"{act.op} needs full addresses")
    return devices


def _living(m: Machine, act: Act) -> tuple[int, Domain]:
    domid = act.domid
    domain = None if domid is None else m.domains.get(domid)
    if domid is None or domain is None or domain.dying:
        raise Impossible(f"domain {domid} does not run")
    return domid, domain


def _present(m: Machine, device: PciAddress) -> None:
    _require(m.device(device).present, f"{device} does not exist")


def _host_boot(m: Machine, act: Act) -> None:
    """The host starts: both ledgers are empty; devices keep only their kind."""
    configs = tuple(device.config for device in m.devices.values())
    fresh = State.boot(configs, nomsi=m.nomsi, pciback_loaded=m.traits.pciback_loaded)
    Machine.__init__(m, m.traits, fresh)


def _seize(m: Machine, act: Act) -> None:
    device = _device(act)
    _present(m, device)
    _require(not m.device(device).driver, f"{device} has a driver already")
    _require(m.seize(device).ret == 0, "pciback is not loaded")


def _release(m: Machine, act: Act) -> None:
    device = _device(act)
    _require(m.device(device).seized, f"{device} is not seized")
    m.unbind(device)


def _domain_start(m: Machine, act: Act) -> None:
    """xend builds a domain and creates its pciback backend."""
    domid = act.domid
    if domid is None or domid <= DOM0:
        raise Impossible("domain_start needs a domid above 0")
    devices = _devices(act)
    _require(m.domain_create(domid, act.kind).ret == 0, f"domid {domid} was used before")
    for device in devices:
        if m.traits.pm_flr:
            m.flr(device)
        if act.kind == "hvm":
            m.xen_assign(domid, device, force=1)
    if devices:
        reply = m.assign(domid, devices, force=1)
        _require(reply.ret == 0, f"the backend of domain {domid} could not be made: {reply.ret}")


def _driver_load(m: Machine, act: Act) -> None:
    device = _device(act)
    domid, domain = _living(m, act)
    known = m.guests.get(domid, Guest())
    _require(known.driver(device) is None, f"a driver for {device} is loaded in {domid}")
    if domid == DOM0:
        _present(m, device)
        _require(not m.device(device).driver, f"{device} has another driver in dom0")
        m.set_guest(domid, known)
    else:
        backend = m.backends.get(domid)
        if backend is None or not backend.holds(device):
            raise Impossible(f"domain {domid} does not have {device}")
        if domain.kind == "hvm":
            guest.qemu_probe(m, domid, device, act.nvec)
            return
        if not backend.ring:
            _require(m.fe_connect(domid).ret == BACKEND_CONNECTED, "the backend is closed")
    guest.igbvf_probe(m, domid, device, act.nvec)


def _loaded(m: Machine, act: Act) -> tuple[int, Driver]:
    domid, _ = _living(m, act)
    driver = m.guests.get(domid, Guest()).driver(_device(act))
    if driver is None:
        raise Impossible(f"no driver for {act.device} is loaded in domain {domid}")
    return domid, driver


def _ifup(m: Machine, act: Act) -> None:
    domid, driver = _loaded(m, act)
    _require(m.domains[domid].kind != "hvm", "an HVM guest's interrupts are qemu's business")
    _require(not driver.requested, f"the interface of {act.device} is up")
    guest.igbvf_open(m, domid, driver)


def _ifdown(m: Machine, act: Act) -> None:
    domid, driver = _loaded(m, act)
    _require(bool(driver.requested), f"the interface of {act.device} is down")
    guest.igbvf_close(m, domid, driver)


def _driver_unload(m: Machine, act: Act) -> None:
    domid, driver = _loaded(m, act)
    if m.domains[domid].kind == "hvm":
        guest.qemu_remove(m, domid, driver)
    else:
        guest.igbvf_remove(m, domid, driver)


def _clean_shutdown(m: Machine, act: Act) -> None:
    """The guest goes down in order, then xend destroys the domain."""
    domid, domain = _living_guest(m, act)
    if domain.kind == "pv":
        guest.device_shutdown(m, domid)
        m.fe_state(domid, FRONTEND_CLOSING)
    m.clean = True
    _teardown(m, act, domid)


def _abrupt(m: Machine, act: Act) -> None:
    """The domain ends without a word from its guest: crash or xm destroy."""
    domid, _ = _living_guest(m, act)
    m.clean = False
    _teardown(m, act, domid)


def _unknown_end(m: Machine, act: Act) -> None:
    """The same, by an unknown cause."""
    domid, _ = _living_guest(m, act)
    _teardown(m, act, domid)


def _living_guest(m: Machine, act: Act) -> tuple[int, Domain]:
    domid, domain = _living(m, act)
    _require(domid != DOM0, "dom0 ends with the host")
    return domid, domain


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
    domid, domain = _living_guest(m, act)
    _require(domain.kind == "pv", "an HVM guest's kexec is qemu's business")
    guest.device_shutdown(m, domid)
    backend = m.backends.get(domid)
    if backend is not None and backend.ring:
        m.fe_state(domid, FRONTEND_CLOSING)
        m.set_backend(domid, m.backends[domid]._replace(state=BACKEND_INITIALISED))
    m.set_guest(domid, None)


def _vf_destroy(m: Machine, act: Act) -> None:
    """Virtual functions vanish: rmmod of their physical function's driver, or IOV switched off."""
    devices = _devices(act)
    _require(bool(devices), "vf_destroy needs a device")
    for device in devices:
        _present(m, device)
        m.device_remove(device)


def _pf_reload(m: Machine, act: Act) -> None:
    """The physical function's driver is loaded anew: virtual functions vanish and come back."""
    devices = _devices(act)
    _require(bool(devices), "pf_reload needs a device")
    for device in devices:
        if m.device(device).present:
            m.device_remove(device)
    for device in devices:
        m.device_add(device)


def _flr(m: Machine, act: Act) -> None:
    device = _device(act)
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
