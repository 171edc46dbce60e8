"""Facts in one line: ``model("pairs_left", domid=1)``, device and boot being told by default."""

from __future__ import annotations

from diagnose.events import Line
from diagnose.facts import Fact
from diagnose.pipeline import event_kinds

DEVICE = "0000:01:10.0"
OTHER = "0000:03:10.0"
KINDS = event_kinds()
"""The grammar's kinds with their fields."""


def model(name: str, step: int | None = None, /, **fields: object) -> Fact:
    """A model fact; the assignment is that of the domid unless told."""
    assignment = {"assignment": fields["domid"]} if "domid" in fields else {}
    return Fact("model", name, {"boot": 0, "device": DEVICE} | assignment | fields, (), step)


def event(name: str, line: int = 1, /, **fields: object) -> Fact:
    """An event fact on a line of dom0.log, explained unless told."""
    row = {"boot": 0, "device": DEVICE, "explained": True} | fields
    return Fact("event", name, row, (Line("dom0.log", line, name),))


def steps(op: str, /, **fields: object) -> Fact:
    """A step of the story."""
    return Fact("trace", "story_step", {"boot": 0, "device": DEVICE, "op": op} | fields)


def option(word: str, part: str) -> Fact:
    """A boot parameter on the command line of that speaker."""
    row = {"boot": 0, "device": None, "option": word, "part": part}
    return Fact("trace", "boot_option", row, (Line("xen.log", 1, word),))
