"""Lines as a host keeps them: what a capture loses, and what syslog and consoles put around.

Views lose lines (warnings only, no Xen, no guests, a ring buffer that wrapped); envelopes change
them (prefixes, syslog's repeats, one console for dom0 and Xen).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.synth.beside import xend_line
from tests.synth.console import Record
from tests.synth.draft import Scenario

ENVELOPES = ("plain", "syslog", "printk", "prio", "mixed")
SPACES = {"raw": "\t\t\t\t       ", "hash011": "#011#011#011#011       ",
          "caret": "^I^I^I^I       ", "collapsed": ""}
VIEWS: tuple[tuple[str, ...], ...] = (
    *((("full",),) * 10), ("no-xen",), ("no-guest",), ("warn-only",), ("cut-head",),
    ("cut-head", "no-xen"), ("cut-head", "no-guest"), ("no-guest", "no-xen"),
    ("cut-head", "warn-only"), ("no-xen", "warn-only"), ("no-guest", "warn-only"),
)
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
QUIET = ("notice", "info", "debug")
STYLES = ("each", "one")


class Wrapping(NamedTuple):
    """How a story is kept: envelope, white space, view, style of guest logs, banners."""

    env: str
    space: str
    view: tuple[str, ...]
    style: str
    banner: bool


def choose(rng: random.Random, scenario: Scenario) -> Wrapping:
    """A random way to keep a story; some stories are only told by certain ones."""
    view = rng.choice(VIEWS)
    if "full" in scenario.options:
        view = ("full",)
    banner = rng.random() < 0.6 or "banner" in scenario.options
    env = rng.choice(ENVELOPES)
    if "syslog" in scenario.options:
        env = "syslog"
    return Wrapping(env, rng.choice(tuple(SPACES)), view, rng.choice(STYLES), banner)


def seen(records: Sequence[Record], wrapping: Wrapping, rng: random.Random) -> list[Record]:
    """The records that the view leaves over."""
    view = set(wrapping.view)
    left = list(records)
    if "cut-head" in view:
        at = left[int(len(left) * rng.uniform(0.1, 0.45))].time
        left = [record for record in left if record.time >= at]
    if "no-xen" in view:
        left = [record for record in left if record.speaker != "xen"]
    if "no-guest" in view:
        left = [record for record in left if record.speaker != "guest"]
    if "warn-only" in view:
        left = [r for r in left if r.speaker != "dom0" or r.level not in QUIET]
    if wrapping.env == "syslog":
        left = [r for r in left if r.speaker != "dom0" or r.level != "debug"]
    return left


def files(records: Sequence[Record], wrapping: Wrapping, scenario: Scenario) -> dict[str, str]:
    """File name → text."""
    found: dict[str, list[str]] = {}
    host = [r for r in records if r.speaker in ("dom0", "xen")]
    if wrapping.env == "mixed":
        found["console.log"] = [_folded(record.text, wrapping) for record in host]
    else:
        found["dom0.log"] = _dom0([r for r in host if r.speaker == "dom0"], wrapping)
        found["xen.log"] = [record.text for record in host if record.speaker == "xen"]
    found["xend.log"] = [xend_line(r.time, r.level, r.text) for r in records
                         if r.speaker == "toolstack"]
    if "rotate" in scenario.options:
        found |= _rotated(found.pop("dom0.log"), "turned" in scenario.options)
    for record in records:
        if record.guest is not None:
            found.setdefault(_guest_file(record.guest, wrapping, scenario), []).append(record.text)
    return {name: "\n".join(lines) + "\n" for name, lines in found.items() if lines}


def _rotated(lines: list[str], turned: bool) -> dict[str, list[str]]:
    """The same log in two files; `turned`: the older one comes later in the order of names."""
    half = len(lines) // 2
    older, newer = ("messages.1", "messages") if turned else ("messages-1", "messages-2")
    return {older: lines[:half], newer: lines[half:]}


def kept(record: Record, scenario: Scenario) -> bool:
    """Whether the log with that record is there: with `one-log` only the first guest's is."""
    if record.guest is None or "one-log" not in scenario.options:
        return True
    return scenario.names[record.guest] == min(scenario.names.values())


def _guest_file(guest: tuple[int, int], wrapping: Wrapping, scenario: Scenario) -> str:
    if wrapping.style == "each":
        return f"guest{guest[1]}.log"
    name = scenario.names[guest]
    return "rhel56-64bit-pv.log" if name == "rhel56" else f"{name}.log"


def _folded(text: str, wrapping: Wrapping) -> str:
    space = SPACES[wrapping.space]
    return text.replace("are \t\t\t\t       not", f"are {space}not")


def _dom0(records: Sequence[Record], wrapping: Wrapping) -> list[str]:
    if wrapping.env == "syslog":
        return _syslog(records, wrapping)
    lines = []
    for record in records:
        text = _folded(record.text, wrapping)
        if wrapping.env == "prio":
            level = LEVELS.index(record.level) if record.level in LEVELS else 4
            text = f"<{level}>{text}"
        elif wrapping.env == "printk":
            text = f"[{record.time:.6f}] {text}"
        lines.append(text)
    return lines


def _syslog(records: Sequence[Record], wrapping: Wrapping) -> list[str]:
    lines: list[str] = []
    last, repeats, at = "", 0, 0.0
    for record in records:
        text = _folded(record.text, wrapping)
        if text == last:
            repeats, at = repeats + 1, record.time
            continue
        if repeats:
            lines.append(f"{_clock(at)} last message repeated {repeats} times")
        lines.append(f"{_clock(record.time)} {text}")
        last, repeats = text, 0
    if repeats:
        lines.append(f"{_clock(at)} last message repeated {repeats} times")
    return lines


def _clock(time: float) -> str:
    moment = datetime(2011, 6, 1) + timedelta(seconds=time - 17_180_000.0)
    return f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S} virthost4 kernel:"
