"""The command `diagnose triage`: rows, their order, the summary, the end."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from diagnose import cli, pipeline
from diagnose.casefile import read_case
from diagnose.options import Options
from diagnose.outcome import FindingBrief, Outcome, Tally
from diagnose.render.paper import Style
from diagnose.render.triage import GROUPS_MAX, Table
from diagnose.schema import TRIAGE_FILE, published

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus"
CASES = "crash-el5 destroy-283 device-busy-el5 noise-alone vf-destroyed-el5".split()
VALIDATOR = jsonschema.Draft202012Validator(published(TRIAGE_FILE))
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in a directory with five cases, a folder of logs and a lone log."""
    for name in CASES:
        shutil.copy(CORPUS / f"{name}.case", tmp_path)
    shutil.copytree(CORPUS / "demo", tmp_path / "demo")
    (tmp_path / "lone.log").write_text("nothing of interest\n")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        status = cli.run(["triage", *words])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def rows(out: str) -> dict[str, dict[str, Any]]:
    """The lines for programs by incident, each as the schema wants it, without their times."""
    found = [json.loads(line) for line in out.splitlines()]
    for row in found:
        VALIDATOR.validate(row)
        assert row.pop("seconds") >= 0
    return {row["incident"]: row for row in found}


def test_a_row_holds_what_triage_needs(run: Run) -> None:
    status, out, err = run(".", "--format", "jsonl")
    assert status == 1
    assert err == ""
    found = rows(out)
    assert list(found) == ["./crash-el5.case", "./demo", "./destroy-283.case",
                           "./device-busy-el5.case", "./lone.log", "./noise-alone.case",
                           "./vf-destroyed-el5.case"]
    crash = found["./crash-el5.case"]
    assert crash["schema"] == "diagnose.triage/1"
    assert crash["verdict"] == "fault"
    assert crash["findings"] == [
        {"fault": "missing-prune", "device": "0000:01:10.0", "confidence": "certain",
         "domids": [1]},
        {"fault": "stale-vector", "device": "0000:01:10.0", "confidence": "certain",
         "domids": [2]}]
    assert crash["kernel"]["row"] == "el5"
    assert crash["fix"]["kind"] == "upgrade"
    assert [Path(name).name for name in found["./demo"]["inputs"]] == [
        "dom0.log", "guest.log", "xen.log"]
    assert found["./lone.log"]["missing"]
    assert found["./noise-alone.case"]["signature"] == found["./lone.log"]["signature"]


@pytest.mark.parametrize("name", CASES)
def test_a_brief_diagnosis_lacks_nothing_that_a_row_tells(name: str) -> None:
    whole, brief = (pipeline.diagnose(read_case(CORPUS / f"{name}.case").inputs(),
                                      Options(brief=each)) for each in (False, True))
    assert replace(whole, exposure=(), inputs=()) == replace(brief, inputs=())
    assert not brief.exposure
    assert whole.exposure or not name.endswith("el5")


def test_neither_processes_nor_the_order_of_paths_change_anything(run: Run) -> None:
    paths = [*(f"{name}.case" for name in CASES), "demo", "lone.log", "gone"]
    expected = rows(run(*paths, "--format", "jsonl", "--jobs", "1")[1])
    for seed, jobs in enumerate(("1", "2", "5")):
        random.Random(seed).shuffle(paths)
        found = rows(run(*paths, "--format", "jsonl", "--jobs", jobs)[1])
        assert list(found.items()) == list(expected.items())
    table = run(*paths, "--jobs", "1")
    assert run(*paths[::-1], "--jobs", "2") == table


def test_the_table_and_its_summary(run: Run) -> None:
    status, out, err = run(".", "--jobs", "2")
    assert status == 1
    assert err == ""
    assert out.splitlines()[:12] == [
        " verdict       incident               cause             sure     more",
        " fault         crash-el5.case         missing-prune     certain  +1",
        " fault         demo                   missing-prune     certain  +2",
        " healthy       destroy-283.case",
        " fault         device-busy-el5.case   device-busy       certain",
        " inconclusive  lone.log               lacks the dom0 kernel's log",
        " inconclusive  noise-alone.case       lacks the dom0 kernel's log",
        " fault         vf-destroyed-el5.case  missing-prune     certain",
        "",
        " 7 incidents: 4 fault, 1 healthy, 2 inconclusive",
        "",
        "    2 × inconclusive · 29388c4fcf02",
    ]
    assert "→ upgrade: " in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_quiet_is_the_summary_alone(run: Run) -> None:
    os.mkfifo("pipe")
    assert run("-q", ".", "-j", "1")[1].startswith(" 7 incidents: ")
    assert run("-q", ".", "-j", "1")[2] == ""
    assert run(".", "-j", "1")[2] == "diagnose: remark: ./pipe: It is a pipe; it was not read.\n"


def test_rows_go_to_a_file(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("lone.log", "-o", "rows.jsonl", "--format", "jsonl")
    assert (status, out) == (0, "")
    assert rows((tmp_path / "rows.jsonl").read_text())["lone.log"]["verdict"] == "inconclusive"


@pytest.mark.parametrize(("words", "status", "said"), [
    ("destroy-283.case", 0, "1 healthy"),
    ("crash-el5.case lone.log", 1, "1 fault"),
    ("crash-el5.case --fail-on never", 0, "1 fault"),
    ("destroy-283.case lone.log", 0, "1 inconclusive"),
    ("destroy-283.case lone.log --fail-on inconclusive", 3, "1 inconclusive"),
    ("crash-el5.case lone.log --fail-on inconclusive", 1, "1 inconclusive"),
    ("destroy-283.case gone", 0, "1 unreadable"),
    ("gone empty", 2, "2 unreadable"),
    ("gone --fail-on never", 2, "1 unreadable"),
    ("-", 2, "diagnose log -"),
    ("lone.log -o no/such/file", 2, "cannot be written"),
    ("lone.log --format xml", 2, "jsonl"),
    ("lone.log --jobs 0", 2, "--jobs"),
    ("lone.log --kernel el6", 2, "no kernel row"),
    ("", 2, "PATH"),
])
def test_exit_status(run: Run, tmp_path: Path, words: str, status: int, said: str) -> None:
    (tmp_path / "empty").mkdir()
    ended, out, err = run(*words.split())
    assert ended == status
    assert said in out + err
    assert "Traceback" not in err


def test_a_kernel_row_can_be_pinned(run: Run) -> None:
    _, out, _ = run("crash-el5.case", "--kernel", "el5+1070", "--format", "jsonl")
    assert rows(out)["crash-el5.case"]["kernel"] == {
        "row": "el5+1070", "how": "given", "alternatives": []}


def test_what_goes_wrong_with_one_incident_is_its_own_misfortune(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("two-hosts.log", "May  6 09:34:03 one kernel: unmap irq ff failed\n"
                        "May  6 09:34:03 two kernel: unmap irq ff failed\n"),
                       ("bad.case", "title: x\n"), ("mistake.log", "x\n"), ("deadly.log", "x\n")):
        (tmp_path / name).write_text(text)
    real = pipeline.diagnose

    def diagnose(paths: list[str], options: Any) -> Any:
        if "deadly.log" in paths:
            os.kill(os.getpid(), signal.SIGKILL)
        if "mistake.log" in paths:
            raise ZeroDivisionError("oops \x1b[2J")
        return real(paths, options)

    monkeypatch.setattr("diagnose.triage.diagnose", diagnose)
    names = ["bad.case", "deadly.log", "destroy-283.case", "mistake.log", "two-hosts.log"]
    status, out, _ = run(*names, "--format", "jsonl", "--jobs", "2")
    found = rows(out)
    assert status == 0
    assert list(found) == names
    assert [each["verdict"] for each in found.values()] == [
        "unreadable", "broken", "healthy", "broken", "unreadable"]
    assert "bad.case:1: The header 'provenance'" in found["bad.case"]["error"]
    assert "was killed" in found["deadly.log"]["error"]
    assert "ZeroDivisionError at test_triage.py" in found["mistake.log"]["error"]
    assert "2 hosts" in found["two-hosts.log"]["error"]
    table = run("mistake.log", "two-hosts.log", "--jobs", "1")[1]
    assert table.replace("\n", "").isprintable()


# --- Streams ---------------------------------------------------------------------------------


def start(directory: Path, *words: str) -> subprocess.Popen[str]:
    """The command as a process with a group of its own, as a shell would start it."""
    return subprocess.Popen(
        [sys.executable, "-m", "diagnose", "triage", *words], cwd=directory, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More incidents than are judged in any test's patience."""
    text = (CORPUS / "crash-el5.case").read_bytes()
    for nth in range(3000):
        (tmp_path / f"{nth:04}.case").write_bytes(text)
    return tmp_path


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("whom", ["process", "group"])
def test_an_interrupt_ends_cleanly(many: Path, jobs: str, whom: str) -> None:
    with start(many, ".", "--jobs", jobs) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        rows = [process.stdout.readline() for _ in range(4)][1:]
        kill = os.killpg if whom == "group" else os.kill
        kill(process.pid, signal.SIGINT)
        told = process.stdout.read()
        err = process.stderr.read()
    assert process.returncode == 130
    assert rows[0].split()[:2] == ["fault", "0000.case"]
    shown = len(rows) + told.count(".case   missing-prune")
    said = re.fullmatch(r"diagnose: interrupted: (\d+) of 3000 incidents were judged\n", err)
    assert said is not None, err
    assert int(said[1]) in (shown, shown + 1), "the interrupt may come before a row is written"
    assert f" {said[1]} incidents: {said[1]} fault" in told


def test_a_reader_that_goes_away_ends_the_work(many: Path) -> None:
    with start(many, ".", "--jobs", "2", "-q", "--format", "jsonl") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_taken_away(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    run("lone.log", "destroy-283.case", "-j", "1")
    assert isinstance(sys.stderr, Terminal)
    clear = "\r\x1b[K"
    assert sys.stderr.getvalue() == f"{clear}1/2  destroy-283.case{clear}2/2  lone.log{clear}"
    run("lone.log", "-j", "1", "-q")
    assert sys.stderr.getvalue().count("lone.log") == 1


# --- The table alone -------------------------------------------------------------------------

LONG = "a-name-that-is-longer-than-any-column-would-want-to-be.log"
FINDING = FindingBrief("collateral-unmap", "0000:01:10.0", "likely", (1, 2))


@pytest.mark.parametrize("width", [50, 60, 80, 120, 200])
def test_a_table_keeps_to_its_page(width: int) -> None:
    outcomes = [
        Outcome("dir/one", "fault", "0" * 12, (FINDING, FINDING)),
        Outcome(f"dir/{LONG}", "healthy", "1" * 12),
        Outcome("dir/\x1b[2Jbad", "unreadable", error="It cannot be read. " * 9),
    ]
    table = Table([each.incident for each in outcomes], Style(width))
    text = table.head() + "".join(map(table.row, outcomes))
    assert "\x1b" not in text
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines if LONG not in line)
    start = lines[0].index("cause")
    assert lines[1][start:].startswith("collateral-unmap")
    bad = next(nth for nth, line in enumerate(lines) if "unreadable" in line)
    assert all(line[:start].isspace() for line in lines[bad + 1:])


def test_the_commonest_kinds_come_first_and_the_rest_is_counted() -> None:
    tally = Tally()
    for kind in range(GROUPS_MAX + 2):
        for nth in range(kind + 1):
            tally.add(Outcome(f"{kind}-{nth}", "fault", f"{kind:012}", (FINDING,)))
    text = Table([], Style(100)).summary(tally)
    assert text.index(f"{GROUPS_MAX + 1:012}") < text.index(f"{GROUPS_MAX:012}")
    assert f"{GROUPS_MAX + 2:>5} × collateral-unmap (likely)" in text
    assert f"{GROUPS_MAX + 1}-0, {GROUPS_MAX + 1}-1, {GROUPS_MAX + 1}-2 and 19 more" in text
    assert "… and 2 more kinds" in text
