"""What can still go wrong on each kernel row: run by the emulator, judged by the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.errors import RuleError
from diagnose.exposure import exposure
from diagnose.fixes import load_fixes
from diagnose.hazards import HAZARDS, Hazard, load_hazards, outcome, read_act, tell_act
from diagnose.recommend import GUEST_HABITS
from diagnose.rules import load_rules
from diagnose.whatif import as_it_was
from emulator.kernels import ROWS, Row, row
from emulator.life import Act, Crash, Impossible, perform
from emulator.state import State
from tests.rules.rows import KINDS

RULES = load_rules(event_kinds=KINDS)
TABLE = {hazard.id: hazard for hazard in load_hazards()}
PAIRS = "missing-prune stale-vector"
OLD = ("el5", "el5+1070", "el5+945+956+1070")
FLAGGED = ("el5+1070", "el5+945+956+1070")
BLIND = ("el5", "el5+prune")
ALL = tuple(each.name for each in ROWS)

# Hazard → the faults in which it ends, on which rows. On the others nothing goes wrong.
BAD: dict[str, dict[tuple[str, ...], str]] = {
    "orderly-end": {OLD: f"{PAIRS} unmap-failure"},
    "abrupt-end": {("el5",): f"{PAIRS} unmap-failure"},
    "reset-before-an-abrupt-end": {OLD: PAIRS},
    "stale-beside-fresh": {OLD: f"{PAIRS} pirq-collision collateral-unmap"},
    "dom0-drives-a-stale-function": {OLD: f"{PAIRS} pirq-collision collateral-unmap"},
    "card-reloaded-over-stale-functions": {OLD: "missing-prune collateral-unmap"},
    "single-vector": {ALL: "stale-irq"},
    "vectors-leak-with-hvm-guests": {ALL: "map-failure"},
    "taken-away-in-use": {},
    "lingering-domain": {("el5",): PAIRS},
    "late-answer": {},
    "leaked-reference": {},
    "kexec": {},
    "kexec-then-an-abrupt-end": {OLD: PAIRS},
    "disable-after-suspend": {("el5+945+956+1070",): PAIRS},
    "taken-away-while-loaded": {("el5",): PAIRS},
    "reset-before-it-is-taken-away": {OLD: PAIRS},
    "kexec-then-taken-away": {OLD: PAIRS},
    "stale-function-taken-away": {("el5",): PAIRS, FLAGGED: f"{PAIRS} unmap-failure"},
    "vector-taken-by-force": {(*FLAGGED, "el5-283"): "map-failure"},
    "card-reloaded-over-owned-functions": {("el5",): "missing-prune collateral-unmap"},
    "single-vector-back-to-dom0": {ALL: "stale-irq"},
    "hvm-device-taken-away": {},
    "wanted-twice": {ALL: "device-busy"},
    "not-seized": {ALL: "device-busy"},
    "reset-and-taken-away-in-use": {},
    "stale-guest-destroyed": {("el5",): PAIRS, FLAGGED: f"{PAIRS} unmap-failure"},
    "single-vector-then-kexec": {ALL: "stale-irq"},
    "dom0-leaves-pairs-of-its-own": {OLD: "missing-prune"},
    "single-vector-taken-away": {BLIND: "stale-irq"},
    "dom0-asks-after-a-forced-unmap": {("el5",): "missing-prune collateral-unmap map-failure"},
    "dom0-leaves-pairs-to-an-hvm-guest": {OLD: "missing-prune"},
}

# Hazard → the rows on which the host dies of it.
DEADLY: dict[str, tuple[str, ...]] = {
    "taken-away-in-use": BLIND,
    "vector-taken-by-force": BLIND,
    "hvm-device-taken-away": ALL,
    "reset-and-taken-away-in-use": ALL,
}


def test_the_tables_are_about_the_same_hazards() -> None:
    assert list(BAD) == list(TABLE)


@pytest.mark.parametrize("kernel", ROWS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("hazard", load_hazards(), ids=lambda hazard: hazard.id)
def test_what_comes_of_it(hazard: Hazard, kernel: Row) -> None:
    expected = {fault for rows, faults in BAD[hazard.id].items() if kernel.name in rows
                for fault in faults.split()}
    came = outcome(hazard, kernel, RULES)
    assert set(came.faults) == expected
    assert bool(came.dies) == (kernel.name in DEADLY.get(hazard.id, ()))


def test_the_host_dies_of_what_c_s_1070_would_have_unmapped_first() -> None:
    assert set(BLIND) == {each.name for each in ROWS if not each.traits.reset_disables}


@pytest.mark.parametrize("hazard", load_hazards(), ids=lambda hazard: hazard.id)
def test_every_act_can_happen(hazard: Hazard) -> None:
    """A story of which acts are left out would prove nothing; the shipped kernel can play all."""
    traits = row("el5").traits._replace(guest_shutdown=hazard.guest_shutdown)
    state = State.boot(gsi_vectors=hazard.gsi_vectors)
    for act in hazard.acts:
        try:
            state = perform(traits, state, act).state
        except Crash:
            assert hazard.id in DEADLY
            return
        except Impossible as error:
            pytest.fail(f"{hazard.id}: {act.op}: {error}")


@pytest.mark.parametrize("kernel", ROWS, ids=lambda kernel: kernel.name)
def test_an_exposure_is_reached_and_its_fix_keeps_it_away(kernel: Row) -> None:
    """Every story of the table that ends in the fault ends without it under the fix."""
    found = exposure([kernel], RULES, ())
    assert found
    for each in found:
        bad = [hazard for hazard in TABLE.values()
               if each.fault in outcome(hazard, kernel, RULES).faults]
        assert each.why in {hazard.title for hazard in bad}
        for assumed in [fix.assume for fix in load_fixes() if fix.id == each.fix][:1]:
            fixed = next((other for other in ROWS if other.name == assumed), kernel)
            habit = GUEST_HABITS.get(assumed, as_it_was)
            assert not any(each.fault in outcome(hazard, fixed, RULES, habit).faults
                           for hazard in bad if not hazard.guest_shutdown)


def test_what_an_operator_gets_wrong_is_no_exposure() -> None:
    assert "device-busy" not in {each.fault for each in exposure([row("el5")], RULES, ())}


def test_what_a_log_shows_is_no_exposure() -> None:
    every = {each.fault for each in exposure([row("el5")], RULES, ())}
    rest = {each.fault for each in exposure([row("el5")], RULES, {"missing-prune"})}
    assert every - rest == {"missing-prune"}


def test_where_rows_are_not_told_apart_only_what_all_can_reach_counts() -> None:
    found = exposure([row("el5"), row("el5-283")], RULES, ())
    assert {each.fault for each in found} == {"stale-irq", "map-failure"}


@pytest.mark.parametrize(
    ("words", "act"),
    [
        ("seize A", Act("seize", device=TABLE["kexec"].acts[0].device)),
        ("destroy 1 linger", Act("destroy", 1, fault=("linger", 1, 0))),
        ("clean_shutdown 3", Act("clean_shutdown", 3)),
    ],
)
def test_acts_are_read(words: str, act: Act) -> None:
    assert read_act(words) == act
    assert tell_act(act) == words


@pytest.mark.parametrize("hazard", load_hazards(), ids=lambda hazard: hazard.id)
def test_acts_are_told_as_they_are_read(hazard: Hazard) -> None:
    assert tuple(map(tell_act, hazard.acts)) == hazard.told


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ('"seize A"', '"sieze A"', "there is no 'sieze'"),
        ('"clean_shutdown 1"', '"clean_shutdown Q"', "'Q' is no device"),
        ("gsi_vectors = 178", 'gsi_vectors = "many"', "gsi_vectors"),
    ],
)
def test_a_mistake_has_its_line(good: str, bad: str, said: str, tmp_path: Path) -> None:
    text = HAZARDS.read_text(encoding="utf-8").replace(good, bad, 1)
    path = tmp_path / "hazards.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=said) as caught:
        load_hazards(path)
    assert caught.value.line is not None
