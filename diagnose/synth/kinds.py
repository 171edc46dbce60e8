"""The kinds of stories: ordinary lives, and what the founding report tells of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from diagnose.synth.draft import ABRUPT, ENDS, Devices, Draft
from emulator.pci import PciAddress

STALE = ("el5", "el5+1070", "el5+945+956+1070")
EVERY = (*STALE, "el5+prune", "el5-283")
ON_1070 = ("el5+1070", "el5+945+956+1070")
SHUTDOWN = ("clean_shutdown",)

Tell = Callable[[Draft], None]


class Kind(NamedTuple):
    """A kind of story: what happens, the kernel rows on which it is told, and who tells it."""

    about: str
    rows: tuple[str, ...]
    tell: Tell


def lives(draft: Draft, devices: Devices, ends: list[str], *, name: str = "rhel56",
          ) -> int:
    """One life after another, each ended as told; the last one goes on. Answers its domid."""
    for how in ends:
        draft.end(draft.boot_guest(devices, name=name), how)
    return draft.boot_guest(devices, name=name)


def seized(draft: Draft, most: int = 2) -> dict[PciAddress, int]:
    """Up to `most` devices, which pciback takes."""
    devices = draft.devices(draft.rng.randint(1, most))
    draft.seize(devices)
    return devices


def some_ends(draft: Draft, least: int, most: int, ends: tuple[str, ...] = ENDS) -> list[str]:
    """How so many lives end."""
    return [draft.rng.choice(ends) for _ in range(draft.rng.randint(least, most))]


def _reboots(ends: tuple[str, ...]) -> Tell:
    """The last life goes on."""
    def tell(draft: Draft) -> None:
        lives(draft, seized(draft), some_ends(draft, 1, 4, ends))

    return tell


def _ends_at_last(ends: tuple[str, ...]) -> Tell:
    """The last life ends as well."""

    def tell(draft: Draft) -> None:
        last = lives(draft, seized(draft), some_ends(draft, 0, 3, ends))
        draft.end(last, draft.rng.choice(ends))

    return tell


def _first_boot(draft: Draft) -> None:
    lives(draft, seized(draft), [])


def _hvm_only(draft: Draft) -> None:
    devices = seized(draft)
    for _ in range(draft.rng.randint(1, 3)):
        draft.end(draft.start(devices, kind="hvm"), "destroy")


def _hvm_first(draft: Draft) -> None:
    devices = seized(draft)
    for _ in range(draft.rng.randint(1, 2)):
        draft.end(draft.start(devices, kind="hvm"), "destroy")
    lives(draft, devices, [])


def _hvm_between(draft: Draft) -> None:
    devices = seized(draft)
    draft.end(draft.boot_guest(devices), draft.rng.choice(ENDS))
    draft.end(draft.start(devices, kind="hvm"), "destroy")
    lives(draft, devices, [])


def _rmmod_first(draft: Draft) -> None:
    devices = seized(draft)
    for _ in range(draft.rng.randint(1, 3)):
        domid = draft.boot_guest(devices)
        draft.unload(domid, devices)
        draft.end(domid, draft.rng.choice(("clean_shutdown", "clean_shutdown", "destroy")))
    if draft.rng.random() < 0.5:
        lives(draft, devices, [])


def _reboot_rmmod(draft: Draft) -> None:
    devices = seized(draft)
    draft.unload(lives(draft, devices, ["clean_shutdown"]), devices)


def _reboot_heal(draft: Draft) -> None:
    devices = seized(draft)
    draft.heal(lives(draft, devices, ["clean_shutdown"]), devices)


def _heal_then_reboot(draft: Draft) -> None:
    devices = seized(draft)
    domid = lives(draft, devices, ["clean_shutdown"])
    draft.heal(domid, devices)
    draft.end(domid, "clean_shutdown")
    last = lives(draft, devices, [])
    if draft.rng.random() < 0.5:
        draft.heal(last, devices)


def _map_failure(draft: Draft) -> None:
    devices = seized(draft)
    domid = draft.start(devices)
    victim = draft.rng.choice(list(devices))
    for device, nvec in devices.items():
        cause = None
        if device == victim:
            failing = draft.rng.choice(("map_pirq", "map_no_pirq"))
            cause = (failing, draft.rng.randint(1, nvec), -28)
        draft.add("driver_load", domid, device, nvec=nvec, fault=cause)
        if cause is None:
            draft.add("ifup", domid, device)


def _device_busy(draft: Draft) -> None:
    devices = seized(draft)
    draft.boot_guest(devices, name="web-a")
    strangers = [each for each in draft.devices(2) if each not in devices]
    unseized = draft.rng.random() < 0.4 and strangers
    draft.start(strangers[:1] if unseized else list(devices)[:1], name="db")


def _stale_plus_fresh(draft: Draft) -> None:
    first, second = draft.devices(2).items()
    draft.seize((first[0], second[0]))
    draft.end(draft.boot_guest(dict([first])), "clean_shutdown")
    both = dict([first, second] if draft.rng.random() < 0.6 else [second, first])
    domid = draft.boot_guest(both)
    then = draft.rng.choice(("", "unload", "heal"))
    if then == "unload":
        draft.unload(domid, [first[0]])
    elif then == "heal":
        draft.heal(domid, dict([first]))


def _nothing(draft: Draft) -> None:
    for _ in range(draft.rng.randint(0, 2)):
        draft.bystander()


KINDS: Mapping[str, Kind] = {
    "first-boot": Kind("a guest's first life, which goes on", EVERY, _first_boot),
    "reboot-clean": Kind("clean reboots on the shipped kernel", ("el5",), _reboots(SHUTDOWN)),
    "clean-1070": Kind("clean reboots with c/s 1070", ("el5+1070",), _reboots(SHUTDOWN)),
    "clean-956": Kind("clean reboots with c/s 945, 956 and 1070", ("el5+945+956+1070",),
                      _reboots(SHUTDOWN)),
    "destroy-274": Kind("crashes and destroys on the shipped kernel", ("el5",),
                        _ends_at_last(ABRUPT)),
    "destroy-1070": Kind("crashes and destroys with c/s 1070", ON_1070, _ends_at_last(ABRUPT)),
    "fixed-mixed": Kind("ends of all kinds on the fixed kernel", ("el5-283",),
                        _ends_at_last(ENDS)),
    "fixed-reboots": Kind("clean reboots on the fixed kernel", ("el5-283",), _reboots(SHUTDOWN)),
    "prune-only": Kind("ends of all kinds with the prune alone", ("el5+prune",),
                       _ends_at_last(ENDS)),
    "prune-running": Kind("the same, and the last life goes on", ("el5+prune",), _reboots(ENDS)),
    "mixed-1070": Kind("ends of all kinds with c/s 1070", ON_1070, _reboots(ENDS)),
    "mixed-274": Kind("ends of all kinds on the shipped kernel", ("el5",), _ends_at_last(ENDS)),
    "hvm-only": Kind("HVM guests alone", EVERY, _hvm_only),
    "hvm-first": Kind("HVM guests, then a PV guest", EVERY, _hvm_first),
    "hvm-between": Kind("an HVM guest between two PV guests", EVERY, _hvm_between),
    "rmmod-first": Kind("drivers are unloaded before each end", EVERY, _rmmod_first),
    "reboot-rmmod": Kind("a reboot, then the driver is unloaded", STALE, _reboot_rmmod),
    "reboot-heal": Kind("a reboot, then the driver is reloaded, which heals", STALE, _reboot_heal),
    "heal-then-reboot": Kind("healed by hand, then the same again", STALE, _heal_then_reboot),
    "map-failure": Kind("a map is refused, for lack of pirqs or otherwise", EVERY, _map_failure),
    "device-busy": Kind("a guest wants what another has or nobody seized", EVERY, _device_busy),
    "stale-plus-fresh": Kind("a stale device and a fresh one in one guest", STALE,
                             _stale_plus_fresh),
    "noise-only": Kind("guests without passthrough, or none at all", EVERY, _nothing),
}
