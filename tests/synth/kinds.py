"""The kinds of stories: ordinary lives, and what the founding report tells of."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from emulator.pci import PciAddress
from tests.synth.draft import ABRUPT, ENDS, Devices, Draft, Scenario

Kind = Callable[[random.Random], Scenario]
STALE = ("el5", "el5+1070", "el5+945+956+1070")
EVERY = (*STALE, "el5+prune", "el5-283")


def lives(draft: Draft, devices: Devices, ends: list[str], *, name: str = "rhel56",
          ) -> int:
    """One life after another, each ended as told; the last one goes on. Answers its domid."""
    for how in ends:
        draft.end(draft.boot_guest(devices, name=name), how)
    return draft.boot_guest(devices, name=name)


def drafted(rng: random.Random, row: str, most: int = 2) -> tuple[Draft, dict[PciAddress, int]]:
    """A draft under this row, with up to `most` devices seized."""
    draft = Draft(rng, row)
    devices = draft.devices(rng.randint(1, most))
    draft.seize(devices)
    return draft, devices


def _reboots(cls: str, rows: tuple[str, ...], ends: tuple[str, ...]) -> Kind:
    def kind(rng: random.Random) -> Scenario:
        draft, devices = drafted(rng, rng.choice(rows))
        lives(draft, devices, [rng.choice(ends) for _ in range(rng.randint(1, 4))])
        return draft.scenario(cls)

    return kind


def _ends_at_last(cls: str, rows: tuple[str, ...], ends: tuple[str, ...]) -> Kind:
    """The last life ends as well."""

    def kind(rng: random.Random) -> Scenario:
        draft, devices = drafted(rng, rng.choice(rows))
        last = lives(draft, devices, [rng.choice(ends) for _ in range(rng.randint(0, 3))])
        draft.end(last, rng.choice(ends))
        return draft.scenario(cls)

    return kind


def first_boot(rng: random.Random) -> Scenario:
    draft, devices = drafted(rng, rng.choice(EVERY))
    lives(draft, devices, [])
    return draft.scenario("first-boot")


def hvm_only(rng: random.Random) -> Scenario:
    draft, devices = drafted(rng, rng.choice(EVERY))
    for _ in range(rng.randint(1, 3)):
        draft.end(draft.start(devices, kind="hvm"), "destroy")
    return draft.scenario("hvm-only")


def hvm_first(rng: random.Random) -> Scenario:
    draft, devices = drafted(rng, rng.choice(EVERY))
    for _ in range(rng.randint(1, 2)):
        draft.end(draft.start(devices, kind="hvm"), "destroy")
    lives(draft, devices, [])
    return draft.scenario("hvm-first")


def hvm_between(rng: random.Random) -> Scenario:
    draft, devices = drafted(rng, rng.choice(EVERY))
    draft.end(draft.boot_guest(devices), rng.choice(ENDS))
    draft.end(draft.start(devices, kind="hvm"), "destroy")
    lives(draft, devices, [])
    return draft.scenario("hvm-between")


def rmmod_first(rng: random.Random) -> Scenario:
    draft, devices = drafted(rng, rng.choice(EVERY))
    for _ in range(rng.randint(1, 3)):
        domid = draft.boot_guest(devices)
        draft.unload(domid, devices)
        draft.end(domid, rng.choice(("clean_shutdown", "clean_shutdown", "destroy")))
    if rng.random() < 0.5:
        lives(draft, devices, [])
    return draft.scenario("rmmod-first")


def reboot_rmmod(rng: random.Random) -> Scenario:
    draft, devices = drafted(rng, rng.choice(STALE))
    draft.unload(lives(draft, devices, ["clean_shutdown"]), devices)
    return draft.scenario("reboot-rmmod")


def reboot_heal(rng: random.Random) -> Scenario:
    draft, devices = drafted(rng, rng.choice(STALE))
    draft.heal(lives(draft, devices, ["clean_shutdown"]), devices)
    return draft.scenario("reboot-heal")


def heal_then_reboot(rng: random.Random) -> Scenario:
    """Healed by hand, then the same again."""
    draft, devices = drafted(rng, rng.choice(STALE))
    domid = lives(draft, devices, ["clean_shutdown"])
    draft.heal(domid, devices)
    draft.end(domid, "clean_shutdown")
    last = lives(draft, devices, [])
    if rng.random() < 0.5:
        draft.heal(last, devices)
    return draft.scenario("heal-then-reboot")


def map_failure(rng: random.Random) -> Scenario:
    """Refused on any device at any entry, for lack of pirqs or for another cause."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    domid = draft.start(devices)
    victim = rng.choice(list(devices))
    for device, nvec in devices.items():
        cause = None
        if device == victim:
            cause = (rng.choice(("map_pirq", "map_no_pirq")), rng.randint(1, nvec), -28)
        draft.add("driver_load", domid, device, nvec=nvec, fault=cause)
        if cause is None:
            draft.add("ifup", domid, device)
    return draft.scenario("map-failure")


def device_busy(rng: random.Random) -> Scenario:
    """Another guest wants a device that has an owner, or one that pciback never seized."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    draft.boot_guest(devices, name="web-a")
    strangers = [each for each in draft.devices(2) if each not in devices]
    wanted = strangers[:1] if rng.random() < 0.4 and strangers else list(devices)[:1]
    draft.start(wanted, name="db")
    return draft.scenario("device-busy")


def stale_plus_fresh(rng: random.Random) -> Scenario:
    """A stale device and a fresh one in one guest; either may be unloaded or reloaded after."""
    draft = Draft(rng, rng.choice(STALE))
    first, second = draft.devices(2).items()
    draft.seize((first[0], second[0]))
    draft.end(draft.boot_guest(dict([first])), "clean_shutdown")
    both = dict([first, second] if rng.random() < 0.6 else [second, first])
    domid = draft.boot_guest(both)
    then = rng.choice(("", "unload", "heal"))
    if then == "unload":
        draft.unload(domid, [first[0]])
    elif then == "heal":
        draft.heal(domid, dict([first]))
    return draft.scenario(f"stale-plus-fresh{then and '-' + then}")


def nothing(rng: random.Random) -> Scenario:
    """Guests without passthrough, or none at all."""
    draft = Draft(rng, rng.choice(EVERY))
    for _ in range(rng.randint(0, 2)):
        draft.bystander()
    return draft.scenario("noise-only")


KINDS: Mapping[str, Kind] = {
    "first-boot": first_boot,
    "reboot-clean": _reboots("reboot-clean", ("el5",), ("clean_shutdown",)),
    "clean-1070": _reboots("clean-1070", ("el5+1070",), ("clean_shutdown",)),
    "clean-956": _reboots("clean-956", ("el5+945+956+1070",), ("clean_shutdown",)),
    "destroy-274": _ends_at_last("destroy-274", ("el5",), ABRUPT),
    "destroy-1070": _ends_at_last("destroy-1070", ("el5+1070", "el5+945+956+1070"), ABRUPT),
    "fixed-mixed": _ends_at_last("fixed-mixed", ("el5-283",), ENDS),
    "fixed-reboots": _reboots("fixed-reboots", ("el5-283",), ("clean_shutdown",)),
    "prune-only": _ends_at_last("prune-only", ("el5+prune",), ENDS),
    "prune-running": _reboots("prune-running", ("el5+prune",), ENDS),
    "mixed-1070": _reboots("mixed-1070", ("el5+1070", "el5+945+956+1070"), ENDS),
    "mixed-274": _ends_at_last("mixed-274", ("el5",), ENDS),
    "hvm-only": hvm_only,
    "hvm-first": hvm_first,
    "hvm-between": hvm_between,
    "rmmod-first": rmmod_first,
    "reboot-rmmod": reboot_rmmod,
    "reboot-heal": reboot_heal,
    "heal-then-reboot": heal_then_reboot,
    "map-failure": map_failure,
    "device-busy": device_busy,
    "stale-plus-fresh": stale_plus_fresh,
    "noise-only": nothing,
}
