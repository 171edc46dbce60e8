"""A case that is tried: what is told of a wrong header, and what updating may and may not write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagnose.casecheck import NOTE_KEPT, attempt, check, coverage, find_cases
from diagnose.errors import InputError, RuleError
from diagnose.options import Options
from diagnose.outcome import Difference, Tried
from diagnose.rules import RULES

CORPUS = Path(__file__).parents[2] / "corpus"
CRASH = (CORPUS / "crash-el5.case").read_text("utf-8")
HEALTHY = (CORPUS / "destroy-283.case").read_text("utf-8")
PRUNE = "missing-prune 0000:01:10.0"
SERVED = "stale-vector 0000:01:10.0 entries=0,1,2 domids=2"


def case(directory: Path, text: str, old: str = "", new: str = "") -> Path:
    """A file with the case, one place of it changed."""
    assert not old or text.count(old) == 1, old
    path = directory / "one.case"
    path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return path


WRONG = [
    # the case, the header that is right, what stands there instead, what is told
    (CRASH, "verdict: fault", "verdict: healthy", ("verdict", "healthy", "fault")),
    (CRASH, f"{PRUNE} entries=0,1,2 domids=1", f"{PRUNE} entries=0,1 domids=1",
     ("finding", f"{PRUNE} entries=0,1 domids=1", f"{PRUNE} entries=0,1,2 domids=1")),
    (CRASH, f"{PRUNE} entries=0,1,2 domids=1", f"{PRUNE} domids=1,7",
     ("finding", f"{PRUNE} domids=1,7", f"{PRUNE} domids=1")),
    (CRASH, f"finding: {SERVED}\n", "", ("finding", "", SERVED)),
    (CRASH, "\nprevented_by", "\nfinding: map-failure 0000:01:10.0\nprevented_by",
     ("finding", "map-failure 0000:01:10.0", "")),
    (CRASH, "el5+prune el5-283", "el5-283",
     ("prevented_by", "el5+1070 el5+945+956+1070 el5-283",
      "el5+1070 el5+945+956+1070 el5+prune el5-283")),
    (HEALTHY, "harmless: MSIX101 0000:01:10.0\n", "", ("harmless", "", "MSIX101 0000:01:10.0")),
    (HEALTHY, "MSIX101 0000:01:10.0\n", "MSIX101 0000:01:10.0\nharmless: MSIX104\n",
     ("harmless", "MSIX104", "")),
]


@pytest.mark.parametrize(("text", "old", "new", "told"), WRONG, ids=lambda each: each[:30])
def test_a_wrong_header_is_told_with_both_sides(
    tmp_path: Path, text: str, old: str, new: str, told: tuple[str, str, str]
) -> None:
    tried = check(case(tmp_path, text, old, new))
    assert tried.state == "failed"
    assert tried.differences == (Difference(*told),)


def test_a_case_that_is_right_passes_and_tells_its_rules(tmp_path: Path) -> None:
    tried = check(case(tmp_path, CRASH))
    assert (tried.state, tried.differences, tried.golden, tried.note) == ("passed", (), (), "")
    assert tried.fired == ("MSIX001", "MSIX002")


def test_another_golden_report_is_a_difference_with_context(tmp_path: Path) -> None:
    tried = check(case(tmp_path, HEALTHY, "The two ledgers agree", "All is well"))
    assert tried.state == "failed"
    assert tried.differences == ()
    assert any(line.startswith("-") and "All is well" in line for line in tried.golden)
    assert any(line.startswith("+") and "The two ledgers agree" in line for line in tried.golden)
    assert any(line.startswith(" ") for line in tried.golden)


@pytest.mark.parametrize("broken", ["another", "none"])
def test_updating_writes_the_golden_report_and_nothing_else(tmp_path: Path, broken: str) -> None:
    path = case(tmp_path, HEALTHY, "The two ledgers agree", "All is well")
    if broken == "none":
        path.write_text(HEALTHY[: HEALTHY.index("-- golden.txt --\n")], encoding="utf-8")
    path.chmod(0o640)
    assert check(path, update=True).state == "updated"
    assert path.read_text("utf-8") == HEALTHY
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["one.case"]
    assert check(path, update=True).state == "passed"


def test_updating_leaves_a_case_alone_whose_headers_are_wrong(tmp_path: Path) -> None:
    path = case(tmp_path, HEALTHY.replace("The two ledgers agree", "All is well"),
                "verdict: healthy", "verdict: fault")
    before = path.read_bytes()
    tried = check(path, update=True)
    assert (tried.state, tried.note) == ("failed", NOTE_KEPT)
    assert path.read_bytes() == before


def test_updating_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    path = case(tmp_path / "far", HEALTHY, "The two ledgers agree", "All is well")
    link = tmp_path / "near.case"
    link.symlink_to(path)
    assert check(link, update=True).state == "updated"
    assert link.is_symlink()
    assert path.read_text("utf-8") == HEALTHY


@pytest.mark.parametrize(("old", "new", "told"), [
    ("\nkernel:", "\nkernal:", "one.case:5: The header 'kernal'"),
    ("-- dom0.log --\n", "-- dom0.log --\nMay  6 09:34:03 one kernel: unmap irq fe failed\n"
     "May  6 09:34:03 two kernel: unmap irq ff failed\n", "2 hosts"),
])
def test_what_cannot_be_tried_is_an_error(tmp_path: Path, old: str, new: str, told: str) -> None:
    tried = attempt(case(tmp_path, HEALTHY, old, new))
    assert tried.state == "unreadable"
    assert told in tried.error


# --- Rules of one's own --------------------------------------------------------------------------


def own_rules(directory: Path, old: str, new: str) -> Options:
    """A directory with one built-in rule, changed."""
    text = (RULES / "msix001-missing-prune.toml").read_text("utf-8")
    assert text.count(old) == 1
    (directory / "own.toml").write_text(text.replace(old, new), encoding="utf-8")
    return Options(rules=str(directory))


def test_a_rule_with_a_built_in_id_takes_its_place(tmp_path: Path) -> None:
    options = own_rules(tmp_path, 'severity = "error"', 'severity = "note"')
    tried = check(case(tmp_path, CRASH), options)
    assert tried.differences == ()
    assert any(line.startswith("+") and "certain · note · MSIX001" in line for line in tried.golden)
    assert check(case(tmp_path, CRASH)).state == "passed"


def test_a_rule_with_a_new_id_is_added(tmp_path: Path) -> None:
    text = (RULES / "msix001-missing-prune.toml").read_text("utf-8")
    (tmp_path / "own.toml").write_text(
        text.replace("MSIX001", "MSIX099").replace('"missing-prune"', '"left-behind"'), "utf-8")
    tried = check(case(tmp_path, CRASH), Options(rules=str(tmp_path)))
    assert tried.differences == (
        Difference("finding", "", "left-behind 0000:01:10.0 entries=0,1,2 domids=1"),)
    assert tried.fired == ("MSIX001", "MSIX002", "MSIX099")


def test_a_directory_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no rule here"):
        check(case(tmp_path, CRASH), Options(rules=str(tmp_path / "gone")))


# --- Which cases, which rules --------------------------------------------------------------------


def test_cases_are_found_at_any_depth_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b.case", "a/z.case", "a/y.case", ".hidden/x.case", "c.log", "a/.w.case"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "twin.case").symlink_to(tmp_path / "b.case")
    os.mkfifo(tmp_path / "pipe.case")
    found = find_cases([str(tmp_path / "b.case"), str(tmp_path)])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/y.case", "a/z.case", "b.case"]


@pytest.mark.parametrize(("pattern", "names"), [
    ("EL5", ["a-el5.case", "b-el5-1070.case"]), ("a-?l*", ["a-el5.case"]), ("283", ["a-283.case"])])
def test_a_pattern_chooses(tmp_path: Path, pattern: str, names: list[str]) -> None:
    for name in ("a-el5.case", "b-el5-1070.case", "a-283.case"):
        (tmp_path / name).write_text("")
    assert [path.name for path in find_cases([str(tmp_path)], pattern)] == names


@pytest.mark.parametrize(("name", "pattern", "told"), [
    (".", "", "there is no case"), ("one.case", "two", "holds 'two'"), ("gone", "", "neither"),
    ("a.log", "", "neither"), ("pipe.case", "", "neither")])
def test_no_case_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pattern: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("one.case", "a.log") if name != "." else ():
        Path(file).write_text("")
    os.mkfifo("pipe.case")
    with pytest.raises(InputError, match=told):
        find_cases([name], pattern)


def test_rules_that_no_case_tries_are_named() -> None:
    tried = [Tried("a", "passed", fired=("ONE", "TWO")), Tried("b", "failed", fired=("ONE",)),
             Tried("c", "unreadable")]
    assert coverage(tried, ["ONE", "TWO", "THREE"]) == (["THREE"], ["ONE"])
