"""What state files and dumps say together: releases, living domains, names, devices, pirqs.

**Invariant:** what the logs tell themselves is not asked here.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from diagnose.events import Event, Line, Parsed, Remark, StateFact
from emulator.pci import PciAddress

#: `xm list` shows by these letters that a domain is on its way out: shut down, crashed, dying.
ENDING = frozenset("scd")
#: The boot option of that meaning (xen/drivers/char/console.c: guest_loglvl).
MUTED = "guests_muted"
_ARCH = r"\.(?:x86_64|i[3-6]86|ia64)$"
_BOUND = r"d?(\d+): ?(-?\d+)\("


class Release(NamedTuple):
    """A release and the line that tells it."""

    text: str
    line: Line


class Lives(NamedTuple):
    """That a domain was there, with a pirq of its own where a dump tells it."""

    domid: int
    pirq: int | None
    fact: StateFact


def dumped(events: Iterable[Event]) -> Iterator[StateFact]:
    """What the dumps in Xen's log tell, each at the stamp of its line."""
    for event in events:
        if event.production.state and event.speaker == "xen":
            yield StateFact(event.production.state, event.fields, event.line, event.kind,
                            event.stamp)


def of_this_host(parsed: Parsed) -> Parsed:
    """Without what state files tell of other hosts, if the logs name theirs; a remark tells."""
    hosts = {_short(host) for source in parsed.sources for host in source.hosts}
    strange: dict[str, StateFact] = {}
    for fact in parsed.state:
        host = _short(str(fact.fields.get("host_name", "")))
        if hosts and host not in (*hosts, "", "(none)", "localhost"):
            strange.setdefault(fact.line.input, fact)
    remarks = tuple(Remark("other-host", f"It is of the host {fact.fields['host_name']}, and the "
                           f"logs are of {', '.join(sorted(hosts))}; it was left aside.",
                           name, fact.line.line) for name, fact in strange.items())
    return replace(parsed, remarks=(*parsed.remarks, *remarks), state=tuple(
        fact for fact in parsed.state if fact.line.input not in strange)) if strange else parsed


def _short(host: str) -> str:
    return host.partition(".")[0].lower()


def release(state: Sequence[StateFact], part: str) -> Release | None:
    """The release of "dom0" or "xen" that was running as the files were made."""
    if part == "dom0":
        told = [fact for fact in state if fact.kind == "release"]
        # What names its host, as uname does, is believed before what does not.
        told = [fact for fact in told if "host_name" in fact.fields] or told
        if len({str(fact.fields["release"]) for fact in told}) > 1:
            return None     # one of them is of another boot or host
        return Release(str(told[0].fields["release"]), told[0].line) if told else \
            installed(state)
    told = [fact for fact in state if fact.kind == "xen_version"]
    parts = {name: value for fact in told[::-1] for name, value in fact.fields.items()}
    if not {"xen_major", "xen_minor"} <= parts.keys():
        return None
    version = f"{parts['xen_major']}.{parts['xen_minor']}{parts.get('xen_extra', '')}"
    return Release(version, told[0].line)


def installed(state: Sequence[StateFact]) -> Release | None:
    """The release of the Xen kernel that is installed, where one is and uname is not told: as the
    kernel calls itself, RHEL 5's with `xen` behind it.
    """
    found = {re.sub(_ARCH, "", str(fact.fields["kernel_package"])): fact for fact in state
             if fact.kind == "kernel_package"}
    if len(found) != 1 or any(fact.kind == "release" for fact in state):
        return None
    (text, fact), = found.items()
    return Release(f"{text}xen", fact.line)


class BootOption(NamedTuple):
    """A boot parameter with a meaning of its own: whose it is, and the line that tells it."""

    name: str
    part: str
    line: Line


def options(state: Iterable[StateFact], events: Iterable[Event]) -> Iterator[BootOption]:
    """What the files tell of the parts whose boot parameters no line of the logs tells."""
    told = {event.speaker for event in events
            if any(term.name == "option" for term in event.production.proves)}
    for fact in state:
        part = "xen" if "xen_command_line" in fact.fields else "dom0"
        if part not in told:
            yield from (BootOption(name, part, fact.line) for name in fact.options)


def muted(state: Sequence[StateFact], events: Sequence[Event]) -> bool:
    """Whether Xen was told to print no warnings about guests."""
    return any(each.name == MUTED for each in options(state, events)) or any(
        term.name == "option" and MUTED in term.args and term.holds(event.fields, event.speaker)
        for event in events for term in event.production.proves)


def names(state: Iterable[StateFact]) -> dict[int, str]:
    """Domid → name of each guest that was there."""
    return {domid: str(fact.fields["domain_name"]) for fact in state if fact.kind == "domain"
            and isinstance(domid := fact.fields["domid"], int) and domid > 0}


def lists(state: Iterable[StateFact]) -> Iterator[list[StateFact]]:
    """The rows of each list of all domains: one that was asked for a few lacks dom0."""
    by_input: dict[str, list[StateFact]] = {}
    for fact in state:
        if fact.kind == "domain":
            by_input.setdefault(fact.line.input, []).append(fact)
    yield from (rows for rows in by_input.values()
                if any(fact.fields["domid"] == 0 for fact in rows))


def living(state: Iterable[StateFact]) -> Iterator[Lives]:
    """Guests that a list or a dump shows alive; those on their way out are not."""
    for fact in state:
        domid = fact.fields.get("domid")
        if fact.kind == "domain" and isinstance(domid, int) and domid > 0:
            if not ENDING & set(str(fact.fields["domain_state"])):
                yield Lives(domid, None, fact)
        elif fact.kind == "owner":
            owner = re.fullmatch(r"d?(\d+)", str(fact.fields.get("owner", domid)))
            if owner is not None and int(owner[1]) > 0:
                yield Lives(int(owner[1]), None, fact)
        elif fact.kind == "pirqs":
            for owner, pirq in re.findall(_BOUND, str(fact.fields.get("bound", ""))):
                if int(owner) > 0:
                    yield Lives(int(owner), int(pirq), fact)


def devices(state: Sequence[StateFact]) -> set[PciAddress]:
    """All devices that may be passed through: those that dom0 drives by another driver may not."""
    driven = {fact.fields["device"] for fact in state if fact.kind == "driver"
              and "pciback" not in str(fact.fields["driver"]) and "device" in fact.fields}
    told = {device for fact in state for value in fact.fields.values()
            for device in (value if isinstance(value, tuple) and not isinstance(value, PciAddress)
                           else (value,)) if isinstance(device, PciAddress)}
    # A list that shows no segments is of a host that has but one.
    return {device._replace(segment=device.segment or 0) for device in told - driven}
