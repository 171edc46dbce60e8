"""What a diagnosis of long logs costs, beside programs that search them or read them otherwise.

    python -m benchmarks.throughput [--mb N] [--large-mb N] [--rounds N] [--output FILE]

The logs are those of `benchmarks/logs.py`, and `../shared/xenlab` where it is there. Every
contender is a process of its own and runs once in each round on each log, in turn, so that whatever
else the machine does falls on all of them alike. Told are medians over the rounds. No test looks at
these numbers.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.page import asker, positive, publish
from benchmarks.runs import ROOT, Contender, Log, Measured, environment, run
from benchmarks.throughput_page import APART, BARE, DRAIN, HELP, OURS, PASS, RIPGREP, SMALL, told

LAB = ROOT.parent / "shared" / "xenlab"
DEMO = ROOT / "corpus" / "demo"
FOLDER = ROOT / ".cache" / "bench"
ROUNDS = 5
DEFAULT_MB = 100
SEED = 688673


def contenders(literals: str) -> list[Contender]:
    """What is compared, in the order in which it is run and told."""
    def ours(log: Log) -> list[str]:
        return triage(1, log.whole)

    def own(name: str) -> Callable[[Log], list[str]]:
        return lambda log: [sys.executable, "-m", "benchmarks.contenders", name, literals,
                            *log.files]

    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ripgrep, grep = shutil.which("rg", path=places), shutil.which("grep")
    return [
        Contender(OURS, ours),
        Contender(RIPGREP, lambda log: [
            str(ripgrep), "--no-config", "-j1", "-F", "-c", "-f", literals, *log.files],
            absent="" if ripgrep else "ripgrep"),
        Contender("grep -F -c", lambda log: [str(grep), "-F", "-c", "-f", literals, *log.files],
                  absent="" if grep else "grep"),
        Contender(BARE, own("bare"), absent=_lacks("hyperscan")),
        Contender(DRAIN, own("drain"), 2_000_000, _lacks("drain3")),
        Contender("searchkit", own("searchkit"), 250_000, _lacks("searchkit")),
        Contender("plain Lark", own("lark"), 1_000_000),
    ]


def triage(jobs: int, paths: Sequence[str]) -> list[str]:
    """The command that judges these."""
    return [sys.executable, "-m", "diagnose", "triage", "--jobs", str(jobs), "--fail-on", "never",
            *paths]


def _lacks(module: str) -> str:
    return "" if find_spec(module) else module


def report(log: Log, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """What `diagnose log` says of a log, outside of all measuring."""
    command = [sys.executable, "-m", "diagnose", "log", "--fail-on", "never", "--format", "json",
               *log.whole]
    done = subprocess.run(command, env=dict(environ), stdout=subprocess.PIPE, check=True)
    whole: dict[str, Any] = json.loads(done.stdout)
    return {name: whole[name] for name in ("verdict", "coverage")}


def logs(made: Mapping[str, Any]) -> list[Log]:
    """What every contender reads."""
    found = [Log.of(share, [path]) for share, path in made["shares"].items()]
    lab = sorted(map(str, LAB.glob("*/*.log")))
    return found + ([Log.of("xenlab", lab, [str(LAB)])] if lab else [])


def measure(made: Mapping[str, Any], rounds: int, folder: Path) -> Measured:
    """All contenders on all logs. What is run before the rounds warms caches up, and tells more."""
    environ = environment(folder)
    measured, of_all = Measured(), logs(made)
    alone = Log.of("alone", [made["alone"]])
    present = [each for each in contenders(made["literals"]) if not each.absent]
    plan: list[tuple[str, Log, list[str]]] = []
    for log in [alone, *of_all]:
        parts = (log if each.limit is None else log.beginning(each.limit, folder)
                 for each in present)
        plan += [(each.name, part, each.command(part)) for each, part in zip(present, parts)]
    for name in ("storm", "distinct"):
        plan.append((OURS, Log.of(name, [made[name]]), triage(1, [made[name]])))
    demo = sorted(map(str, DEMO.glob("*.log")))
    plan += [
        (PASS, Log.of("start", ()), [sys.executable, "-c", "pass"]),
        (HELP, Log.of("start", ()), [sys.executable, "-m", "diagnose", "--help"]),
        (SMALL, Log.of("start", demo), [
            sys.executable, "-m", "diagnose", "log", "--fail-on", "never", *demo]),
    ]
    quarters = Log.of("quarters", made["quarters"])
    plan += [(f"jobs {jobs}", quarters, triage(jobs, quarters.whole)) for jobs in (1, 2)]
    halves = (quarters.whole[::2], quarters.whole[1::2])
    plan.append((APART, quarters, ["sh", "-c", " & ".join(
        [*(shlex.join(triage(1, half)) for half in halves), "wait"])]))
    for log in of_all:
        if log.name != "xenlab":
            measured.reports[log.name] = report(log, environ)
    for _, _, command in plan[:len(present)]:
        run(command, environ)
    for _ in range(rounds):
        for name, log, command in plan:
            measured.read[name, log.name] = log
            measured.runs.setdefault((name, log.name), []).append(run(command, environ))
    if made["large"]:
        large = Log.of("large", [made["large"]])
        measured.read[OURS, large.name] = large
        measured.runs[OURS, large.name] = [run(triage(1, large.whole), environ)]
    return measured


def main() -> None:
    """Make the logs in a process of their own, measure and show the page."""
    parser = asker(__doc__)
    parser.add_argument("--mb", type=positive, default=DEFAULT_MB, metavar="N", help="of each log")
    parser.add_argument("--large-mb", type=positive, default=0, metavar="N",
                        help="one more log, for the memory alone (2048 for the page that is kept)")
    parser.add_argument("--rounds", type=positive, default=ROUNDS, metavar="N")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N")
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    making = [sys.executable, "-m", "benchmarks.logs", "--folder", str(FOLDER),
              "--mb", str(given.mb), "--seed", str(given.seed),
              *(["--large-mb", str(given.large_mb)] if given.large_mb else [])]
    done = subprocess.run(making, env=environment(FOLDER), stdout=subprocess.PIPE, check=True)
    made = json.loads(done.stdout)
    measured = measure(made, given.rounds, FOLDER)
    publish(told(measured, contenders(made["literals"]), made, given), given.output)


if __name__ == "__main__":
    main()
