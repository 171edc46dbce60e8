"""What is kept for the next start: whatever has become of it, the report is the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from diagnose import kept

ROOT = Path(__file__).parents[2]
DEMO = [f"corpus/demo/{name}.log" for name in ("dom0", "guest", "xen")]
COMMAND = [sys.executable, "-m", "diagnose", "log", "--format", "json", *DEMO]
WRITERS = 4


def started(environ: Mapping[str, str]) -> subprocess.Popen[str]:
    """A process that diagnoses the demo, with nothing of this one's environment but what it needs.
    """
    needed = {name: os.environ[name] for name in ("PATH", "XDG_CONFIG_HOME")}
    return subprocess.Popen(COMMAND, cwd=ROOT, env={**needed, **environ}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def told(process: subprocess.Popen[str]) -> tuple[object, list[str]]:
    """The report without its remarks, and the codes of these."""
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    report = json.loads(out)
    return report, [remark["code"] for remark in report.pop("remarks")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache as a first start leaves it."""
    home = tmp_path_factory.mktemp("cache")
    told(started({"XDG_CACHE_HOME": str(home)}))
    return home


@pytest.fixture(scope="module")
def report(whole: Path) -> object:
    """What a start says that finds everything as it was kept."""
    return told(started({"XDG_CACHE_HOME": str(whole)}))


def names(home: Path) -> list[str]:
    """The files that are kept, without what tells one version from another."""
    return sorted(path.name.partition("-")[0] for path in (home / "diagnose").iterdir())


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def foreign(file: Path) -> None:
    """Whole, and of a program that kept something else under this name."""
    assert kept.write(file.name, b"\x81\xa3key\xa7another") is None


def no_file(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("spoil", [cut, flip, empty, foreign, no_file])
def test_spoiled_files_are_made_anew(
    whole: Path, report: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], None],
) -> None:
    home = tmp_path / "cache"
    shutil.copytree(whole, home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    found = sorted((home / "diagnose").iterdir())
    assert {"catalogue", "tables"} <= set(names(home))
    for file in found:
        spoil(file)
    again, remarks = told(started({"XDG_CACHE_HOME": str(home)}))
    cannot = ["catalogue-cache"] if spoil is no_file else []
    assert ((again, [code for code in remarks if code not in cannot])) == report
    if spoil is not no_file:
        assert all(kept.read(file.name) for file in found)
        assert names(home) == names(whole)


@pytest.mark.parametrize("environ", [
    {"XDG_CACHE_HOME": "/proc/self"},                 # nobody can write there, not even root
    {"XDG_CACHE_HOME": os.devnull},                   # no directory
    {"HOME": "/proc/self"},
    {"HOME": "relative"},
])
def test_a_place_that_cannot_be_written(report: tuple[object, list[str]],
                                        environ: dict[str, str]) -> None:
    again, remarks = told(started(environ))
    assert again == report[0]
    assert set(remarks) - set(report[1]) == {"catalogue-cache"}
    assert not (ROOT / "relative").exists()


def test_writers_at_the_same_moment(whole: Path, report: object, tmp_path: Path) -> None:
    several = [started({"XDG_CACHE_HOME": str(tmp_path)}) for _ in range(WRITERS)]
    assert [told(process) for process in several] == [report] * WRITERS
    assert names(tmp_path) == names(whole)
