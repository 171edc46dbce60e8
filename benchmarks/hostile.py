"""What inputs that were made to harm cost: processor time and memory of `diagnose log`, each alone.

    python -m benchmarks.hostile [--output FILE] [CASE...]

The cases are those of tests/hostile, given through a pipe. Told are what is given, what the run
cost, how it ended, and what was said of the harm. Ends with 1 where a bound was overstepped.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import machine
from benchmarks.page import asker, publish
from tests.hostile.cases import CASES
from tests.hostile.running import CPU_SECONDS, MEMORY_BYTES, Survived, run

SAID_LETTERS = 90


class Measured(NamedTuple):
    """One case, and what came of it."""

    name: str
    size: int
    survived: Survived

    @property
    def row(self) -> str:
        """Its row of the table."""
        found = self.survived
        return (f"| {self.name} | {self.size:,} | {found.seconds:.2f} | {found.resident / 1e6:.0f} "
                f"| {found.status} | {found.report.get('verdict', 'none')} | {said(found)} |")


def said(survived: Survived) -> str:
    """What was said of an input: the first remark, or what was left out, or the error."""
    report: Mapping[str, Any] = survived.report
    texts = [remark["text"] for remark in report.get("remarks", ())
             if remark["code"] != "left-out"]
    texts += [left["why"] for left in report.get("left_out", ())]
    if not report:
        texts = [line for line in survived.told.splitlines() if line.strip()]
    text = str((texts or ["nothing"])[0]).replace("|", "\\|")
    return text if len(text) <= SAID_LETTERS else text[:SAID_LETTERS] + "…"


def measure(name: str) -> Measured:
    """Build one case and run it."""
    data = CASES[name].build()
    with tempfile.TemporaryDirectory() as place:
        return Measured(name, len(data), run(data, Path(place), "-"))


def told(measured: Sequence[Measured]) -> str:
    """The results as a page of Markdown."""
    return "\n".join([
        "# What hostile inputs cost",
        "",
        "Written by `benchmarks/hostile.py`: every case of `tests/hostile`, through a pipe, in a",
        f"process that may use {MEMORY_BYTES >> 20} MiB of address space and {CPU_SECONDS} seconds",
        "of the processor. *Peak* is of resident memory. Exit status 0, 1 and 2 are answers: no",
        "fault, a fault, nothing that could be read.",
        "",
        *(f"- {fact}" for fact in machine()),
        "",
        "| case | bytes given | CPU, s | peak, MB | exit | verdict | said of it |",
        "|---|---:|---:|---:|---:|---|---|",
        *(each.row for each in measured),
        "",
    ])


def main() -> None:
    """Measure and show the page."""
    parser = asker(__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", default=list(CASES))
    given = parser.parse_args()
    if unknown := set(given.cases) - set(CASES):
        parser.error(f"no case {sorted(unknown)}; there are {', '.join(CASES)}")
    measured = [measure(name) for name in given.cases]
    publish(told(measured), given.output)
    sys.exit(any(each.survived.status not in (0, 1, 2) for each in measured))


if __name__ == "__main__":
    main()
