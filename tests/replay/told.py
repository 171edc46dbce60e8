"""Real incidents retold, each only once: the bundled one and every case of the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from diagnose.assume import assume
from diagnose.casefile import read_case
from diagnose.conclude import Conclusion, conclude
from diagnose.events import Line
from diagnose.frames import Assumed, Frame, Located, ReplayReport
from diagnose.locate import locate
from diagnose.options import Options, Question
from diagnose.pipeline import Seen, event_kinds, seen
from diagnose.reader import Input
from diagnose.retell import retold
from diagnose.rules import load_rules
from emulator.kernels import row

ROOT = Path(__file__).parents[2]
DEMO = tuple(str(ROOT / "corpus" / "demo" / f"{name}.log") for name in ("dom0", "guest", "xen"))
CASES = sorted((ROOT / "corpus").glob("*.case"))


def logs(slug: str) -> Sequence[str | Input]:
    """The logs of a case; `demo` is the bundled incident."""
    return DEMO if slug == "demo" else read_case(ROOT / "corpus" / f"{slug}.case").inputs()


@cache
def incident(slug: str) -> Seen:
    """The replay itself."""
    return seen(logs(slug), Options())


@cache
def told(slug: str, question: Question | None = None, device: str | None = None) -> ReplayReport:
    """The report on it."""
    return retold(logs(slug), Options(device=device), question)


def frames(slug: str) -> tuple[Frame, ...]:
    """All steps of a case."""
    return told(slug).frames


def located(slug: str, asked: str) -> Located:
    """Where a line of the case lies in its story."""
    found = incident(slug)
    return locate(asked, found.parsed, found.timeline, found.played.best.steps())


@cache
def concluded(slug: str) -> Conclusion:
    """What the rules make of it."""
    return conclude(RULES, incident(slug).played)


def assumed(slug: str, name: str) -> Assumed:
    """The case under another kernel row."""
    best = incident(slug).played.best
    return assume(row(name), best.row, best.steps(), RULES, concluded(slug).findings)


RULES = load_rules(event_kinds=event_kinds())
SLUGS = ("demo", *(path.stem for path in CASES))
STORIES = tuple(slug for slug in SLUGS if incident(slug).played.best.step is not None)


def defaced(report: ReplayReport, evil: str) -> ReplayReport:
    """The report with hostile text wherever it holds text of an input."""
    lines = (Line(evil, 1, evil),)
    return replace(report, inputs=(replace(report.inputs[0], path=evil),), frames=tuple(
        replace(frame, lines=lines, why=evil,
                violations=tuple(replace(each, lines=lines, note=evil)
                                 for each in frame.violations))
        for frame in report.frames))
