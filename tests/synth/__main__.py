"""Runs made-up incidents through the program: `python -m tests.synth --seeds 20 [KIND...]`."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from diagnose import diagnose
from tests.synth.incident import ALL, Incident, make
from tests.synth.judge import judge

SECONDS_MAX = 1.0


def examine(incident: Incident, folder: Path) -> tuple[list[str], float, dict[str, Any]]:
    """Everything that is wrong with the diagnosis, and the CPU seconds that it took."""
    paths = incident.save(folder)
    began = time.process_time()
    try:
        report = json.loads(json.dumps(diagnose(paths).to_json()))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        told = f"crash: {type(error).__name__} {error} at {Path(last.filename).name}:{last.lineno}"
        return [told], time.process_time() - began, {}
    spent = time.process_time() - began
    wrong = judge(incident.texts, incident.expected, report)
    if spent > SECONDS_MAX:
        lines = sum(text.count("\n") for text in incident.texts.values())
        wrong.append(f"slow: {spent:.1f} s for {lines} lines")
    return wrong, spent, report


def main() -> None:
    """Print what is wrong, and a table of the kinds; keep failing incidents with --keep."""
    parser = argparse.ArgumentParser(prog="python -m tests.synth", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=[], metavar="KIND")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    table: dict[str, Counter[str]] = {}
    for kind in given.kinds or sorted(ALL):
        counts = table.setdefault(kind, Counter())
        for seed in range(given.first, given.first + given.seeds):
            _one(kind, seed, counts, given.keep)
    for kind, counts in table.items():
        print(f"{kind:20}", " ".join(f"{name} {count}" for name, count in sorted(counts.items())))


def _one(kind: str, seed: int, counts: Counter[str], keep: Path | None) -> None:
    incident = make(kind, seed)
    with tempfile.TemporaryDirectory() as place:
        wrong, spent, report = examine(incident, Path(place))
    counts["runs"] += 1
    counts["ms"] = max(counts["ms"], round(spent * 1000))
    counts.update({told.split(":")[0] for told in wrong})
    if wrong:
        expected = incident.expected
        print(f"{kind}/{seed} {expected['kernel']} {expected['env']} {'+'.join(expected['view'])}")
        for told in wrong[:6]:
            print(f"    {told}")
        if keep is not None:
            folder = keep / f"{kind}-{seed}"
            incident.save(folder)
            (folder / "report.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
