"""Run a story again on another machine: another kernel row, other deaths, a guest that tidies up.

This is the proof behind every recommendation: no sentence anywhere says which fix is enough.

**Invariant:** acts only; needs no line of any log.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from diagnose.enact import ENDS
from diagnose.story import Step
from emulator.invariants import Violation, violations
from emulator.kernels import Row
from emulator.life import Act, Impossible, Outcome, perform
from emulator.recall import Recall, Stopped
from emulator.state import State

Change = Callable[[State, Act], Iterable[Act]]


def as_it_was(_state: State, act: Act) -> Iterable[Act]:
    """Change nothing."""
    return (act,)


def unload_first(state: State, act: Act) -> Iterable[Act]:
    """The guest unloads its drivers before it goes down in an orderly way."""
    if act.op == "clean_shutdown" and act.domid is not None:
        for device in sorted(state.owned(act.domid)):
            if state.loaded(act.domid, device) is not None:
                yield Act("driver_unload", act.domid, device)
    yield act


def dying(op: str) -> Change:
    """Every owner that had a driver loaded dies in the given way."""
    def change(state: State, act: Act) -> Iterable[Act]:
        if act.op in ENDS and act.domid is not None and any(
                state.loaded(act.domid, d) is not None for d in state.owned(act.domid)):
            act = act._replace(op=op)
        return (act,)
    return change


class Run(Struct, frozen=True):
    """One act of a story that was run again; `outcome` is None where it cannot happen there."""

    step: Step                # the story's own step that stands behind it
    act: Act
    outcome: Outcome | None
    refusal: str              # why it cannot happen


def runs(steps: Sequence[Step], row: Row, change: Change = as_it_was) -> Iterator[Run]:
    """The same story under `row`, act by act, from a host that has just come up."""
    state = State.boot()
    for step in steps:
        for act in change(state, step.act):
            try:
                outcome = perform(row.traits, state, act)
            except Impossible as error:
                yield Run(step, act, None, str(error))
            else:
                state = outcome.state
                yield Run(step, act, outcome, "")


def rerun(steps: Sequence[Step], row: Row, change: Change = as_it_was) -> list[Step]:
    """The same story under `row`. Acts that cannot happen there are left out.

    The steps that come back have no lines: nobody printed them.
    """
    return [_bare(run.step, run.act, violations(run.outcome.deeds))
            for run in runs(steps, row, change) if run.outcome is not None]


def side_by_side(steps: Sequence[Step], variants: Sequence[tuple[Row, Change]]) -> list[list[Step]]:
    """What `rerun` gives for each of these rows and changes, which mostly go the same way.

    Steps of one meaning are one object in all of them.
    """
    recall = Recall()
    states = [State.boot() for _ in variants]
    stories: list[list[Step]] = [[] for _ in variants]
    for step in steps:
        recall.keep(states)
        made: dict[tuple[Act, tuple[Violation, ...]], Step] = {}
        for nth, (row, change) in enumerate(variants):
            for act in change(states[nth], step.act):
                came = recall.perform(row.traits, states[nth], act)
                if not isinstance(came, Stopped):
                    states[nth], broken = came.state, violations(came.deeds)
                    stories[nth].append(made.setdefault((act, broken), _bare(step, act, broken)))
    return stories


def _bare(step: Step, act: Act, broken: tuple[Violation, ...]) -> Step:
    """A step that nobody printed."""
    return Step(None, act, False, "", step.boot, (), (), broken, None)


def final_state(steps: Sequence[Step], row: Row) -> State:
    """The state in which a story leaves the machine."""
    state = State.boot()
    for run in runs(steps, row):
        state = run.outcome.state if run.outcome is not None else state
    return state


def tried(state: State, row: Row, acts: Sequence[Act]) -> list[Step]:
    """What acts would do from a state, e.g. those of a recovery."""
    steps = []
    for act in acts:
        outcome = perform(row.traits, state, act)
        state = outcome.state
        steps.append(Step(None, act, False, "", 0, (), (), violations(outcome.deeds), None))
    return steps
