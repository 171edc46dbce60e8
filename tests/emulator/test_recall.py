"""What is remembered of acts is what would come of them, and one object stands for equal ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import recall as remembering
from emulator.kernels import ROWS, Traits
from emulator.life import Act, Crash, Impossible, Outcome, perform
from emulator.recall import Came, Recall, Stopped
from emulator.state import State
from tests.emulator.test_laws import DEVICES, beginning, law, pick, stories, traits

SEIZE = Act("seize", device=DEVICES[0])
START = Act("domain_start", 1, devices=DEVICES[:1])
TWICE = Act("seize", device=DEVICES[1])


def came(kernel: Traits, state: State, act: Act) -> Came:
    """What comes of the act, without any memory."""
    try:
        return perform(kernel, state, act)
    except Impossible as error:
        return Stopped(str(error), isinstance(error, Crash))


@law
@given(st.lists(traits, min_size=2, max_size=3), stories, st.booleans())
def test_what_is_recalled_is_what_would_come_of_it(
    kernels: list[Traits], story: list[int], forgets: bool
) -> None:
    memory, states = Recall(), [beginning(kernel) for kernel in kernels]
    for number in story:
        act = pick(states[0], number)
        if forgets:
            memory.keep(states)
        told = [memory.perform(*each, act) for each in zip(kernels, states, strict=True)]
        assert told == [came(*each, act) for each in zip(kernels, states, strict=True)]
        states = [
            state if isinstance(each, Stopped) else each.state
            for state, each in zip(states, told, strict=True)
        ]


def test_rows_share_what_an_act_does_not_ask() -> None:
    memory, state = Recall(), State.boot()
    seized = [memory.perform(row.traits, state, SEIZE) for row in ROWS]
    states = {id(each.state): each.state for each in seized if not isinstance(each, Stopped)}
    assert len(states) == 1  # the reset asks what it shall do, and there is nothing to be done
    (state,) = states.values()
    assert len({id(memory.perform(row.traits, state, START)) for row in ROWS}) == 1


@pytest.mark.parametrize(
    ("kept", "most", "performed"),
    [
        (True, 1000, [SEIZE, TWICE]),
        (False, 1000, [SEIZE, TWICE, SEIZE, TWICE]),
        (True, 1, [SEIZE, TWICE, SEIZE, TWICE]),
    ],
)
def test_what_is_kept_is_not_performed_again(
    kept: bool, most: int, performed: list[Act], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Act] = []

    def noting(kernel: Traits, state: State, act: Act) -> Outcome:
        done.append(act)
        return perform(kernel, state, act)

    monkeypatch.setattr(remembering, "ACTS_MAX", most)
    monkeypatch.setattr(remembering, "perform", noting)
    memory, state = Recall(), State.boot()
    for _ in range(2):
        for act in (SEIZE, TWICE):
            memory.perform(ROWS[0].traits, state, act)
        memory.keep([state] if kept else [])
    assert done == performed
