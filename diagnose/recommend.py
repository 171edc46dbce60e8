"""Which change would have prevented this story: ask the machine, then look the change up.

**Invariant:** whether a fix is enough comes from a run, never from a table.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from diagnose.diagnosis import Recommendation, WhatIf
from diagnose.fixes import Fix, load_fixes
from diagnose.judge import Key, fault_keys
from diagnose.rules import Rule
from diagnose.story import Step
from diagnose.whatif import Change, as_it_was, dying, final_state, rerun, tried, unload_first
from emulator.kernels import ROWS, Row
from emulator.life import Act, Impossible

#: Obtainable first, then what has to be built, then what has to be remembered.
_ORDER = ("upgrade", "backport", "workaround", "recover")
GUEST_HABITS: Mapping[str, Change] = {"workaround-unload-driver": unload_first}
_DEATHS = (("clean", "clean_shutdown"), ("abrupt", "destroy"))


class Trial(Struct, frozen=True):
    """One assumption and the findings that are left under it."""

    assume: str
    title: str
    left: frozenset[Key]


def trials(rules: Sequence[Rule], steps: Sequence[Step], row: Row) -> list[Trial]:
    """The story under every row, then under its own with each habit of the guest."""
    found = [Trial(other.name, other.title, frozenset(fault_keys(rules, rerun(steps, other))))
             for other in ROWS]
    titles = {fix.assume: fix.title for fix in load_fixes()}
    for name, change in GUEST_HABITS.items():
        left = fault_keys(rules, rerun(steps, row, change))
        found.append(Trial(name, titles.get(name, name), frozenset(left)))
    return found


def whatif_reports(found: Sequence[Trial], ids: Mapping[Key, str]) -> tuple[WhatIf, ...]:
    """Each trial as the report shows it: the ids of the findings gone and left."""
    return tuple(WhatIf(trial.assume,
                        tuple(i for key, i in ids.items() if key not in trial.left),
                        tuple(i for key, i in ids.items() if key in trial.left), trial.title)
                 for trial in found)


def recommendations(rules: Sequence[Rule], steps: Sequence[Step], row: Row,
                    found: Sequence[Trial], keys: frozenset[Key]) -> tuple[Recommendation, ...]:
    """Fixes that remove something of this story, sufficient ones first."""
    if not keys:
        return ()
    made = []
    by_assumption = {trial.assume: trial for trial in found}
    for fix in load_fixes():
        trial = by_assumption.get(fix.assume)
        if fix.kind == "recover":
            made.extend(_recovery(rules, steps, row, fix))
        elif trial is not None and fix.assume != row.name and keys - trial.left:
            enough = not keys & trial.left
            made.append(Recommendation(fix.id, fix.kind, enough, _covers(rules, steps, row, fix),
                                       fix.text, fix.references, fix.title))
    return tuple(sorted(made, key=lambda r: (r.kind == "recover", not r.sufficient,
                                             _ORDER.index(r.kind))))


def _covers(rules: Sequence[Rule], steps: Sequence[Step], row: Row, fix: Fix) -> tuple[str, ...]:
    """The kinds of death after which the story, with this fix, leaves no fault."""
    assumed = next((other for other in ROWS if other.name == fix.assume), row)
    habit = GUEST_HABITS.get(fix.assume, as_it_was)
    covered = []
    for name, op in _DEATHS:
        deaths = rerun(steps, row, dying(op))
        if not fault_keys(rules, rerun(deaths, assumed, habit)):
            covered.append(name)
    return tuple(covered)


def _recovery(rules: Sequence[Rule], steps: Sequence[Step], row: Row,
              fix: Fix) -> list[Recommendation]:
    """Reload the driver in the guest that holds dead vectors now: does the machine heal?"""
    state = final_state(steps, row)
    made = []
    for domid in state.living():
        for device in sorted(state.owned(domid)):
            vectors = state.loaded(domid, device)
            attached = {pair.from_domid for pair in state.pairs(device)}
            if vectors is None or not attached - {domid}:
                continue
            acts = [Act("driver_unload", domid, device),
                    Act("driver_load", domid, device, nvec=max(len(vectors), 1))]
            try:
                after = tried(state, row, acts)
            except Impossible:
                continue
            healed = not after[-1].violations
            if healed:
                made.append(fix)
    if not made:
        return []
    return [Recommendation(fix.id, fix.kind, False, (), fix.text, fix.references, fix.title)]
