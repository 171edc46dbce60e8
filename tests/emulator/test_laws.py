"""Laws of the machine, for any story: Hypothesis draws numbers, each picks one of the acts that
suggest themselves in the state reached, on two functions of one slot, a third virtual function and
a physical one.

Most picks can happen; those that cannot are skipped, and what they began must not show.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.grammar import print_line
from emulator.effects import DEEDS
from emulator.invariants import VIOLATIONS, check, violations
from emulator.kernels import ROWS, Traits
from emulator.life import ACTS, EMITS, FAULTS, Act, Impossible, Outcome, perform
from emulator.pci import PciAddress
from emulator.records import PLACEHOLDER_FIRST, DeviceConfig
from emulator.state import State

FUNCTIONS = ("0000:01:10.0", "0000:01:10.2", "0000:05:11.0", "0000:02:00.0")
DEVICES = tuple(PciAddress.parse(text) for text in FUNCTIONS)
PHYSICAL = DEVICES[-1]  # it can be told to use MSI or its legacy interrupt

traits = st.builds(
    lambda row, shutdown, save, window, cleared: row.traits._replace(
        guest_shutdown=shutdown,
        guest_save_state_fails=save,
        teardown_window=window,
        hw_bit_cleared_before_reset=cleared,
    ),
    st.sampled_from(ROWS),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(("gone", "zombie")),
    st.booleans(),
)
ENDS = ("clean_shutdown", "clean_shutdown", "destroy", "crash", "teardown")

stories = st.lists(st.integers(0, 2**24 - 1), min_size=20, max_size=60)
law = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def pick(state: State, number: int) -> Act:
    """One of the acts that suggest themselves; the number decides which and with what."""
    number, fault = divmod(number, 32)
    number, kind = divmod(number, 8)
    number, nvec = divmod(number, 5)
    groups = suggestions(state, "hvm" if kind == 0 else "pv", nvec + 1)
    likely = [group for group in groups for _ in range(group[0]) if group[1]]
    number, group_at = divmod(number, len(likely))
    suggested = likely[group_at][1]
    act = suggested[number % len(suggested)]
    if fault < len(FAULTS):
        act = act._replace(fault=(tuple(FAULTS)[fault], 1 + nvec % 3, (-28, 0)[nvec % 2]))
    return act


def suggestions(state: State, kind: str, nvec: int) -> list[tuple[int, list[Act]]]:
    """Groups of acts with their weights, so that stories get somewhere."""
    free = tuple(device for device in DEVICES if state.owner(device) is None)
    domid = state.highest_domid + 1
    starts = [
        Act("domain_start", domid, devices=wanted, kind=kind)
        for wanted in (free[:2], free[:1], free[1:], free, DEVICES[1:])
    ]
    if not state.was_used(PLACEHOLDER_FIRST + domid):
        starts.append(Act("domain_start", PLACEHOLDER_FIRST + domid, devices=free[:2]))
    seizable = [device for device in free if not state.seized(device) and state.present(device)]
    owned = [(each, device) for each in state.living() for device in state.owned(each)]
    owned += [(0, device) for device in seizable[:1]]
    loaded = [
        (each, driver.device) for each, guest in state.guests.items() for driver in guest.drivers
    ]
    idle = [each for each in owned if state.loaded(*each) is None]
    down = [each for each in loaded if not state.is_up(*each)]
    return [
        (3, [Act("seize", device=device) for device in seizable]),
        (5, starts if free else []),
        (8, [Act("driver_load", *each, nvec=nvec) for each in idle]),
        (9, [Act("driver_load", *each, nvec=1, mode=mode) for each in idle
             if each[1] == PHYSICAL for mode in ("msi", "intx")]),
        (6, [Act("ifup", *each) for each in down]),
        (1, [Act("ifdown", *each) for each in loaded]),
        (2, [Act("driver_unload", *each) for each in loaded]),
        (5, [Act(op, each) for each in state.living() for op in ENDS]),
        (1, [Act("kexec", each) for each in state.living()]),
        (1, [Act(op, device=device) for device in DEVICES for op in ("release", "flr")]),
        (1, [Act(op, device=device) for device in DEVICES for op in ("vf_destroy", "pf_reload")]),
        (1, [Act("host_boot")] * (nvec == 1) + [Act("pf_reload", devices=DEVICES)]),
    ]


def beginning(kernel: Traits) -> State:
    """A host with two of the virtual functions and the physical one seized."""
    state = State.boot([DeviceConfig(PHYSICAL, has_msi=True, is_vf=False, irq=16)])
    for device in (*DEVICES[:2], PHYSICAL):
        state = perform(kernel, state, Act("seize", device=device)).state
    return state


def run(kernel: Traits, story: list[int]) -> list[tuple[State, Act, Outcome]]:
    """(state before, act, outcome) for each pick that can happen."""
    state = beginning(kernel)
    done = []
    for number in story:
        act = pick(state, number)
        try:
            outcome = perform(kernel, state, act)
        except Impossible:
            continue
        done.append((state, act, outcome))
        state = outcome.state
    return done


@law
@given(traits, stories)
def test_perform_is_pure_and_deterministic(kernel: Traits, story: list[int]) -> None:
    first = run(kernel, story)
    for before, act, outcome in first:
        again = perform(kernel, before, act)
        assert again == outcome
        assert hash(again.state) == hash(outcome.state)
        assert again.state.essence() == outcome.state.essence()
    assert run(kernel, story) == first


@law
@given(traits, stories)
def test_an_old_state_is_unchanged_by_later_acts(kernel: Traits, story: list[int]) -> None:
    state = beginning(kernel)
    kept = [(state, state.key())]
    for number in story:
        try:
            state = perform(kernel, state, pick(state, number)).state
        except Impossible:
            # What an impossible act had begun must not show either.
            assert state.key() == kept[-1][1]
            continue
        kept.append((state, state.key()))
    assert [each.key() for each, _ in kept] == [key for _, key in kept]


@law
@given(traits, stories)
def test_no_act_breaks_a_law_of_the_ledgers(kernel: Traits, story: list[int]) -> None:
    for _, _, outcome in run(kernel, story):
        check(outcome.state)


@law
@given(traits, stories)
def test_every_effect_deed_and_violation_is_in_its_table(kernel: Traits, story: list[int]) -> None:
    for _, act, outcome in run(kernel, story):
        assert {each.kind for each in outcome.effects} <= EMITS[act.op], act
        assert all(print_line(each.kind, each.fields) for each in outcome.effects)
        assert {each.kind for each in outcome.deeds} <= set(DEEDS)
        assert {each.name for each in violations(outcome.deeds)} <= set(VIOLATIONS)


@law
@given(traits, stories)
def test_renumbering_the_domids_renumbers_the_outcome_and_nothing_else(
    kernel: Traits, story: list[int]
) -> None:
    def shifted(domid: int | None) -> int | None:
        if domid is None or domid == 0 or domid >= PLACEHOLDER_FIRST:
            return domid
        return domid * 3 + 100

    state = beginning(kernel)
    for _, act, plain in run(kernel, story):
        moved = perform(kernel, state, act._replace(domid=shifted(act.domid)))
        state = moved.state
        assert [each.kind for each in moved.effects] == [each.kind for each in plain.effects]
        renumbered = [
            each._replace(domid=shifted(each.domid) or 0, from_domid=shifted(each.from_domid))
            for each in violations(plain.deeds)
        ]
        assert list(violations(moved.deeds)) == renumbered


@law
@given(traits, stories, st.lists(st.integers(0, 2**24 - 1), min_size=3, max_size=3))
def test_equal_essence_means_equal_future(
    kernel: Traits, story: list[int], numbers: list[int]
) -> None:
    """A leaked reference, an ordinal or a vector's number decides nothing that a line can show."""
    by_essence: dict[object, State] = {}
    for _, _, outcome in run(kernel, story):
        twin = by_essence.setdefault(outcome.state.essence(), outcome.state)
        for number in numbers:
            act = pick(outcome.state, number)
            if act.op == "domain_start":
                # Used domids are no part of the essence: take one that is new to both.
                act = act._replace(domid=max(twin.highest_domid, outcome.state.highest_domid) + 1)
            assert _answer(kernel, twin, act) == _answer(kernel, outcome.state, act)


def _answer(kernel: Traits, state: State, act: Act) -> object:
    try:
        outcome = perform(kernel, state, act)
    except Impossible:
        return "impossible"
    return outcome.effects, outcome.deeds, outcome.state.essence()


@law
@given(stories)
def test_with_the_prune_no_teardown_leaves_a_pair(story: list[int]) -> None:
    """The fix of bug 688673 does what it is for, whatever else happens."""
    for kernel in (each.traits for each in ROWS if each.traits.reset_prunes):
        for _, _, outcome in run(kernel, story):
            found = {each.name for each in violations(outcome.deeds)}
            assert "pairs_left" not in found


def test_the_stories_reach_what_the_laws_are_about() -> None:
    """Every act, every violation and all effects but the rarest occur in stories of this kind."""
    acts: set[str] = set()
    kinds: set[str] = set()
    names: set[str] = set()
    for seed in range(300):
        chance = random.Random(seed)
        story = [chance.randrange(2**24) for _ in range(60)]
        for _, act, outcome in run(ROWS[seed % len(ROWS)].traits, story):
            acts.add(act.op)
            kinds.update(each.kind for each in outcome.effects)
            names.update(each.name for each in violations(outcome.deeds))
    assert acts == set(ACTS)
    assert names == set(VIOLATIONS)
    assert {kind for each in EMITS.values() for kind in each} - kinds == RARE


# What the code behind an act can print, and these stories never make it print.
RARE = {
    "cant_enable_msi_msix_assigned",  # some driver must have left MSI-X enabled before
    "xen_core_pci_warn",  # Xen must have forgotten a device behind dom0's back
    "xen_evtchnop_32",  # a guest must bind what it holds
}
