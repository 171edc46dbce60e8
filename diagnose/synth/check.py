"""Diagnoses made-up incidents and holds what is said against what happened.

Of every fault that happened the diagnosis finds it or leaves it out. It *abstained* where it left
something out that nobody could know, or called inconclusive what nobody had to; it *missed* what
could be known; it was *false* where it told what did not happen; it is *wrong* in any other way
that the judge tells. The gravest counts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from traceback import extract_tb
from typing import Any

from msgspec import Struct, field

from diagnose import pipeline
from diagnose.reader import from_bytes
from diagnose.synth.incident import Incident
from diagnose.synth.judge import happened, judge

RESULTS = ("right", "abstained", "wrong", "missed", "false", "broken")
"""From the best to the worst."""
_COLUMNS: Mapping[str, str] = {"missed": "missed", "false": "false", "broken": "broken"}


class Checked(Struct, frozen=True):
    """What became of one incident: the worst of `RESULTS`, the report, and every difference."""

    name: str
    result: str
    report: Mapping[str, Any]
    differences: Sequence[str]


class Summary(Struct):
    """How many incidents ended how."""

    results: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All of them."""
        return self.results.total()

    @property
    def good(self) -> bool:
        """Whether nothing differs from the labels."""
        return not any(self.results[each] for each in RESULTS if each not in ("right", "abstained"))


def check(incident: Incident) -> Checked:
    """The judgement of one incident; that the diagnosis breaks is one, too."""
    logs = [from_bytes(name, text.encode()) for name, text in sorted(incident.texts.items())]
    try:
        report = json.loads(json.dumps(pipeline.diagnose(logs).to_json()))
    except Exception as error:
        # A mistake in the program is what a check looks for, and the next incident is another one.
        frame = extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
        return Checked(incident.name, "broken", {},
                       [f"broken: {type(error).__name__} {error} at {place}"])
    differences = judge(incident.texts, incident.expected, report)
    return Checked(incident.name, _result(incident, report, differences), report, differences)


def _result(incident: Incident, report: Mapping[str, Any], differences: Sequence[str]) -> str:
    columns = {each.partition(":")[0] for each in differences}
    if columns:
        return max((_COLUMNS.get(each, "wrong") for each in columns), key=RESULTS.index)
    told = {(each["fault"], each["device"]) for each in report["findings"]}
    left_out = happened(incident.expected) - told
    undecided = report["verdict"] == "inconclusive" and len(incident.expected["verdicts"]) > 1
    return "abstained" if left_out or undecided else "right"
