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
from tests.thorough import sample

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


def test_triage_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    """One row an incident, in order, each with a verdict that is right."""
    if not INCIDENTS:
        pytest.skip(f"no labelled incidents in {SHARED}")
    some = sample(INCIDENTS, 4)
    assert cli.run(["triage", "--format", "jsonl", *map(str, some)]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["incident"] for row in rows] == sorted(map(str, some))
    for incident, row in zip(some, rows):
        expected = json.loads((incident / "expected.json").read_text("utf-8"))
        found = {(each["fault"], each["device"]) for each in row["findings"]}
        must = {(each["fault"], each["device"]) for each in expected["must"]}
        assert row["verdict"] in expected["verdicts"], incident.name
        assert must <= found <= must | set(map(tuple, expected["may"])), incident.name
        assert [Path(left["path"]).name for left in row["left_out"]] == ["expected.json"]
