"""What a host's own life adds to a story: other logs and devices, the toolstack, turned files."""

from __future__ import annotations

from collections.abc import Mapping

from diagnose.synth.draft import ENDS, Draft
from diagnose.synth.kinds import EVERY, Kind, Tell, lives, seized, some_ends
from diagnose.synth.kinds_rare import RARE


def _with(tell: Tell, *traits: str, without: tuple[str, ...] = ()) -> Tell:
    """The same stories, printed or kept in another way."""

    def told(draft: Draft) -> None:
        tell(draft)
        draft.traits = (draft.traits | set(traits)) - set(without)

    return told


def _lives(draft: Draft) -> None:
    devices = seized(draft)
    last = lives(draft, devices, some_ends(draft, 1, 3))
    if draft.rng.random() < 0.4:
        draft.end(last, draft.rng.choice(ENDS))


def _braided(draft: Draft) -> None:
    draft.gaps = False
    own = [{device: nvec} for device, nvec in draft.devices(2).items()]
    for each in own:
        draft.seize(each)
    names = draft.rng.sample(("web-a", "db", "mail1"), 2)
    for turn in range(draft.rng.randint(1, 3)):
        running = [draft.start(each, name=name) for each, name in zip(own, names)]
        for domid, each in zip(running, own):
            for device, nvec in each.items():
                draft.add("driver_load", domid, device, nvec=nvec)
        for domid, each in zip(running, own):
            for device in each:
                draft.add("ifup", domid, device)
        if turn < 2:
            for domid in running:
                draft.end(domid, draft.rng.choice(ENDS))


def _strangers(draft: Draft) -> None:
    devices = seized(draft)
    for _ in range(draft.rng.randint(1, 3)):
        draft.bystander()
        draft.end(draft.boot_guest(devices), draft.rng.choice(ENDS))
    draft.boot_guest(devices)
    draft.traits.add("stranger-logs")


def _rare(name: str) -> Tell:
    return RARE[name].tell


HOST: Mapping[str, Kind] = {
    "braided": Kind("the lines of two loads stand between each other", EVERY,
                    _with(_braided, "braid")),
    "reboot-views": Kind("the host reboots, and not all logs are there", EVERY,
                         _with(_rare("host-reboot"), without=("full",))),
    "toolstack": Kind("xend keeps a log as well", EVERY, _with(_lives, "xend")),
    "toolstack-guests": Kind("xend's log and two guests", EVERY,
                             _with(_rare("two-guests"), "xend")),
    "rotated": Kind("dom0's log in two files", EVERY, _with(_lives, "rotate", "syslog")),
    "rotated-turned": Kind("the same, the older one later in order of names", EVERY,
                           _with(_lives, "rotate", "turned", "syslog")),
    "dom0-devices": Kind("dom0 uses devices of its own", EVERY, _with(_lives, "dom0-devices")),
    "one-log": Kind("two guests, one of which keeps a log", EVERY,
                    _with(_rare("two-guests"), "one-log")),
    "one-log-four": Kind("the same with four devices", EVERY,
                         _with(_rare("interleaved"), "one-log")),
    "strangers": Kind("guests without passthrough keep logs and reboot", EVERY, _strangers),
}
