"""Whether a log tells how an owner began: what no line shows is certain only then."""

from __future__ import annotations

import pytest

from diagnose.judge import begun
from diagnose.story import Step
from emulator.life import Act
from emulator.records import DOM0


def step(op: str, domid: int, boot: int = 0, observed: bool = True) -> Step:
    return Step(None, Act(op, domid), observed, "", boot, (), (), (), None)


LOAD = step("driver_load", 1)


@pytest.mark.parametrize(
    ("before", "load", "told"),
    [
        ([step("domain_start", 1)], LOAD, True),
        ([step("domain_start", 1, observed=False)], LOAD, False),
        ([step("domain_start", 2)], LOAD, False),
        ([step("domain_start", 1)], step("driver_load", 1, boot=1), False),
        ([], LOAD, False),
        ([], step("driver_load", DOM0), True),
    ],
    ids=["started", "inferred", "another", "host-boot-before", "log-begins-later", "dom0"],
)
def test_an_owners_start(before: list[Step], load: Step, told: bool) -> None:
    later = [step("domain_start", 1), step("domain_start", 1, boot=1)]
    assert begun(load, [*before, load, *later]) is told
