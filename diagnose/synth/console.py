"""What a host and its guests print while a story happens: effects, and the lines around them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from diagnose.grammar import print_line
from diagnose.synth.beside import own_device, xend
from diagnose.synth.draft import Scenario
from diagnose.synth.record import ANNOUNCED, BANNER, NOISE, Record
from diagnose.synth.stage import Step
from diagnose.synth.words import around, words
from emulator.effects import Effect
from emulator.pci import PciAddress
from emulator.records import LATE_ANSWER, VF_SLOT_MIN

TICK = 0.0001
QUIET_XEN = ("debug", "info", "gerr", "gwarning", "ginfo", "gdebug")
RATE_BURST, RATE_REFILL = 10, 5.0


class Console:
    """Collects the records of a story as its steps happen."""

    def __init__(self, scenario: Scenario, rng: random.Random) -> None:
        self.scenario = scenario
        self.rng = rng
        self.now = 17_180_000.0 + rng.random() * 4000
        self.records: list[Record] = []
        self.boot = 0
        self.during = -1
        self.virtual: dict[tuple[int, int, PciAddress], PciAddress] = {}
        self.credit, self.credited, self.lost = float(RATE_BURST), self.now, 0

    def say(self, speaker: str, text: str, level: str = "info", domid: int | None = None,
            step: int | None = None, kind: str = "") -> None:
        """One line, a tick after the last one."""
        self.now += TICK
        guest = None if domid is None else (self.boot, domid)
        self.records.append(
            Record(self.now, speaker, guest, level, text, step, kind, self.during))

    def perhaps(self, chance: float, text: str) -> None:
        """A line of dom0 that may be there."""
        if self.rng.random() < chance:
            self.say("dom0", text)

    def wait(self, low: float, high: float) -> None:
        """Time goes by."""
        self.now += self.rng.uniform(low, high)

    def noise(self, most: int = 2) -> None:
        """Lines that mean nothing here."""
        for _ in range(self.rng.randint(0, most)):
            self.wait(0.1, 2.5)
            self.say("dom0", self.rng.choice(words().dom0_noise), kind=NOISE)
        if self.rng.random() < 0.15:
            self.say("xen", "(XEN) " + self.rng.choice(words().xen_noise), kind=NOISE)
        if "dom0-devices" in self.scenario.traits and self.rng.random() < 0.5:
            self.wait(0.1, 1)
            for told in own_device(self.rng):
                self.say("dom0", told.text, told.level, kind=NOISE)

    def toolstack(self, step: Step) -> None:
        """xend writes down what became of an act."""
        for told in xend(self.scenario, step) if "xend" in self.scenario.traits else ():
            self.say("toolstack", told.text, told.level)

    def banners(self) -> None:
        """The host's kernels say who they are."""
        build = self.scenario.build
        self.say("dom0", words().linux.format(build=build), "notice", kind=BANNER)
        for line in words().xen:
            self.say("xen", line.format(build=build), kind=BANNER)

    def effects(self, step: Step) -> None:
        """The lines which the act itself printed."""
        for effect in step.outcome.effects:
            self._effect(step.number, effect)

    def _effect(self, number: int, effect: Effect) -> None:
        text = print_line(effect.kind, effect.fields)
        if effect.speaker == "xen":
            if "quiet-xen" in self.scenario.traits and effect.level in QUIET_XEN:
                return
            if effect.level.startswith("g") and not self._passes():
                return
            if not text.startswith("(XEN)"):
                text = "(XEN) " + text
        self.say(effect.speaker, text, effect.level, effect.domid, number, effect.kind)

    def _passes(self) -> bool:
        """Whether Xen's rate limit lets a guest-marked line through (drivers/char/console.c)."""
        if "rate-limit" not in self.scenario.traits:
            return True
        refilled = self.credit + (self.now - self.credited) / RATE_REFILL
        self.credit, self.credited = min(float(RATE_BURST), refilled), self.now
        if self.credit < 1:
            self.lost += 1
            return False
        self.credit -= 1
        if self.lost:
            self.say("xen", around("suppressed", lost=self.lost), "warning")
            self.lost = 0
        return True

    def name(self, domid: int, device: PciAddress) -> PciAddress:
        """The device's address on the guest's own bus."""
        return self.virtual.get((self.boot, domid, device), device)


def perform_on(console: Console, step: Step) -> None:
    """Print one step with everything around it."""
    act = step.act
    console.during = step.number
    special = AROUND.get(act.op)
    if special is None:
        console.wait(0.5, 4)
        console.effects(step)
    else:
        special(console, step)
    console.toolstack(step)
    if act.op not in ("driver_load", "ifup", "seize"):
        console.noise()


def _host_boot(console: Console, step: Step) -> None:
    console.wait(60, 200)
    console.boot = step.boot
    console.banners()
    console.noise(4)


def _start(console: Console, step: Step) -> None:
    act = step.act
    domid, rng = act.domid or 0, console.rng
    console.wait(2, 9)
    if any(deed.kind == "assign_refused" for deed in step.outcome.deeds):
        console.effects(step)
        return
    console.perhaps(0.7, around("tap", domid=domid))
    console.effects(step)
    for effect in step.outcome.effects:
        device, slot = effect.fields.get("device"), effect.fields.get("virtual_slot")
        if isinstance(device, PciAddress) and isinstance(slot, int):
            virtual = PciAddress(0, 0, slot, device.function)
            console.virtual[console.boot, domid, device] = virtual
    console.say("dom0", around("vif_up", domid=domid))
    if act.kind == "pv":
        console.perhaps(0.75, around("blktap"))
    if act.kind == "pv" and act.devices:
        console.wait(1, 4)
        for line in words().guest_boot:
            console.say("guest", line, domid=domid, kind="guest_boot")
        console.wait(0.1, 1)
    elif "stranger-logs" in console.scenario.traits and not act.devices:
        for line in words().stranger_boot:
            console.say("guest", line, domid=domid, kind="guest_boot")
    elif rng.random() < 0.5:
        console.say("dom0", around("bridge_up", domid=domid))


def _load(console: Console, step: Step) -> None:
    domid, device = step.act.domid or 0, step.act.device
    if device is None:
        return
    console.wait(0.01, 0.5)
    console.effects(step)
    if not domid:
        console.say("dom0", own_driver(device, step.act.nvec))
        return
    late = step.act.fault is not None and step.act.fault[0] == LATE_ANSWER
    if late or any(deed.kind == "map_refused" for deed in step.outcome.deeds):
        return
    if device.slot < VF_SLOT_MIN:
        return
    name = console.name(domid, device)
    console.say("guest", around("found", name=name), domid=domid)
    address = around("address", name=name, last=console.rng.randrange(256))
    console.say("guest", address, domid=domid)


def own_driver(device: PciAddress, nvec: int) -> str:
    """What dom0's own driver tells when it has its vectors."""
    if device.slot < VF_SLOT_MIN:
        return around("own_card", name=device, queues=(nvec - 1) // 2)
    return around("found", name=device)


def _ifup(console: Console, step: Step) -> None:
    domid, device = step.act.domid or 0, step.act.device
    if device is None:
        return
    console.wait(0.01, 0.3)
    console.effects(step)
    deeds = {deed.kind for deed in step.outcome.deeds}
    if "bind_refused" in deeds:
        if console.rng.random() < 0.4:
            console.say("guest", around("watchdog"), domid=domid)
    elif domid and device.slot >= VF_SLOT_MIN and "shared" not in deeds and "bound" in deeds:
        name = console.name(domid, device)
        console.say("guest", around("link_up", name=name), domid=domid)
    console.perhaps(0.3, around("bridge_up", domid=domid))


def _end(console: Console, step: Step) -> None:
    act, domid = step.act, step.act.domid or 0
    console.wait(0.5, 10)
    speaks = any(record.guest == (console.boot, domid) for record in console.records)
    if speaks and act.op == "clean_shutdown":
        for line in words().last_words:
            console.say("guest", line, domid=domid)
        last = console.rng.choice(words().very_last_words)
        console.say("guest", last, domid=domid)
    elif speaks and act.op == "crash":
        console.say("guest", words().panic, domid=domid)
    console.wait(0.1, 1)
    before = console.rng.random() < 0.15
    if not before:
        console.effects(step)
    console.perhaps(0.5, around("bridge_down", domid=domid))
    console.perhaps(0.6, around("vif_down", domid=domid))
    if before:
        console.effects(step)


def _kexec(console: Console, step: Step) -> None:
    domid = step.act.domid or 0
    console.wait(1, 5)
    console.effects(step)
    if console.rng.random() < 0.6:
        console.say("guest", words().kexec, domid=domid, kind=ANNOUNCED)
    for line in words().guest_boot:
        console.say("guest", line, domid=domid, kind="guest_boot")
    console.perhaps(0.6, around("blktap"))


AROUND = {
    "host_boot": _host_boot,
    "domain_start": _start,
    "driver_load": _load,
    "ifup": _ifup,
    "kexec": _kexec,
    "clean_shutdown": _end,
    "crash": _end,
    "destroy": _end,
}
"""Act → what prints it with the lines around; the other acts print their own lines alone."""


def printed(scenario: Scenario, steps: Sequence[Step], rng: random.Random) -> list[Record]:
    """Every line of a story, in order of time."""
    console = Console(scenario, rng)
    console.banners()
    console.noise(4)
    for step in steps:
        perform_on(console, step)
    console.noise(8)
    return console.records
