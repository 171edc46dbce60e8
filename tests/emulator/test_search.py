"""Laws by search: what holds in every story up to a length, and the shortest in which it does not.

The small host of `emulator.search` is driven through every story of `LENGTH` acts on every row.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import pytest

from emulator.invariants import check, violations
from emulator.kernels import ROWS, row
from emulator.life import Act, Impossible, Outcome, perform
from emulator.search import (
    CARD,
    DEVICES,
    ENTRIES,
    FUNCTION,
    GUESTS,
    Merging,
    Reached,
    acts,
    explore,
    start,
)
from emulator.state import State
from tests.thorough import THOROUGH

LENGTH = 7 if THOROUGH else 5
KEPT = 3000
NAMES = [each.name for each in ROWS]


class Seen(NamedTuple):
    """What a search has come across: violations with the op, the first story of each; states."""

    first: dict[tuple[str, str], tuple[Act, ...]]
    states: list[tuple[State, tuple[object, ...]]]


@cache
def seen(name: str, hook: int = 0, length: int = LENGTH) -> Seen:
    """Every story on the row of that name, whose guests' igbvf has this shutdown hook."""
    first: dict[tuple[str, str], tuple[Act, ...]] = {}
    states: list[tuple[State, tuple[object, ...]]] = []
    for reached in explore(row(name).traits._replace(guest_shutdown=hook), length):
        for named in violated(reached):
            first.setdefault((named, reached.way.act.op), reached.way.acts())
        if reached.outcome is not None and reached.new:
            check(reached.outcome.state)
            if len(states) < KEPT:
                states.append((reached.outcome.state, reached.outcome.state.key()))
    return Seen(first, states)


def violated(reached: Reached) -> Iterable[str]:
    """Names of the violations in the last act of a story."""
    deeds = () if reached.outcome is None else reached.outcome.deeds
    return {each.name for each in violations(deeds)}


def told(story: Iterable[Act]) -> str:
    """The operations of a story."""
    return " ".join(act.op for act in story)


# --- The search itself


def test_the_host_is_as_small_as_it_says() -> None:
    state = start(row("el5").traits)
    assert len(DEVICES) == ENTRIES == GUESTS == 2
    assert all(state.seized(device) for device in DEVICES)
    assert {act.op for act in acts(state)} == {
        "release", "flr", "pf_reload", "domain_start", "driver_load"}


def test_stories_come_shortest_first_and_each_can_be_told_again() -> None:
    lengths = []
    for reached in explore(row("el5").traits, 3):
        story = reached.way.acts()
        lengths.append(len(story))
        state = start(row("el5").traits)
        for act in story[:-1]:
            state = perform(row("el5").traits, state, act).state
        if reached.outcome is not None:
            assert perform(row("el5").traits, state, story[-1]) == reached.outcome
    assert lengths == sorted(lengths)
    assert set(lengths) == {1, 2, 3}


@pytest.mark.parametrize("name", NAMES)
def test_states_that_are_merged_have_the_same_future(name: str) -> None:
    """Whatever can be done in one can be done in the other, and comes to the same."""
    traits = row(name).traits
    merging = Merging()
    twins: dict[tuple[int, ...], State] = {}
    merged = 0
    for reached in explore(traits, 5 if THOROUGH else 4):
        if reached.outcome is not None:
            state = reached.outcome.state
            twin = twins.setdefault(merging.key(state), state)
            merged += twin is not state
            if twin is not state and not merged % 13:
                assert futures(name, merging, twin) == futures(name, merging, state)
    assert merged > 2000


def test_the_vector_given_out_last_keeps_states_apart() -> None:
    """Taken by force it comes next and collides; an older one does not."""
    merging, keys, essences, refused = Merging(), set(), set(), []
    for order in ((CARD, FUNCTION), (FUNCTION, CARD)):
        state = start(row("el5-283").traits)
        for act in (Act("domain_start", 1, devices=DEVICES),
                    *(Act("driver_load", 1, device, nvec=1) for device in order),
                    Act("driver_unload", 1, CARD), Act("ifup", 1, FUNCTION),
                    Act("release", device=FUNCTION)):
            state = perform(row("el5-283").traits, state, act).state
        keys.add(merging.key(state))
        essences.add(state.essence())
        outcome = perform(row("el5-283").traits, state, Act("driver_load", 1, CARD, nvec=1))
        refused.append([each.name for each in violations(outcome.deeds)])
    assert refused == [["map_refused"], []]
    assert len(keys) == len(essences) == 2


def futures(name: str, merging: Merging, state: State) -> list[object]:
    """What comes of each act: violations, kinds of lines, and the state after it."""
    found: list[object] = []
    for act in acts(state):
        try:
            outcome: Outcome | None = perform(row(name).traits, state, act)
        except Impossible as error:
            found.append((act.op, type(error)))
            continue
        assert outcome is not None
        found.append((act.op, [each.name for each in violations(outcome.deeds)],
                      [each.kind for each in outcome.effects], merging.key(outcome.state)))
    return found


# --- The ledgers


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_is_a_value(name: str) -> None:
    """`seen` has also held every state that was reached against the laws of the ledgers."""
    states = seen(name).states
    assert len(states) > 1000
    assert all(state.key() == key for state, key in states)


@pytest.mark.parametrize("name", ["el5-283", "el5+prune"])
def test_with_the_prune_no_teardown_leaves_a_pair(name: str) -> None:
    assert [op for found, op in seen(name).first if found == "pairs_left"] == []
    assert [op for found, op in seen(name).first if found == "stale_served"] == []


LEAVING = {
    "el5": {
        "clean_shutdown": "domain_start driver_load clean_shutdown",
        "destroy": "domain_start driver_load destroy",
        "release": "domain_start driver_load release",
        "pf_reload": "domain_start driver_load pf_reload",
    },
    "el5+1070": {
        "clean_shutdown": "domain_start driver_load clean_shutdown",
        "destroy": "domain_start driver_load flr destroy",
        "release": "domain_start driver_load flr release",
        "pf_reload": "domain_start driver_load flr pf_reload",
    },
}
LEAVING["el5+945+956+1070"] = LEAVING["el5+1070"]


@pytest.mark.parametrize("name", LEAVING)
def test_the_shortest_stories_that_leave_a_pair(name: str) -> None:
    found = {op: told(story) for (what, op), story in seen(name).first.items()
             if what == "pairs_left"}
    assert found == LEAVING[name]


@pytest.mark.parametrize(
    ("hook", "leaving"),
    [(0, set(LEAVING)), (1, {"el5+945+956+1070"}), (2, set()), (3, set())],
)
def test_what_945_and_956_make_worse(hook: int, leaving: set[str]) -> None:
    """A shutdown hook that suspends first and disables after (1) empties the record without them.

    Hook 0 never disables, 2 disables before it suspends, 3 removes.
    """
    found = {name for name in NAMES
             if ("pairs_left", "clean_shutdown") in seen(name, hook, 3).first}
    assert found == leaving


@pytest.mark.parametrize("name", NAMES)
def test_a_stale_pair_is_only_served_where_one_was_left(name: str) -> None:
    found = seen(name).first
    left = any(what == "pairs_left" for what, _ in found)
    served = any(what == "stale_served" for what, _ in found)
    assert served == left
