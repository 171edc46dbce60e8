"""Where the lines of a case come from is checked, not claimed: quoted, or printed from a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from diagnose.casefile import Case, read_case
from diagnose.reach import load_reach, told_acts
from tests.corpus.traced import RUN, heard, plain, run, speakers, suppressed

CORPUS = Path(__file__).parents[2] / "corpus"
CASES = [read_case(path) for path in sorted(CORPUS.glob("*.case"))]
REPORT = " ".join(read_case(CORPUS / "rhbz688673-whole-report.case").logs[0][1].split())
RECONSTRUCTED, RECORDED = "reconstructed", "recorded"
XENLAB = Path(__file__).parents[3] / "shared" / "xenlab"


def within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether the lines stand in the others in the same order."""
    left = iter(whole)
    return all(line in left for line in part)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.slug)
def test_provenance_and_quoting_agree(case: Case) -> None:
    assert (case.provenance == RECONSTRUCTED) == (case.quoted == RECONSTRUCTED)
    assert case.quoted == RECONSTRUCTED or not RUN.search(case.source)


@pytest.mark.parametrize("case", [case for case in CASES if case.provenance == RECORDED],
                         ids=lambda case: case.slug)
def test_a_recorded_line_stands_in_the_recording(case: Case) -> None:
    folder = XENLAB / case.source.partition("folder ")[2].partition(";")[0]
    if not folder.is_dir():
        pytest.skip(f"the recordings are not at hand: no {folder.name}")
    for name, text in case.logs:
        recorded = (folder / name).read_text(errors="replace").splitlines()
        assert within([line.rstrip() for line in text.splitlines()],
                      [line.rstrip() for line in recorded]), name


@pytest.mark.parametrize("case", [case for case in CASES if case.quoted == "exactly"
                                  and case.provenance != RECORDED], ids=lambda case: case.slug)
def test_a_quoted_line_stands_in_the_report(case: Case) -> None:
    lines = [line for _, text in case.logs for line in text.splitlines()]
    assert [line for line in lines if " ".join(line.split()) not in REPORT] == []


@pytest.mark.parametrize("case", [case for case in CASES if RUN.search(case.source)],
                         ids=lambda case: case.slug)
def test_a_run_is_printed_line_for_line(case: Case) -> None:
    """The bookkeeping's lines are those of the run: none more, none less, in the same order."""
    named = RUN.search(case.source)
    lines = [line for line in run(named[0]) if not line.around] if named else []
    silent = {line.speaker for line in lines} & {"dom0", "xen"}
    for log, text in case.logs:
        printed = [line.text for line in lines if line.speaker in speakers(log)]
        held = heard(plain(text.splitlines()))
        lost = suppressed(text.splitlines())
        assert held == printed or (lost and within(held, printed)), log
        assert len(held) + lost == len(printed), log
        silent -= set(speakers(log))
    assert not silent


def test_several_cases_come_from_each_kind_of_run() -> None:
    found = [named for case in CASES if (named := RUN.search(case.source))]
    for kind in ("trace", "hazard", "row"):
        assert sum(bool(named[kind]) for named in found) > 2, kind


def test_the_shortest_ways_into_every_fault_are_cases() -> None:
    """Of each hazard that explains such ways, a case runs its story or one of the ways."""
    sources = "\n".join(case.source for case in CASES)
    ways = [(reach.row, way) for reach in load_reach().values() for way in reach.ways if way.fault]
    told = {way.hazard for row, way in ways
            if f"story on {row}: seize A; seize P; {told_acts(way)}" in sources}
    assert {way.hazard for _, way in ways} <= told | set(re.findall(r"hazard (\S+) on ", sources))
