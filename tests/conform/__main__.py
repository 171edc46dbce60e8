"""Replays trace files and reports divergences; the exit status is 1 if there are any."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conform.trace import Difference, read, replay

SHOWN_MAX = 5


def main(paths: list[str]) -> int:
    """Replay all files; print the first divergences and a summary. 2 if there is no file."""
    if not paths:
        print("give at least one trace file (JSON Lines, plain or gzipped)", file=sys.stderr)
        return 2
    scenarios = steps = diverging = 0
    for path in paths:
        for scenario in read(Path(path)):
            scenarios += 1
            steps += len(scenario["steps"])
            differences = replay(scenario)
            if differences:
                diverging += 1
                if diverging <= SHOWN_MAX:
                    _show(scenario["variant"], differences)
    print(f"{scenarios} scenarios, {steps} steps, {diverging} diverge")
    return 1 if diverging else 0


def _show(variant: str, differences: list[Difference]) -> None:
    first = differences[0]
    print(f"{first.scenario} ({variant}), step {first.step}: {first.operation}")
    for each in differences:
        print(f"  {each.what}\n    expected {each.expected}\n    got      {each.got}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
