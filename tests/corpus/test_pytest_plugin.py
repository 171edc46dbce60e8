"""The plugin for pytest, in processes of its own: nothing unless asked, and the same words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEALTHY = (ROOT / "corpus" / "noise-alone.case").read_text("utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project: a test of its own, a good case, a wrong one, a file that is none."""
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    (tmp_path / "good.case").write_text(HEALTHY)
    (tmp_path / "wrong.case").write_text(HEALTHY.replace("verdict: inconclusive", "verdict: fault"))
    (tmp_path / "odd.case").write_text("something else\n")
    return tmp_path


def pytest_in(directory: Path, *words: str) -> str:
    """What pytest says there, with the plugin loaded as an installation would load it."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    plugin = [] if _installed() else ["-p", "diagnose.pytest_plugin"]
    done = subprocess.run(
        [*command, *plugin, *words], cwd=directory, capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}, check=False)
    return done.stdout + done.stderr


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(each.value == "diagnose.pytest_plugin" for each in entry_points(group="pytest11"))


def test_nothing_changes_for_those_who_did_not_ask(project: Path) -> None:
    assert "1 passed" in pytest_in(project)
    assert "collected 1 item" in pytest_in(project)


@pytest.mark.parametrize("how", ["switch", "ini"])
def test_every_case_is_a_test(project: Path, how: str) -> None:
    if how == "ini":
        (project / "pytest.ini").write_text("[pytest]\ndiagnose_cases = true\n")
    told = pytest_in(project, *(["--diagnose-cases"] if how == "switch" else []))
    assert "2 failed, 2 passed" in told
    assert "verdict       expected  fault\n              got       inconclusive" in told
    assert "odd.case:1: 'something else' is no header" in told
    assert "FAILED wrong.case::wrong - verdict " in told
    assert "Traceback" not in told


def test_updating(project: Path) -> None:
    path = project / "good.case"
    path.write_text(HEALTHY.replace("These logs cannot tell", "Nobody knows"))
    told = pytest_in(project, "--diagnose-cases", str(path))
    assert "+ INCONCLUSIVE  These logs cannot tell" in told
    told = pytest_in(project, "--diagnose-cases", "--diagnose-update", ".")
    assert "golden reports written" in told
    assert "good.case::good\n" in told
    assert path.read_text("utf-8") == HEALTHY


def test_rules_of_ones_own(project: Path) -> None:
    told = pytest_in(project, "--diagnose-cases", "--diagnose-rules", "nowhere", "good.case")
    assert "nowhere: There is no rule here" in told
