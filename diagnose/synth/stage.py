"""Lets a story happen under a kernel row, and tells what came of it.

What a violation is called as a fault stands in `faults.toml`; the rules that look for it are not
asked, because they are to be held against this.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from emulator.invariants import Violation, violations
from emulator.kernels import row
from emulator.life import Act, Crash, Impossible, Outcome, perform
from emulator.pci import PciAddress
from emulator.state import State

FAULTS = Path(__file__).parent / "faults.toml"


class Fault(NamedTuple):
    """A row of `faults.toml`, where the fields are told."""

    name: str
    violation: str
    about: str
    sign: str = ""
    shows: str = ""
    nameless: bool = False
    vectors: bool = False
    lasting: bool = False


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(FAULTS.read_text(encoding="utf-8"))


@cache
def known_faults() -> Mapping[str, Fault]:
    """Name → fault."""
    return {each["name"]: Fault(**each) for each in _table()["fault"]}


@cache
def by_violation() -> Mapping[str, Fault]:
    """Name of the violation → the fault that it is; violations that are none are absent."""
    return {each.violation: each for each in known_faults().values()}


def alarming() -> tuple[str, ...]:
    """The texts in a line for which a report has to account."""
    return tuple(_table()["alarming"]["texts"])


class Step(NamedTuple):
    """One act that happened; `boot` counts the host's boots from 0."""

    number: int
    act: Act
    boot: int
    outcome: Outcome

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Where the ledgers disagreed during this act."""
        return violations(self.outcome.deeds)


class Played(NamedTuple):
    """What happened; `killed_by` is the act of which the hypervisor died, after all steps."""

    steps: tuple[Step, ...]
    killed_by: Act | None = None


class Fact(NamedTuple):
    """A violation, the fault that it is, and the step in which it happened."""

    step: Step
    fault: Fault
    violation: Violation


def play(name: str, acts: Sequence[Act], *, strict: bool = False) -> Played:
    """A story under the row of that name, until its end or the hypervisor's.

    Acts that cannot happen there are left out, unless `strict`: then Impossible is raised.
    """
    traits = row(name).traits
    state = State.boot()
    steps: list[Step] = []
    boot = 0
    for number, act in enumerate(acts):
        try:
            outcome = perform(traits, state, act)
        except Crash:
            return Played(tuple(steps), act)
        except Impossible:
            if strict:
                raise
            continue
        boot += act.op == "host_boot"
        state = outcome.state
        steps.append(Step(number, act, boot, outcome))
    return Played(tuple(steps))


def facts(steps: Sequence[Step]) -> tuple[Fact, ...]:
    """Every violation of the story that is a fault, in order."""
    table = by_violation()
    return tuple(Fact(step, table[each.name], each)
                 for step in steps for each in step.violations if each.name in table)


def faults(steps: Sequence[Step]) -> set[tuple[str, PciAddress]]:
    """Which faults happened to which devices."""
    return {(fact.fault.name, fact.violation.device) for fact in facts(steps)}
