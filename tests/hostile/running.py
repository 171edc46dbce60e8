"""How a hostile input is given to the program: through a pipe, in a place of its own, in bounds.

    python -m tests.hostile.running GIVEN < BYTES

The program runs in a child of a process that holds nothing else, because a process is charged with
the memory of the one that started it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.tidy.source import ROOT

MEMORY_BYTES = 1 << 30
"""Of address space, the interpreter and its libraries included."""
CPU_SECONDS = 60


class Survived(NamedTuple):
    """What came of it: exit status, report, standard error, processor seconds, peak in bytes."""

    status: int
    report: dict[str, Any]
    told: str
    seconds: float
    resident: int


def run(data: bytes, place: Path, given: str) -> Survived:
    """Run `diagnose log` on `given`, with `data` in its standard input, in an empty directory."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.running", given], input=data, cwd=place,
        stdout=subprocess.PIPE, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(place)})
    status, written, *rest = json.loads(done.stdout)
    return Survived(status, json.loads(written or "{}"), *rest)


def bounded() -> None:
    """In the child: so much memory, so much processor time, no core."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Run the child on what comes in; write what came of it as one JSON list."""
    words = [sys.executable, "-m", "diagnose", "log", "--format", "json", sys.argv[1]]
    done = subprocess.run(words, capture_output=True, preexec_fn=bounded, check=False)
    cost = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = done.stderr.decode("utf-8", "replace")
    print(json.dumps([done.returncode, done.stdout.decode(), told,
                      cost.ru_utime + cost.ru_stime, cost.ru_maxrss * 1024]))


if __name__ == "__main__":
    main()
