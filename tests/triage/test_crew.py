"""Work in several processes: order, bounds, and processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnose.crew import ordered
from diagnose.pool import AHEAD

ROOT = Path(__file__).parents[2]


def square(number: int) -> int:
    """The later an item, the sooner it is done."""
    time.sleep(0.02 * (number == 0))
    return number * number


def deadly(number: int) -> str:
    if number in (2, 7, 8):
        os.kill(os.getpid(), signal.SIGKILL)
    return f"did {number}"


def died(number: int) -> str:
    return f"died of {number}"


def refuse(number: int) -> int:
    if number == 3:
        raise ArithmeticError("three")
    return number


@pytest.mark.parametrize("jobs", [1, 2, 5, 50])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    found = list(ordered(square, range(30), jobs, int))
    assert found == [number * number for number in range(30)]


def test_a_process_that_is_killed_costs_one_result() -> None:
    found = list(ordered(deadly, range(20), 3, died))
    assert found == [
        f"died of {number}" if number in (2, 7, 8) else f"did {number}" for number in range(20)]


def test_what_the_work_raises_is_raised_in_its_turn() -> None:
    results = ordered(refuse, range(9), 2, int)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ArithmeticError, match="three"):
        next(results)


def test_no_more_is_under_way_than_is_allowed(tmp_path: Path) -> None:
    results = ordered(Trace(tmp_path), range(200), 2, str)
    assert next(results) == "0"
    time.sleep(0.3)
    assert 1 <= len(list(tmp_path.iterdir())) <= 2 * AHEAD
    results_left = list(results)
    assert len(results_left) == 199


class Trace:
    """Leaves a file for each item that was done."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, number: int) -> str:
        (self.directory / str(number)).touch()
        return str(number)


ORPHANS = """
import os, sys, time
from diagnose.crew import ordered
def wait(number):
    os.write(1, b"%d\\n" % os.getpid())       # whole lines: two workers share the pipe
    time.sleep(600)
list(ordered(wait, range(2), 2, int))
"""


def test_workers_end_with_the_process_that_waits_for_them() -> None:
    command = [sys.executable, "-c", ORPHANS]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
        parent.stdout.close()
    assert not list(alive(workers, 10.0))


def alive(pids: list[int], seconds: float) -> Iterator[int]:
    """Those of the processes that still run when the time is over."""
    end = time.monotonic() + seconds
    while any(map(runs, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    yield from filter(runs, pids)


def runs(pid: int) -> bool:
    """Whether a process is there and is more than a corpse that nobody has buried."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
