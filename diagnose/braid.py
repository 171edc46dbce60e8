"""Tell kernels apart that write into one stream: dom0's and its guests', line by line.

Messages that only one of them has are sure. A boot belongs to whoever speaks first after it, and a
death to a guest where dom0 goes on. A device that dom0's own lines name is not a guest's, which
knows virtual addresses only. All else belongs to whoever spoke last.

**Invariant:** asked only where one stretch of a stream has words of both.
"""
from __future__ import annotations

from collections.abc import Sequence

from diagnose.events import Term
from diagnose.speaker import KERNELS, OWN_LIFE, Section
from diagnose.spoken import Heard
from emulator.pci import PciAddress

_BOOTS = frozenset(("guest_boot", "host_boot"))


def kernels(heard: Sequence[Heard]) -> dict[int, str]:
    """The kernel of each line that any kernel may print, by its place, in mixed sections."""
    found: dict[int, str] = {}
    streams: dict[str, list[int]] = {}
    for place, each in enumerate(heard):
        if each.program == "kernel":
            streams.setdefault(each.voice.stream, []).append(place)
    for places in streams.values():
        if any(mixed(heard[place].voice) for place in places):
            found.update(_told(heard, places))
    return found


def mixed(section: Section) -> bool:
    """Whether both kernels have said something there that only they say."""
    return all(section.words.get(name) for name in KERNELS)


def _told(heard: Sequence[Heard], places: Sequence[int]) -> dict[int, str]:
    sure = [_sure(heard[place]) for place in places]
    after: list[str | None] = [None] * len(places)
    for nth in range(len(places) - 2, -1, -1):
        after[nth] = sure[nth + 1] or after[nth + 1]
    dom0_last = max((nth for nth, who in enumerate(sure) if who == "dom0"), default=-1)
    devices = {heard[place].fields.get("device") for place, who in zip(places, sure)
               if who == "dom0"}
    before, found = None, {}
    for nth, place in enumerate(places):
        each = heard[place]
        names = {term.name for term in _terms(each)}
        device = each.fields.get("device")
        if sure[nth] is None and mixed(each.voice):
            if names & _BOOTS or before is None:
                who = after[nth] or before
            elif names & OWN_LIFE:
                who = "guest" if nth < dom0_last else before
            elif isinstance(device, PciAddress) and device in devices:
                who = "dom0"
            else:
                who = before
            found[place] = who or each.voice.kernel
        before = sure[nth] or (after[nth] if names & _BOOTS else None) or before
    return found


def _sure(heard: Heard) -> str | None:
    return heard.production.file if heard.production.file in KERNELS else None


def _terms(heard: Heard) -> list[Term]:
    return [term for term in heard.production.proves if term.holds(heard.fields, "guest")]
