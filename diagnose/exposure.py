"""Which known faults a kernel row can still run into, and what would keep each of them away.

**Invariant:** a fault is named only if the emulator ran into it on this very row, and a fix only if
the same story under it ends without that fault.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from msgspec.structs import replace

from diagnose.diagnosis import Exposure
from diagnose.fixes import load_fixes
from diagnose.hazards import Hazard, load_hazards, outcome
from diagnose.reach import Reach, Way, load_reach, story
from diagnose.recommend import GUEST_HABITS
from diagnose.rules import Rule
from diagnose.whatif import as_it_was
from emulator.kernels import ROWS, Row

NOTHING = Reach("", 0, 0, 0, ())


def exposure(candidates: Sequence[Row], rules: Sequence[Rule],
             seen: Collection[str]) -> tuple[Exposure, ...]:
    """The faults that every candidate can run into, without those that are `seen` already.

    Each with the likeliest story that leads there on the first candidate, and the most obtainable
    fix that keeps the fault out of all such stories (empty if none does).
    """
    accusing = [rule for rule in rules if not rule.harmless]
    first, *others = [_dangers(row, accusing) for row in candidates]
    common = set(first).intersection(*others) - set(seen)
    return tuple(Exposure(fault, dangers[0].title, _fix(dangers, candidates[0], accusing, fault))
                 for fault, dangers in first.items() if fault in common)


def _dangers(row: Row, rules: Sequence[Rule]) -> dict[str, list[Hazard]]:
    """Fault → stories that lead there, the likeliest first: by the shortest way that is known.

    What is just an operator's mistake is no danger of a kernel's.
    """
    ways: dict[str, list[Way]] = defaultdict(list)
    for way in load_reach().get(row.name, NOTHING).ways:
        ways[way.hazard].append(way)
    dangers: dict[str, list[Hazard]] = defaultdict(list)
    for hazard in load_hazards():
        if hazard.mistake:
            continue
        for way in ways[hazard.id]:
            if way.fault:
                dangers[way.fault].append(replace(hazard, acts=story(way), guest_shutdown=0))
        if not ways[hazard.id]:
            for fault in outcome(hazard, row, rules).faults:
                dangers[fault].append(hazard)
    return dangers


def _fix(dangers: Sequence[Hazard], row: Row, rules: Sequence[Rule], fault: str) -> str:
    """The first fix of the table under which all stories end without the fault."""
    rows = {other.name: other for other in ROWS}
    for fix in load_fixes():
        habit = GUEST_HABITS.get(fix.assume)
        other = rows.get(fix.assume)
        if other is row or (other is None and habit is None):
            continue
        results = (outcome(danger, other or row, rules, habit or as_it_was) for danger in dangers)
        if not any(fault in each.faults or each.dies for each in results):
            return fix.id
    return ""
