"""What the recorded kernels printed is read, at its level, and printed again to the byte."""
from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnose.grammar import load

TRACES = Path(__file__).parents[1] / "emulator"
STAND_IN = "setup_irq: irq handler mismatch"
"""The recording's own text in place of a guest's line; no kernel prints it."""
CATALOGUE = load()


def printed(path: Path) -> Iterator[tuple[str, str]]:
    """All (level, line) of a file of traces, each once."""
    found = set()
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            for step in json.loads(line).get("steps", ()):
                for _, level, text in (*step.get("log", ()), *step.get("glog", ())):
                    found |= {(level, part) for part in text.split("\n")}
    return iter(sorted(found - {("err", STAND_IN)}))


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.jsonl.gz")), ids=lambda path: path.name)
def test_every_recorded_line(path: Path) -> None:
    count = 0
    for level, text in printed(path):
        count += 1
        reading = CATALOGUE.parse(text)
        assert reading is not None, text
        production = CATALOGUE.production(reading[0])
        assert CATALOGUE.print_line(*reading) == text
        assert production.level == level, production.kind
        assert any(term.name == "effect" for term in production.proves), production.kind
        assert not production.noise
    assert count > 20
