"""What a diagnosis costs as one log grows longer: seconds and memory over guest reboots.

    python -m benchmarks.reboots [--sizes N,N,...] [--rows ROW,ROW,...] [--output FILE]

A log is what dom0 prints while guests with two devices are started and end, now in order and now
abruptly, on the emulator.  Each log is diagnosed in a process of its own, by the library and not by
the command; told are the processor time of the diagnosis alone and the peak of resident memory.  A
straight line is laid through the two smallest sizes; sizes up to 100 are run three times, and the
median is told.  No test looks at these numbers.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import machine
from benchmarks.page import asker, positive, publish
from diagnose import diagnose
from diagnose.grammar import print_line
from emulator.kernels import row
from emulator.life import Act, perform
from emulator.pci import PciAddress
from emulator.state import State

SIZES = (10, 100, 1_000, 10_000)
ROWS = ("el5", "el5-283")
DEVICES = tuple(PciAddress.parse(text) for text in ("0000:01:10.0", "0000:05:11.0"))
NVEC = 3
REPEATED_MAX = 100
"""Up to this size starting up is a good part of the seconds, so that one run says little."""
REPEATS = 3
ENDS = ("clean_shutdown", "destroy", "clean_shutdown", "crash", "destroy")
BANNERS = {"el5": "2.6.18-238.el5xen", "el5-283": "2.6.18-300.el5xen"}
BEGIN = datetime(2011, 5, 26, 9, 12, 3)


class Cost(NamedTuple):
    """One diagnosis: processor seconds, peak of resident memory in bytes, and what came out."""

    row: str
    reboots: int
    lines: int
    seconds: float
    resident: int
    verdict: str


def acts(reboots: int) -> Iterator[Act]:
    """The story: both devices seized, then one guest after the other."""
    for device in DEVICES:
        yield Act("seize", device=device)
    for domid in range(1, reboots + 1):
        yield Act("domain_start", domid, devices=DEVICES)
        for op in ("driver_load", "ifup"):
            for device in DEVICES:
                yield Act(op, domid, device, nvec=NVEC)
        yield Act(ENDS[domid % len(ENDS)], domid)


def written(name: str, reboots: int) -> Iterator[str]:
    """The lines of dom0's log, with syslog's stamp."""
    banner = f"Linux version {BANNERS[name]} (mockbuild@build.example.com)"
    now, state = BEGIN, State.boot()
    yield _stamped(now, banner)
    for act in acts(reboots):
        now += timedelta(seconds=20)
        outcome = perform(row(name).traits, state, act)
        state = outcome.state
        if act.op == "domain_start":
            yield _stamped(now, f"device vif{act.domid}.0 entered promiscuous mode")
        for effect in outcome.effects:
            if effect.speaker == "dom0":
                yield _stamped(now, print_line(effect.kind, effect.fields))


def _stamped(now: datetime, text: str) -> str:
    return f"{now:%b %d %H:%M:%S} xenhost kernel: {text}\n"


def one(name: str, reboots: int) -> Cost:
    """Diagnose a log of that length in this process."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "dom0.log"
        with log.open("w", encoding="utf-8") as lines:
            lines.writelines(written(name, reboots))
        count = log.read_bytes().count(b"\n")
        begin = time.process_time()
        report = diagnose([log])
        seconds = time.process_time() - begin
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Cost(name, reboots, count, seconds, resident, report.verdict)


def measure(name: str, reboots: int) -> Cost:
    """The same in a process of its own, whose memory holds nothing else; small ones repeated.

    Of several runs told is the one with the median of the seconds.
    """
    command = [sys.executable, "-m", "benchmarks.reboots", "--one", name, str(reboots)]
    runs = [
        Cost(*json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
        for _ in range(REPEATS if reboots <= REPEATED_MAX else 1)
    ]
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def told(costs: Sequence[Cost]) -> str:
    """The results as a page of Markdown."""
    lines = [
        "# What a diagnosis costs as a log grows longer",
        "",
        "Written by `benchmarks/reboots.py`: dom0's log of guests with two devices, started one",
        f"after the other and ended in turn by {', '.join(ENDS)}. *CPU* is",
        "the processor time of the diagnosis in its process, *memory* the peak of that process.",
        "*To the line*: how many times the seconds that a straight line through the two smallest",
        f"sizes foretells. Sizes up to {REPEATED_MAX} are run {REPEATS} times; told is the run",
        "with the median of the seconds.",
        "",
        *(f"- {fact}" for fact in machine()),
    ]
    for name in dict.fromkeys(each.row for each in costs):
        of_row = [each for each in costs if each.row == name]
        lines += [
            "",
            f"## {name}",
            "",
            "| reboots | lines | CPU, s | CPU a reboot, ms | to the line | memory, MB | verdict |",
            "|---:|---:|---:|---:|---:|---:|---|",
            *(
                f"| {each.reboots:,} | {each.lines:,} | {each.seconds:.2f} "
                f"| {1000 * each.seconds / each.reboots:.2f} "
                f"| {each.seconds / foretold(of_row, each.reboots):.2f} "
                f"| {each.resident / 1e6:.0f} | {each.verdict} |"
                for each in of_row
            ),
        ]
    return "\n".join([*lines, ""])


def foretold(costs: Sequence[Cost], reboots: int) -> float:
    """Seconds for that many reboots on the straight line through the two smallest sizes."""
    first, second = sorted(costs, key=lambda each: each.reboots)[:2]
    slope = (second.seconds - first.seconds) / (second.reboots - first.reboots)
    return first.seconds + slope * (reboots - first.reboots)


def sizes(text: str) -> list[int]:
    """An argument that is numbers of reboots, two or more.  Raises ArgumentTypeError for others."""
    found = [positive(each) for each in text.split(",")]
    if len(found) < 2 or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError("a line is laid through two sizes that differ, or more")
    return found


def rows(text: str) -> list[str]:
    """An argument that is kernel rows.  Raises ArgumentTypeError for those without a banner."""
    found = text.split(",")
    for unknown in set(found) - set(BANNERS):
        raise argparse.ArgumentTypeError(f"no row {unknown!r}; there are {', '.join(BANNERS)}")
    return found


def main() -> None:
    """Measure and show the page."""
    parser = asker(__doc__)
    parser.add_argument("--one", nargs=2, metavar=("ROW", "N"), help="one log, in this process")
    parser.add_argument("--sizes", type=sizes, default=SIZES, metavar="N,N,...")
    parser.add_argument("--rows", type=rows, default=ROWS, metavar="ROW,ROW,...")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.one[0], int(given.one[1]))))
        return
    page = told([measure(name, size) for name in given.rows for size in given.sizes])
    publish(page, given.output)


if __name__ == "__main__":
    main()
