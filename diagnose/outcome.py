"""What is kept of a case that was tried: values for the lines on a screen, files and tests.

**Invariant:** values only, and small ones: texts and numbers, never a diagnosis or a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

CaseState = Literal["passed", "updated", "failed", "unreadable"]


class Difference(NamedTuple):
    """One header of a case that its diagnosis contradicts; both sides as the header is written.

    An empty text means that the side has no such header.
    """

    header: str
    expected: str
    got: str

    def __str__(self) -> str:
        expected, got = (text or f"no such {self.header}" for text in self[1:])
        return f"{self.header}: expected {expected}, got {got}"


@dataclass(frozen=True, slots=True)
class Tried:
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
