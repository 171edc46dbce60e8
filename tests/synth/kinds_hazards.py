"""What the kernels' sources allow beside the founding report: other interrupts, dom0's own hands.

A physical function can be told to use MSI or its legacy interrupt; dom0 can drive a device that a
guest has left; dom0 can answer a guest too late.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from emulator.pci import PciAddress
from emulator.records import LATE_ANSWER
from tests.synth.draft import ENDS, Devices, Draft, Scenario
from tests.synth.kinds import EVERY, STALE, Kind, drafted, lives

PHYSICAL = (PciAddress(0, 2, 0, 0), PciAddress(0, 4, 0, 1))
CARD = PciAddress(0, 1, 0, 0)
"""The physical function that dom0 keeps for itself."""


def _physical_lives(rng: random.Random, mode: str, cls: str) -> Scenario:
    draft = Draft(rng, rng.choice(EVERY))
    device = rng.choice(PHYSICAL)
    draft.seize([device])
    for turn in range(rng.randint(1, 3)):
        domid = draft.start([device])
        draft.add("driver_load", domid, device, nvec=1, mode=mode)
        draft.add("ifup", domid, device)
        if rng.random() < 0.3:
            draft.add("driver_unload", domid, device)
        if turn < 2:
            draft.end(domid, rng.choice(ENDS))
    return draft.scenario(cls)


def msi(rng: random.Random) -> Scenario:
    """Guests whose driver uses a single MSI vector: the record of MSI-X entries stays empty."""
    return _physical_lives(rng, "msi", "msi")


def intx(rng: random.Random) -> Scenario:
    """Guests whose driver uses the legacy interrupt."""
    return _physical_lives(rng, "intx", "intx")


def physical(rng: random.Random) -> Scenario:
    """A whole card is passed through and uses MSI-X."""
    draft = Draft(rng, rng.choice(EVERY))
    device = {rng.choice(PHYSICAL): rng.choice((3, 5, 9))}
    draft.seize(device)
    lives(draft, device, [rng.choice(ENDS) for _ in range(rng.randint(1, 3))])
    return draft.scenario("physical")


def _driven_by_dom0(draft: Draft, devices: Devices) -> None:
    for device, nvec in devices.items():
        draft.add("release", device=device)
        draft.add("driver_load", 0, device, nvec=nvec)


def dom0_drives(rng: random.Random) -> Scenario:
    """A guest's device goes back to a driver of dom0, with dead pairs or without."""
    draft, devices = drafted(rng, rng.choice(EVERY), most=1)
    domid = draft.boot_guest(devices)
    if rng.random() < 0.4:
        draft.unload(domid, devices)
    draft.end(domid, rng.choice(ENDS))
    _driven_by_dom0(draft, devices)
    if rng.random() < 0.6:
        draft.unload(0, devices)
        draft.seize(devices)
        lives(draft, devices, [])
    return draft.scenario("dom0-drives")


def _own_card(draft: Draft) -> None:
    """dom0's own card has its vectors since the host's boot."""
    draft.add("driver_load", 0, CARD, nvec=9)
    draft.add("ifup", 0, CARD)


def dom0_collides(rng: random.Random) -> Scenario:
    """The dead pairs' numbers belong to dom0's own card."""
    draft = Draft(rng, rng.choice(STALE))
    _own_card(draft)
    devices = draft.devices(1)
    draft.seize(devices)
    draft.end(draft.boot_guest(devices), "clean_shutdown")
    _driven_by_dom0(draft, devices)
    for device in devices:
        draft.add("ifup", 0, device)
    if rng.random() < 0.5:
        draft.unload(0, devices)
    return draft.scenario("dom0-collides")


def card_loses(rng: random.Random) -> Scenario:
    """The functions vanish with dead pairs, and the flush hits dom0's own card."""
    draft = Draft(rng, rng.choice(STALE))
    _own_card(draft)
    devices = draft.devices(1)
    draft.seize(devices)
    draft.end(draft.boot_guest(devices), "clean_shutdown")
    draft.add("vf_destroy", devices=tuple(devices))
    return draft.scenario("card-loses")


def late_answer(rng: random.Random) -> Scenario:
    """dom0 is slow: the guest gives up, dom0 maps, and a second try finds the pairs."""
    draft, devices = drafted(rng, rng.choice(EVERY), most=1)
    domid = draft.start(devices)
    for device, nvec in devices.items():
        draft.add("driver_load", domid, device, nvec=nvec,
                  fault=(LATE_ANSWER, 1, rng.choice((0, -1))))
    draft.up(domid, devices)
    if rng.random() < 0.5:
        draft.end(domid, rng.choice(ENDS))
    return draft.scenario("late-answer")


HAZARDS: Mapping[str, Kind] = {
    "msi": msi,
    "intx": intx,
    "physical": physical,
    "dom0-drives": dom0_drives,
    "dom0-collides": dom0_collides,
    "card-loses": card_loses,
    "late-answer": late_answer,
}
