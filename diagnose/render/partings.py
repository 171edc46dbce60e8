"""Says in a sentence each how the ledgers disagree in a step, alike ones drawn together.

**Invariant:** the names are the emulator's violations; one without words here is shown by its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from diagnose.frames import Frame, Parting
from diagnose.render.paper import Paper
from diagnose.render.words import domain_name, numbered, sentence

WORDS: Mapping[str, str] = {
    "pairs_left": "{dom} gives {device} back, and dom0 keeps {pairs} on record",
    "stale_served": "dom0 serves {dom} from the record that {first} left: {pairs}",
    "own_pairs_reused": "dom0 serves {dom} once more from its own record: {pairs}",
    "stale_unmap_refused": "Xen refuses to unmap {pairs} for {dom}; they are {first}'s",
    "own_unmap_refused": "Xen refuses to unmap {pairs} for {dom}, whose own they are",
    "dom0_unmap_refused": "Xen refuses to unmap {pairs}, tried for dom0 as nobody owns {device}",
    "map_refused": "no vector for {pairs} of {device}: the call for {dom} fails{note}",
    "shared_pirq": "{device} and {other} of {dom} hold the same {pirqs}",
    "foreign_unmapped": "{device} loses {pirqs} in {dom}: they went with the pairs of {other}",
    "assign_refused": "{device} is refused to {dom}{busy}",
    "bind_refused": "Xen refuses {dom} an event channel for {pirqs}",
    "answered_late": "dom0 does for {dom} what the guest has given up waiting for",
    "stale_irq_served": "{dom} requests {pirqs} for {device} without MSI; it was {first}'s MSI",
}
"""Violation → what it says."""

HARMLESS = frozenset(
    {"own_pairs_reused", "own_unmap_refused", "dom0_unmap_refused", "answered_late"}
)
"""Those that are no harm by themselves."""


def partings(paper: Paper, frame: Frame) -> None:
    """The disagreements of a step below its ledgers."""
    for alike in grouped(frame.violations):
        tone = "doubt" if alike[0].name in HARMLESS else "bad"
        paper.item((tone, "!" if alike[0].name in HARMLESS else "✗"), sentence(said(alike)),
                   indent=1)


def grouped(violations: tuple[Parting, ...]) -> list[list[Parting]]:
    """Violations of one name about the same devices and domains, in order of appearance."""
    groups: dict[tuple[object, ...], list[Parting]] = {}
    for broken in violations:
        key = (broken.name, broken.device, broken.domid, broken.from_domid, broken.other,
               broken.note)
        groups.setdefault(key, []).append(broken)
    return list(groups.values())


def said(alike: list[Parting]) -> str:
    """A group of violations as one clause."""
    one = alike[0]
    entry_nrs = [broken.entry_nr for broken in alike if broken.entry_nr is not None]
    pirqs = [broken.pirq for broken in alike if broken.pirq is not None]
    numbers = numbered("pirq", "pirqs", pirqs) if pirqs else ""
    entries = numbered("entry", "entries", entry_nrs) if entry_nrs else "the vector"
    first = "nobody" if one.from_domid is None else domain_name(one.from_domid)
    words = WORDS.get(one.name, "{name}: {device}, {dom}, {pairs}")
    return words.format(
        name=one.name, device=one.device, other=one.other, dom=domain_name(one.domid), first=first,
        pairs=f"{entries} ({numbers})" if numbers else entries, pirqs=numbers,
        note=f" ({one.note})" if one.note else "",
        busy=f": {first} has it" if one.from_domid is not None else "")
