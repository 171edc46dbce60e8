"""Lets a story happen under a kernel row, and tells what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from emulator.acts import LINGERS
from emulator.invariants import Violation, violations
from emulator.kernels import row
from emulator.life import Act, Crash, Impossible, Outcome, perform
from emulator.pci import PciAddress
from emulator.state import State


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


class Fact(NamedTuple):
    """A violation and the step in which it happened."""

    step: Step
    violation: Violation


def play(name: str, acts: Sequence[Act], *, strict: bool = False) -> tuple[Step, ...] | None:
    """The steps of a story under the row of that name; None if the hypervisor dies of it.

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
            if strict:
                raise
            return None
        except Impossible:
            if strict:
                raise
            continue
        boot += act.op == "host_boot"
        state = outcome.state
        steps.append(Step(number, act, boot, outcome))
    return tuple(steps)


def facts(steps: Sequence[Step]) -> tuple[Fact, ...]:
    """Every violation of the story, in order."""
    return tuple(Fact(step, each) for step in steps for each in step.violations)


FAULT_OF = {
    "pairs_left": "missing-prune",
    "stale_served": "stale-vector",
    "stale_unmap_refused": "unmap-failure",
    "map_refused": "map-failure",
    "shared_pirq": "pirq-collision",
    "foreign_unmapped": "collateral-unmap",
    "assign_refused": "device-busy",
    "stale_irq_served": "stale-irq",
}


def faults(steps: Sequence[Step]) -> set[tuple[str, PciAddress]]:
    """Which faults happened to which devices."""
    return {
        (FAULT_OF[fact.violation.name], fact.violation.device)
        for fact in facts(steps)
        if fact.violation.name in FAULT_OF
    }


def lingers(act: Act) -> bool:
    """Whether the act leaves a zombie while pciback resets."""
    return act.fault is not None and act.fault[0] == LINGERS
