"""What is kept of a case that was tried, and of each of many incidents that were judged.

Of thousands of diagnoses only this stays in memory, and it is what crosses from one process to
another.

**Invariant:** values only, and small ones: texts and numbers, never a diagnosis or a log.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from msgspec import Struct, field

from diagnose.diagnosis import Confidence, FixKind, How, Verdict, encode
from diagnose.events import LeftOut

SCHEMA = "diagnose.triage/1"
NAMES_MAX = 3
"""So many incidents of a group are remembered by name."""

OutcomeVerdict = Verdict | Literal["unreadable", "broken"]
CaseState = Literal["passed", "updated", "failed", "unreadable"]


class Difference(Struct, frozen=True):
    """One header of a case that its diagnosis contradicts; both sides as the header is written.

    An empty text means that the side has no such header.
    """

    header: str
    expected: str
    got: str

    def __str__(self) -> str:
        expected, got = (text or f"no such {self.header}" for text in (self.expected, self.got))
        return f"{self.header}: expected {expected}, got {got}"


class Tried(Struct, frozen=True):
    """One case, tried. `golden` is a unified diff from the golden report to the report of now.

    `fired` holds the ids of the rules that made a finding or excused a line. `note` says what was
    done to the golden report, or why nothing was; `error` why the case could not be tried.
    """

    path: str
    state: CaseState
    seconds: float = 0.0
    differences: tuple[Difference, ...] = ()
    golden: tuple[str, ...] = ()
    fired: tuple[str, ...] = ()
    note: str = ""
    error: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing is left to be mended."""
        return self.state in ("passed", "updated")


class FindingBrief(Struct, frozen=True):
    """A finding without its proof."""

    fault: str
    device: str
    confidence: Confidence
    domids: tuple[int, ...]


class KernelBrief(Struct, frozen=True):
    """The kernel row that the story ran under, how it was found, and the rows that fit as well."""

    row: str | None
    how: How
    alternatives: tuple[str, ...]


class FixBrief(Struct, frozen=True):
    """The first fix that is enough for the incident's story."""

    fix: str
    kind: FixKind
    text: str


class Outcome(Struct, frozen=True):
    """One incident, judged. Findings stand causes first; `missing` is what its logs lack most.

    "unreadable": there was nothing to diagnose; "broken": this program failed, or its process was
    killed. For both `error` tells what happened, and nothing is known but the inputs.
    `seconds` is how long it took: the one value that is not the same in every run.
    """

    incident: str
    verdict: OutcomeVerdict
    signature: str | None = None
    findings: tuple[FindingBrief, ...] = ()
    kernel: KernelBrief | None = None
    fix: FixBrief | None = None
    missing: str | None = None
    inputs: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    error: str | None = None
    seconds: float = 0.0

    @property
    def read(self) -> bool:
        """Whether there was a diagnosis."""
        return self.error is None

    def to_json(self) -> dict[str, object]:
        """Plain JSON values with the keys of `diagnose.triage/1`."""
        encoded = encode(self)
        assert isinstance(encoded, dict)
        return {"schema": SCHEMA, **encoded}


class Group(Struct):
    """Incidents with one signature: how many, the first few by name, and what they share."""

    first: Outcome
    count: int = 0
    names: list[str] = field(default_factory=list)


class Tally(Struct):
    """What many incidents come to; it grows with their kinds and not with their number."""

    verdicts: Counter[OutcomeVerdict] = field(default_factory=Counter)
    groups: dict[str, Group] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.verdicts[outcome.verdict] += 1
        if outcome.signature is not None:
            group = self.groups.setdefault(outcome.signature, Group(outcome))
            group.count += 1
            if len(group.names) < NAMES_MAX:
                group.names.append(outcome.incident)

    @property
    def total(self) -> int:
        """How many incidents were counted."""
        return self.verdicts.total()

    @property
    def read(self) -> int:
        """How many of them had something to read."""
        return self.total - self.verdicts["unreadable"] - self.verdicts["broken"]

    def ranked(self) -> list[Group]:
        """The groups, those of the most incidents first, equal ones as they came."""
        return sorted(self.groups.values(), key=lambda group: -group.count)
