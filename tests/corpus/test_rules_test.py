"""The command `diagnose rules test`: what it says, what it writes, how it ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from diagnose import cli
from diagnose.outcome import Difference, Tried
from diagnose.render.cases import DIFF_LINES_MAX, case
from diagnose.render.junit import cases as junit
from diagnose.render.paper import Style

CORPUS = Path(__file__).parents[2] / "corpus"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in a directory with three cases: good, wrong and no case at all."""
    shutil.copy(CORPUS / "noise-alone.case", tmp_path / "good.case")
    text = (CORPUS / "device-busy-el5.case").read_text("utf-8")
    (tmp_path / "wrong.case").write_text(text.replace("verdict: fault", "verdict: healthy"))
    (tmp_path / "odd.case").write_text("title: x\n")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        status = cli.run(["rules", "test", *words])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_a_case_is_a_line_and_a_failure_says_what_is_different(run: Run) -> None:
    status, out, err = run("good.case", "wrong.case")
    assert status == 1
    assert out.splitlines() == [
        " pass  good.case",
        " FAIL  wrong.case",
        "      verdict       expected  healthy",
        "                    got       fault",
        "",
        " 2 cases: 1 passed, 1 failed",
    ]
    assert err == ""


@pytest.mark.parametrize(("words", "status", "told"), [
    ("good.case", 0, "1 case: 1 passed"),
    (". -k good", 0, "1 case: 1 passed"),
    ("wrong.case", 1, "1 case: 1 failed"),
    ("", 2, "odd.case:1: The header 'provenance' is missing"),
    (". -k none", 2, "there is no case (*.case) whose name holds 'none'"),
    ("gone", 2, "gone: this is neither"),
    ("good.case --rules .", 2, "There is no rule here"),
    ("good.case --junit no/such/file", 2, "cannot be written"),
])
def test_exit_status(run: Run, words: str, status: int, told: str) -> None:
    ended, out, err = run(*words.split())
    assert ended == status
    assert told in " ".join((out + err).split())


def test_short_and_long(run: Run) -> None:
    assert run("good.case", "-q")[1] == " 1 case: 1 passed\n"
    out = run("good.case", "wrong.case", "-v")[1]
    assert " s  good.case" in out
    assert "silent in no case  none" in out
    assert "fired in no case   MSIX001, MSIX002," in out
    assert "MSIX007" not in out


def test_updating_says_what_was_written_and_what_was_not(run: Run, tmp_path: Path) -> None:
    for name in ("good", "wrong"):
        path = tmp_path / f"{name}.case"
        path.write_text(path.read_text("utf-8") + "a line too much\n", "utf-8")
    before = (tmp_path / "wrong.case").read_text("utf-8")
    status, out, _ = run("good.case", "wrong.case", "--update")
    assert status == 1
    assert " new   good.case\n      The golden report was written.\n" in out
    assert "was left as it is" in out
    assert (tmp_path / "wrong.case").read_text("utf-8") == before
    assert run("good.case")[0] == 0


def test_the_number_of_processes_changes_nothing(run: Run) -> None:
    alone = run("--jobs", "1", "--width", "120")
    assert run("--jobs", "3", "--width", "120") == alone


def test_results_for_continuous_integration(run: Run, tmp_path: Path) -> None:
    status, _, _ = run("--junit", "results.xml")
    suite = ElementTree.parse(tmp_path / "results.xml").getroot()[0]
    assert status == 2
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "1", "skipped": "0"}
    assert {each.get("classname") for each in suite} == {"."}
    told = {each.get("name"): [part.tag for part in each] for each in suite}
    assert told == {"good": [], "odd": ["error"], "wrong": ["failure"]}
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "verdict: expected healthy, got fault"
    assert "got       fault" in str(failure.text)


ODD = "a\x00b\x1b[2J\x7f\ud800\ufffe<&\"'>]]>\r\u202e"


def test_no_text_breaks_a_document() -> None:
    tried = Tried(f"{ODD}/{ODD}.case", "failed", 0.5, (Difference("finding", ODD, ""),),
                  (f"-{ODD}", f"+{ODD}"))
    case = ElementTree.fromstring(junit([tried]).encode("utf-8")).find("testsuite/testcase")
    assert case is not None
    for text in (*case.attrib.values(), *case[0].attrib.values(), case[0].text or ""):
        assert text.replace("\n", "").isprintable()
    assert "\\x1b[2J" in str(case[0].get("message"))
    assert case.get("time") == "0.500"


def test_a_long_difference_is_cut_unless_all_is_wanted() -> None:
    tried = Tried("a.case", "failed", golden=tuple(f"+{nr}" for nr in range(DIFF_LINES_MAX + 5)))
    assert "… and 5 lines more; everything with -v" in case(tried, Style())
    assert f"+{DIFF_LINES_MAX + 4}" in case(tried, Style(verbosity=1))
