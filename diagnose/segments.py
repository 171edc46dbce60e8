"""Cut guests' logs into segments: one boot of one guest each, and how it ends.

**Invariant:** knows what a line proves, never what it is called.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from diagnose.events import Event
from diagnose.spine import address
from emulator.pci import PciAddress


class Segment(Struct, frozen=True):
    """One boot of one guest: what its kernel said, and how its log of that boot ends."""

    input: str
    guest: str              # what its guest is called: its log's name as a rule
    events: tuple[Event, ...]
    ending: str             # "clean", "abrupt", "torn" (the one, then the other) or "": it stops
    word: Event | None      # the line that tells the ending
    kexecs: tuple[Event, ...]  # where it says that it starts another kernel by itself
    last: bool              # no later boot of the same log follows
    number: int | None      # a number in the input's name, a hint at the domid and no more
    console_of: int | None  # the domid that Xen puts before its lines
    devices: frozenset[PciAddress]  # those of its virtual bus (bus 0) that it names
    over: bool              # its log reaches the guest's end, and is not merely cut short


def cut(events: Iterable[Event], spine_inputs: frozenset[str]) -> list[Segment]:
    """Cut each guest's log at its boots; an order of the names stands for the order of the logs."""
    by_guest: dict[str, list[list[Event]]] = {}
    for event in events:
        runs = by_guest.setdefault(event.guest or event.log, [[]])
        if event.proves("guest_boot") and runs[-1] and not _kexeced(runs[-1]):
            runs.append([])
        runs[-1].append(event)
    found = []
    for name in sorted(by_guest, key=_natural):
        runs = by_guest[name]
        if _braided(runs, spine_inputs):
            continue
        digits = re.search(r"(\d+)(?:\.[A-Za-z]+)*$", name)
        for nth, run in enumerate(runs):
            ending, word = _ending(run)
            kexecs = tuple(event for event in run if event.proves("kexec"))
            found.append(Segment(run[0].log, name, tuple(run), ending, word, kexecs,
                                 nth == len(runs) - 1,
                                 int(digits[1]) if digits else None, run[0].console_of,
                                 frozenset(device for event in run if (device := address(event))
                                           and device.is_full and device.bus == 0),
                                 any(event.proves("death_clean") or event.proves("death_abrupt")
                                     for event in run)))
    return found


def _braided(runs: list[list[Event]], spine_inputs: frozenset[str]) -> bool:
    """Whether the lines may be of several guests that write on dom0's console, none named.

    A boot that follows on no end is then another guest's as well as the same one's.
    """
    first = runs[0][0]
    return first.log in spine_inputs and first.console_of is None and any(
        not _ending(run)[0] for run in runs[:-1])


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(part)) if part.isdigit() else (1, part)
                 for part in re.split(r"(\d+)", name) if part)


def _kexeced(run: list[Event]) -> bool:
    """Whether the guest's last words before a boot are that it starts another kernel itself."""
    return any(event.proves("kexec") for event in run[-3:])


def _ending(run: list[Event]) -> tuple[str, Event | None]:
    """How the boot ends. A guest that dies while it goes down in order may have let go already."""
    fatal: Event | None = None
    for event in reversed(run):
        if event.proves("guest_boot") or event.proves("kexec"):
            break
        if event.proves("death_clean"):
            return ("torn", fatal) if fatal is not None else ("clean", event)
        if event.proves("death_abrupt"):
            fatal = fatal or event
    return ("abrupt" if fatal is not None else ""), fatal


def logs(segments: Sequence[Segment]) -> Iterator[range]:
    """The places of each guest's segments, which stand together."""
    first = 0
    for i in range(1, len(segments) + 1):
        if i == len(segments) or segments[i].guest != segments[first].guest:
            yield range(first, i)
            first = i
