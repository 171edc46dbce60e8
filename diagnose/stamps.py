"""What the layers of an envelope tell of time, host and priority.

**Invariant:** knows fields of envelopes, never how they are read; a time that cannot be is the
nearest that can.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from diagnose.envelope import CLOCK_FIELDS, Envelope
from diagnose.events import LEVELS, NO_STAMP, Stamp

Wall = Callable[[Mapping[str, str]], tuple[float, float]]
NO_WALL = (None, 1.0)

_DAY_SECONDS = 86400.0
_MONTHS = {name: nr for nr, name in enumerate(
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


def stamp(envelope: Envelope) -> Stamp:
    """What the layers tell about time, host and priority (see `Stamp`)."""
    if not envelope.told:
        return NO_STAMP
    told = envelope.told
    name, units, wall_of = clocks_of(told)
    uptime = float(told[name]) / units if name else None
    wall, coarse = wall_of(told) if wall_of is not None else NO_WALL
    return Stamp(uptime, wall, coarse, host(envelope), priority(envelope))


def clocks_of(told: Collection[str]) -> tuple[str, int, Wall | None]:
    """How fields with these names tell the time.

    The name of the uptime and its units in a second, empty if there is none; what reads the time of
    day, with the unit in seconds in which it is told. No other fields than TIME_FIELDS are asked.
    """
    name, units = next(((name, units) for name, units in _UPTIMES if name in told), ("", 1))
    return name, units, next((reader for name, reader in _WALLS if name in told), None)


def host(envelope: Envelope) -> str | None:
    """The host that the envelope names."""
    name = envelope.told.get("host")
    return None if name in (None, "-") else name


def priority(envelope: Envelope) -> int | None:
    """The level, 0 to 7, that the envelope tells."""
    told = envelope.told
    if "priority" in told:
        return int(told["priority"]) % len(LEVELS)
    word = told.get("decoded_level")
    return None if word is None else _DECODED[word.rstrip(" :")]


#: The field by which a clock of a kernel or hypervisor is known, and its units in a second.
_UPTIMES = (("seconds", 1), ("microseconds", 1_000_000))
_DECODED = {name: level for level, name in enumerate(LEVELS)} | {"warn": 4}


def _syslog_time(told: Mapping[str, str]) -> tuple[float, float]:
    return _wall(_named_day(told.get("year", _NO_YEAR), told["month"], told["day"]), told["clock"])


def _dated_time(told: Mapping[str, str]) -> tuple[float, float]:
    clock = told["clock"] if "clock" in told else told["comma_clock"].replace(",", ".")
    seconds, coarse = _wall(_dated_day(told["date"]), clock)
    return seconds - _zone(told.get("zone", "Z")), coarse


def _minute_time(told: Mapping[str, str]) -> tuple[float, float]:
    month, day = told["month_day"][:3], told["month_day"][3:]
    seconds, _ = _wall(_named_day(_NO_YEAR, month, day), f"{told['minute']}:00")
    return seconds, 60.0


def _unix_time(told: Mapping[str, str]) -> tuple[float, float]:
    return float(told["unix"]) - _SINCE_1970, 1e-6


def _wall(day: float, clock: str) -> tuple[float, float]:
    """Seconds since 2000 and the unit in which they are told."""
    return day + _minute(clock[:5]) + float(clock[6:]), _UNITS[len(clock)]


@lru_cache(maxsize=1024)
def _minute(clock: str) -> int:
    """When a minute of the day begins, in seconds."""
    return int(clock[:2]) * 3600 + int(clock[3:]) * 60


@lru_cache(maxsize=1024)
def _named_day(year: str, month: str, day: str) -> float:
    return _day(int(year), _MONTHS[month], int(day))


@lru_cache(maxsize=1024)
def _dated_day(date: str) -> float:
    year, month, day = map(int, date.split("-"))
    return _day(year, month, day)


def _day(year: int, month: int, day: int) -> float:
    """The beginning of a day in seconds since 2000; no such day is the month's last."""
    first = datetime.date(max(year, 1), min(max(month, 1), 12), 1)
    begins = first.toordinal()
    length = (31 if first.month == 12 else
              first.replace(month=first.month + 1).toordinal() - begins)
    return (begins - _FIRST_DAY + min(max(day, 1), length) - 1) * _DAY_SECONDS


def _zone(text: str) -> float:
    """Distance to UTC in seconds of a text such as `Z`, `+02:00` and `-0530`."""
    if text == "Z":
        return 0.0
    digits = text[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600.0 + int(digits[2:]) * 60
    return -seconds if text[0] == "-" else seconds


_NO_YEAR = "2000"
_FIRST_DAY = datetime.date(int(_NO_YEAR), 1, 1).toordinal()
#: The unit of a clock of so many letters: HH:MM:SS, with up to nine digits of a fraction.
_UNITS = {8: 1.0, **{9 + digits: 10.0 ** -digits for digits in range(1, 10)}}
_SINCE_1970 = (_FIRST_DAY - datetime.date(1970, 1, 1).toordinal()) * _DAY_SECONDS
#: The field by which a time of day is known, and its reader.
_WALLS: tuple[tuple[str, Wall], ...] = (
    ("unix", _unix_time),
    ("month", _syslog_time),
    ("date", _dated_time),
    ("month_day", _minute_time),
)
#: All that the above ask for.
TIME_FIELDS = CLOCK_FIELDS | {mark for mark, _ in _UPTIMES}
