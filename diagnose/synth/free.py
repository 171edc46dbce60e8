"""Stories drawn act by act: guests with devices of many sorts, and whatever can happen to them.

Every act is tried on the machine before it is told, so a story holds none that cannot happen; it
ends with the act of which the hypervisor dies, if there is one. Ordinary lives are by far the
likeliest: a guest that starts loads its drivers and brings them up, and goes down in order.

**Invariant:** what comes of the acts is never looked at when the next one is drawn, only what can
be done in the state that they have led to.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from diagnose.synth.draft import (
    BUSES,
    FUNCTIONS,
    GUEST_NAMES,
    MORE_NAMES,
    PHYSICAL,
    SLOTS,
    VECTORS,
    Draft,
)
from diagnose.synth.kinds_hazards import own_card
from emulator.kernels import row
from emulator.life import Act, Crash, Impossible, perform
from emulator.pci import PciAddress
from emulator.records import INTX, LATE_ANSWER, MSI, MSIX
from emulator.state import State

NAMES = (*GUEST_NAMES, *MORE_NAMES)
GUESTS_MAX, LIVES_MAX = len(NAMES), 40
"""More guests than there are devices for, and more lives than anybody reads, are refused."""
GUESTS = (1, 1, 1, 2, 2, 3)
LIVES = (1, 2, 2, 3, 3, 4)
PATIENCE = 0.8
"""How likely a guest finishes what it has begun before another one does something."""
CAUSED = 0.05
"""How likely a load or an end meets with a cause from outside."""
LOAD_CAUSES = ("map_pirq", "map_no_pirq", "map_no_vector", "map_pirq", "map_no_pirq",
               "map_nosupport", "attach_nomem", "ioremap_null", LATE_ANSWER)
END_CAUSES = ("linger", "linger", "unmap_pirq")
REFUSALS = (-28, -22)
ENDS = ("clean_shutdown",) * 3 + ("crash", "destroy")
DEVICES_MAX = 12


class _Guest(Struct):
    """A guest of the story: what it wants each time it starts, and how many lives it has left."""

    name: str
    kind: str
    wants: dict[PciAddress, tuple[int, str]]
    lives: int
    domid: int | None = None
    agenda: list[Act] = field(default_factory=list)


class _Free:
    """A free story in the making."""

    def __init__(self, draft: Draft, guests: int | None, lives: int | None) -> None:
        self.draft, self.rng = draft, draft.rng
        self.traits = row(draft.row).traits
        self.state = State.boot()
        self.dead = False
        count = guests or self.rng.choice(GUESTS)
        each = [lives or self.rng.choice(LIVES) for _ in range(count)]
        pool = _devices(self.rng, count)
        self.guests = [_guest(self.rng, nth, pool, most) for nth, most in enumerate(each)]
        wanted = {device for guest in self.guests for device in guest.wants}
        self.devices = [device for device in pool if device in wanted]

    def do(self, act: Act) -> bool:
        """Let an act happen; False if it cannot."""
        if self.dead:
            return False
        try:
            self.state = perform(self.traits, self.state, act).state
        except Crash:
            self.dead = True
        except Impossible:
            return False
        self.draft.acts.append(act)
        return True

    def seize(self) -> None:
        """pciback takes what it does not have and nobody drives."""
        for device in self.devices:
            if self.state.present(device) and not self.state.seized(device):
                self.do(Act("seize", device=device))

    def run(self) -> None:
        """From the host's boot to the end of the last life, or of the host."""
        if self.rng.random() < 0.1:
            own_card(self.draft)
            for act in self.draft.acts:
                self.state = perform(self.traits, self.state, act).state
        self.seize()
        at = self.guests[0]
        while not self.dead:
            able = [each for each in self.guests if each.agenda or each.domid or each.lives]
            if not able:
                return
            if at not in able or not at.agenda or self.rng.random() > PATIENCE:
                at = self.rng.choice(able)
            if not at.agenda and not self._next(at):
                return
            if at.agenda:
                self.do(at.agenda.pop(0))

    def _next(self, guest: _Guest) -> bool:
        """What a guest that has nothing to do does next; False if the story has come to its end."""
        if guest.domid is None:
            self._start(guest)
            return True
        if not guest.lives and self.rng.random() < 0.3:
            return any(each.lives or each.agenda for each in self.guests if each is not guest)
        chapters = CHAPTERS if guest.kind == "pv" else HVM_CHAPTERS
        (chapter,) = self.rng.choices(tuple(chapters), tuple(chapters.values()))
        chapter(self, guest)
        return True

    def _start(self, guest: _Guest) -> None:
        guest.lives -= 1
        domid = self.draft.born(guest.name)
        self.do(Act("domain_start", domid, devices=tuple(guest.wants), kind=guest.kind))
        got = set(self.state.owned(domid))
        if guest.wants and not got:
            return  # refused: the toolstack gives up
        guest.domid = domid
        if guest.kind == "hvm":
            return
        loads = [self._load(guest, device) for device in guest.wants if device in got]
        ups = [Act("ifup", domid, act.device) for act in loads]
        if self.rng.random() < 0.5:
            guest.agenda = loads + ups
        else:
            guest.agenda = [act for pair in zip(loads, ups) for act in pair]
        if self.rng.random() < 0.05:
            guest.agenda.pop()

    def _load(self, guest: _Guest, device: PciAddress) -> Act:
        nvec, mode = guest.wants[device]
        if device in PHYSICAL and self.rng.random() < 0.3:
            nvec, mode = 1, self.rng.choice((MSI, INTX))
        if mode == MSIX and self.rng.random() < 0.05:
            nvec = self.rng.choice(VECTORS)
        cause = self._cause(LOAD_CAUSES, nvec) if mode == MSIX else None
        return Act("driver_load", guest.domid, device, nvec=nvec, mode=mode, fault=cause)

    def _cause(self, causes: tuple[str, ...], most: int) -> tuple[str, int, int] | None:
        if self.rng.random() >= CAUSED:
            return None
        cause = self.rng.choice(causes)
        ret = self.rng.choice((0, -1)) if cause == LATE_ANSWER else self.rng.choice(REFUSALS)
        return cause, 1 if cause == LATE_ANSWER else self.rng.randint(1, max(1, most)), ret

    # --- chapters of a running guest's life

    def end(self, guest: _Guest) -> None:
        """The guest goes, one way or another."""
        how = self.rng.choice(ENDS)
        self.do(Act(how, guest.domid, fault=self._cause(END_CAUSES, 1)))
        guest.domid = None

    def heal(self, guest: _Guest) -> None:
        """Drivers are loaded anew, by somebody who looks for a cure."""
        for device in guest.wants:
            guest.agenda += [Act("driver_unload", guest.domid, device), self._load(guest, device),
                             Act("ifup", guest.domid, device)]

    def unload(self, guest: _Guest) -> None:
        """Drivers are unloaded, and the guest goes."""
        guest.agenda = [Act("driver_unload", guest.domid, device) for device in guest.wants]
        if self.rng.random() < 0.7:
            for act in guest.agenda:
                self.do(act)
            guest.agenda = []
            self.end(guest)

    def down(self, guest: _Guest) -> None:
        """An interface goes down and up."""
        device = self._one(guest)
        guest.agenda = [Act("ifdown", guest.domid, device), Act("ifup", guest.domid, device)]

    def kexec(self, guest: _Guest) -> None:
        """Another kernel in the same domain."""
        if self.do(Act("kexec", guest.domid)):
            loads = [self._load(guest, device) for device in guest.wants]
            guest.agenda = loads + [Act("ifup", guest.domid, act.device) for act in loads]

    def reset(self, guest: _Guest) -> None:
        """A function is reset behind pciback's back, and the guest is destroyed for it."""
        self.do(Act("flr", device=self._one(guest)))
        self.end(guest)

    def rebind(self, guest: _Guest) -> None:
        """Hands on the host: a device is taken from pciback, perhaps used by dom0, given back."""
        device = self._one(guest)
        if self.rng.random() < 0.6:
            self.end(guest)
        self.do(Act("release", device=device))
        if self.rng.random() < 0.3 and self.do(Act("driver_load", 0, device, nvec=3)):
            self.do(Act("driver_unload", 0, device))
        self.do(Act("seize", device=device))

    def vanish(self, guest: _Guest) -> None:
        """Virtual functions go; if their physical function's driver is loaded anew they return."""
        devices = tuple(each for each in guest.wants if each not in PHYSICAL)
        if not devices:
            return
        self.end(guest)
        if self.rng.random() < 0.3:
            self.do(Act("vf_destroy", devices=devices))
        self.do(Act("pf_reload", devices=devices))
        self.seize()

    def host_boot(self, guest: _Guest) -> None:
        """The host starts anew, and with it every guest."""
        if not any(each.lives for each in self.guests):
            self.end(guest)
        elif self.do(Act("host_boot")):
            self.draft.boot += 1
            self.draft.next_domid = 1
            for each in self.guests:
                each.domid, each.agenda = None, []
            self.draft.traits.add("banner")
            self.seize()

    def _one(self, guest: _Guest) -> PciAddress:
        return self.rng.choice(tuple(guest.wants))


Chapter = Callable[[_Free, _Guest], None]
CHAPTERS: Mapping[Chapter, int] = {
    _Free.end: 60, _Free.heal: 8, _Free.unload: 8, _Free.down: 4, _Free.kexec: 4,
    _Free.reset: 2, _Free.rebind: 3, _Free.vanish: 3, _Free.host_boot: 3,
}
HVM_CHAPTERS: Mapping[Chapter, int] = {_Free.end: 1}


def _devices(rng: random.Random, guests: int) -> dict[PciAddress, tuple[int, str]]:
    """Devices on the host's buses, with what a driver of each asks for: vectors and mode."""
    found: dict[PciAddress, tuple[int, str]] = {}
    slot, function = rng.choice(SLOTS), rng.choice(FUNCTIONS)
    while len(found) < min(guests + rng.randint(0, 2), DEVICES_MAX):
        layout = rng.random()
        if layout < 0.5:  # the same devfn on another bus
            device = PciAddress(0, rng.choice(BUSES), slot, function)
        elif layout < 0.7:  # another function of the same slot
            device = PciAddress(0, BUSES[0], slot, rng.choice(FUNCTIONS))
        elif layout < 0.93:
            device = PciAddress(0, rng.choice(BUSES), rng.choice(SLOTS), rng.choice(FUNCTIONS))
        else:
            device = rng.choice(PHYSICAL)
        mode = rng.choice((MSIX, MSIX, MSI, INTX)) if device in PHYSICAL else MSIX
        found[device] = (rng.choice(VECTORS) if mode == MSIX else 1, mode)
    return found


def _guest(rng: random.Random, nth: int, pool: Mapping[PciAddress, tuple[int, str]], lives: int,
           ) -> _Guest:
    """The nth guest; it has a device of its own, others by chance, also such as others want."""
    devices = list(pool)
    wants = [devices[nth % len(devices)]]
    if rng.random() < 0.35:
        more = rng.choice(devices)
        wants += [more] if more not in wants else []
    kind = "hvm" if rng.random() < 0.12 else "pv"
    return _Guest(NAMES[nth], kind, {device: pool[device] for device in wants}, lives)


def told(draft: Draft, guests: int | None = None, lives: int | None = None) -> None:
    """Fill the draft with a free story of so many guests and lives each; by chance where None."""
    _Free(draft, guests, lives).run()

