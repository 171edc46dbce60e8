"""What the kernels' sources allow beside the founding report: other interrupts, dom0's own hands.

A physical function can be told to use MSI or its legacy interrupt; dom0 can drive a device that a
guest has left; dom0 can answer a guest too late.
"""

from __future__ import annotations

from collections.abc import Mapping

from diagnose.synth.draft import CARD, ENDS, PHYSICAL, Devices, Draft
from diagnose.synth.kinds import EVERY, STALE, Kind, Tell, lives, seized, some_ends
from emulator.records import INTX, LATE_ANSWER, MSI


def _physical_lives(*modes: str) -> Tell:
    """Lives whose drivers ask in one of these modes each."""
    def tell(draft: Draft) -> None:
        device = draft.rng.choice(PHYSICAL)
        draft.seize([device])
        for turn in range(draft.rng.randint(1, 3)):
            domid = draft.start([device])
            draft.add("driver_load", domid, device, nvec=1, mode=draft.rng.choice(modes))
            draft.add("ifup", domid, device)
            if draft.rng.random() < 0.3:
                draft.add("driver_unload", domid, device)
            if turn < 2:
                draft.end(domid, draft.rng.choice(ENDS))

    return tell


def _physical(draft: Draft) -> None:
    device = {draft.rng.choice(PHYSICAL): draft.rng.choice((3, 5, 9))}
    draft.seize(device)
    lives(draft, device, some_ends(draft, 1, 3))


def _driven_by_dom0(draft: Draft, devices: Devices) -> None:
    for device, nvec in devices.items():
        draft.add("release", device=device)
        draft.add("driver_load", 0, device, nvec=nvec)


def _dom0_drives(draft: Draft) -> None:
    devices = seized(draft, most=1)
    domid = draft.boot_guest(devices)
    if draft.rng.random() < 0.4:
        draft.unload(domid, devices)
    draft.end(domid, draft.rng.choice(ENDS))
    _driven_by_dom0(draft, devices)
    if draft.rng.random() < 0.6:
        draft.unload(0, devices)
        draft.seize(devices)
        lives(draft, devices, [])


def own_card(draft: Draft) -> None:
    """dom0's own card has its vectors since the host's boot."""
    draft.add("driver_load", 0, CARD, nvec=9)
    draft.add("ifup", 0, CARD)


def _dom0_collides(draft: Draft) -> None:
    own_card(draft)
    devices = draft.devices(1)
    draft.seize(devices)
    draft.end(draft.boot_guest(devices), "clean_shutdown")
    _driven_by_dom0(draft, devices)
    for device in devices:
        draft.add("ifup", 0, device)
    if draft.rng.random() < 0.5:
        draft.unload(0, devices)


def _card_loses(draft: Draft) -> None:
    own_card(draft)
    devices = draft.devices(1)
    draft.seize(devices)
    draft.end(draft.boot_guest(devices), "clean_shutdown")
    draft.add("vf_destroy", devices=tuple(devices))


def _late_answer(draft: Draft) -> None:
    devices = seized(draft, most=1)
    domid = draft.start(devices)
    for device, nvec in devices.items():
        draft.add("driver_load", domid, device, nvec=nvec,
                  fault=(LATE_ANSWER, 1, draft.rng.choice((0, -1))))
    draft.up(domid, devices)
    if draft.rng.random() < 0.5:
        draft.end(domid, draft.rng.choice(ENDS))


HAZARDS: Mapping[str, Kind] = {
    "msi": Kind("a driver that uses a single MSI vector", EVERY, _physical_lives(MSI)),
    "intx": Kind("a driver that uses the legacy interrupt", EVERY, _physical_lives(INTX)),
    "msi-or-intx": Kind("drivers of a card with MSI and without", EVERY,
                        _physical_lives(MSI, INTX)),
    "physical": Kind("a whole card with MSI-X", EVERY, _physical),
    "dom0-drives": Kind("a guest's device goes back to a driver of dom0", EVERY, _dom0_drives),
    "dom0-collides": Kind("dead pairs whose pirqs dom0's own card has", STALE, _dom0_collides),
    "card-loses": Kind("functions vanish, and the flush hits dom0's own card", STALE, _card_loses),
    "late-answer": Kind("dom0 maps after the guest has given up", EVERY, _late_answer),
}
