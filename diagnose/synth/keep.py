"""Lines as a host keeps them: what a log loses, and what syslog and consoles put around.

A view lacks whole logs, a level hides what is less grave; neither says anything about the lines
that are there. Lost lines and ends that are cut off are accidents: those lines should be there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from diagnose.synth.beside import xend_line
from diagnose.synth.choices import ENVELOPES, LEVELS, Choices, Stream
from diagnose.synth.draft import Scenario
from diagnose.synth.record import BANNER, NOISE, Record

SPACES = {"raw": "\t\t\t\t       ", "hash011": "#011#011#011#011       ",
          "caret": "^I^I^I^I       ", "collapsed": ""}
STYLES = ("each", "one")
"""A guest's boots in a file each, or in one file."""
MISSING = (*(((),) * 14), ("no-xen",), ("no-guest",), ("no-guest", "no-xen"))
KEPT_LEVELS = (*(("debug",) * 12), "warning", "warning", "err", "notice")
SHARES = (*((0.0,) * 16), 0.01, 0.05, 0.1, 0.3)
CUTS = (*(("none",) * 14), "head", "head", "tail", "both")
CUT_LEAST, CUT_MOST = 0.1, 0.45
"""Shares of all lines that an end which is cut off may have."""
DEFAULT_LEVEL = LEVELS.index("warning")
"""The level of lines that name none (include/linux/kernel.h: DEFAULT_MESSAGE_LOGLEVEL)."""
EPOCH = datetime(2011, 6, 1) - timedelta(seconds=17_180_000)
FIRST, LAST = "first", "last"
TORN = "torn"


class Keeping(NamedTuple):
    """How a story is kept; the fields are those of `Choices`, decided, and what nobody chooses."""

    env: str
    space: str
    missing: tuple[str, ...]
    level: str
    lose: float
    truncate: str
    interleave: bool
    noise: bool
    style: str
    banner: bool

    @property
    def view(self) -> list[str]:
        """What is missing, in the words of a label."""
        cut = [f"cut-{end}" for end in ("head", "tail") if self.truncate in (end, "both")]
        mild = LEVELS.index(self.level) < LEVELS.index("info")
        words = [*cut, *self.missing, *["warn-only"] * mild, *["lossy"] * (self.lose > 0)]
        return words or ["full"]

    @property
    def one_file(self) -> bool:
        """Whether dom0 and Xen write on one console."""
        return self.interleave or self.env == "mixed"


class Kept(NamedTuple):
    """The records that are left, the accidents, and the ends that stand there in part."""

    records: list[Record]
    lost: list[Record]
    torn: dict[str, set[str]]


def choose(stream: Stream, choices: Choices, scenario: Scenario) -> Keeping:
    """How to keep a story: as asked for, else by chance; some are only told by certain ways."""
    whole = "full" in scenario.traits
    env = choices.envelope or (
        "syslog" if "syslog" in scenario.traits else stream("envelope").choice(ENVELOPES))
    missing: tuple[str, ...] = stream("view").choice(((),) if whole else MISSING)
    missing += ("one-guest",) * ("one-log" in scenario.traits)
    level = choices.level or ("debug" if whole else stream("level").choice(KEPT_LEVELS))
    share = 0.0 if whole else stream("share").choice(SHARES)
    braided = "braid" in scenario.traits or stream("interleave").random() < 0.05
    return Keeping(
        env=env,
        space=stream("space").choice(tuple(SPACES)),
        missing=tuple(each for each in choices.view or missing if each != "full"),
        level="info" if env == "syslog" and level == "debug" else level,
        lose=share if choices.lose is None else choices.lose,
        truncate=choices.truncate or ("none" if whole else stream("truncate").choice(CUTS)),
        interleave=braided if choices.interleave is None else choices.interleave,
        noise=stream("noise").random() < 0.9 if choices.noise is None else choices.noise,
        style=stream("style").choice(STYLES),
        banner=stream("banner").random() < 0.6 or "banner" in scenario.traits,
    )



def seen(records: Sequence[Record], keeping: Keeping, scenario: Scenario, stream: Stream) -> Kept:
    """What is left of a story's lines. Which lines are lost at a share are lost at a greater one.
    """
    there = [each for each in records if _is_kept(each, keeping, scenario)]
    chance = stream("lose")
    lost: list[Record] = []
    left: list[Record] = []
    for record in there:
        (lost if chance.random() < keeping.lose else left).append(record)
    return _cut(left, lost, keeping, scenario, stream("cut"))


def _is_kept(record: Record, keeping: Keeping, scenario: Scenario) -> bool:
    """Whether there is a log that keeps such lines."""
    speaker, missing = record.speaker, keeping.missing
    if not {NOISE: keeping.noise, BANNER: keeping.banner}.get(record.kind, True):
        return False
    if speaker in ("xen", "guest") and f"no-{speaker}" in missing:
        return False
    if record.guest is not None and "one-guest" in missing:
        return scenario.names[record.guest] == min(scenario.names.values())
    return speaker != "dom0" or rank(record.level) <= LEVELS.index(keeping.level)


def rank(level: str) -> int:
    """How grave: 0 is an emergency, 7 for debugging."""
    return LEVELS.index(level) if level in LEVELS else DEFAULT_LEVEL


def _cut(left: list[Record], lost: list[Record], keeping: Keeping, scenario: Scenario,
         rng: random.Random) -> Kept:
    """Both ends cut off as asked; half of the files then begin or end in the middle of a line."""
    torn: dict[str, set[str]] = {}
    shares = rng.uniform(CUT_LEAST, CUT_MOST), rng.uniform(CUT_LEAST, CUT_MOST)
    begin = int(len(left) * shares[0]) if keeping.truncate in ("head", "both") else 0
    end = len(left) - (int(len(left) * shares[1]) if keeping.truncate in ("tail", "both") else 0)
    middle = left[begin:end]
    for which, beyond in ((FIRST, left[:begin][::-1]), (LAST, left[end:])):
        nearest: dict[str, Record] = {}
        for record in beyond:
            nearest.setdefault(place(record, keeping, scenario), record)
        for name, record in nearest.items():
            if rng.random() < 0.5:
                part = record._replace(step=None, kind=TORN)
                middle = [part, *middle] if which == FIRST else [*middle, part]
                torn.setdefault(name, set()).add(which)
    lost = sorted([*lost, *left[:begin], *left[end:]], key=lambda record: record.time)
    return Kept(middle, [each for each in lost if each.kind != NOISE], torn)


def place(record: Record, keeping: Keeping, scenario: Scenario) -> str:
    """The name of the file that a record goes to."""
    if record.guest is not None:
        if keeping.style == "each":
            return f"guest{record.guest[1]}.log"
        name = scenario.names[record.guest]
        return "rhel56-64bit-pv.log" if name == "rhel56" else f"{name}.log"
    if record.speaker == "toolstack":
        return "xend.log"
    return "console.log" if keeping.one_file else f"{record.speaker}.log"


def files(kept: Kept, keeping: Keeping, scenario: Scenario, rng: random.Random) -> dict[str, str]:
    """File name → text; of nothing at all an empty log of dom0."""
    found: dict[str, list[Record]] = {}
    for record in kept.records:
        found.setdefault(place(record, keeping, scenario), []).append(record)
    texts = {}
    for name, records in sorted(found.items()):
        text = "\n".join(_lines(records, keeping)) + "\n"
        ends = kept.torn.get(name, ())
        if FIRST in ends:
            text = text[rng.randint(1, text.index("\n") - 1) :]
        if LAST in ends:
            begun = text[:-1].rfind("\n") + 1
            text = text[: rng.randint(begun + 1, max(begun + 1, len(text) - 2))]
        texts[name] = text
    if "rotate" in scenario.traits and "dom0.log" in texts:
        texts |= _rotated(texts.pop("dom0.log"), "turned" in scenario.traits)
    return texts or {"dom0.log": ""}


def _lines(records: Sequence[Record], keeping: Keeping) -> list[str]:
    """The records of one file in its envelope."""
    if keeping.env == "syslog":
        return _syslog(records, keeping)
    return [_line(record, keeping) for record in records]


def _line(record: Record, keeping: Keeping) -> str:
    if record.speaker == "toolstack":
        return xend_line(EPOCH + timedelta(seconds=record.time), record.level, record.text)
    if record.speaker != "dom0":
        return record.text
    text = _spaced(record.text, keeping)
    if keeping.env == "prio":
        return f"<{rank(record.level)}>{text}"
    return f"[{record.time:.6f}] {text}" if keeping.env == "printk" else text


def _spaced(text: str, keeping: Keeping) -> str:
    """A text with its tabs as the log shows them."""
    return text.replace(SPACES["raw"], SPACES[keeping.space])


def _syslog(records: Sequence[Record], keeping: Keeping) -> list[str]:
    """dom0's lines with syslog's head, and counted when they repeat themselves."""
    lines: list[str] = []
    last, repeats, at = "", 0, 0.0

    def flush() -> None:
        if repeats:
            lines.append(f"{_clock(at)} last message repeated {repeats} times")

    for record in records:
        text = _spaced(record.text, keeping)
        if record.speaker == "dom0" and text == last and record.kind != TORN:
            repeats, at = repeats + 1, record.time
            continue
        flush()
        dom0 = record.speaker == "dom0"
        last, repeats = text if dom0 and record.kind != TORN else "", 0
        lines.append(f"{_clock(record.time)} {text}" if dom0 else _line(record, keeping))
    flush()
    return lines


def _clock(time: float) -> str:
    moment = EPOCH + timedelta(seconds=time)
    return f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S} virthost4 kernel:"


def _rotated(text: str, turned: bool) -> dict[str, str]:
    """The same log in two files; `turned`: the older one comes later in the order of names."""
    lines = text.splitlines(keepends=True)
    half = len(lines) // 2
    older, newer = ("messages.1", "messages") if turned else ("messages-1", "messages-2")
    parts = {older: "".join(lines[:half]), newer: "".join(lines[half:])}
    return {name: part for name, part in parts.items() if part}
