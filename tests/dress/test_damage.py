"""A log that was damaged on its way tells the same, or less; it never tells something else."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from tests.dress.damage import DAMAGES, DISORDERS, LOSSES, Change, Damage
from tests.dress.streams import CONSOLE, DOM0, Incident, essence, incidents, known, run, some, usual
from tests.dress.thread import Dressing
from tests.dress.wardrobe import KERNEL, ONE_CONSOLE
from tests.thorough import sample

INCIDENTS = incidents()
TABLES = {DOM0: KERNEL, CONSOLE: ONE_CONSOLE}
HIDDEN = {"way-collateral-unmap-el5": {("pirq-collision", "0000:02:00.0")}}
"""What is true of an incident, and not told where its last line tells something graver."""
ONCE_ACCUSED = (("dropped-xen", "vf-destroyed-el5"), ("dropped-xen", "vf-recreated-el5"),
                ("dropped-with-xen", "zombie-el5-1070"),
                ("dropped-with-xen", "rhbz688673-c43-hvm-shipped"),
                ("cut-last", "way-collateral-unmap-el5"))
"""Losses that made a reader suspect more than there is."""


def befallen(damages: Mapping[str, Damage], number: int) -> list[Any]:
    """For each damage and every other log that it can befall so many incidents."""
    return [
        pytest.param(incident, role, TABLES[role][name], damage.change,
                     id=f"{what}-{name}-{incident.name}")
        for nth, (what, damage) in enumerate(damages.items())
        for role, name in sample(damage.of, 2, nth % 2)
        for incident in some([each for each in INCIDENTS if each.has(role)], number,
                             f"{what} {name}")
    ]


def damaged(incident: Incident, role: str, dressing: Dressing, change: Change) -> dict[str, bytes]:
    """The incident with the log of one role dressed, and then damaged."""
    rng = Random(incident.name)
    return incident.dressed({log.name: "\n".join([*change(dressing(usual(log)), rng), ""])
                             for log in incident.those(role)})


@pytest.mark.parametrize(("incident", "role", "dressing", "change"), befallen(DAMAGES, 1))
def test_what_is_still_there_is_found(
    incident: Incident, role: str, dressing: Dressing, change: Change
) -> None:
    assert essence(run(damaged(incident, role, dressing, change))) == known(incident)


@pytest.mark.parametrize(("incident", "role", "dressing", "change"), befallen(DISORDERS, 2))
def test_stamps_put_it_in_order(
    incident: Incident, role: str, dressing: Dressing, change: Change
) -> None:
    assert essence(run(damaged(incident, role, dressing, change))) == known(incident)


def accused() -> list[Any]:
    """The losses of `ONCE_ACCUSED`, on one console."""
    named = {incident.name: incident for incident in INCIDENTS}
    return [pytest.param(named[name], CONSOLE, ONE_CONSOLE["bare"], LOSSES[what].change,
                         id=f"{what}-{name}") for what, name in ONCE_ACCUSED]


@pytest.mark.parametrize(("incident", "role", "dressing", "change"),
                         [*befallen(LOSSES, 2), *accused()])
def test_a_loss_accuses_nobody_new(
    incident: Incident, role: str, dressing: Dressing, change: Change
) -> None:
    report = run(damaged(incident, role, dressing, change))
    _, findings = known(incident)
    assert {(f.fault, f.device) for f in report.findings} <= \
        {each[:2] for each in findings} | HIDDEN.get(incident.name, set())
