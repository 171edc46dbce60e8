"""Runs programs as processes of their own, and keeps what each of their runs has cost.

**Invariant:** nothing is loaded here but the standard library, for what is measured of a process'
memory is never less than what the process has that starts it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FOUND_NOTHING = 1
"""grep's and ripgrep's status where no line is found, which is no failure."""
COUNTED_BYTES = 1 << 20


class Run(NamedTuple):
    """What one process cost: seconds of the processor and of the clock, peak memory in bytes."""

    cpu: float
    elapsed: float
    peak: int


class Log(NamedTuple):
    """What is read at once: `whole` is how diagnose is given it, `files` how the others are."""

    name: str
    whole: tuple[str, ...]
    files: tuple[str, ...]
    size: int
    lines: int

    @classmethod
    def of(cls, name: str, files: Sequence[str], whole: Sequence[str] = ()) -> Log:
        """With its size and lines, which are counted."""
        size, lines = 0, 0
        for each in files:
            with open(each, "rb") as file:
                while piece := file.read(COUNTED_BYTES):
                    size, lines = size + len(piece), lines + piece.count(b"\n")
        return cls(name, tuple(whole or files), tuple(files), size, lines)

    def beginning(self, size: int, folder: Path) -> Log:
        """The whole lines within its first bytes, as one file; itself if it is not longer."""
        if size >= self.size:
            return self
        path, content = folder / f"beginning-of-{self.name}-{size}.log".replace(" ", ""), b""
        for each in self.files:
            with open(each, "rb") as file:
                content += file.read(size - len(content))
        path.write_bytes(content.rpartition(b"\n")[0] + b"\n")
        return Log.of(self.name, [str(path)])


@dataclass(frozen=True)
class Contender:
    """A program and how it is called; `limit`: bytes that it is given, None for all.

    `absent` says what is not installed, empty if all is there.
    """

    name: str
    command: Callable[[Log], list[str]]
    limit: int | None = None
    absent: str = ""


@dataclass
class Measured:
    """All runs by what was run on what, and what else the page tells."""

    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)
    read: dict[tuple[str, str], Log] = field(default_factory=dict)
    reports: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def median(self, contender: str, log: str) -> Run | None:
        """The medians of the runs, each column for itself; None where there are none."""
        runs = self.runs.get((contender, log))
        if not runs:
            return None
        columns = [statistics.median(column) for column in zip(*runs)]
        return Run(columns[0], columns[1], int(columns[2]))


def environment(folder: Path) -> dict[str, str]:
    """Of this shell, with caches of its own and with bytecode kept, as after an installation."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**environ, "PYTHONPYCACHEPREFIX": str(folder)}


def run(command: Sequence[str], environ: Mapping[str, str]) -> Run:
    """Run it to its end; ends the program if it fails.

    Counted are the process and all its children that it waited for. Linux takes over the peak of
    whoever starts a process, so that this one must stay small.
    """
    begin = time.perf_counter()
    # Not to /dev/null: where that is its output, GNU grep stops at the first line it finds.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=output)
        _, status, used = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, FOUND_NOTHING):
        sys.exit(f"{' '.join(command[:8])} … ended with {process.returncode}")
    return Run(used.ru_utime + used.ru_stime, elapsed, used.ru_maxrss * 1024)
