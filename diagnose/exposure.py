"""Which known faults a kernel row can still run into, and what would keep each of them away.

**Invariant:** a fault is named only if the emulator ran into it on this very row, and a fix only if
the same story under it ends without that fault.
"""
from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from diagnose.diagnosis import Exposure
from diagnose.fixes import load_fixes
from diagnose.hazards import Hazard, load_hazards, outcome
from diagnose.reach import Reach, load_reach, story
from diagnose.recommend import GUEST_HABITS
from diagnose.rules import Rule
from diagnose.whatif import as_it_was
from emulator.kernels import ROWS, Row

NOTHING = Reach("", 0, 0, 0, ())


def exposure(candidates: Sequence[Row], rules: Sequence[Rule],
             seen: Collection[str]) -> tuple[Exposure, ...]:
    """The faults that every candidate can run into, without those that are `seen` already.

    Each with the shortest story that is known and the most obtainable fix (empty if none helps),
    told of the first candidate.
    """
    accusing = [rule for rule in rules if not rule.harmless]
    reached = [list(_dangers(row, accusing)) for row in candidates]
    common = set.intersection(*({fault for fault, _ in each} for each in reached)) - set(seen)
    found: dict[str, Exposure] = {}
    for fault, danger in reached[0]:
        if fault in common and fault not in found:
            fix = _fix(danger, candidates[0], accusing, fault)
            found[fault] = Exposure(fault, danger.title, fix)
    return tuple(found.values())


def _dangers(row: Row, rules: Sequence[Rule]) -> Iterator[tuple[str, Hazard]]:
    """(fault, story that leads there): first those of the search, then those of other hazards.

    What is just an operator's mistake is no danger of a kernel's.
    """
    ways = load_reach().get(row.name, NOTHING).ways
    hazards = {hazard.id: hazard for hazard in load_hazards() if not hazard.mistake}
    for way in ways:
        if way.fault and way.hazard in hazards:
            yield way.fault, replace(hazards[way.hazard], acts=story(way))
    for hazard in hazards.values():
        if all(way.hazard != hazard.id for way in ways):
            for fault in outcome(hazard, row, rules).faults:
                yield fault, hazard


def _fix(danger: Hazard, row: Row, rules: Sequence[Rule], fault: str) -> str:
    """The first fix of the table under which the story ends without the fault."""
    rows = {other.name: other for other in ROWS}
    for fix in load_fixes():
        habit = GUEST_HABITS.get(fix.assume)
        other = rows.get(fix.assume)
        if other is row or (other is None and habit is None):
            continue
        result = outcome(danger, other or row, rules, habit or as_it_was)
        if fault not in result.faults and not result.dies:
            return fix.id
    return ""
