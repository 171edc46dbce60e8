"""Hosts whose bookkeeping no kernel row describes: what their logs name, and nothing beyond it.

The machine would replay such a host by another one's rules, so it is not asked. Devices, domains
and how these ended are told by lines alone.

**Invariant:** accuses nobody and acquits nobody.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from diagnose.diagnosis import (
    NOT_MODELLED,
    AssignmentReport,
    Diagnosis,
    DomainKind,
    EndedBy,
    KernelParts,
    KernelReport,
    Missing,
)
from diagnose.events import Event, Line, Parsed, Remark
from diagnose.misread import overflows
from diagnose.spine import address, number, proved
from diagnose.state.banners import banners, contradictions, running
from emulator.pci import PciAddress

#: The last versions that some kernel row describes: Linux 2.6 in dom0 and Xen 3 (the rows are
#: RHEL 5's, 2.6.18 and 3.1; see emulator/kernels.py).
MODELLED = {"dom0": 2, "xen": 3}
_MAJOR = re.compile(r"(\d+)\.")
MODERN = "modern"


class Beyond(Struct, frozen=True):
    """Why a host is beyond the rows: the line that tells, and of which part."""

    part: str
    release: str | None
    line: Line


def beyond(parsed: Parsed) -> Beyond | None:
    """The line by which no row describes this host; None if nothing speaks against the rows.

    A banner decides. Without one of dom0 or Xen, a message that only later ones print does.
    """
    told = [Beyond(part, *each) for part, each in banners(parsed)]
    # A state file stands in for the banners where there is none.
    told = told or [Beyond(part, *each) for part in MODELLED
                    if (each := running(parsed, part)) is not None]
    for banner in told:
        major = _MAJOR.match(banner.release or "")
        if major is not None and int(major[1]) > MODELLED[banner.part]:
            return banner
    if told:
        return None
    return next((Beyond(event.speaker, None, event.line) for event in parsed.events
                 if event.speaker in MODELLED and event.production.era == MODERN), None)


def is_later(parsed: Parsed) -> bool:
    """Whether the host is of a later age than the rows, or its tool stack is xl."""
    return beyond(parsed) is not None or any(
        event.production.era == MODERN for event in parsed.events if event.speaker == "toolstack")


def report(bare: Diagnosis, parsed: Parsed, why: Beyond) -> Diagnosis:
    """The report on such a host: `bare` has what does not depend on a verdict."""
    return replace(
        bare, verdict="inconclusive", kernel=kernel(parsed),
        assignments=tuple(_assignments(parsed.events)), missing=(wanted(why),),
        remarks=(*parsed.remarks, remark(why), *overflows(parsed), *contradictions(parsed)))


def wanted(why: Beyond) -> Missing:
    """What would be needed to conclude something."""
    return Missing(
        "a kernel row for this host",
        f"{_what(why)} is of a later age than the kernels whose bookkeeping is known (Linux 2.6.18 "
        "under Xen 3)", "diagnose kernels list")


def remark(why: Beyond) -> Remark:
    """That nothing is concluded, and which line tells why."""
    return Remark(NOT_MODELLED, f"No kernel row describes {_what(why)}; this host is neither "
                  "accused nor acquitted.", why.line.input, why.line.line)


def _what(why: Beyond) -> str:
    return f"{_PARTS[why.part]} {why.release}" if why.release else f"what {why.part} says"


_PARTS = {"dom0": "Linux", "xen": "Xen"}


def kernel(parsed: Parsed) -> KernelReport:
    """What banners tell; no row."""
    dom0, xen = (told.text if told is not None else None
                 for told in (running(parsed, part) for part in MODELLED))
    guests = {event.guest or event.line.input: release for event in parsed.telling("banner")
              if (release := _banner(event, "guest")) is not None}
    return KernelReport(None, dom0, "unknown", (), KernelParts(dom0, None, xen, guests))


def _banner(event: Event, part: str) -> str | None:
    told = any(term.name == "banner" and part in term.args for term in event.proofs())
    return str(event.fields["release"]) if told and "release" in event.fields else None


# --- Assignments as lines name them ----------------------------------------------------------


class _Hold(Struct):
    device: PciAddress
    domid: int
    boot: int
    first: Line
    last: Line
    over: bool = False


def _assignments(events: Sequence[Event]) -> Iterator[AssignmentReport]:
    """Each giving of a device to a domain, until it is taken back, given on, or the domain ends."""
    holds: list[_Hold] = []
    held: dict[PciAddress, _Hold] = {}
    ends: dict[int, EndedBy] = {}
    kinds: dict[int, DomainKind] = {}
    boot, begun = 0, False
    for event in events:
        for domid, how in _ending(event):
            if how != "unknown" or domid not in ends:
                ends[domid] = how
        kinds.update(_kind(event))
        if event.speaker != "dom0":
            continue
        if event.proves("host_boot"):
            boot, held = boot + begun, {}
        begun = True
        if _host_ends(event):
            for hold in held.values():
                hold.last, hold.over = event.line, True
            held = {}
        for name in ("given", "returned"):
            device = address(event)
            if device is None or not event.proves(name):
                continue
            before = held.pop(device, None)
            if before is not None:
                before.last, before.over = event.line, True
            owner = number(event, "domid")
            if name == "given" and owner is not None:
                held[device] = _Hold(device, owner, boot, event.line, event.line)
                holds.append(held[device])
    for hold in holds:
        over = hold.over or hold.domid in ends
        ended: EndedBy = ends.get(hold.domid, "unknown" if over else "running")
        yield AssignmentReport(hold.boot, str(hold.device), hold.domid,
                               kinds.get(hold.domid, "unknown"), hold.first, hold.last,
                               ended, "inconclusive")


def _host_ends(event: Event) -> bool:
    """Whether dom0 tells with others that the host goes down (see diagnose/anchors.toml)."""
    return any(term.name == "anchor" and term.args[0].startswith("host_")
               for term in event.proofs())


def _ending(event: Event) -> Iterator[tuple[int, EndedBy]]:
    for name, how in _ENDINGS:
        domid = proved(event, name)
        if domid is not None:
            yield domid, how


def _kind(event: Event) -> Iterator[tuple[int, DomainKind]]:
    domid = number(event, "domid")
    if domid is not None and event.production.hint in ("pv", "hvm"):
        yield domid, "pv" if event.production.hint == "pv" else "hvm"


_ENDINGS: tuple[tuple[str, EndedBy], ...] = (
    ("death", "unknown"), ("death_abrupt", "abrupt"), ("death_clean", "clean_shutdown"),
)
