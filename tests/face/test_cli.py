"""The command line: options and exit status. The pipeline behind it is a stand-in here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from typer.core import TyperCommand

from diagnose import __version__, cli
from diagnose.cli.app import COMMANDS, whole
from diagnose.diagnosis import Diagnosis
from diagnose.errors import InputError
from diagnose.events import Remark
from diagnose.options import Options
from tests.face.sample import FAULT, HEALTHY, INCONCLUSIVE, SAMPLES

ROOT = Path(__file__).parents[2]

Pipeline = Callable[[Diagnosis], list[tuple[object, Options]]]


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Let the pipeline answer with a given diagnosis; returns the list of calls it got."""

    def answer(diagnosis: Diagnosis) -> list[tuple[object, Options]]:
        calls: list[tuple[object, Options]] = []

        def diagnose(paths: Sequence[str], options: Options) -> Diagnosis:
            calls.append((list(paths), options))
            return diagnosis

        monkeypatch.setitem(sys.modules, "diagnose.pipeline", SimpleNamespace(diagnose=diagnose))
        return calls

    return answer


def raising(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def diagnose(paths: Sequence[str], options: Options) -> Diagnosis:
        raise error

    monkeypatch.setitem(sys.modules, "diagnose.pipeline", SimpleNamespace(diagnose=diagnose))


@pytest.mark.parametrize(
    ("verdict", "fail_on", "status"),
    [
        ("fault", "fault", 1),
        ("fault", "inconclusive", 1),
        ("fault", "never", 0),
        ("healthy", "fault", 0),
        ("healthy", "inconclusive", 0),
        ("healthy", "never", 0),
        ("inconclusive", "fault", 0),
        ("inconclusive", "inconclusive", 3),
        ("inconclusive", "never", 0),
    ],
)
def test_exit_status(pipeline: Pipeline, verdict: str, fail_on: str, status: int) -> None:
    pipeline(SAMPLES[verdict])
    assert cli.run(["log", "x", "--fail-on", fail_on]) == status


def test_a_fault_fails_unless_told_otherwise(pipeline: Pipeline) -> None:
    pipeline(FAULT)
    assert cli.run(["log", "x"]) == 1


def test_everything_that_was_said_reaches_the_pipeline(pipeline: Pipeline) -> None:
    calls = pipeline(HEALTHY)
    words = "log a b --dom0 d --xen x --guest g1=f1 --guest g2=f=2 --toolstack t"
    words += " --kernel el5-283 --device 01:10.0"
    assert cli.run(words.split()) == 0
    guests = (("g1", "f1"), ("g2", "f=2"))
    expected = Options("el5-283", ("d",), ("x",), guests, ("t",), "01:10.0")
    assert calls == [(["a", "b"], expected)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("log", "PATH"),
        ("log x --kernel el5-28", "did you mean el5-283"),
        ("log x --kernel nonsense", "el5+prune"),
        ("log x --format yaml", "'text', 'json'"),
        ("log x --guest nameless", "--guest NAME=F"),
        ("log x --guest =f", "--guest NAME=F"),
        ("log x --device 99", "0000:01:10.0"),
        ("log x --fail-on sometimes", "inconclusive"),
        ("log x --width 3", "50"),
        ("log x --since yesterday", "--since"),
        ("lag x", "lag"),
    ],
)
def test_wrong_usage_is_status_two_and_says_what_is_right(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str], words: str, told: str
) -> None:
    pipeline(FAULT)
    assert cli.run(words.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err


def test_an_unreadable_input_is_status_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, InputError("no such file: \x1b[2Jgone.log"))
    assert cli.run(["log", "gone.log"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "diagnose: error: no such file: \\x1b[2Jgone.log\n"


def test_a_mistake_of_ours_is_never_a_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, ZeroDivisionError("oops"))
    assert cli.run(["log", "x"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "mistake in diagnose itself" in err
    assert "ZeroDivisionError" in err


def test_remarks_go_to_standard_error(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    many = tuple(Remark("odd", f"number {n}", "a.log", n) for n in range(30))
    pipeline(replace(HEALTHY, remarks=(Remark("whole", "of all"), *many)))
    cli.run(["log", "x", "--format", "json"])
    out, err = capsys.readouterr()
    assert len(json.loads(out)["remarks"]) == 31
    assert "diagnose: remark: of all\n" in err
    assert "diagnose: remark: a.log:3: number 3\n" in err
    assert "number 20" not in err
    assert "21 more" in err
    cli.run(["log", "x", "-q"])
    assert capsys.readouterr().err == ""


def test_a_remark_is_told_once(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline(replace(HEALTHY, remarks=(Remark("odd", "look"), Remark("odd", "look"))))
    cli.run(["log", "x"])
    assert capsys.readouterr().err == "diagnose: remark: look\n"


def test_output_goes_to_a_file(
    pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline(FAULT)
    file = tmp_path / "report.json"
    assert cli.run(["log", "x", "--format", "json", "--output", str(file)]) == 1
    assert capsys.readouterr().out == ""
    assert json.loads(file.read_text())["verdict"] == "fault"


def test_output_that_cannot_be_written(
    pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline(FAULT)
    assert cli.run(["log", "x", "-o", str(tmp_path / "no" / "such")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["log", "--help"], ["--show-completion", "bash"]]
)
def test_help(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert cli.run(words) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_by_the_first_sentence_of_its_help(name: str) -> None:
    """The list stands apart from the commands, which nobody imports to write it."""
    listed = TyperCommand(name, help=COMMANDS[name])
    assert whole(name).get_short_help_str(200) == listed.get_short_help_str(200)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"diagnose {__version__}\n"


FLAGSHIP = (
    "May  6 09:34:03 xenhost kernel: msix entry 2 for dev 01:10:0 are \t\t\t\t       not freed "
)


def test_a_line_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["line", FLAGSHIP + "before acquire again."]) == 0
    out = capsys.readouterr().out
    assert "msix-entry-not-freed" in out
    assert "entry_nr = 2" in out
    assert "01:10.0" in out
    assert "\t" not in out


def test_a_line_that_breaks_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["line", FLAGSHIP + "before acquire \x1b[2J"]) == 0
    out = capsys.readouterr().out
    assert "msix-entry-not-freed" in out
    assert "near miss" in out
    assert out.replace("\n", "").isprintable()


def test_lines_from_standard_input() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "diagnose", "line", "-"],
        cwd=ROOT,
        input=b"unmap irq ff failed\r\n\xff\xfe nonsense\nmap irq failed",
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"pirq = 255" in done.stdout
    assert done.stdout.count(b"\n\n") == 2


def test_a_line_from_a_closed_standard_input_is_an_error() -> None:
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "diagnose", "line", "-"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "standard input is closed" in done.stderr


def test_the_package_offers_the_pipeline_lazily(pipeline: Pipeline) -> None:
    import diagnose

    pipeline(INCONCLUSIVE)
    vars(diagnose).pop("diagnose", None)
    assert diagnose.diagnose([], Options()).verdict == "inconclusive"
    vars(diagnose).pop("diagnose", None)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = diagnose.nonsense
