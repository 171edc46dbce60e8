"""Labelled incidents, judged by the script that comes with them.

They live beside a checkout, not in it, so these tests say so and pass where they are absent.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from diagnose import cli

SHARED = Path(__file__).resolve().parents[3] / "shared" / "incidents"
INCIDENTS = sorted(path.parent for path in SHARED.glob("*/expected.json"))


@pytest.fixture(scope="session")
def score() -> ModuleType:
    """The script that knows what is right."""
    spec = importlib.util.spec_from_file_location("score", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_incidents_are_there() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"no labelled incidents in {SHARED}")
    assert len(INCIDENTS) >= 80


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda path: path.name)
def test_incident(
    incident: Path, score: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing missed, nobody falsely accused, every alarming line cited, every end told."""
    expected: dict[str, Any] = json.loads((incident / "expected.json").read_text("utf-8"))
    status = cli.run(["log", "--format", "json", *map(str, sorted(incident.glob("*.log")))])
    report = json.loads(capsys.readouterr().out)
    columns, missed, accused = score.judge(incident, expected, report, status)
    wrong = {name: number for name, number in columns.items() if number}
    assert not wrong, f"{expected['view']}: missed {missed}, accused {accused}"
