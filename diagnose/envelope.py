"""Take the envelope off a line: stamps, host, program and tag first, then the message, folded.

The layers are productions of grammars/envelope.lark. They are peeled off from the left until none
fits, so that every combination works: syslog around printk around Xen's tag.

**Invariant:** never fails; a line without an envelope is its own message.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from diagnose.annotation import fold
from diagnose.events import NO_STAMP, Stamp
from diagnose.grammar import Catalogue, Rule

LAYERS_MAX = 6
"""No line wears more; a line of nothing but layers ends here."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Days before each month of a 366-day year: syslog tells no year, and 29 February needs a place.
_DAYS_BEFORE = (0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335)
_DAY_SECONDS = 86400.0

_MARKS = ("\t", "  ", "^I", "#011")
_TABS = re.compile(r"\^I|#011|\t")


class Envelope(NamedTuple):
    """A line without its envelope: `payload` is folded and cut; `layers` in the order worn."""

    payload: str
    layers: tuple[tuple[str, Mapping[str, str]], ...] = ()

    def told(self, field: str) -> str | None:
        """The text of a field that any layer has, the innermost first."""
        for _, fields in reversed(self.layers):
            if field in fields:
                return fields[field]
        return None

    def wears(self, layer: str) -> bool:
        """Whether the layer is among those of the line."""
        return any(name == layer for name, _ in self.layers)


def flatten(text: str) -> str:
    """A line as the grammars read it: tabs however they are shown, and runs, become one blank."""
    for mark in _MARKS:
        if mark in text:
            return fold(_TABS.sub(" ", text)).strip(" ")
    return text.strip(" ")


class Peeler:
    """Peels envelopes off lines with the layers of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._any: list[Rule] = []
        self._by_letter: dict[str, list[Rule]] = {}
        for rule in catalogue.layers:
            letter = _first_letter(rule)
            if letter:
                self._by_letter.setdefault(letter, []).append(rule)
            else:
                self._any.append(rule)

    def peel(self, text: str) -> Envelope:
        """Split a raw line (no line end) into its layers and its message."""
        payload = flatten(text)
        worn: list[tuple[str, Mapping[str, str]]] = []
        while payload and len(worn) < LAYERS_MAX:
            for rule in self._by_letter.get(payload[0], self._any):
                match = rule.regex.fullmatch(payload)
                if match is not None:
                    fields = match.groupdict()
                    payload = (fields.pop("payload") or "").strip(" ")
                    worn.append((rule.production.kind, fields))
                    break
            else:
                break
        return Envelope(payload, tuple(worn))


def _first_letter(rule: Rule) -> str:
    """The letter with which every text of the layer begins, empty if there is no single one."""
    letters = {steps[0][1][:1] if not steps[0][0] else "" for steps in rule.alternatives}
    return letters.pop() if len(letters) == 1 else ""


# --- Stamps ----------------------------------------------------------------------------------


def stamp(envelope: Envelope) -> Stamp:
    """What the layers tell about time, host and priority (see `Stamp`)."""
    if not envelope.layers:
        return NO_STAMP
    time: float | None = None
    kind = ""
    for name, fields in envelope.layers:
        clock = _CLOCKS.get(name)
        if clock is not None:
            kind, reader = clock
            time = reader(fields)
    priority = envelope.told("priority")
    return Stamp(time, kind, envelope.told("host"), None if priority is None else int(priority))


def _syslog_time(fields: Mapping[str, str]) -> float:
    month = _MONTHS.index(fields["month"])
    return _since_new_year(month, int(fields["day"]), fields["clock"])


def _dated_time(fields: Mapping[str, str]) -> float:
    _, month, day = fields["date"].split("-")
    return _since_new_year((int(month) - 1) % 12, int(day), fields["clock"])


def _since_new_year(month: int, day: int, clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    days = _DAYS_BEFORE[month] + day - 1
    return days * _DAY_SECONDS + int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def _printk_time(fields: Mapping[str, str]) -> float:
    return float(fields["seconds"])


_CLOCKS: Mapping[str, tuple[str, Callable[[Mapping[str, str]], float]]] = {
    "syslog": ("syslog", _syslog_time),
    "syslog_notice": ("syslog", _syslog_time),
    "xend_log": ("syslog", _dated_time),
    "printk_time": ("printk", _printk_time),
}
