"""Frames against the machine: the ledgers are its states, and what they show agrees with its deeds.

The violations come from what the kernels did, the standing of a pair from a state alone; that the
two tell one story is a law and no tautology.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from diagnose.frames import Change, Frame, Ledgers
from diagnose.ledger import changes, ledgers_of
from diagnose.whatif import final_state
from emulator.state import State
from tests.replay.told import STORIES, frames, incident, told

Pair = tuple[str, int, int, int]


def pairs(ledgers: Ledgers, *states: str) -> set[Pair]:
    """(device, pirq, entry_nr, domid) of the pairs in one of these states."""
    return {(device, pirq, entry_nr, domid) for device, record in ledgers.dom0.items()
            for pirq, entry_nr, domid, state in record.entries if state in states}


BAD = ("stale", "foreign", "lost")


def steps(slug: str) -> list[tuple[Ledgers, Frame]]:
    """Each frame after the ledgers before it."""
    told_ = [Frame("", {}, "inferred"), *frames(slug)]
    return [(before.ledgers, frame) for before, frame in pairwise(told_)]


@pytest.mark.parametrize("slug", STORIES)
def test_the_last_frame_is_the_state_in_which_the_story_ends(slug: str) -> None:
    best = incident(slug).played.best
    assert len(frames(slug)) == len(best.steps())
    assert frames(slug)[-1].ledgers == ledgers_of(best.state)
    assert best.state == final_state(best.steps(), best.row)


@pytest.mark.parametrize("slug", STORIES)
def test_a_live_pair_is_one_that_xens_own_table_bears_out(slug: str) -> None:
    for frame in frames(slug):
        for device, record in frame.ledgers.dom0.items():
            holder = record.owner or 0
            table = frame.ledgers.xen.get(holder)
            for pirq, _, domid, state in record.entries:
                mapped = None if table is None else table.pirqs.get(pirq)
                assert (state == "live") == (mapped == device and domid == holder)
                assert (state == "foreign") == (mapped is not None and mapped != device)


@pytest.mark.parametrize("slug", STORIES)
def test_who_is_served_a_stale_pair_found_it_bad_on_record(slug: str) -> None:
    for before, frame in steps(slug):
        for broken in frame.violations:
            if broken.name in ("stale_served", "stale_unmap_refused"):
                found = (broken.device, broken.pirq, broken.entry_nr, broken.from_domid)
                assert found in pairs(before, *BAD), (frame.number, broken)


@pytest.mark.parametrize("slug", STORIES)
def test_pairs_go_bad_where_the_machine_leaves_them_or_tears_them_out(slug: str) -> None:
    for before, frame in steps(slug):
        gone_bad = pairs(frame.ledgers, *BAD) & pairs(before, "live")
        left = {(v.device, v.pirq, v.entry_nr, v.from_domid) for v in frame.violations
                if v.name == "pairs_left"}
        torn = {v.device for v in frame.violations if v.name == "foreign_unmapped"}
        assert {pair for pair in gone_bad if pair[0] not in torn} <= left
        assert left <= pairs(frame.ledgers, *BAD)


@pytest.mark.parametrize("slug", STORIES)
def test_changes_lead_from_one_ledger_to_the_next(slug: str) -> None:
    for before, frame in steps(slug):
        rows = {(each.device, each.pirq, each.entry_nr, each.domid): each.what
                for each in frame.changes if each.ledger == "dom0"}
        added = {pair for pair, what in rows.items() if what == "added"}
        removed = {pair for pair, what in rows.items() if what == "removed"}
        everything = ("live", *BAD)
        assert pairs(before, *everything) - removed | added == pairs(frame.ledgers, *everything)
        for pair, what in rows.items():
            assert what in ("added", "removed") or pair in pairs(frame.ledgers, what)
        assert list(changes(frame.ledgers, frame.ledgers)) == []


def test_the_demo_parts_where_the_guest_goes_down() -> None:
    bad = [frame.number for frame in frames("demo") if pairs(frame.ledgers, *BAD)]
    assert bad == [4, 5, 6, 7]
    end = frames("demo")[4]
    assert (end.op, end.lines[0].line) == ("clean_shutdown", 10)
    device = "0000:01:10.0"
    assert set(end.changes) == {
        *(Change("dom0", "stale", 1, 255 - nr, device, nr) for nr in range(3)),
        *(Change("xen", "removed", 1, 255 - nr, device) for nr in range(3))}


def test_no_pair_goes_bad_on_a_kernel_that_prunes() -> None:
    for slug in STORIES:
        if told(slug).kernel.row == "el5-283":
            assert not any(pairs(frame.ledgers, *BAD) for frame in frames(slug)), slug


def test_a_host_that_has_just_come_up_has_empty_ledgers() -> None:
    assert ledgers_of(State.boot()) == Ledgers()


@pytest.mark.parametrize("device", ["0000:01:10.0", "09:10.0"])
def test_a_report_on_one_device_keeps_that_device_alone(device: str) -> None:
    whole = {frame.number: frame for frame in frames("two-devices-one-devfn-el5")}
    own = told("two-devices-one-devfn-el5", device=device)
    assert 0 < len(own.frames) < len(whole)
    for frame in own.frames:
        assert set(frame.ledgers.dom0) <= {name for name in ("0000:01:10.0", "0000:09:10.0")
                                           if name.endswith(device)}
        for name, record in frame.ledgers.dom0.items():
            assert record == whole[frame.number].ledgers.dom0[name]
        assert all(owner == name for table in frame.ledgers.xen.values()
                   for owner in table.pirqs.values() for name in frame.ledgers.dom0)
    ends = [frame.op for frame in own.frames]
    assert "clean_shutdown" in ends
