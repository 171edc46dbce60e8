"""Case files: reading and writing are inverse, and every mistake has its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from diagnose.casefile import (
    CASE_BYTES_MAX,
    Case,
    ExpectedFinding,
    ExpectedHarmless,
    format_case,
    parse_case,
    read_case,
    with_golden,
)
from diagnose.errors import DataError, InputError

TEXT = """\
title: A test
provenance: written for this test
quoted: reconstructed
kernel: el5
verdict: fault
finding: stale-vector 0000:01:10.0 entries=0,1,2 domids=2
finding: missing-prune 0000:01:10.0 boot=1 entries=none
harmless: MSIX101 0000:01:10.0
harmless: MSIX104
prevented_by: el5+prune el5-283

-- dom0.log --
msix entry 0

-- xen.log --
-- golden.txt --
Verdict: fault
"""


def test_a_case_is_read() -> None:
    case = parse_case(TEXT, "a-test")
    assert case.slug == "a-test"
    assert case.findings == (
        ExpectedFinding("stale-vector", "0000:01:10.0", (0, 1, 2), (2,)),
        ExpectedFinding("missing-prune", "0000:01:10.0", (), None, 1))
    assert case.harmless == (
        ExpectedHarmless("MSIX101", "0000:01:10.0"), ExpectedHarmless("MSIX104"))
    assert case.prevented_by == ("el5+prune", "el5-283")
    assert case.logs == (("dom0.log", "msix entry 0\n\n"), ("xen.log", ""))
    assert case.golden == "Verdict: fault\n"


def test_writing_gives_the_text_back() -> None:
    assert format_case(parse_case(TEXT, "a-test")) == TEXT


ODD_TEXT = TEXT.replace("kernel: el5\nverdict: fault\n", "verdict:   fault\nkernel: el5  \n")
"""A person's own order of headers, and blanks; nothing of it may be put right."""


@pytest.mark.parametrize(("before", "after"), [
    (TEXT, TEXT.replace("Verdict: fault", "Verdict: healthy")),
    (ODD_TEXT, ODD_TEXT.replace("Verdict: fault", "Verdict: healthy")),
    (TEXT + "-- last.log --\nx\n",
     TEXT.replace("Verdict: fault", "Verdict: healthy") + "-- last.log --\nx\n"),
    (TEXT.removesuffix("-- golden.txt --\nVerdict: fault\n"),
     TEXT.replace("Verdict: fault", "Verdict: healthy"))],
    ids=["in one form", "in a person's form", "a log after it", "none before"])
def test_a_new_golden_report_changes_nothing_else(before: str, after: str) -> None:
    assert with_golden(before, "Verdict: healthy\n", "a-test.case") == after
    assert parse_case(after, "a-test").golden == "Verdict: healthy\n"


LINES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30).filter(
    lambda line: not line.startswith("-- "))


@given(st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9._+-]{0,8}", fullmatch=True),
                       st.lists(LINES, max_size=5), min_size=1, max_size=4),
       st.none() | st.lists(LINES, max_size=3))
def test_round_trip(logs: dict[str, list[str]], golden: list[str] | None) -> None:
    def text(lines: list[str]) -> str:
        return "".join(f"{line}\n" for line in lines)

    case = Case("s", "t", "p", "exactly", "unknown", "healthy",
                logs=tuple((name, text(lines)) for name, lines in logs.items()),
                golden=None if golden is None else text(golden))
    assert parse_case(format_case(case), "s") == case


MISTAKES = [
    ("bad header", "kernel:", "kernal:", 4, ["'kernal'", "kernel"]),
    ("no header", "kernel: el5", "el5", 4, ["'el5'", "name: value"]),
    ("twice", "kernel: el5", "verdict: fault", 5, ["'verdict'", "twice"]),
    ("missing", "kernel: el5\n", "", 1, ["'kernel'", "missing"]),
    ("bad verdict", "verdict: fault", "verdict: faulty", 5, ["'faulty'", "inconclusive"]),
    ("bad quoting", "reconstructed", "rebuilt", 3, ["'rebuilt'", "reconstructed"]),
    ("no device", "stale-vector 0000:01:10.0 ", "stale-vector ", 6, ["no device"]),
    ("bad part", "domids=2", "domid=2", 6, ["'domid=2'"]),
    ("bad numbers", "domids=2", "domids=two", 6, ["'domids=two'"]),
    ("long harmless", "MSIX104", "MSIX104 a b", 9, ["too many"]),
    ("section twice", "-- xen.log --", "-- dom0.log --", 15, ["'dom0.log'", "twice"]),
    ("text before a section", "-- dom0.log --\n", "", 12, ["first section"]),
    ("no line end", "Verdict: fault\n", "Verdict: fault", 17, ["no end"]),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_mistakes(old: str, new: str, line: int, said: list[str]) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(DataError) as caught:
        parse_case(TEXT.replace(old, new), "bad")
    assert (caught.value.file, caught.value.line) == ("bad.case", line)
    for word in said:
        assert word in caught.value.what


def test_a_case_without_logs_is_refused() -> None:
    with pytest.raises(DataError, match="no log"):
        parse_case(TEXT[: TEXT.index("-- dom0")], "bad")


def test_a_log_that_looks_like_a_section_is_refused() -> None:
    case = replace(parse_case(TEXT, "a-test"), golden="-- dom0.log --\n")
    with pytest.raises(DataError, match=r"golden.txt:1: .*begin a section"):
        format_case(case)
    with pytest.raises(DataError, match=r"a.case: Line 2 .*begin a section"):
        with_golden(TEXT, "fine\n-- dom0.log --\n", "a.case")


def test_files_are_read_under_a_cap_and_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a-test.case"
    path.write_text(TEXT)
    assert read_case(path) == parse_case(TEXT, "a-test")
    path.write_bytes(TEXT.encode() + b"\xff\n")
    with pytest.raises(DataError, match=r"a-test.case:18: .*UTF-8"):
        read_case(path)
    path.write_text(TEXT + "#" * CASE_BYTES_MAX + "\n")
    with pytest.raises(DataError, match="Cut its logs"):
        read_case(path)
    path.unlink()
    with pytest.raises(InputError, match=r"a-test.case: .*No such file"):
        read_case(path)
