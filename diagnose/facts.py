"""What the rules may talk about: the facts of one incident, and the closed list of their names.

A fact is a row of a table. Its kind says who asserts it: a line of the log (event), the two ledgers
of the emulator (model), or the replay that held the log against the emulator (trace).

**Invariant:** knows no rule. Model facts are named after the emulator's violations, event facts
after the grammar's kinds, which are handed in.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from msgspec import Struct

from diagnose.events import Line
from emulator.invariants import VIOLATIONS


class Fact(Struct, frozen=True):
    """One row: `name` and `fields` as the vocabulary says, and where it comes from.

    Every fact has the fields boot (the host boot's ordinal from 0) and device (None if unknown).

    `kind` is "event", "model" or "trace". `lines` are the input lines that show the fact; a fact
    of a what-if run has none. `step` is the ordinal of its step in the story, None outside of it.
    """

    kind: str
    name: str
    fields: Mapping[str, object]
    lines: tuple[Line, ...] = ()
    step: int | None = None


class Shape(Struct, frozen=True):
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
    "record": "address",
    "clean": "bool",
    "note": "str",
})
"""Fields of every model fact; the facts' names are those of the emulator's violations.

`domid` is the domain for which the thing was tried or done, `assignment` the ordinal of its hold on
the device, `from_domid` the domain that had the pair attached (for a refused assignment: the
present owner), `other` the second device, `record` the one in whose record the pair stood.
"""

TRACE_FACTS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "unexplained": MappingProxyType({"boot": "int", "device": "address", "kind": "str"}),
    "unseen": MappingProxyType({"boot": "int", "device": "address", "kind": "str"}),
    "story_step": MappingProxyType({
        "boot": "int",
        "device": "address",
        "op": "str",
        "domid": "int",
        "kind": "str",
        "mode": "str",
        "status": "str",
    }),
    "boot_option": MappingProxyType({
        "boot": "int",
        "device": "address",
        "option": "str",
        "part": "str",
    }),
})
"""Trace facts. `kind` is the kind of the line that is unexplained or missing; for a step of the
story it is the domain's kind ("pv" or "hvm"), `mode` what a driver asked for ("msix", "msi", "intx"
or "" where no driver is concerned), and `status` is "observed" or "inferred". `option` is a boot
parameter that a grammar names, `part` the speaker whose command line has it."""

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
    return shapes | {kind: _event(tuple(fields)) for kind, fields in event_kinds.items()}


@cache
def _event(fields: tuple[str, ...]) -> Shape:
    """The shape of a message with these fields; many messages have the same."""
    return Shape("event", {**dict.fromkeys(fields, "any"), **EVENT_FIELDS})
