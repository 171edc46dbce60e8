"""Which change would have prevented this story: ask the machine, then look the change up.

**Invariant:** whether a fix is enough comes from a run, never from a table.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from diagnose.diagnosis import Recommendation, WhatIf
from diagnose.fixes import Fix, load_fixes
from diagnose.judge import Key, fault_keys
from diagnose.rules import Rule
from diagnose.story import Step
from diagnose.whatif import (
    Change,
    as_it_was,
    dying,
    final_state,
    side_by_side,
    tried,
    unload_first,
)
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
    titles = {fix.assume: fix.title for fix in load_fixes()}
    named = [(other.name, other.title) for other in ROWS] + \
        [(name, titles.get(name, name)) for name in GUEST_HABITS]
    left = _left(rules, steps, [assumption(name, row) for name, _ in named])
    return [Trial(*each, keys) for each, keys in zip(named, left, strict=True)]


def assumption(name: str, row: Row) -> tuple[Row, Change]:
    """The row, or with the story's own `row` the habit of guests, that a fix's `assume` names."""
    other = next((other for other in ROWS if other.name == name), row)
    return other, GUEST_HABITS.get(name, as_it_was)


def _left(rules: Sequence[Rule], steps: Sequence[Step],
          variants: Sequence[tuple[Row, Change]]) -> list[frozenset[Key]]:
    """What the rules find in each variant of the story; those that come to the same, once."""
    judged: dict[tuple[int, ...], frozenset[Key]] = {}
    found = []
    for story in side_by_side(steps, variants):
        same = tuple(map(id, story))
        if same not in judged:
            judged[same] = frozenset(fault_keys(rules, story))
        found.append(judged[same])
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
    left = {trial.assume: trial.left for trial in found if trial.assume != row.name}
    helping = [fix.assume for fix in load_fixes()
               if fix.kind != "recover" and keys - left.get(fix.assume, keys)]
    covers = _covers(rules, steps, row, dict.fromkeys(helping))
    made = []
    for fix in load_fixes():
        if fix.kind == "recover":
            made.extend(_recovery(steps, row, fix))
        elif fix.assume in covers:
            enough, covered = not keys & left[fix.assume], tuple(covers[fix.assume])
            made.append(Recommendation(fix.id, fix.kind, enough, covered, fix.text, fix.references,
                                       fix.title))
    return tuple(sorted(made, key=lambda r: (r.kind == "recover", not r.sufficient,
                                             _ORDER.index(r.kind))))


def _covers(rules: Sequence[Rule], steps: Sequence[Step], row: Row,
            names: Iterable[str]) -> dict[str, list[str]]:
    """Assumption → the kinds of death after which the story leaves no fault under it."""
    covered: dict[str, list[str]] = {name: [] for name in names}
    variants = [assumption(name, row) for name in covered]
    if not covered:
        return covered
    deaths = side_by_side(steps, [(row, dying(op)) for _, op in _DEATHS])
    for (death, _), story in zip(_DEATHS, deaths, strict=True):
        for name, left in zip(covered, _left(rules, story, variants), strict=True):
            if not left:
                covered[name].append(death)
    return covered


def _recovery(steps: Sequence[Step], row: Row, fix: Fix) -> list[Recommendation]:
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
