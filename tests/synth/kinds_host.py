"""What a host's own life adds to a story: other logs and devices, the toolstack, turned files."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tests.synth.draft import ENDS, Draft, Scenario
from tests.synth.kinds import EVERY, Kind, drafted, lives
from tests.synth.kinds_rare import host_reboot, interleaved, two_guests


def _with(kind: Kind, cls: str, *options: str, without: tuple[str, ...] = ()) -> Kind:
    """The same stories, printed or kept in another way."""

    def made(rng: random.Random) -> Scenario:
        scenario = kind(rng)
        scenario.cls = cls
        scenario.options = (scenario.options | set(options)) - set(without)
        return scenario

    return made


def _lives(rng: random.Random) -> Scenario:
    draft, devices = drafted(rng, rng.choice(EVERY))
    last = lives(draft, devices, [rng.choice(ENDS) for _ in range(rng.randint(1, 3))])
    if rng.random() < 0.4:
        draft.end(last, rng.choice(ENDS))
    return draft.scenario("lives")


def braided(rng: random.Random) -> Scenario:
    """Two guests load their drivers at once: the lines of both loads stand between each other."""
    draft = Draft(rng, rng.choice(EVERY), gaps=False)
    own = [{device: nvec} for device, nvec in draft.devices(2).items()]
    for each in own:
        draft.seize(each)
    names = rng.sample(("web-a", "db", "mail1"), 2)
    for turn in range(rng.randint(1, 3)):
        running = [draft.start(each, name=name) for each, name in zip(own, names)]
        for domid, each in zip(running, own):
            for device, nvec in each.items():
                draft.add("driver_load", domid, device, nvec=nvec)
        for domid, each in zip(running, own):
            for device in each:
                draft.add("ifup", domid, device)
        if turn < 2:
            for domid in running:
                draft.end(domid, rng.choice(ENDS))
    draft.options.add("braid")
    return draft.scenario("braided")


def strangers(rng: random.Random) -> Scenario:
    """Guests without passthrough keep logs as well, and reboot."""
    draft, devices = drafted(rng, rng.choice(EVERY))
    for _ in range(rng.randint(1, 3)):
        draft.bystander()
        draft.end(draft.boot_guest(devices), rng.choice(ENDS))
    draft.boot_guest(devices)
    draft.options.add("stranger-logs")
    return draft.scenario("strangers")


HOST: Mapping[str, Kind] = {
    "braided": braided,
    "reboot-views": _with(host_reboot, "host-reboot", without=("full",)),
    "toolstack": _with(_lives, "toolstack", "xend"),
    "toolstack-guests": _with(two_guests, "toolstack-guests", "xend"),
    "rotated": _with(_lives, "rotated", "rotate", "syslog"),
    "rotated-turned": _with(_lives, "rotated-turned", "rotate", "turned", "syslog"),
    "dom0-devices": _with(_lives, "dom0-devices", "dom0-devices"),
    "one-log": _with(two_guests, "one-log", "one-log"),
    "one-log-four": _with(interleaved, "one-log-four", "one-log"),
    "strangers": strangers,
}
