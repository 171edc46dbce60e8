"""Incidents that are known to be read rightly, as the bare messages of each of their logs.

The envelopes are taken off by the few patterns here, not by the program under test, so that what a
log says and how it is dressed can be told apart.

**Invariant:** a stream holds every message of its log in order; nothing is added, and a notice of
repetition is spelt out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from diagnose import grammar, pipeline
from diagnose.casefile import read_case
from diagnose.diagnosis import Diagnosis
from diagnose.envelope import flatten
from diagnose.events import LEVELS
from diagnose.parse import parse
from diagnose.reader import from_bytes
from tests.thorough import THOROUGH

CORPUS = Path(__file__).parents[2] / "corpus"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "incidents"

CONSOLE, DOM0, XEN, GUEST = "console", "dom0", "xen", "guest"
_ROLES = {"console.log": CONSOLE, "dom0.log": DOM0, "messages": DOM0, "xen.log": XEN}
_GUEST = re.compile(r"guest.*\.log|rhel56.*\.log")

_TAG = re.compile(r"\(XEN\) ?")
_SYSLOG = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ (?:kernel: |(?=last message ))")
_PRIORITY = re.compile(r"<([0-7])>")
_PRINTK = re.compile(r"\[ *\d+\.\d{6}\] ")
_REPEATED = re.compile(r"last message repeated (\d+) times")
_TABS = re.compile(r"#011|\^I")

XEN_BANNER = " Xen version "
"""Old hypervisors printed it before their console had a tag."""
BANNER = "Linux version "
WARNING = 4
SLOW = frozenset(("rhbz688673-c3-clean-restart", "no-free-vector-el5", "way-silent-reset-el5-1070"))
"""Their logs leave much open, and half a second goes by until everything has been tried."""
XEN_AHEAD = 8.25
"""Seconds that a hypervisor is up before the kernel of its dom0 starts to count."""


class Message(NamedTuple):
    """What was printed, at which of printk's levels, by `dom0`, `xen` or `guest`."""

    text: str
    level: int
    speaker: str


class Told(NamedTuple):
    """A message and when it was printed: by the wall's clock, and by its kernel's own."""

    text: str
    level: int
    speaker: str
    wall: datetime
    uptime: float

    @property
    def micros(self) -> str:
        """The kernel's own clock as `printk` shows it."""
        return f"{self.uptime:.6f}"


@dataclass(frozen=True, slots=True)
class Log:
    """One log of an incident: what it is called, whose it is, what is said and how it stood."""

    name: str
    role: str
    messages: tuple[Message, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Incident:
    """The logs of one incident, all of kernels and of the hypervisor."""

    name: str
    logs: tuple[Log, ...]

    def has(self, role: str) -> bool:
        """Whether one of the logs plays this role."""
        return any(log.role == role for log in self.logs)

    def those(self, role: str) -> list[Log]:
        """The logs of this role."""
        return [log for log in self.logs if log.role == role]

    def dressed(self, texts: dict[str, str]) -> dict[str, bytes]:
        """The bytes of each log, those of `texts` in place of how they stood."""
        return {log.name: texts.get(log.name, log.text).encode("utf-8", "surrogateescape")
                for log in self.logs}


@cache
def incidents() -> tuple[Incident, ...]:
    """Every case and every labelled incident that has logs of kernels and of Xen alone."""
    cases = [(case.slug, case.logs) for case in map(read_case, sorted(CORPUS.glob("*.case")))]
    labelled = [(folder.name, tuple((log.name, log.read_text("utf-8"))
                                    for log in sorted(folder.glob("*.log"))))
                for folder in sorted(SHARED.glob("v-*"))]
    return tuple(Incident(name, tuple(_log(*log) for log in logs))
                 for name, logs in cases + labelled if all(_role(log) for log, _ in logs))


def _role(name: str) -> str | None:
    return _ROLES.get(name) or (GUEST if _GUEST.fullmatch(name) else None)


def _log(name: str, text: str) -> Log:
    role = _role(name) or ""
    return Log(name, role, tuple(_messages(text, role)), text)


def _messages(text: str, role: str) -> Iterator[Message]:
    last: Message | None = None
    for line in text.splitlines():
        line = _SYSLOG.sub("", line, count=1) if _SYSLOG.match(line) else line
        again = _REPEATED.fullmatch(line)
        if again and last is not None:
            yield from [last] * int(again[1])
            continue
        last = _message(line, role)
        yield last


def _message(line: str, role: str) -> Message:
    level = _PRIORITY.match(line)
    line = line[level.end():] if level else line
    stamp = _PRINTK.match(line)
    line = line[stamp.end():] if stamp else line
    tag = _TAG.match(line)
    line = _TABS.sub("\t", line[tag.end():] if tag else line)
    speaker = GUEST if role == GUEST else \
        XEN if tag or role == XEN or line.startswith(XEN_BANNER) else DOM0
    return Message(line, int(level[1]) if level else level_of(line), speaker)


def level_of(text: str) -> int:
    """The level at which the sources print a message; the default of printk for any other."""
    reading = grammar.load().read(flatten(text))
    level = reading.production.level if reading is not None else None
    return LEVELS.index(level) if level in LEVELS else WARNING


def in_time(messages: Sequence[Message], start: datetime, uptime: float, seed: object,
            ) -> list[Told]:
    """The messages with their times; lines of one make follow each other within microseconds.

    A kernel's clock begins at nought with its banner, and so does the hypervisor's.
    """
    rng = Random(repr(seed))
    told: list[Told] = []
    kernel = start - timedelta(seconds=uptime)
    booted = {DOM0: kernel, GUEST: kernel, XEN: kernel - timedelta(seconds=XEN_AHEAD)}
    now, before = start, ""
    for text, level, speaker in messages:
        shape = re.sub(r"[0-9a-f]+", "0", text)
        now += timedelta(microseconds=rng.randint(3, 900) if shape == before
                         else rng.choice((rng.randint(40, 20_000), rng.randint(40_000, 2_500_000))))
        before = shape
        if text.startswith(XEN_BANNER if speaker == XEN else BANNER):
            booted[speaker] = now
        told.append(Told(text, level, speaker, now, (now - booted[speaker]).total_seconds()))
    return told


START = datetime(2026, 11, 24, 13, 49, 3, 123456, UTC)
UPTIME = 31_415.926535


def usual(log: Log) -> list[Told]:
    """The messages of a log at a time like any other."""
    return in_time(log.messages, START, UPTIME, log.name)


def some(everything: Sequence[Incident], number: int, salt: str) -> list[Incident]:
    """So many cases of the corpus, chosen by the salt; every incident where the run is thorough."""
    if THOROUGH:
        return list(everything)
    cases = [each for each in everything
             if (CORPUS / f"{each.name}.case").exists() and each.name not in SLOW]
    return Random(salt).sample(cases, number)


# --- Reports ---------------------------------------------------------------------------------

Reading = list[tuple[str, str, Mapping[str, object]]]
Essence = tuple[str, frozenset[tuple[object, ...]]]


def run(texts: dict[str, bytes]) -> Diagnosis:
    """Diagnose these logs."""
    return pipeline.diagnose([from_bytes(name, data) for name, data in texts.items()])


def reading(texts: dict[str, bytes], name: str) -> Reading:
    """Who says what in one of these logs, the messages that nobody asks for left out."""
    parsed = parse([from_bytes(name, data) for name, data in texts.items()])
    return [(e.speaker, e.kind, e.fields) for e in parsed.events if e.line.input == name]


def essence(report: Diagnosis) -> Essence:
    """What a dressing must not change: the verdict, and what befell which device how often."""
    return report.verdict, frozenset(
        (f.fault, f.device, f.entries, f.domids, f.occurrences) for f in report.findings)


@cache
def known(incident: Incident) -> Essence:
    """What is found in an incident as it stood."""
    return essence(run(incident.dressed({})))
