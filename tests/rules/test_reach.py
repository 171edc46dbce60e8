"""The table of shortest ways: that a search finds just these, and that each is what it claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.errors import RuleError
from diagnose.hazards import Hazard, load_hazards, outcome
from diagnose.reach import REACH, Way, dump, keep, load_reach, search, story
from diagnose.rules import load_rules
from emulator.kernels import ROWS, Row
from tests.rules.rows import KINDS
from tests.thorough import THOROUGH

LENGTH = 7 if THOROUGH else 5
RULES = [rule for rule in load_rules(event_kinds=KINDS) if not rule.harmless]
WAYS = [(row, way) for row in ROWS for way in load_reach()[row.name].ways]
HAZARDS = {hazard.id: hazard for hazard in load_hazards()}


def said(row: Row, acts: Hazard) -> set[str]:
    """The faults of a story on the row; empty string: the host dies of it."""
    came = outcome(acts, row, RULES)
    return {*came.faults, *([""] if came.dies else ())}


def test_every_row_was_searched_as_far() -> None:
    assert list(load_reach()) == [row.name for row in ROWS]
    assert {reach.length for reach in load_reach().values()} == {7}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_search_finds_these_ways_and_no_others(row: Row) -> None:
    known = load_reach()[row.name]
    found = search(row, RULES, LENGTH)
    assert found.ways == tuple(way for way in known.ways if len(way.acts) <= LENGTH)
    assert found.states == known.states if THOROUGH else found.states < known.states


@pytest.mark.parametrize(("row", "way"), WAYS, ids=lambda each: getattr(each, "name", ""))
def test_a_way_leads_there_with_its_last_act(row: Row, way: Way) -> None:
    acts = story(way)
    whole, but_one = (Hazard("", "", part, (), "", ()) for part in (acts, acts[:-1]))
    assert way.fault in said(row, whole) - said(row, but_one)


@pytest.mark.parametrize(("row", "way"), WAYS, ids=lambda each: getattr(each, "name", ""))
def test_a_way_is_explained_by_a_hazard_that_leads_there_too(row: Row, way: Way) -> None:
    assert way.fault in said(row, HAZARDS[way.hazard])


def test_what_the_prune_keeps_away_and_what_it_does_not() -> None:
    """The fix ends the faults of dead pairs; what is in no record it cannot end."""
    faults = {row.name: {way.fault for way in load_reach()[row.name].ways} for row in ROWS}
    dead_pairs = {"missing-prune", "stale-vector", "unmap-failure", "pirq-collision",
                  "collateral-unmap"}
    assert dead_pairs <= faults["el5"]
    assert not dead_pairs & (faults["el5-283"] | faults["el5+prune"])
    assert all("stale-irq" in found for found in faults.values())


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "reach.toml"
    known = list(load_reach().values())
    path.write_text(dump(known[:3]), encoding="utf-8")
    assert path.read_text("utf-8") == dump(list(load_reach(path).values()))
    keep(known[4:], path)
    keep(known[3:4], path)
    assert path.read_text("utf-8") == REACH.read_text("utf-8")


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("missing-prune | orderly-end | ", "missing-prune | ", "is no way"),
        ("states = ", "stats = ", "'stats' does not exist"),
    ],
)
def test_a_mistake_has_its_line(good: str, bad: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "reach.toml"
    path.write_text(REACH.read_text("utf-8").replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(RuleError, match=said) as caught:
        load_reach(path)
    assert caught.value.line is not None
