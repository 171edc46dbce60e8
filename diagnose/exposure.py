"""Which known faults a kernel row can still run into, and what would keep each of them away.

**Invariant:** a fault is named only if the emulator ran into it on this very row, and a fix only if
the same story under it ends without that fault.
"""
from __future__ import annotations

from collections.abc import Collection, Sequence

from diagnose.diagnosis import Exposure
from diagnose.fixes import load_fixes
from diagnose.hazards import Hazard, Outcome, load_hazards, outcome
from diagnose.recommend import GUEST_HABITS
from diagnose.rules import Rule
from diagnose.whatif import as_it_was
from emulator.kernels import ROWS, Row


def outcomes(row: Row, rules: Sequence[Rule]) -> tuple[Outcome, ...]:
    """What comes of every hazard on the row, in the table's order."""
    return tuple(outcome(hazard, row, rules) for hazard in load_hazards())


def exposure(candidates: Sequence[Row], rules: Sequence[Rule],
             seen: Collection[str]) -> tuple[Exposure, ...]:
    """The faults that every candidate can run into, without those that are `seen` already.

    Each with its likeliest story and the most obtainable fix (empty if none helps), told of the
    first candidate.
    """
    accusing = [rule for rule in rules if not rule.harmless]
    reached = [[(each.hazard, set(each.faults)) for each in outcomes(row, accusing)]
               for row in candidates]
    common = set.intersection(*(set().union(*(faults for _, faults in each)) for each in reached))
    found: dict[str, Exposure] = {}
    for hazard, faults in reached[0]:
        for fault in sorted(faults & common - set(seen) - found.keys()):
            fix = _fix(hazard, candidates[0], accusing, fault)
            found[fault] = Exposure(fault, hazard.title, fix)
    return tuple(found.values())


def _fix(hazard: Hazard, row: Row, rules: Sequence[Rule], fault: str) -> str:
    """The first fix of the table under which the story ends without the fault."""
    rows = {other.name: other for other in ROWS}
    for fix in load_fixes():
        habit = GUEST_HABITS.get(fix.assume)
        other = rows.get(fix.assume)
        if other is row or (other is None and habit is None):
            continue
        result = outcome(hazard, other or row, rules, habit or as_it_was)
        if fault not in result.faults and not result.dies:
            return fix.id
    return ""
