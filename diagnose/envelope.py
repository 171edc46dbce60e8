"""Take the envelope off a line: stamps, host, program and tag first, then the message, folded.

The layers are productions of grammars/envelope.lark. They are peeled off from the left until none
fits, so that every combination works: syslog around printk around Xen's tag.

**Invariant:** never fails; a line without an envelope is its own message.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
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
#: A terminal that is a choice of plain words.
_WORDS = re.compile(r"\(\?:([A-Za-z]+(?:\|[A-Za-z]+)*)\)")
_TABS = re.compile(r"\^I|#011|\t")


class Envelope(NamedTuple):
    """A line without its envelope: `payload` is folded and cut.

    `layers` are the kinds of its layers from the outside in; `told` has the texts of all their
    fields, and where two layers tell the same, the inner one's. `speaker` is whose layer it wears,
    None where no layer is one speaker's own.
    """

    payload: str
    layers: tuple[str, ...] = ()
    told: Mapping[str, str] = MappingProxyType({})
    speaker: str | None = None


def flatten(text: str) -> str:
    """A line as the grammars read it: tabs however they are shown, and runs, become one blank."""
    for mark in _MARKS:
        if mark in text:
            return fold(_TABS.sub(" ", text)).strip(" ")
    return text.strip(" ")


class Peeler:
    """Peels envelopes off lines with the layers of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._any = tuple(rule for rule in catalogue.layers if not _first_letters(rule))
        letters = sorted(set("".join(map(_first_letters, catalogue.layers))))
        self._by_letter = {
            letter: tuple(
                rule
                for rule in catalogue.layers
                if rule in self._any or letter in _first_letters(rule)
            )
            for letter in letters
        }

    def peel(self, text: str) -> Envelope:
        """Split a raw line (no line end) into its layers and its message."""
        payload = flatten(text)
        rules = self._by_letter.get(payload[:1], self._any)
        if not rules:
            return Envelope(payload)
        layers: list[str] = []
        told: dict[str, str] = {}
        speaker: str | None = None
        while rules and len(layers) < LAYERS_MAX:
            for rule in rules:
                match = rule.regex.fullmatch(payload)
                if match is not None:
                    told.update(match.groupdict())
                    payload = (told.pop("payload") or "").strip(" ")
                    layers.append(rule.production.kind)
                    for term in rule.production.proves:
                        speaker = term.args[0]
                    rules = self._by_letter.get(payload[:1], self._any)
                    break
            else:
                break
        return Envelope(payload, tuple(layers), told, speaker)


def _first_letters(rule: Rule) -> str:
    """The letters with which the layer's texts can begin, empty if that is not plain to see."""
    letters = ""
    for steps in rule.alternatives:
        name, text, pattern = steps[0]
        words = _WORDS.fullmatch(pattern)
        if not name:
            letters += text[0]
        elif words is not None:
            letters += "".join(word[0] for word in words[1].split("|"))
        elif pattern.startswith("[0-9]{4}"):
            letters += "0123456789"
        else:
            return ""
    return letters


# --- Stamps ----------------------------------------------------------------------------------


def stamp(envelope: Envelope) -> Stamp:
    """What the layers tell about time, host and priority (see `Stamp`)."""
    told = envelope.told
    if not told:
        return NO_STAMP
    digit = told.get("priority")
    priority = None if digit is None else int(digit)
    for mark, kind, reader in _CLOCKS:
        if mark in told:
            return Stamp(reader(told), kind, told.get("host"), priority)
    return Stamp(None, "", told.get("host"), priority)


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


#: The field by which a clock is known, its kind and its reader: the kernel's own clock first.
_CLOCKS: tuple[tuple[str, str, Callable[[Mapping[str, str]], float]], ...] = (
    ("seconds", "printk", _printk_time),
    ("month", "syslog", _syslog_time),
    ("date", "syslog", _dated_time),
)
