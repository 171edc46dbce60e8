"""Every story up to a length: all that can be done to a small host, in every order, merged.

The host has two devices, a virtual function and a card passed through as a whole; drivers ask for
one entry or two, the card's also for MSI or its legacy interrupt; at most two guests run at a time,
however many there were before. Stories that lead to states of equal future are followed once, so
what holds for all that is explored holds for every story of that length.

**Invariant:** knows no fault and no rule; whoever explores looks at what each act led to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, ParamSpec

from emulator.acts import LINGERS, Act, Impossible
from emulator.errors import CrashError
from emulator.kernels import Traits
from emulator.life import Outcome, perform
from emulator.pci import PciAddress
from emulator.records import DOM0, INTX, MSI, Device, Domain, present_life
from emulator.state import State

FUNCTION: Final = PciAddress.parse("0000:01:10.0")
CARD: Final = PciAddress.parse("0000:02:00.0")
DEVICES: Final = (FUNCTION, CARD)
ENTRIES: Final = 2
GUESTS: Final = 2


class Way(NamedTuple):
    """How a state was reached first: the last act, and the way to where it was done."""

    act: Act
    before: Way | None

    def acts(self) -> tuple[Act, ...]:
        """All acts, the first one first."""
        found = []
        way: Way | None = self
        while way is not None:
            found.append(way.act)
            way = way.before
        return tuple(reversed(found))


class Reached(NamedTuple):
    """One act that was tried: what came of it, or (outcome None) what the host died of.

    `new`: whether no state of equal future had been reached before.
    """

    way: Way
    before: State
    outcome: Outcome | None
    dies: str
    new: bool


def start(traits: Traits) -> State:
    """A host that has just come up, with both devices seized."""
    state = State.boot()
    for device in DEVICES:
        state = perform(traits, state, Act("seize", device=device)).state
    return state


def explore(traits: Traits, length: int) -> Iterator[Reached]:
    """Every act of every story of up to `length` acts, the shortest stories first."""
    merging = Merging()
    begin = start(traits)
    merging.is_new(begin)
    front: list[tuple[State, Way | None]] = [(begin, None)]
    for _ in range(length):
        reached: list[tuple[State, Way | None]] = []
        for state, before in front:
            for act in acts(state):
                way = Way(act, before)
                try:
                    outcome = perform(traits, state, act)
                except CrashError as error:
                    yield Reached(way, state, None, str(error), False)
                    continue
                except Impossible:
                    continue
                new = merging.is_new(outcome.state)
                yield Reached(way, state, outcome, "", new)
                if new:
                    reached.append((outcome.state, way))
        front = reached


# --- What can be done


def acts(state: State) -> Iterator[Act]:
    """Whatever may be tried in this state."""
    for device in DEVICES:
        yield from _to_device(state, device)
    if len(state.living()) < GUESTS:
        domid = state.highest_domid + 1
        for devices in ((FUNCTION,), (CARD,), DEVICES):
            yield Act("domain_start", domid, devices=devices)
        if state.seized(FUNCTION) and state.owner(FUNCTION) is None:
            yield Act("domain_start", domid, devices=(FUNCTION,), kind="hvm")
    for domid in (DOM0, *state.living()):
        for device in state.owned(domid) if domid else DEVICES:
            yield from _to_driver(state, domid, device)
        if domid:
            yield Act("clean_shutdown", domid)
            yield Act("destroy", domid)
            yield Act("destroy", domid, fault=(LINGERS, 1, 0))
            if state.kind(domid) == "pv":
                yield Act("kexec", domid)


def _to_device(state: State, device: PciAddress) -> Iterator[Act]:
    yield Act("release" if state.seized(device) else "seize", device=device)
    yield Act("flr", device=device)
    if device == FUNCTION:
        yield Act("pf_reload", devices=(device,))


def _to_driver(state: State, domid: int, device: PciAddress) -> Iterator[Act]:
    if state.loaded(domid, device) is not None:
        yield Act("driver_unload", domid, device)
        if state.kind(domid) != "hvm":
            yield Act("ifdown" if state.is_up(domid, device) else "ifup", domid, device)
        return
    for nvec in range(1, ENTRIES + 1):
        yield Act("driver_load", domid, device, nvec=nvec)
    if state.has_msi(device) and state.kind(domid) != "hvm":
        yield Act("driver_load", domid, device, nvec=1, mode=MSI)
        yield Act("driver_load", domid, device, nvec=1, mode=INTX)


# --- Which states have the same future

P = ParamSpec("P")
Names = Mapping[int, int]
GONE: Final = -1


class Merging:
    """Remembers states by what later acts can depend on, whatever their domains are called.

    Domids only name: living guests are told apart by the order in which they started, and all that
    are gone are one, because none of them comes back. Xen's free vectors are left out: so short a
    story never uses them up. What states share is looked at once.
    """

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._known: dict[object, int] = {}
        self._seen: set[tuple[int, ...]] = set()

    def is_new(self, state: State) -> bool:
        """Whether no state of equal future came before; it counts as known from now on."""
        before = len(self._seen)
        self._seen.add(self.key(state))
        return len(self._seen) > before

    def key(self, state: State) -> tuple[int, ...]:
        """What states of equal future have in common."""
        living, last = (DOM0, *state.living()), state.vector_last
        names = {domid: nth for nth, domid in enumerate(living)}
        parts = [
            self._number(("device", device, living), _device, device, names)
            for _, device in sorted(state.devices.items())
        ]
        for domid in living:
            domain = state.domains[domid]
            parts += [
                self._number(("domain", domain, last), _domain, domain, last),
                self._content(state.backends.get(domid)),
                self._content(state.guests.get(domid)),
            ]
        dying = [_domain(each, last) for domid, each in state.domains.items() if domid not in names]
        parts.append(self._content((tuple(dying), bool(state.vectors_used >> last & 1))))
        parts.append(self._content(_descriptors(state, names)))
        return tuple(parts)

    def _content(self, content: object) -> int:
        """A number that stands for the content."""
        return self._numbers.setdefault(content, len(self._numbers))

    def _number(self, record: object, content: Callable[P, object], /,
                *given: P.args, **named: P.kwargs) -> int:
        """The number of a record's content, which is worked out once."""
        number = self._known.get(record)
        if number is None:
            number = self._known[record] = self._content(content(*given, **named))
        return number


def _device(device: Device, names: Names) -> tuple[object, ...]:
    life = present_life(device)
    held = int(device.seized) + int(device.owner is not None)
    pairs = tuple(
        (pair.pirq, pair.entry_nr, names.get(pair.from_domid, GONE),
         (pair.from_domid, pair.assignment) == life)
        for pair in device.entries
    )
    irq_from = device.irq_from and (names.get(device.irq_from[0], GONE), device.irq_from == life)
    owner = None if device.owner is None else names.get(device.owner, GONE)
    xen_owner = None if device.xen_owner is None else names.get(device.xen_owner, GONE)
    return (
        device.config, device.present, device.driver, device.irq, irq_from,
        device.msi_enabled, device.msix_enabled, device.is_enabled, device.is_busmaster,
        device.cmd, device.hw_msi, device.hw_msix, device.mask_base, device.default_irq,
        device.node, pairs, device.seized, owner, device.kref > held, device.warned, xen_owner,
    )  # fmt: skip


def _domain(domain: Domain, last: int) -> tuple[object, ...]:
    """The domain's table tells of its vectors only which was given out last: it comes next."""
    table = frozenset(
        (pirq, (each.vector > 0) - (each.vector < 0), abs(each.vector) == last, each.device)
        for pirq, each in domain.table.items()
    )
    bound = frozenset(domain.bound)
    return domain.kind, domain.dying, domain.refs, domain.hold, domain.access, table, bound


def _descriptors(state: State, names: Names) -> tuple[object, ...]:
    """Which of the pirqs have a descriptor behind them, and how many descriptors have no pirq."""
    at = {
        each.vector: (names.get(domid, GONE), pirq)
        for domid, domain in state.domains.items()
        for pirq, each in domain.table.items()
    }
    places = [(each.device, at.get(vector, (GONE, 0)))
              for vector, each in state.descriptors.items()]
    return tuple(sorted(places))
