"""What the rules may talk about: the facts of one incident, and the closed list of their names.

A fact is a row of a table. Its kind says who asserts it: a line of the log (event), the two ledgers
of the emulator (model), or the replay that held the log against the emulator (trace).

**Invariant:** knows no rule. The names of event facts are the grammar's kinds and are handed in.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from diagnose.events import Line

KEY_FIELDS: tuple[str, ...] = ("boot", "device")
"""Every fact has them: the host boot's ordinal from 0, and the device (None where unknown)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One row: `name` and `fields` as the vocabulary says, and where it comes from.

    `kind` is "event", "model" or "trace". `lines` are the input lines that show the fact; a fact
    of a what-if run has none. `step` is the ordinal of its step in the story, None outside of it.
    """

    kind: str
    name: str
    fields: Mapping[str, object]
    lines: tuple[Line, ...] = ()
    step: int | None = None


class Shape(NamedTuple):
    """A fact's kind, and its fields with the type of each: int, bool, str, address or any."""

    kind: str
    fields: Mapping[str, str]


Vocabulary = Mapping[str, Shape]
"""Fact name → shape. A rule that names anything else fails at load."""

VIOLATION_FIELDS: Mapping[str, str] = MappingProxyType({
    "boot": "int",
    "device": "address",
    "domid": "int",
    "assignment": "int",
    "entry_nr": "int",
    "pirq": "int",
    "from_domid": "int",
    "other": "address",
    "clean": "bool",
    "note": "str",
})
"""Fields of every model fact. `domid` is the domain for which the thing was tried or done,
`assignment` the ordinal of that domain's hold on the device, `from_domid` the domain that had the
pair attached (for a refused assignment: the present owner), `other` the second device."""

VIOLATIONS: Mapping[str, str] = MappingProxyType({
    "pairs_left": "a pair still in dom0's record after the device was taken back from its owner",
    "stale_served": "an enable answered from a pair that an earlier, dead owner attached",
    "own_pairs_reused": "an enable answered from a pair that the same living domain attached",
    "stale_unmap_refused": "an unmap refused for a pair attached in an earlier domain's life",
    "own_unmap_refused": "an unmap refused for a pair that the domain attached itself",
    "dom0_unmap_refused": "an unmap refused that was tried for dom0, because no owner was found",
    "map_refused": "a vector asked for and refused",
    "shared_pirq": "two pairs of different devices share a pirq of one domain, one pair stale",
    "foreign_unmapped": "flushing another device's stale pair took this device's pirq away",
    "assign_refused": "a domain could not get the device: it has an owner, or no stub",
    "bind_refused": "a guest could not bind a pirq that it had been handed",
})
"""Model facts: what the emulator's invariants report."""

TRACE_FACTS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "unexplained": MappingProxyType({"boot": "int", "device": "address", "kind": "str"}),
    "unseen": MappingProxyType({"boot": "int", "device": "address", "kind": "str"}),
    "story_step": MappingProxyType({
        "boot": "int",
        "device": "address",
        "op": "str",
        "domid": "int",
        "kind": "str",
        "status": "str",
    }),
})
"""Trace facts. `kind` is the kind of the line that is unexplained or missing; for a step of the
story it is the domain's kind ("pv" or "hvm"), and `status` is "observed" or "inferred"."""

EVENT_FIELDS: Mapping[str, str] = MappingProxyType(
    {"boot": "int", "device": "address", "explained": "bool"}
)
"""Fields that event facts have besides those of their production. `explained` tells whether a
step of the story predicted the line."""


def vocabulary(event_kinds: Mapping[str, Iterable[str]]) -> Vocabulary:
    """All facts that rules may name; `event_kinds` are the grammar's kinds with their fields.

    Raises ValueError if a grammar's kind bears the name of a model or trace fact.
    """
    shapes = {name: Shape("model", VIOLATION_FIELDS) for name in VIOLATIONS}
    shapes |= {name: Shape("trace", fields) for name, fields in TRACE_FACTS.items()}
    taken = sorted(shapes.keys() & event_kinds.keys())
    if taken:
        raise ValueError(f"The grammar's kinds {taken} bear names of facts; rename them.")
    for kind, fields in event_kinds.items():
        shapes[kind] = Shape("event", {**dict.fromkeys(fields, "any"), **EVENT_FIELDS})
    return shapes
