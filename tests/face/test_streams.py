"""Streams of a whole process: terminals, closed and broken ones, full disks, what a start loads."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from diagnose import console
from diagnose.render.measures import WIDTH_MAX

ROOT = Path(__file__).parents[2]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert console.style_for(Terminal(), {}).colour
    assert console.style_for(Terminal(), {"TERM": "xterm", "NO_COLOR": ""}).colour
    assert not console.style_for(Terminal(), {"NO_COLOR": "1"}).colour
    assert not console.style_for(Terminal(), {"TERM": "dumb"}).colour
    assert not console.style_for(Terminal(), {}, no_color=True).colour
    assert not console.style_for(io.StringIO(), {}).colour
    assert not console.style_for(None, {}).colour


def test_width_of_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert console.style_for(Terminal(), {}).width == 100
    assert console.style_for(io.StringIO(), {}).width == 80
    assert console.style_for(io.StringIO(), {}, width=200).width == 200
    monkeypatch.setenv("COLUMNS", "300")
    assert console.style_for(Terminal(), {}).width == WIDTH_MAX


def test_a_latin_one_stream_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="iso-8859-1"))
    assert not console.style_for(sys.stdout, {}).unicode
    console.emit("ä 漢\n")
    assert raw.getvalue() == "ä \\u6f22\n".encode("iso-8859-1")


def script(body: str) -> list[str]:
    """A process that renders a sample as the command would, with streams of the caller's choice."""
    lines = [
        "import sys",
        "from types import SimpleNamespace",
        "from tests.face.sample import FAULT",
        "sys.modules['diagnose.pipeline'] = SimpleNamespace(diagnose=lambda paths, options: FAULT)",
        "from diagnose import cli",
        body,
    ]
    return [sys.executable, "-c", "\n".join(lines)]


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        script("sys.exit(cli.run(['log', 'x', '-v']))"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert err == b"diagnose: remark: xen.log:9: 12 messages were suppressed by Xen.\n"
    assert process.returncode == 1


def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            script("sys.exit(cli.run(['log', 'x', '-q']))"),
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_a_closed_standard_output_is_an_error() -> None:
    body = "sys.exit(cli.run(['log', 'x', '-q']))"
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *script(body)]
    done = subprocess.run(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "--output FILE" in done.stderr


def test_closed_standard_streams_with_a_file_for_the_report(tmp_path: Path) -> None:
    file = tmp_path / "report"
    body = f"sys.exit(cli.run(['log', 'x', '-o', {str(file)!r}]))"
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *script(body)]
    done = subprocess.run(command, cwd=ROOT, timeout=30, check=False)
    assert done.returncode == 1
    assert "FAULT" in file.read_text()


HEAVY = {"typer", "lark", "pydantic", "rich", "zstandard", "asyncio"}
UNASKED = HEAVY | {"tomllib", "tarfile", "zipfile", "tempfile", "shlex", "importlib.resources",
                   "diagnose.missing", "diagnose.collect", "diagnose.synth",
                   "diagnose.cli.synth", "diagnose.cli.messages", "diagnose.bundle.tar"}
"""What a diagnosis of plain logs with a verdict has no use for."""
IDLE = UNASKED | {"msgspec", "hashlib", "json", "diagnose.cli.log"}
"""What has no use where no command is called."""


def loaded(*words: str, runs: int = 1) -> set[str]:
    """The modules that are loaded once the last of so many starts has run the command."""
    body = "import sys; from diagnose import cli; cli.run(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-c", body, *words]
    for _ in range(runs):
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
    return set(done.stdout.split())


@pytest.mark.parametrize(("word", "needed"), [("--version", {"typer"}), ("--help", set())])
def test_starting_is_cheap(word: str, needed: set[str]) -> None:
    """Nothing may be loaded before a command needs it."""
    assert loaded(word) & IDLE == needed


def test_a_diagnosis_loads_only_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a configuration, and once catalogue and tables are kept: the second of two runs."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    demo = sorted(map(str, (ROOT / "corpus" / "demo").glob("*.log")))
    modules = loaded("log", "-q", *demo, runs=2)
    assert "diagnose.pipeline" in modules
    assert modules & UNASKED == set()


def test_interrupting_is_not_a_verdict() -> None:
    """An interrupt kills the process by its signal; the shell then says 130."""
    kill = "lambda *words, **names: os.kill(os.getpid(), signal.SIGINT)"
    body = f"import os, signal; from diagnose.cli import app; app.app = {kill}; cli.main()"
    done = subprocess.run(script(body), cwd=ROOT, capture_output=True, timeout=30, check=False)
    assert done.returncode == -2
