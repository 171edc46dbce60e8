"""Rarer stories: several guests, hosts that reboot, hands on the host, and outside causes."""

from __future__ import annotations

from collections.abc import Mapping

from diagnose.synth.draft import ABRUPT, ENDS, GUEST_NAMES, Draft
from diagnose.synth.kinds import EVERY, STALE, Kind, lives, seized, some_ends


def _host_reboot(draft: Draft) -> None:
    devices = seized(draft)
    lives(draft, devices, some_ends(draft, 0, 2))
    draft.host_boot()
    draft.seize(devices)
    lives(draft, devices, some_ends(draft, 0, 2))
    draft.traits |= {"banner", "full"}


def _kexec(draft: Draft) -> None:
    devices = seized(draft)
    domid = lives(draft, devices, [draft.rng.choice(ENDS)] if draft.rng.random() < 0.3 else [])
    for _ in range(draft.rng.randint(1, 2)):
        draft.add("kexec", domid)
        draft.up(domid, devices)
    if draft.rng.random() < 0.4:
        draft.end(domid, draft.rng.choice(ENDS))
        lives(draft, devices, [])


def _vf_destroy(draft: Draft) -> None:
    devices = seized(draft)
    draft.end(draft.boot_guest(devices), draft.rng.choice(ENDS))
    if draft.rng.random() < 0.5:
        draft.add("vf_destroy", devices=tuple(devices))
        return
    draft.add("pf_reload", devices=tuple(devices))
    draft.seize(devices)
    lives(draft, devices, [])


def _flr_before_destroy(draft: Draft) -> None:
    devices = seized(draft)
    if draft.rng.random() < 0.3:
        draft.end(draft.boot_guest(devices), draft.rng.choice(ABRUPT))
    domid = draft.boot_guest(devices)
    for device in devices:
        draft.add("flr", device=device)
    draft.end(domid, draft.rng.choice(ABRUPT))
    lives(draft, devices, [])


def _two_guests(draft: Draft) -> None:
    draft.gaps = False
    devices = draft.devices(2, same_devfn=True)
    own = [{device: nvec} for device, nvec in devices.items()]
    draft.seize(devices)
    names = draft.rng.sample(GUEST_NAMES, 2)
    running = [draft.start(each, name=name) for each, name in zip(own, names)]
    for at in draft.rng.sample((0, 1), 2):
        draft.up(running[at], own[at])
    for _ in range(draft.rng.randint(1, 4)):
        at = draft.rng.randrange(2)
        draft.end(running[at], draft.rng.choice(ENDS))
        running[at] = draft.boot_guest(own[at], name=names[at])


def _interleaved(draft: Draft) -> None:
    draft.gaps = False
    devices = list(draft.devices(4, same_devfn=draft.rng.random() < 0.5).items())
    own = [dict(devices[:2]), dict(devices[2:])]
    draft.seize(device for device, _ in devices)
    names = draft.rng.sample(GUEST_NAMES, 2)
    for _ in range(draft.rng.randint(1, 3)):
        running = [draft.start(each, name=name) for each, name in zip(own, names)]
        for at in (0, 1):
            for side in (0, 1):
                device, nvec = list(own[side].items())[at]
                draft.add("driver_load", running[side], device, nvec=nvec)
        for side in (1, 0):
            for device in own[side]:
                draft.add("ifup", running[side], device)
        for side in draft.rng.sample((0, 1), 2):
            draft.end(running[side], draft.rng.choice(ENDS))
    for side in (0, 1):
        draft.boot_guest(own[side], name=names[side])


def _four_devices(draft: Draft) -> None:
    devices = draft.devices(4, same_devfn=draft.rng.random() < 0.5)
    draft.seize(devices)
    last = lives(draft, devices, some_ends(draft, 1, 3))
    if draft.rng.random() < 0.3:
        draft.heal(last, devices)


def _handed_over(draft: Draft) -> None:
    devices = seized(draft)
    names = draft.rng.sample(GUEST_NAMES, 2)
    for at in range(draft.rng.randint(2, 5)):
        draft.end(draft.boot_guest(devices, name=names[at % 2]), draft.rng.choice(ENDS))
    draft.boot_guest(devices, name=names[0])


def _zombie(draft: Draft) -> None:
    devices = seized(draft)
    for _ in range(draft.rng.randint(1, 3)):
        how = draft.rng.choice((*ABRUPT, *ABRUPT, "clean_shutdown"))
        draft.end(draft.boot_guest(devices), how, zombie=draft.rng.random() < 0.7)
    lives(draft, devices, [])


def _broken_destroyed(draft: Draft) -> None:
    devices = seized(draft)
    last = lives(draft, devices, ["clean_shutdown"])
    draft.end(last, draft.rng.choice(ABRUPT))
    if draft.rng.random() < 0.7:
        lives(draft, devices, [])


def _released(draft: Draft) -> None:
    devices = seized(draft)
    in_use = draft.rng.random() < 0.5
    domid = draft.start(devices)
    draft.up(domid, devices, interfaces=not in_use)
    if not in_use:
        draft.end(domid, draft.rng.choice(ENDS))
    for device in devices:
        draft.add("release", device=device)
    draft.seize(devices)
    if in_use:
        draft.end(domid, draft.rng.choice(ENDS))
    lives(draft, devices, [])


def _many_reboots(draft: Draft) -> None:
    devices = seized(draft)
    for _ in range(draft.rng.randint(12, 16)):
        domid = draft.boot_guest(devices)
        if draft.rng.random() < 0.5:
            draft.heal(domid, devices)
        draft.end(domid, draft.rng.choice(ENDS))
    draft.boot_guest(devices)
    draft.traits.add("rate-limit")


def _vector_counts(draft: Draft) -> None:
    devices = draft.devices(draft.rng.randint(1, 2), vectors=(1, 2, 3, 5, 8, 10))
    draft.seize(devices)
    for _ in range(draft.rng.randint(1, 3)):
        draft.end(draft.boot_guest(devices), draft.rng.choice(ENDS))
        if draft.rng.random() < 0.4:
            devices = {device: draft.rng.choice((1, 2, 3, 5, 8)) for device in devices}
    draft.boot_guest(devices)


def _bystanders(draft: Draft) -> None:
    devices = seized(draft)
    for _ in range(draft.rng.randint(1, 3)):
        draft.bystander(ends=draft.rng.random() < 0.6)
        domid = draft.boot_guest(devices)
        draft.bystander(ends=draft.rng.random() < 0.6)
        draft.end(domid, draft.rng.choice(ENDS))
    draft.bystander()
    draft.boot_guest(devices)


def _odd_banner(draft: Draft) -> None:
    devices = seized(draft)
    draft.traits |= {"odd-banner", "banner"}
    lives(draft, devices, some_ends(draft, 1, 3))


def _busy_later(draft: Draft) -> None:
    devices = seized(draft)
    domid = lives(draft, devices, [draft.rng.choice(ENDS)], name="web-a")
    draft.start(list(devices)[:1], name="db")
    draft.end(domid, draft.rng.choice(ENDS))
    draft.boot_guest(devices, name="db")


def _map_failure_later(draft: Draft) -> None:
    devices = seized(draft)
    draft.end(draft.boot_guest(devices), draft.rng.choice(ENDS))
    domid = draft.start(devices)
    for at, (device, nvec) in enumerate(devices.items()):
        more = nvec + draft.rng.choice((0, 2))
        cause = ("map_pirq", 1, -22) if at == len(devices) - 1 else None
        draft.add("driver_load", domid, device, nvec=more, fault=cause)


def _quiet_xen(draft: Draft) -> None:
    devices = seized(draft)
    last = lives(draft, devices, [draft.rng.choice(ENDS)])
    draft.traits.add("quiet-xen")
    draft.heal(last, devices)


RARE: Mapping[str, Kind] = {
    "host-reboot": Kind("the host reboots in mid-file", EVERY, _host_reboot),
    "kexec": Kind("a guest starts another kernel in its domain", EVERY, _kexec),
    "vf-destroy": Kind("virtual functions vanish, and may come back", STALE, _vf_destroy),
    "flr-1070": Kind("the Enable bit is gone before pciback resets", ("el5+1070",),
                     _flr_before_destroy),
    "two-guests": Kind("two guests, devices of one devfn, rebooted in turns", EVERY, _two_guests),
    "interleaved": Kind("two guests go down and come up act by act in turns", EVERY, _interleaved),
    "four-devices": Kind("a guest with four devices", EVERY, _four_devices),
    "handed-over": Kind("one device, two guests in turns", EVERY, _handed_over),
    "zombie": Kind("a domain still resolves while pciback resets",
                   ("el5+1070", "el5-283", "el5+945+956+1070"), _zombie),
    "broken-destroyed": Kind("a guest on stale pairs is destroyed", STALE, _broken_destroyed),
    "released": Kind("a device is unbound from pciback, in use or not", EVERY, _released),
    "many-reboots": Kind("a dozen lives and more, and Xen's rate limit", EVERY, _many_reboots),
    "vector-counts": Kind("one to ten vectors, which change", EVERY, _vector_counts),
    "bystanders": Kind("guests without passthrough come and go between", EVERY, _bystanders),
    "odd-banner": Kind("a banner that suggests another row", EVERY, _odd_banner),
    "busy-later": Kind("a refused start among lives that leave pairs", EVERY, _busy_later),
    "map-failure-later": Kind("a refused map in a later life", EVERY, _map_failure_later),
    "quiet-xen": Kind("Xen's level hides what is marked for guests", STALE, _quiet_xen),
}
