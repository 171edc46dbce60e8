"""Whatever envelope a log has come in, the same is found in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.dress.streams import (
    CONSOLE,
    DOM0,
    GUEST,
    SHARED,
    XEN,
    Incident,
    essence,
    incidents,
    known,
    run,
    some,
    usual,
)
from tests.dress.thread import Dressing
from tests.dress.wardrobe import HYPERVISOR, KERNEL, ONE_CONSOLE, THROUGH_XEN
from tests.thorough import sample

INCIDENTS = incidents()


def wearing(
    role: str, dressings: Mapping[str, Dressing], number: int, one_in: int = 1
) -> list[Any]:
    """For each dressing, or one in so many, so many incidents that have a log of this role."""
    able = [incident for incident in INCIDENTS if incident.has(role)]
    return [pytest.param(incident, dressing, id=f"{name}-{incident.name}")
            for name, dressing in sample(list(dressings.items()), one_in)
            for incident in some(able, number, f"{role} {name}")]


def found(incident: Incident, role: str, dressing: Dressing) -> object:
    """What is found where the logs of one role are dressed and the others stand as they stood."""
    texts = {log.name: "\n".join([*dressing(usual(log)), ""])
             for log in incident.those(role)}
    return essence(run(incident.dressed(texts)))


def test_the_incidents_are_there() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"no labelled incidents in {SHARED}; the corpus alone is dressed")
    assert len(INCIDENTS) >= 160


@pytest.mark.parametrize(("incident", "dressing"), wearing(DOM0, KERNEL, 2))
def test_a_log_of_dom0(incident: Incident, dressing: Dressing) -> None:
    assert found(incident, DOM0, dressing) == known(incident)


@pytest.mark.parametrize(("incident", "dressing"), wearing(GUEST, KERNEL, 1, one_in=3))
def test_logs_of_guests(incident: Incident, dressing: Dressing) -> None:
    assert found(incident, GUEST, dressing) == known(incident)


@pytest.mark.parametrize(("incident", "dressing"), wearing(XEN, HYPERVISOR, 2))
def test_a_log_of_xen(incident: Incident, dressing: Dressing) -> None:
    assert found(incident, XEN, dressing) == known(incident)


@pytest.mark.parametrize(("incident", "dressing"), wearing(GUEST, THROUGH_XEN, 1))
def test_logs_of_guests_through_xens_console(incident: Incident, dressing: Dressing) -> None:
    assert found(incident, GUEST, dressing) == known(incident)


@pytest.mark.parametrize(("incident", "dressing"), wearing(CONSOLE, ONE_CONSOLE, 3))
def test_one_console_of_dom0_and_xen(incident: Incident, dressing: Dressing) -> None:
    assert found(incident, CONSOLE, dressing) == known(incident)
