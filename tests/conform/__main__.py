"""Replays trace files and reports divergences.

The exit status is 0 if every step agrees, 1 if one does not, 2 if something could not be read (that
is said on standard error, and the rest is replayed all the same) or if nobody reads the output.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conform.parting import told
from tests.conform.reading import Scenario, UnreadableError, scan
from tests.conform.trace import Difference, replay

SHOWN_MAX = 5


def main(words: Sequence[str] | None = None) -> int:
    """Replay all files; print the first divergences and, as the last line, a summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.conform", description=__doc__)
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a trace: JSON Lines, plain or gzipped"
    )
    files = parser.parse_args(words).files
    try:
        return _replayed(files)
    except BrokenPipeError:
        # The interpreter's last flush must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


def _replayed(paths: Sequence[Path]) -> int:
    scenarios = steps = diverging = unreadable = 0
    for path in paths:
        for each in scan(path):
            if isinstance(each, UnreadableError):
                unreadable += 1
                if unreadable <= SHOWN_MAX:
                    print(each, file=sys.stderr)
                continue
            scenarios += 1
            steps += len(each["steps"])
            differences = replay(each)
            if differences:
                diverging += 1
                if diverging <= SHOWN_MAX:
                    _show(each, differences)
    if unreadable > SHOWN_MAX:
        print(f"{unreadable - SHOWN_MAX} more cannot be read", file=sys.stderr)
    if diverging > SHOWN_MAX:
        print(f"(the first {SHOWN_MAX} of {diverging} are shown)")
    if not scenarios and not unreadable:
        print("there is no scenario in these files", file=sys.stderr)
        unreadable = 1
    print(f"{scenarios} scenarios, {steps} steps, {diverging} diverge", flush=True)
    return 2 if unreadable else min(diverging, 1)


def _show(scenario: Scenario, differences: list[Difference]) -> None:
    first = differences[0]
    under = f"{scenario['variant']}, Xen {scenario['xen']}"
    print(f"{first.scenario} ({under}), step {first.step}: {first.operation}")
    for each in differences:
        for line in told(each.what, each.expected, each.got):
            print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
