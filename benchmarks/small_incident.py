"""What one diagnosis of a small incident costs, beside things whose cost everybody knows.

    python -m benchmarks.small_incident [--rounds N] [--output FILE] [LOG...]

Every contender is a whole process and runs once in each round, in turn, so that whatever else the
machine does falls on all of them alike. Told are medians over the rounds of the processor time
(user and system) and of the elapsed time, and how many bare starts of Python each is worth. No test
looks at these numbers.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.page import asker, existing, positive, publish
from diagnose.catalogue_file import load

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "corpus" / "demo"
ROUNDS = 21
YARDSTICK = "python -c pass"


@dataclass
class Contender:
    """A command, and what each of its runs has cost in seconds: (processor, elapsed)."""

    name: str
    command: Sequence[str]
    cold: bool = False
    costs: list[tuple[float, float]] = field(default_factory=list)

    def median(self, column: int) -> float:
        """The median of one column of the costs, in milliseconds."""
        return 1000 * statistics.median(cost[column] for cost in self.costs)


def contenders(logs: Sequence[str], literals: Path) -> list[Contender]:
    """What is compared, in the order in which it is run and told."""
    log = [sys.executable, "-m", "diagnose", "log", "--fail-on", "never", *logs]
    return [
        Contender("diagnose log", log),
        Contender("diagnose log, catalogue not kept yet", log, cold=True),
        Contender(YARDSTICK, [sys.executable, "-c", "pass"]),
        Contender("python -c 'import lark'", [sys.executable, "-c", "import lark"]),
        Contender("grep -c -F", ["grep", "-c", "-F", "-f", str(literals), *logs]),
    ]


def run(contender: Contender, environ: Mapping[str, str]) -> tuple[float, float]:
    """Processor and elapsed time of one run in seconds; raises if the command fails."""
    with tempfile.TemporaryDirectory() as empty:
        own = {**environ, "XDG_CACHE_HOME": empty} if contender.cold else environ
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(contender.command, env=own, stdout=subprocess.DEVNULL, check=True)
        elapsed = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, elapsed


def measure(logs: Sequence[str], rounds: int) -> list[Contender]:
    """All contenders with their costs. The first round warms caches up and is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        literals = Path(folder) / "literals"
        literals.write_text("".join(f"{literal}\n" for literal in cues()), encoding="utf-8")
        own = {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": folder, "PYTHONPYCACHEPREFIX": folder}
        environ = {**os.environ, **own}
        # As after an ordinary installation, and whatever this shell says, bytecode is kept.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        all_of_them = contenders(logs, literals)
        for number in range(rounds + 1):
            for contender in all_of_them:
                cost = run(contender, environ)
                if number:
                    contender.costs.append(cost)
    return all_of_them


def cues() -> list[str]:
    """The literals by which a line is found worth reading."""
    data, _ = load()
    return sorted({str(row[0]) for row in data["index"]["literals"]})


def told(measured: Sequence[Contender], logs: Sequence[Path], rounds: int) -> str:
    """The results as a page of Markdown."""
    yardstick = next(each for each in measured if each.name == YARDSTICK).median(0)
    size = sum(log.stat().st_size for log in logs)
    lines = sum(log.read_bytes().count(b"\n") for log in logs)
    rows = [
        f"| `{each.name}` | {each.median(0):.1f} | {each.median(1):.1f} "
        f"| {each.median(0) / yardstick:.1f} |"
        for each in measured
    ]
    return "\n".join([
        "# What a diagnosis of a small incident costs",
        "",
        f"Written by `benchmarks/small_incident.py`: medians of {rounds} rounds, in each of which",
        "every command runs once as a process of its own. *CPU* is user and system time.",
        "Bytecode is kept, as after any installation. The derived catalogue of messages is kept",
        "in the first row and derived anew in the second.",
        "",
        f"- input: {len(logs)} files, {lines} lines, {size} bytes",
        f"- `grep` looks for the {len(cues())} literals by which `diagnose` picks lines",
        *(f"- {fact}" for fact in machine()),
        "",
        "| command | CPU, ms | elapsed, ms | CPU, starts of Python |",
        "|---|---:|---:|---:|",
        *rows,
        "",
    ])


def main() -> None:
    """Measure and show the page."""
    parser = asker(__doc__)
    parser.add_argument("--rounds", type=positive, default=ROUNDS, metavar="N")
    parser.add_argument("logs", nargs="*", type=existing, default=sorted(DEMO.glob("*.log")))
    given = parser.parse_args()
    logs = [log.resolve() for log in given.logs]
    page = told(measure([str(log) for log in logs], given.rounds), logs, given.rounds)
    publish(page, given.output)


if __name__ == "__main__":
    main()
