"""The command `diagnose synth`: what it writes and says, its errors, its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from diagnose import cli, pipeline
from diagnose.errors import UsageError
from diagnose.synth.choices import STORIES, Choices
from diagnose.synth.incident import Incident, make

Captured = pytest.CaptureFixture[str]


def run(capsys: Captured, *words: str | Path) -> tuple[int, str, str]:
    status = cli.run(["synth", *map(str, words)])
    return status, *capsys.readouterr()


def test_a_row_an_incident_and_what_was_written(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "new" / "made"
    status, told, err = run(capsys, out, "-n", "4", "--seed", "5", "--width", "100")
    assert (status, err) == (0, "")
    folders = sorted(path.name for path in out.iterdir())
    assert len(folders) == 4
    for name in folders:
        assert f" {name}" in told
        expected = json.loads((out / name / "expected.json").read_text())
        for fault, _ in expected["may"]:
            assert fault in told
    logs = sum(1 for path in out.rglob("*") if path.is_file() and path.name != "expected.json")
    assert f"4 incidents, {logs} logs written below {out}" in told


def test_triage_takes_what_was_written(tmp_path: Path, capsys: Captured) -> None:
    run(capsys, tmp_path / "made", "-n", "3", "--story", "reboot-clean", "--lose", "0",
        "--truncate", "none", "--level", "debug", "--view", "full")
    assert cli.run(["triage", "--jobs", "1", str(tmp_path / "made")]) == 1
    assert "3 incidents: 3 fault" in capsys.readouterr().out


def test_kinds_are_listed(capsys: Captured) -> None:
    status, told, _ = run(capsys, "--list", "--width", "100")
    assert status == 0
    for name, kind in STORIES.items():
        assert any(line.split() == [name, *kind.about.split()] for line in told.splitlines())


def test_a_check_of_what_is_right(tmp_path: Path, capsys: Captured) -> None:
    words = ("--check", "--jobs", "1", "-n", "2", "--story", "first-boot", "--lose", "0",
             "--truncate", "none", "--level", "debug", "--view", "full")
    status, told, _ = run(capsys, *words)
    assert status == 0
    assert "2 right, 0 abstained, 0 missed, 0 false" in told
    assert "written" not in told
    assert run(capsys, tmp_path / "made", *words)[0] == 0
    assert len(list((tmp_path / "made").iterdir())) == 2


def test_a_check_of_what_is_not(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """A diagnosis that finds nothing misses what is there; one that breaks is broken."""
    words = ("--check", "--jobs", "1", "-n", "2", "--story", "reboot-clean", "--lose", "0",
             "--truncate", "none", "--level", "debug", "--view", "full")
    real = pipeline.diagnose

    def blind(logs: Any) -> SimpleNamespace:
        report = real(logs).to_json()
        return SimpleNamespace(to_json=lambda: {**report, "findings": [], "verdict": "healthy"})

    monkeypatch.setattr(pipeline, "diagnose", blind)
    status, told, _ = run(capsys, *words)
    assert status == 1
    assert "missed: stale-vector" in told
    assert "0 right, 0 abstained, 2 missed, 0 false" in told

    def breaking(logs: Any) -> None:
        raise IndexError(len(logs))

    monkeypatch.setattr(pipeline, "diagnose", breaking)
    status, told, _ = run(capsys, "-q", *words)
    assert status == 1
    assert "broken: IndexError" in told
    assert "2 broken" in told


@pytest.mark.parametrize(("words", "says"), [
    ((), "Say where"),
    (("--check", "--story", "kexek"), "did you mean kexec?"),
    (("--check", "--fault", "map-failur"), "did you mean map-failure or"),
    (("--check", "--fault", "stale-irq", "--story", "first-boot"), "came to stale-irq"),
    (("--check", "--lose", "7"), "no probability"),
    (("", "--count", "1"), "OUT is empty"),
    (("made", "--list"), "makes nothing up"),
    (("--list", "--check"), "makes nothing up"),
])
def test_what_is_wrong_is_said(words: tuple[str, ...], says: str, capsys: Captured) -> None:
    status, told, err = run(capsys, *words)
    assert (status, told) == (2, "")
    assert says in err


def test_nothing_is_written_among_other_things(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    status, _, err = run(capsys, tmp_path)
    assert status == 2
    assert "is not empty" in err
    status, _, err = run(capsys, tmp_path / "notes.txt" / "below")
    assert status == 2
    assert "cannot be written" in err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(("end", "status", "says"), [
    (UsageError("no such story"), 2, "remark: 2 of 5 incidents were written below"),
    (KeyboardInterrupt(), 130, "interrupted: 2 of 5 incidents were written below"),
])
def test_an_end_that_comes_too_early_tells_how_many_there_are(
    end: BaseException, status: int, says: str, tmp_path: Path, capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ending(seed: int, nth: int, choices: Choices) -> Incident:
        if nth == 2:
            raise end
        return make(seed, nth, choices)

    monkeypatch.setattr("diagnose.synth.made.make", ending)
    got, _, err = run(capsys, tmp_path / "made", "--count", "5", "--story", "first-boot")
    assert got == status
    assert says in err
    assert len(list((tmp_path / "made").iterdir())) == 2


def test_help_imports_nothing_of_it() -> None:
    """Only what shows it; the stories are loaded when the command runs."""
    program = ("import sys; from diagnose import cli; cli.run(['synth', '--help']); sys.exit(any("
               "name.startswith(('diagnose.synth', 'emulator')) for name in sys.modules))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0
    assert "--truncate none|head|tail|both" in done.stdout
