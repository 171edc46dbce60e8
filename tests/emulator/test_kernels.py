"""The table of kernel rows: complete, cited, and at the right distance from a banner."""

from __future__ import annotations

import pytest

from emulator.kernels import CHANGE_STEPS, ROWS, TRAIT_MEANINGS, Traits, distance, row, shipped


def test_rows_stand_in_the_published_order() -> None:
    names = [each.name for each in ROWS]
    assert names == ["el5", "el5+1070", "el5+945+956+1070", "el5+prune", "el5-283"]


def test_every_trait_has_a_meaning() -> None:
    assert set(TRAIT_MEANINGS) == set(Traits._fields)


@pytest.mark.parametrize("each", ROWS, ids=lambda each: each.name)
def test_every_trait_that_a_row_changes_is_cited(each: object) -> None:
    kernel = next(known for known in ROWS if known is each)
    default = Traits()
    changed = {
        name for name in Traits._fields if getattr(kernel.traits, name) != getattr(default, name)
    }
    assert changed <= set(kernel.cites)
    assert set(kernel.cites) <= set(Traits._fields)
    assert all(": " in cite and "()" in cite for cite in kernel.cites.values())
    assert kernel.change in CHANGE_STEPS
    assert row(kernel.base).releases is not None


def test_an_unknown_row_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"el5-999.*el5\+1070"):
        row("el5-999")


DISTANCES = {
    274: {"el5": 0, "el5+1070": 1, "el5+prune": 2, "el5+945+956+1070": 3, "el5-283": 4},
    282: {"el5": 0, "el5+1070": 1, "el5+prune": 2, "el5+945+956+1070": 3, "el5-283": 4},
    283: {"el5-283": 0, "el5": 4, "el5+1070": 5, "el5+prune": 6, "el5+945+956+1070": 7},
    308: {"el5-283": 0, "el5": 4, "el5+1070": 5, "el5+prune": 6, "el5+945+956+1070": 7},
    None: {"el5": 0, "el5-283": 0, "el5+1070": 1, "el5+prune": 2, "el5+945+956+1070": 3},
}


@pytest.mark.parametrize("build", DISTANCES)
def test_distance_counts_what_had_to_be_changed(build: int | None) -> None:
    assert {each.name: distance(each, build) for each in ROWS} == DISTANCES[build]


def test_a_banner_suggests_the_shipped_row() -> None:
    found = [shipped(build) for build in (164, 282, 283, 420)]
    assert [each and each.name for each in found] == ["el5", "el5", "el5-283", "el5-283"]
    assert shipped(None) is None
