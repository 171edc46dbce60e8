"""Acts of people and guests: against recorded plans, and story by story for every kernel row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.counters import DOMIDS_WINDOW
from emulator.invariants import violations
from emulator.kernels import ROWS, row
from emulator.life import EMITS, Act, Crash, Impossible, Outcome, perform
from emulator.pci import PciAddress
from emulator.state import State
from tests.conform.reading import read
from tests.conform.text import log_of
from tests.conform.trace import boot, traits_of
from tests.emulator.plan import acts_of, saves_state

HERE = Path(__file__).parent
A = PciAddress.parse("0000:01:10.0")
B = PciAddress.parse("0000:05:11.2")
ROW_NAMES = tuple(each.name for each in ROWS)


def tell(row_name: str, *acts: Act, state: State | None = None) -> list[Outcome]:
    """The outcomes of a story; each device of the story is seized first."""
    traits = row(row_name).traits
    outcomes = []
    if state is None:
        state = State.boot()
        for device in dict.fromkeys(device for act in acts for device in act.devices):
            state = perform(traits, state, Act("seize", device=device)).state
    for act in acts:
        outcome = perform(traits, state, act)
        assert {effect.kind for effect in outcome.effects} <= EMITS[act.op], act
        outcomes.append(outcome)
        state = outcome.state
    return outcomes


def start(domid: int, *devices: PciAddress) -> Act:
    return Act("domain_start", domid, devices=devices)


def load(domid: int, device: PciAddress, nvec: int = 3) -> Act:
    return Act("driver_load", domid, device, nvec=nvec)


def up(domid: int, device: PciAddress) -> Act:
    return Act("ifup", domid, device)


def names(outcomes: list[Outcome]) -> list[str]:
    """The violations of a story, each named once, in order."""
    found = [each.name for outcome in outcomes for each in violations(outcome.deeds)]
    return list(dict.fromkeys(found))


def kinds(outcome: Outcome) -> list[str]:
    return [effect.kind for effect in outcome.effects]


# --- against the recorded plans


def test_acts_print_what_the_recorded_guests_and_toolstack_made_the_kernels_print() -> None:
    compared = 0
    for scenario in read(HERE / "scenarios.jsonl.gz"):
        acts = acts_of(scenario["plan"])
        # A crash ends a recording, and xend's own refusals never reach a kernel.
        if acts is None or any("crash" in each or _refused(each) for each in scenario["steps"]):
            continue
        compared += 1
        traits = traits_of(scenario)._replace(guest_save_state_fails=saves_state(scenario["plan"]))
        state = perform(traits, boot(scenario), Act("host_boot")).state
        log = []
        for act in acts:
            outcome = perform(traits, state, act)
            assert {effect.kind for effect in outcome.effects} <= EMITS[act.op]
            state = outcome.state
            log += [list(line) for line in log_of(outcome.effects)]
        assert log == [line for step in scenario["steps"] for line in step["log"]], scenario["id"]
    assert compared >= 60


def _refused(step: Mapping[str, Any]) -> bool:
    return bool(step["op"] == "assign" and step["ret"] != 0)


# --- the flagship story and its neighbours, row by row

REBOOT = (start(1, A), load(1, A), up(1, A), Act("clean_shutdown", 1), start(2, A), load(2, A))
DESTROY = (start(1, A), load(1, A), up(1, A), Act("destroy", 1), start(2, A), load(2, A))
UNLOAD = (
    start(1, A),
    load(1, A),
    up(1, A),
    Act("driver_unload", 1, A),
    Act("clean_shutdown", 1),
    start(2, A),
    load(2, A),
)
STALE: list[str] = ["pairs_left", "stale_served"]
OWN = ["own_unmap_refused"]
EXPECTED: Mapping[str, tuple[list[str], list[str], list[str]]] = {
    "el5": (STALE, STALE, []),
    "el5+1070": (STALE, OWN, []),
    "el5+945+956+1070": (STALE, OWN, []),
    "el5+prune": ([], [], []),
    "el5-283": ([], OWN, []),
}


@pytest.mark.parametrize("name", ROW_NAMES)
def test_how_a_guest_ends_decides_what_the_next_one_is_given(name: str) -> None:
    found = tuple(names(tell(name, *story)) for story in (REBOOT, DESTROY, UNLOAD))
    assert found == EXPECTED[name]


def test_stale_pirqs_are_served_silently_and_refused_at_ifup() -> None:
    *_, loaded, ifup = tell("el5", *REBOOT, up(2, A))
    assert kinds(loaded)[2:] == ["msix_entry_not_freed"] * 3
    assert kinds(ifup) == ["failed_obtain_pirq"] * 3
    assert [deed.pirq for deed in ifup.deeds] == [255, 254, 253]
    assert {(deed.kind, deed.same_life, deed.from_domid) for deed in ifup.deeds} == {
        ("bind_refused", False, 1)
    }


def test_reload_of_the_driver_heals() -> None:
    *_, unload, reload = tell("el5", *REBOOT, Act("driver_unload", 2, A), load(2, A))
    assert kinds(unload) == ["dom0_get_owner", "xen_pirq_not_mapped", "unmap_irq_failed"] * 3
    assert {each.name for each in violations(unload.deeds)} == {"stale_unmap_refused"}
    assert names([reload]) == []


@pytest.mark.parametrize("name", ROW_NAMES)
def test_kexec_reuses_the_own_pairs(name: str) -> None:
    outcomes = tell(name, start(1, A), load(1, A), up(1, A), Act("kexec", 1), load(1, A), up(1, A))
    assert names(outcomes) == ["own_pairs_reused"]


def test_a_lingering_domain_lets_the_flush_succeed() -> None:
    story = (start(1, A), load(1, A), Act("destroy", 1, fault=("linger", 1, 0)))
    outcome = tell("el5+1070", *story)[-1]
    assert kinds(outcome) == ["dom0_get_owner"] * 3
    assert names([outcome]) == []
    assert outcome.state.kind(1) is None


def test_flr_before_the_teardown_closes_the_gate_of_1070() -> None:
    story = (start(1, A), load(1, A), Act("flr", device=A), Act("destroy", 1))
    assert names(tell("el5+1070", *story)) == ["pairs_left"]
    assert names(tell("el5-283", *story)) == []


# --- collisions

MIXED = (start(1, A), load(1, A), Act("clean_shutdown", 1), start(2, A, B), load(2, A), load(2, B))


def test_stale_and_fresh_pirqs_collide_in_one_guest() -> None:
    outcomes = tell("el5", *MIXED, up(2, A), up(2, B))
    found = [each for outcome in outcomes for each in violations(outcome.deeds)]
    shared = [each for each in found if each.name == "shared_pirq"]
    assert {(each.device, each.other, each.note) for each in shared} == {
        (B, A, "mapped"),
        (B, A, "refused"),
    }
    assert kinds(outcomes[-1]) == ["irq_handler_type_mismatch", "igbvf_irq_failed"]


def test_flushing_stale_pairs_takes_the_neighbours_pirqs() -> None:
    unload = tell("el5", *MIXED, up(2, B), Act("driver_unload", 2, A))[-1]
    foreign = violations(unload.deeds)
    assert {(each.name, each.device, each.other, each.domid) for each in foreign} == {
        ("foreign_unmapped", B, A, 2)
    }
    assert kinds(unload) == ["dom0_get_owner", "xen_forcing_unbind"] * 3


def test_a_destroyed_vf_flushes_its_stale_pairs_from_dom0() -> None:
    pf = PciAddress.parse("0000:01:00.0")
    state = perform(row("el5").traits, State.boot(), load(0, pf, 2)).state
    state = perform(row("el5").traits, state, Act("seize", device=A)).state
    outcome = tell(
        "el5",
        start(1, A),
        load(1, A),
        Act("clean_shutdown", 1),
        Act("vf_destroy", device=A),
        state=state,
    )[-1]
    found = [(each.name, each.device, each.pirq) for each in violations(outcome.deeds)]
    assert found == [
        ("foreign_unmapped", pf, 255),
        ("foreign_unmapped", pf, 254),
        ("dom0_unmap_refused", A, 253),
    ]


def test_a_reloaded_pf_gives_an_empty_record() -> None:
    outcomes = tell("el5", *REBOOT[:4], Act("pf_reload", device=A))
    state = outcomes[-1].state
    assert state.pairs(A) == ()
    assert state.present(A)
    assert not state.seized(A)


# --- refusals


def test_a_busy_device_refuses_the_second_domain() -> None:
    outcome = tell("el5", start(1, A), start(2, A))[-1]
    (violation,) = violations(outcome.deeds)
    assert (violation.name, violation.device, violation.domid) == ("assign_refused", A, 2)
    assert (violation.from_domid, violation.note) == (1, "busy")
    assert outcome.effects[0].fields == {"domid": 2, "devid": 0, "errno": 22, "device": A}


def test_a_device_without_stub_refuses_the_domain() -> None:
    outcome = tell("el5", start(1, A), state=State.boot())[-1]
    assert [each.note for each in violations(outcome.deeds)] == ["no stub"]


def test_a_refused_map_rolls_the_request_back() -> None:
    act = load(1, A)._replace(fault=("map_pirq", 2, -28))
    outcome = tell("el5", start(1, A), act)[-1]
    assert kinds(outcome)[2:] == [
        "dom0_get_owner",
        "dom0_get_owner",
        "map_irq_failed",
        "dom0_get_owner",
        "enable_msix_get_err",
        "get_from_frontend_enable_msix",
        "igbvf_msix_failed",
    ]
    (violation,) = violations(outcome.deeds)
    assert (violation.name, violation.entry_nr, violation.note) == ("map_refused", 1, "ENOSPC")
    assert outcome.state.pairs(A) == ()
    assert outcome.state.loaded(1, A) == ()
    assert outcome.state.faults == ()


IMPOSSIBLE = {
    "driver in a dead domain": (start(1, A), Act("destroy", 1), load(1, A)),
    "driver for another's device": (start(1, A), start(2, B), load(2, A)),
    "driver twice": (start(1, A), load(1, A), load(1, A)),
    "domid twice": (start(1, A), Act("destroy", 1), start(1, A)),
    "seized twice": (start(1, A), Act("seize", device=A)),
    "up twice": (start(1, A), load(1, A), up(1, A), up(1, A)),
    "down while down": (start(1, A), load(1, A), Act("ifdown", 1, A)),
    "release of a free device": (Act("release", device=A),),
    "no such act": (Act("dance", 1),),
    "partial address": (Act("seize", device=PciAddress.from_devfn(0x80)),),
    "device that is gone": (Act("vf_destroy", device=A), Act("seize", device=A)),
    "destroying dom0": (Act("destroy", 0),),
    "a full virtual bus": (
        start(1, *(PciAddress(0, 1 + at // 32, at % 32, 0) for at in range(33))),
    ),
    "no such fault": (start(1, A), load(1, A)._replace(fault=("gremlin", 1, 0))),
}


@pytest.mark.parametrize("why", IMPOSSIBLE)
def test_what_cannot_happen_is_impossible(why: str) -> None:
    with pytest.raises(Impossible):
        tell("el5", *IMPOSSIBLE[why])


def test_a_dying_hypervisor_is_an_impossible_act_that_says_so() -> None:
    unbound = (start(1, A), load(1, A), up(1, A), Act("release", device=A))
    with pytest.raises(Crash, match="BUG_ON"):
        tell("el5", *unbound)


# --- HVM, placeholders, memory


def test_hvm_guests_leave_the_record_alone() -> None:
    hvm = Act("domain_start", 1, devices=(A,), kind="hvm")
    outcomes = tell("el5", hvm, load(1, A), Act("clean_shutdown", 1), start(2, A), load(2, A))
    assert names(outcomes) == []
    assert kinds(outcomes[1]) == []


def test_hvm_owner_of_a_stale_record_is_named_by_what_is_left() -> None:
    hvm = Act("domain_start", 2, devices=(A,), kind="hvm")
    outcome = tell("el5", *REBOOT[:4], hvm, Act("teardown", 2))[-1]
    assert {(each.name, each.domid, each.from_domid) for each in violations(outcome.deeds)} == {
        ("pairs_left", 2, 1)
    }


def test_a_state_answers_who_has_what() -> None:
    before = tell("el5", start(1, A, B), load(1, A, 2), up(1, A))[-1].state
    assert (before.owner(A), before.owned(1), before.assignment(A)) == (1, (A, B), 1)
    assert (before.alive(1), before.alive(2), before.kind(1)) == (True, False, "pv")
    assert (before.loaded(1, A), before.loaded(1, B)) == ((255, 254), None)
    assert (before.is_up(1, A), before.is_up(1, B)) == (True, False)
    assert (before.backend_state(1), before.backend_state(2)) == (4, None)
    assert [tuple(pair) for pair in before.pairs(A)] == [(255, 0, 1, 1), (254, 1, 1, 1)]
    assert (before.pirqs(1), before.pirqs(2)) == ((254, 255), ())
    after = tell("el5", Act("destroy", 1), state=before)[-1].state
    assert (after.owner(A), after.owned(1), after.alive(1)) == (None, (), False)
    assert (after.seized(A), after.pirqs(1), len(after.pairs(A))) == (True, (), 2)
    assert before.living() == (1,)


def test_domids_may_be_placeholders() -> None:
    unknown = 32_752 + 7
    story = (start(unknown, A), load(unknown, A), Act("clean_shutdown", unknown), start(3, A))
    outcomes = tell("el5", *story)
    state = outcomes[-1].state
    assert (state.highest_domid, state.living()) == (3, (3,))
    assert state.was_used(unknown)
    with pytest.raises(Impossible):
        tell("el5", start(unknown, A), state=state)


def test_ten_thousand_reboots_leave_no_trace() -> None:
    traits = row("el5-283").traits
    state = perform(traits, State.boot(), Act("seize", device=A)).state
    sizes = set()
    for domid in range(1, 10_001):
        for act in (start(domid, A), load(domid, A), Act("clean_shutdown", domid)):
            state = perform(traits, state, act).state
        sizes.add((len(state.domains), len(state.guests), len(state.backends)))
    assert sizes == {(1, 0, 0)}
    assert (state.descriptors, state.free_vectors) == ({}, State.boot().free_vectors)
    assert state.domids.recent.bit_length() <= DOMIDS_WINDOW
