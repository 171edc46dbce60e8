"""What people really hand over: wrong paths, empty files, binaries, hostile text.

Each of these runs the whole command on files of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from diagnose import cli
from diagnose.schema import published

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "corpus" / "demo"
LOGS = sorted(DEMO.glob("*.log"))
VALIDATOR = jsonschema.Draft202012Validator(published())

Captured = pytest.CaptureFixture[str]


def report(capsys: Captured, *words: str | Path) -> tuple[int, dict[str, Any], str]:
    """Exit status, report and what was said on standard error."""
    capsys.readouterr()
    status = cli.run(["log", "--format", "json", *map(str, words)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    told = json.loads(out) if out else {}
    if told:
        VALIDATOR.validate(told)
        coverage = told["coverage"]
        kinds = ("events", "near_misses", "known_noise", "unknown", "unreadable")
        assert coverage["lines"] == sum(coverage[kind] for kind in kinds)
    return status, told, err


def refused(capsys: Captured, *words: str | Path) -> str:
    """What is said when nothing could be diagnosed."""
    status, told, err = report(capsys, *words)
    assert status == 2
    assert told == {}
    return err


def test_the_demo_is_a_fault(capsys: Captured) -> None:
    status, told, _ = report(capsys, *LOGS)
    assert status == 1
    faults = [finding["fault"] for finding in told["findings"]]
    assert faults == ["missing-prune", "stale-vector", "unmap-failure"]
    assert {finding["device"] for finding in told["findings"]} == {"0000:01:10.0"}


def test_a_missing_file(capsys: Captured, tmp_path: Path) -> None:
    assert "gone.log" in refused(capsys, tmp_path / "gone.log")


def test_a_missing_file_among_others_is_a_remark(capsys: Captured, tmp_path: Path) -> None:
    status, told, err = report(capsys, DEMO / "dom0.log", tmp_path / "gone.log")
    assert status == 1
    assert any("gone.log" in remark["text"] + str(remark["input"]) for remark in told["remarks"])
    assert "gone.log" in err


def test_an_unreadable_file(capsys: Captured, tmp_path: Path) -> None:
    """A loop of links cannot be read by anybody, not even by root."""
    loop = tmp_path / "loop.log"
    loop.symlink_to(loop)
    assert "loop.log" in refused(capsys, loop)


def test_an_empty_file_is_inconclusive(capsys: Captured, tmp_path: Path) -> None:
    (tmp_path / "empty.log").touch()
    status, told, _ = report(capsys, tmp_path / "empty.log")
    assert (status, told["verdict"]) == (0, "inconclusive")
    assert told["missing"]
    words = ["log", str(tmp_path / "empty.log"), "--fail-on", "inconclusive"]
    assert cli.run(words) == 3


def test_a_directory(capsys: Captured, tmp_path: Path) -> None:
    assert "directory" in refused(capsys, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 64,
        b"\x7fELF\x02\x01\x01" + bytes(4096),
        b"\x00" * 100_000,
        b"\xff\xfe" + "unmap irq ff failed\n".encode("utf-16-le"),
        b"\x1f\x8b\x08\x00 this is no gzip file",
        b"PK\x03\x04 this is no zip file",
    ],
)
def test_binary_content_is_inconclusive_or_refused(
    capsys: Captured, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "blob").write_bytes(content)
    status, told, err = report(capsys, tmp_path / "blob")
    assert (status, told.get("verdict")) in {(0, "inconclusive"), (2, None)}
    assert status == 0 or err


def test_a_binary_file_beside_logs_changes_nothing(capsys: Captured, tmp_path: Path) -> None:
    (tmp_path / "core").write_bytes(os.urandom(50_000))
    status, told, _ = report(capsys, *LOGS, tmp_path / "core")
    assert status == 1
    assert len(told["findings"]) == 3


def test_a_file_given_twice_is_read_once(capsys: Captured) -> None:
    _, once, _ = report(capsys, DEMO / "dom0.log")
    status, twice, err = report(capsys, DEMO / "dom0.log", DEMO / "dom0.log")
    assert status == 1
    assert twice["inputs"] == once["inputs"]
    assert twice["findings"] == once["findings"]
    assert "diagnose: remark:" in err


def test_logs_of_two_hosts_are_refused(capsys: Captured, tmp_path: Path) -> None:
    text = (DEMO / "dom0.log").read_text()
    (tmp_path / "other.log").write_text(text.replace("xenhost", "otherhost"))
    err = refused(capsys, DEMO / "dom0.log", tmp_path / "other.log")
    assert "triage" in err
    assert "otherhost" in err


def test_standard_input(capsys: Captured) -> None:
    with open(DEMO / "dom0.log", "rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "diagnose", "log", "--format", "json", "-"],
            cwd=ROOT,
            stdin=file,
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["verdict"] == "fault"


@pytest.mark.parametrize(("more", "status"), [((), 2), ((str(DEMO / "dom0.log"),), 1)])
def test_closed_standard_input_is_an_unreadable_input(more: tuple[str, ...], status: int) -> None:
    words = ["log", "-q", "-", *more]
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "diagnose", *words]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == status
    assert bool(done.stdout) == bool(more)
    assert "Traceback" not in done.stderr
    assert more or "standard input is closed" in done.stderr


def test_a_line_of_ten_megabytes(capsys: Captured, tmp_path: Path) -> None:
    text = (DEMO / "dom0.log").read_bytes()
    (tmp_path / "long.log").write_bytes(text + b"x" * 10_000_000 + b"\n" + b"y" * 10_000_000)
    status, told, _ = report(capsys, tmp_path / "long.log")
    assert status == 1
    assert told["coverage"]["lines"] == text.count(b"\n") + 2
    assert cli.run(["log", str(tmp_path / "long.log")]) == 1
    assert len(capsys.readouterr().out) < 50_000


def test_bytes_that_are_no_utf8(capsys: Captured, tmp_path: Path) -> None:
    text = (DEMO / "dom0.log").read_bytes()
    damaged = text.replace(b"xenbr0: port", b"\xff\xfe\x80 port").replace(b"blktap", b"\xc3(")
    (tmp_path / "bad.log").write_bytes(damaged)
    status, told, _ = report(capsys, tmp_path / "bad.log")
    assert status == 1
    assert told["findings"]


def test_terminal_escapes_in_a_log_are_shown_not_obeyed(capsys: Captured, tmp_path: Path) -> None:
    text = (DEMO / "dom0.log").read_text()
    evil = text.replace("unmap irq ff failed", "unmap irq ff failed\x1b[2J\x1b]0;owned\x07\u202e")
    evil_log = tmp_path / "e\x1b[31mvil.log"
    evil_log.write_text(evil)
    for words in (["-v"], ["--format", "json"], ["-q"]):
        cli.run(["log", *words, str(evil_log)])
        out, err = capsys.readouterr()
        assert (out + err).replace("\n", "").isprintable()


def test_a_file_name_that_is_no_utf8(capsys: Captured, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/d\xf6m0.log")
    Path(path).write_bytes((DEMO / "dom0.log").read_bytes())
    status, told, _ = report(capsys, path)
    assert status == 1
    assert told["inputs"][0]["path"] == f"{tmp_path}/d\\xf6m0.log"


@pytest.mark.parametrize("ending", [b"\r\n", b"\n\n", b"\n"])
def test_line_ends_do_not_matter(capsys: Captured, tmp_path: Path, ending: bytes) -> None:
    text = (DEMO / "dom0.log").read_bytes()
    _, plain, _ = report(capsys, DEMO / "dom0.log")
    (tmp_path / "dom0.log").write_bytes(text.replace(b"\n", ending))
    _, told, _ = report(capsys, tmp_path / "dom0.log")
    assert told["signature"] == plain["signature"]


def test_a_last_line_without_its_end(capsys: Captured, tmp_path: Path) -> None:
    (tmp_path / "dom0.log").write_bytes((DEMO / "dom0.log").read_bytes().rstrip(b"\n"))
    _, told, _ = report(capsys, tmp_path / "dom0.log")
    _, plain, _ = report(capsys, DEMO / "dom0.log")
    assert told["findings"] == json.loads(
        json.dumps(plain["findings"]).replace(str(DEMO / "dom0.log"), str(tmp_path / "dom0.log"))
    )


def test_a_wrong_hint_is_wrong_usage(capsys: Captured, tmp_path: Path) -> None:
    assert "gone" in refused(capsys, "--dom0", tmp_path / "gone", tmp_path / "gone")


@pytest.mark.parametrize("row", ["el5", "el5-283"])
def test_a_pinned_kernel_is_reported_as_given(capsys: Captured, row: str) -> None:
    _, told, _ = report(capsys, *LOGS, "--kernel", row)
    assert told["kernel"]["row"] == row
    assert told["kernel"]["how"] == "given"


def test_the_same_input_gives_the_same_bytes(capsys: Captured) -> None:
    words = ["log", "--format", "json", *map(str, LOGS)]
    cli.run(words)
    first = capsys.readouterr().out
    cli.run(words)
    assert capsys.readouterr().out == first
