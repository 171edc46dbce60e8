"""How often the diagnosis is right, and what it says when it cannot know: on made-up incidents.

    python benchmarks/accuracy.py [--count N] [--seed S] [--output FILE] [--share SHARE...]
                                  [--levels LEVEL...]

The same incidents are kept several times, each time with a greater share of their lines lost. Each
line is lost or not by itself, and the lines lost at one share are lost at every greater one. That
is the easiest keeping otherwise: all logs are there, dom0's at level debug (info in a syslog), and
none is truncated. A third of the incidents are kept again with nothing lost, at each of some levels
of dom0's log: a syslog shows info, a console warnings.

The incidents are those of `diagnose synth` with the same seed, half of them free stories. Findings
are counted by fault and device; what happened comes from the emulator, what could be known from the
label (`diagnose/synth/label.py`).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from benchmarks.page import asker, positive, publish
from diagnose.synth.check import Checked, check
from diagnose.synth.choices import Choices
from diagnose.synth.incident import Incident, make
from diagnose.synth.stage import known_faults

SHARES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5)
LEVELS = ("debug", "info", "warning")
COUNT, SEED = 300, 1
LEVELS_PART = 3
"""So many times fewer incidents are kept at each level than at each share."""
CONFIDENCES = ("certain", "likely")
ALL = "all"
WHOLE = Choices(lose=0.0, view=("full",), level="debug", truncate="none")
Key = tuple[str, str]
"""Fault, device."""


@dataclass
class Tally:
    """What was said and what was so, of one fault, in numbers.

    `happened` faults, of which `knowable` could be known; `said` findings, of which `true` happened
    and `found` could be known. `sure` counts (confidence, whether it happened).
    """

    happened: int = 0
    knowable: int = 0
    said: int = 0
    true: int = 0
    found: int = 0
    sure: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @property
    def cells(self) -> list[str]:
        """Precision, recall of what happened and of what could be known, what was left out."""
        return [
            ratio(self.true, self.said), ratio(self.true, self.happened),
            ratio(self.found, self.knowable), str(self.happened - self.true),
        ]

    def calibration(self, confidence: str) -> str:
        """How many of the findings said with this confidence were true."""
        true, false = (self.sure[confidence, each] for each in (True, False))
        return ratio(true, true + false)


@dataclass
class Column:
    """Everything that was counted of one keeping; `head` tells which."""

    head: str
    faults: dict[str, Tally] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    accused: int = 0
    faultless: int = 0

    def add(self, incident: Incident, checked: Checked) -> None:
        """Count one incident."""
        expected, report = incident.expected, checked.report
        happened = {(fault, device) for fault, device in expected["may"]}
        knowable = {(each["fault"], each["device"]) for each in expected["must"]}
        said: Mapping[Key, str] = {(each["fault"], each["device"]): each["confidence"]
                                   for each in report.get("findings", ())}
        for key in happened | set(said):
            for name in (key[0], ALL):
                tally = self.faults.setdefault(name, Tally())
                tally.happened += key in happened
                tally.knowable += key in knowable
                tally.said += key in said
                tally.true += key in said and key in happened
                tally.found += key in said and key in knowable
                if key in said:
                    tally.sure[said[key], key in happened] += 1
        self.verdicts[report.get("verdict", "broken")] += 1
        self.results[checked.result] += 1
        self.faultless += not happened
        self.accused += bool(said) and not happened


def measure(count: int, seed: int, keepings: Mapping[str, Choices]) -> Iterator[Column]:
    """A column for each keeping, made of the same `count` stories."""
    for head, chosen in keepings.items():
        column = Column(head)
        for nth in range(count):
            incident = make(seed, nth, chosen)
            column.add(incident, check(incident))
        yield column


def part(count: int) -> int:
    """How many of `count` incidents are kept at each level."""
    return -(-count // LEVELS_PART)


def by_share(shares: Sequence[float]) -> dict[str, Choices]:
    """Head → how to keep, with each of the shares lost."""
    return {f"{share:.0%}".replace("%", " %"): replace(WHOLE, lose=share) for share in shares}


def by_level(levels: Sequence[str]) -> dict[str, Choices]:
    """Head → how to keep, at each of the levels."""
    return {level: replace(WHOLE, level=level) for level in levels}


def ratio(part: int, whole: int) -> str:
    """`97.5 % (39/40)`; a dash of nothing."""
    return f"{part / whole:.1%} ({part}/{whole})".replace("%", " %") if whole else "–"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown with numbers to the right."""
    return [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}",
            *(f"| {' | '.join(row)} |" for row in rows), ""]


def main_table(what: str, columns: Sequence[Column]) -> list[str]:
    """All faults together, a row for each keeping; `what` heads their names."""
    rows = []
    for column in columns:
        tally = column.faults.get(ALL, Tally())
        inconclusive = ratio(column.verdicts["inconclusive"], column.verdicts.total())
        rows.append([column.head, *tally.cells[:3], inconclusive,
                     *(tally.calibration(each) for each in CONFIDENCES)])
    return table([what, "precision", "recall of what happened",
                  "recall of what could be known", "inconclusive",
                  *(f"“{each}” was true" for each in CONFIDENCES)], rows)


def by_fault(columns: Sequence[Column]) -> list[str]:
    """By fault and share: how many findings were true, of those said and of what happened."""
    rows = [[fault, *(f"{tally.true}/{tally.said} · {tally.true}/{tally.happened}"
                      for tally in (column.faults.get(fault, Tally()) for column in columns))]
            for fault in known_faults() if any(fault in column.faults for column in columns)]
    return table(["true findings of those said · of what happened",
                  *(f"{column.head} lost" for column in columns)], rows)


def shrinking(columns: Sequence[Column]) -> str:
    """How much can be known at all, and what a row of little says."""
    numbers = [column.faults.get(ALL, Tally()).knowable for column in columns]
    return (f"With lines lost, what could be known shrinks from {max(numbers, default=0)} faults to"
            f" {min(numbers, default=0)}: a full recall of a few is no evidence of robustness.")


def level_table(columns: Sequence[Column], count: int) -> list[str]:
    """By level of dom0's log; nothing if no level was asked for."""
    return ["## By level", "", f"The first {count} of these incidents with nothing lost, by the",
            "lowest level that dom0's log keeps: a syslog shows info, a console warnings.", "",
            *main_table("level", columns)] if columns else []


def told(columns: Sequence[Column], levels: Sequence[Column], count: int, seed: int) -> str:
    """The results as a page of Markdown."""
    page = [
        "# How often the diagnosis is right", "",
        f"Written by `benchmarks/accuracy.py --count {count} --seed {seed}`: {count} made-up",
        "incidents, half of them free stories, the others of every kind that `diagnose synth",
        "--list` tells, each kept anew with a growing share of its lines lost at random. All logs",
        "are there (dom0's, Xen's and every guest's), dom0's at level debug (a syslog's at info),",
        "and nothing is truncated: this is the easiest keeping. Findings count by fault and",
        "device. *What could be known*: the faults of which every line is there from the start of",
        "the life that left the pair to the step that shows it.", "",
        "## All faults", "", *main_table("lines lost", columns), shrinking(columns), "",
        *by_fault(columns), *level_table(levels, part(count)), "## By fault", "",
    ]
    for fault in known_faults():
        rows = [[column.head, *column.faults[fault].cells]
                for column in columns if fault in column.faults]
        if rows:
            page += [f"### {fault}", "", *table(
                ["lines lost", "precision", "recall of what happened",
                 "recall of what could be known", "left out"], rows)]
    rows = [[column.head,
             *(str(column.verdicts[each]) for each in ("fault", "healthy", "inconclusive")),
             ratio(column.accused, column.faultless),
             *(str(column.results[each]) for each in ("missed", "false", "broken"))]
            for column in columns]
    page += ["## By incident", "", *table(
        ["lines lost", "fault", "healthy", "inconclusive", "accused though nothing happened",
         "something knowable missed", "something false said", "broken"], rows)]
    return "\n".join(page)


def share(text: str) -> float:
    """An argument that is a share of lines, from 0 to 1.  Raises ArgumentTypeError for others."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share; give one from 0 to 1")
    return value


def main() -> None:
    """Measure and show the page."""
    parser = asker(__doc__)
    parser.add_argument("--count", type=positive, default=COUNT, metavar="N")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S")
    parser.add_argument("--share", type=share, nargs="+", default=SHARES, metavar="SHARE")
    parser.add_argument("--levels", nargs="*", default=LEVELS, metavar="LEVEL")
    given = parser.parse_args()
    columns = list(measure(given.count, given.seed, by_share(given.share)))
    levels = list(measure(part(given.count), given.seed, by_level(given.levels)))
    publish(told(columns, levels, given.count, given.seed), given.output)


if __name__ == "__main__":
    main()
