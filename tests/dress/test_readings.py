"""Whatever envelope and whatever damage a log has come in, each message is read as what it is.

The cheaper law beside that of `test_dressings`: it looks at the lines alone and not at what is
concluded, so that it tries more, and says which line is read otherwise.
"""

from __future__ import annotations

from random import Random

import pytest

from tests.dress.damage import DAMAGES, Damage
from tests.dress.streams import (
    CONSOLE,
    DOM0,
    GUEST,
    XEN,
    Incident,
    Log,
    incidents,
    reading,
    some,
    usual,
)
from tests.dress.thread import Dressing
from tests.dress.wardrobe import HYPERVISOR, KERNEL, ONE_CONSOLE, THROUGH_XEN

INCIDENTS = incidents()
TABLES = {DOM0: KERNEL, GUEST: KERNEL, XEN: HYPERVISOR, CONSOLE: ONE_CONSOLE}
WARDROBE = [
    pytest.param(role, dressing, id=f"{role}-{name}")
    for role, table in [*TABLES.items(), (GUEST, THROUGH_XEN)]
    for name, dressing in table.items()
]
DAMAGED = [
    pytest.param(role, TABLES[role][name], damage, id=f"{name}-{what}")
    for what, damage in DAMAGES.items()
    for role, name in damage.of
]


def logs(role: str, number: int) -> list[tuple[Incident, Log]]:
    """One log of this role of each of some incidents."""
    able = [incident for incident in INCIDENTS if incident.has(role)]
    return [(incident, incident.those(role)[0]) for incident in some(able, number, role)]


@pytest.mark.parametrize(("role", "dressing"), WARDROBE)
def test_a_dressed_log(role: str, dressing: Dressing) -> None:
    for incident, log in logs(role, 9):
        as_it_stood = incident.dressed({})
        dressed = incident.dressed({log.name: "\n".join([*dressing(usual(log)), ""])})
        assert reading(dressed, log.name) == reading(as_it_stood, log.name), incident.name


@pytest.mark.parametrize(("role", "dressing", "damage"), DAMAGED)
def test_a_damaged_log(role: str, dressing: Dressing, damage: Damage) -> None:
    for incident, log in logs(role, 9):
        as_it_stood = incident.dressed({})
        lines = damage.change(dressing(usual(log)), Random(incident.name))
        damaged = incident.dressed({log.name: "\n".join([*lines, ""])})
        if incident.name not in damage.spoils:
            assert reading(damaged, log.name) == reading(as_it_stood, log.name), incident.name
