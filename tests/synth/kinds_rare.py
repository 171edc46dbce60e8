"""Rarer stories: several guests, hosts that reboot, hands on the host, and outside causes."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tests.synth.draft import ABRUPT, ENDS, GUEST_NAMES, Draft, Scenario
from tests.synth.kinds import EVERY, STALE, Kind, drafted, lives


def host_reboot(rng: random.Random) -> Scenario:
    """The host reboots in mid-file; both ledgers and the domids start anew."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    lives(draft, devices, [rng.choice(ENDS) for _ in range(rng.randint(0, 2))])
    draft.host_boot()
    draft.seize(devices)
    lives(draft, devices, [rng.choice(ENDS) for _ in range(rng.randint(0, 2))])
    draft.options |= {"banner", "full"}
    return draft.scenario("host-reboot")


def kexec(rng: random.Random) -> Scenario:
    """A guest starts another kernel inside its domain: its own pairs serve it again."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    domid = lives(draft, devices, [rng.choice(ENDS)] if rng.random() < 0.3 else [])
    for _ in range(rng.randint(1, 2)):
        draft.add("kexec", domid)
        draft.up(domid, devices)
    if rng.random() < 0.4:
        draft.end(domid, rng.choice(ENDS))
        lives(draft, devices, [])
    return draft.scenario("kexec")


def vf_destroy(rng: random.Random) -> Scenario:
    """Virtual functions vanish, and may come back, while pairs may be left over."""
    draft, devices = drafted(rng, rng.choice(STALE))
    draft.end(draft.boot_guest(devices), rng.choice(ENDS))
    if rng.random() < 0.5:
        draft.add("vf_destroy", devices=tuple(devices))
        return draft.scenario("vf-destroy")
    draft.add("pf_reload", devices=tuple(devices))
    draft.seize(devices)
    lives(draft, devices, [])
    return draft.scenario("pf-reload")


def flr_before_destroy(rng: random.Random) -> Scenario:
    """The Enable bit is gone before pciback resets: c/s 1070 then does nothing."""
    draft, devices = drafted(rng, "el5+1070")
    if rng.random() < 0.3:
        draft.end(draft.boot_guest(devices), rng.choice(ABRUPT))
    domid = draft.boot_guest(devices)
    for device in devices:
        draft.add("flr", device=device)
    draft.end(domid, rng.choice(ABRUPT))
    lives(draft, devices, [])
    return draft.scenario("flr-1070")


def two_guests(rng: random.Random) -> Scenario:
    """Two guests with a device each of the same devfn, rebooting in turns."""
    draft = Draft(rng, rng.choice(EVERY), gaps=False)
    devices = draft.devices(2, same_devfn=True)
    own = [{device: nvec} for device, nvec in devices.items()]
    draft.seize(devices)
    names = rng.sample(GUEST_NAMES, 2)
    running = [draft.start(each, name=name) for each, name in zip(own, names)]
    for at in rng.sample((0, 1), 2):
        draft.up(running[at], own[at])
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(2)
        draft.end(running[at], rng.choice(ENDS))
        running[at] = draft.boot_guest(own[at], name=names[at])
    return draft.scenario("two-guests")


def interleaved(rng: random.Random) -> Scenario:
    """Two guests go down together and come up together, act by act in turns."""
    draft = Draft(rng, rng.choice(EVERY), gaps=False)
    devices = list(draft.devices(4, same_devfn=rng.random() < 0.5).items())
    own = [dict(devices[:2]), dict(devices[2:])]
    draft.seize(device for device, _ in devices)
    names = rng.sample(GUEST_NAMES, 2)
    for _ in range(rng.randint(1, 3)):
        running = [draft.start(each, name=name) for each, name in zip(own, names)]
        for at in (0, 1):
            for side in (0, 1):
                device, nvec = list(own[side].items())[at]
                draft.add("driver_load", running[side], device, nvec=nvec)
        for side in (1, 0):
            for device in own[side]:
                draft.add("ifup", running[side], device)
        for side in rng.sample((0, 1), 2):
            draft.end(running[side], rng.choice(ENDS))
    for side in (0, 1):
        draft.boot_guest(own[side], name=names[side])
    return draft.scenario("interleaved")


def four_devices(rng: random.Random) -> Scenario:
    draft = Draft(rng, rng.choice(EVERY))
    devices = draft.devices(4, same_devfn=rng.random() < 0.5)
    draft.seize(devices)
    last = lives(draft, devices, [rng.choice(ENDS) for _ in range(rng.randint(1, 3))])
    if rng.random() < 0.3:
        draft.heal(last, devices)
    return draft.scenario("four-devices")


def handed_over(rng: random.Random) -> Scenario:
    """One device, two guests, one after the other in turns."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    names = rng.sample(GUEST_NAMES, 2)
    for at in range(rng.randint(2, 5)):
        draft.end(draft.boot_guest(devices, name=names[at % 2]), rng.choice(ENDS))
    draft.boot_guest(devices, name=names[0])
    return draft.scenario("handed-over")


def zombie(rng: random.Random) -> Scenario:
    """The domain still resolves while pciback resets: unmaps succeed, silently."""
    draft, devices = drafted(rng, rng.choice(("el5+1070", "el5-283", "el5+945+956+1070")))
    for _ in range(rng.randint(1, 3)):
        how = rng.choice((*ABRUPT, *ABRUPT, "clean_shutdown"))
        draft.end(draft.boot_guest(devices), how, zombie=rng.random() < 0.7)
    lives(draft, devices, [])
    return draft.scenario("zombie")


def broken_destroyed(rng: random.Random) -> Scenario:
    """A guest on stale pairs is destroyed: under c/s 1070 its teardown flushes them."""
    draft, devices = drafted(rng, rng.choice(STALE))
    last = lives(draft, devices, ["clean_shutdown"])
    draft.end(last, rng.choice(ABRUPT))
    if rng.random() < 0.7:
        lives(draft, devices, [])
    return draft.scenario("broken-destroyed")


def released(rng: random.Random) -> Scenario:
    """The device is unbound from pciback, in use (interface down) or not, and bound again."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    in_use = rng.random() < 0.5
    domid = draft.start(devices)
    draft.up(domid, devices, interfaces=not in_use)
    if not in_use:
        draft.end(domid, rng.choice(ENDS))
    for device in devices:
        draft.add("release", device=device)
    draft.seize(devices)
    if in_use:
        draft.end(domid, rng.choice(ENDS))
    lives(draft, devices, [])
    return draft.scenario("released-in-use" if in_use else "rebound")


def many_reboots(rng: random.Random) -> Scenario:
    """A dozen lives and more, with reloads: more than Xen's rate limit lets through."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    for _ in range(rng.randint(12, 16)):
        domid = draft.boot_guest(devices)
        if rng.random() < 0.5:
            draft.heal(domid, devices)
        draft.end(domid, rng.choice(ENDS))
    draft.boot_guest(devices)
    draft.options.add("rate-limit")
    return draft.scenario("many-reboots")


def vector_counts(rng: random.Random) -> Scenario:
    """One to ten vectors; the next life may ask for more or for fewer."""
    draft = Draft(rng, rng.choice(EVERY))
    devices = draft.devices(rng.randint(1, 2), vectors=(1, 2, 3, 5, 8, 10))
    draft.seize(devices)
    for _ in range(rng.randint(1, 3)):
        draft.end(draft.boot_guest(devices), rng.choice(ENDS))
        if rng.random() < 0.4:
            devices = {device: rng.choice((1, 2, 3, 5, 8)) for device in devices}
    draft.boot_guest(devices)
    return draft.scenario("vector-counts")


def bystanders(rng: random.Random) -> Scenario:
    """Guests without passthrough come and go between."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    for _ in range(rng.randint(1, 3)):
        draft.bystander(ends=rng.random() < 0.6)
        domid = draft.boot_guest(devices)
        draft.bystander(ends=rng.random() < 0.6)
        draft.end(domid, rng.choice(ENDS))
    draft.bystander()
    draft.boot_guest(devices)
    return draft.scenario("bystanders")


def odd_banner(rng: random.Random) -> Scenario:
    """A banner that suggests another row: fixes brought in or taken out."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    draft.options |= {"odd-banner", "banner"}
    lives(draft, devices, [rng.choice(ENDS) for _ in range(rng.randint(1, 3))])
    return draft.scenario("odd-banner")


def busy_later(rng: random.Random) -> Scenario:
    """A refused start in the middle of lives that leave pairs behind."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    domid = lives(draft, devices, [rng.choice(ENDS)], name="web-a")
    draft.start(list(devices)[:1], name="db")
    draft.end(domid, rng.choice(ENDS))
    draft.boot_guest(devices, name="db")
    return draft.scenario("busy-later")


def map_failure_later(rng: random.Random) -> Scenario:
    """A refused map in a later life, perhaps behind stale entries."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    draft.end(draft.boot_guest(devices), rng.choice(ENDS))
    domid = draft.start(devices)
    for at, (device, nvec) in enumerate(devices.items()):
        more = nvec + rng.choice((0, 2))
        cause = ("map_pirq", 1, -22) if at == len(devices) - 1 else None
        draft.add("driver_load", domid, device, nvec=more, fault=cause)
    return draft.scenario("map-failure-later")


def quiet_xen(rng: random.Random) -> Scenario:
    """Xen's log level hides everything marked for guests."""
    draft, devices = drafted(rng, rng.choice(STALE))
    last = lives(draft, devices, [rng.choice(ENDS)])
    draft.options.add("quiet-xen")
    draft.heal(last, devices)
    return draft.scenario("quiet-xen")


RARE: Mapping[str, Kind] = {
    "host-reboot": host_reboot,
    "kexec": kexec,
    "vf-destroy": vf_destroy,
    "flr-1070": flr_before_destroy,
    "two-guests": two_guests,
    "interleaved": interleaved,
    "four-devices": four_devices,
    "handed-over": handed_over,
    "zombie": zombie,
    "broken-destroyed": broken_destroyed,
    "released": released,
    "many-reboots": many_reboots,
    "vector-counts": vector_counts,
    "bystanders": bystanders,
    "odd-banner": odd_banner,
    "busy-later": busy_later,
    "map-failure-later": map_failure_later,
    "quiet-xen": quiet_xen,
}
