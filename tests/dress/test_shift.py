"""No clock is asked what time it is: a log tells the same an hour, a day or a year from now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from tests.dress.streams import (
    CONSOLE,
    DOM0,
    START,
    UPTIME,
    XEN,
    Essence,
    Incident,
    Message,
    Told,
    essence,
    in_time,
    incidents,
    known,
    run,
    some,
)
from tests.dress.thread import Dressing
from tests.dress.wardrobe import HYPERVISOR, KERNEL
from tests.thorough import sample

INCIDENTS = incidents()

STARTS = {
    "an hour later": START + timedelta(hours=1),
    "a day before": START - timedelta(days=1),
    "40 days later": START + timedelta(days=40),
    "across new year": datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC),
    "across a leap day": datetime(2028, 2, 28, 23, 59, 58, tzinfo=UTC),
    "the first second of a year": datetime(2027, 1, 1, tzinfo=UTC),
    "a clock without a battery": datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC),
}
UPTIMES = {"just booted": 0.5, "ten million seconds": 12_345_678.9, "a jiffy's wrap": 4_294_967.0}
WALLS = ("syslog", "syslog-repeated", "rfc5424", "rsyslog-iso", "dmesg-ctime", "dmesg-iso",
         "dmesg-reltime", "journal-short", "journal-short-full", "journal-json", "stamped")
OWN = ("printk", "printk-caller", "netconsole-extended", "journal-short-monotonic")


def tried(names: Sequence[str], times: dict[str, Any]) -> list[Any]:
    """For each dressing and each time one incident with a log of dom0."""
    able = [incident for incident in INCIDENTS if incident.has(DOM0)]
    return [pytest.param(incident, KERNEL[name], time, id=f"{name}-{what}-{incident.name}")
            for name, (what, time) in sample(list(product(names, times.items())), 3)
            for incident in some(able, 1, f"{name} {what}")]


def found(
    incident: Incident, dressing: Dressing, time: Callable[[Sequence[Message]], list[Told]]
) -> Essence:
    """What is found where dom0's log is dressed with these times."""
    return essence(run(incident.dressed({
        log.name: "\n".join([*dressing(time(log.messages)), ""]) for log in incident.those(DOM0)})))


@pytest.mark.parametrize(("incident", "dressing", "start"), tried(WALLS, STARTS))
def test_the_wall_clock(incident: Incident, dressing: Dressing, start: datetime) -> None:
    assert found(incident, dressing,
                 lambda messages: in_time(messages, start, UPTIME, "x")) == known(incident)


@pytest.mark.parametrize(("incident", "dressing", "uptime"), tried(OWN, UPTIMES))
def test_the_kernels_own_clock(incident: Incident, dressing: Dressing, uptime: float) -> None:
    assert found(incident, dressing,
                 lambda messages: in_time(messages, START, uptime, "x")) == known(incident)


def set_back(hours: int) -> Callable[[Sequence[Message]], list[Told]]:
    """The wall's clock is set back in the middle: summer ends, or ntpd corrects a bad battery."""
    def time(messages: Sequence[Message]) -> list[Told]:
        told = in_time(messages, START, UPTIME, "x")
        half = len(told) // 2
        back = timedelta(hours=hours)
        return [*told[:half], *(each._replace(wall=each.wall - back) for each in told[half:])]
    return time


@pytest.mark.parametrize(("incident", "dressing", "hours"),
                         tried(WALLS, {"summer ends": 1, "a day too late": 24}))
def test_a_clock_that_is_set_back(incident: Incident, dressing: Dressing, hours: int) -> None:
    assert found(incident, dressing, set_back(hours)) == known(incident)


# --- Two logs of one host, each with its own clock -------------------------------------------

SHIFTS = {
    "two hours behind": timedelta(hours=-2), "a time zone": timedelta(hours=5, minutes=30),
    "a year": timedelta(days=365), "a second": timedelta(seconds=1),
    "before new year": START.replace(month=1, day=1) - START - timedelta(days=2),
}
PAIRS = (("rsyslog-iso", "xen-date"), ("syslog", "xen-date-ms"), ("printk", "xen-boot"))


def apart(incident: Incident, pair: tuple[str, str], shift: timedelta) -> Essence:
    """What is found where the console's lines are parted into a log of dom0 and one of Xen."""
    console, = incident.those(CONSOLE)
    told = in_time(console.messages, START, UPTIME, incident.name)
    own = [each for each in told if each.speaker == XEN]
    seconds = abs(shift.total_seconds())
    shifted = [each._replace(wall=each.wall + shift, uptime=each.uptime + seconds) for each in own]
    texts = {"dom0.log": KERNEL[pair[0]]([each for each in told if each not in own]),
             "xen.log": HYPERVISOR[pair[1]](shifted)}
    logs = tuple(replace(console, name=name, text="\n".join([*lines, ""]))
                 for name, lines in texts.items())
    guests = tuple(log for log in incident.logs if log.role != CONSOLE)
    return essence(run(Incident(incident.name, logs + guests).dressed({})))


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_one_clock_of_two(pair: tuple[str, str], shift: timedelta) -> None:
    for incident in some([each for each in INCIDENTS if each.has(CONSOLE)], 2, str(shift)):
        assert apart(incident, pair, shift) == apart(incident, pair, timedelta(0)), incident.name
