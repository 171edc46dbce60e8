"""The proposals for one line of the spine, made once for all stories that look alike there.

**Invariant:** a proposal depends on nothing of a story that `_outlook` does not hold.
"""
from __future__ import annotations

from diagnose.guess import resets_matter
from diagnose.plan import Plan
from diagnose.propose import plans
from diagnose.story import Hypothesis
from diagnose.timeline import Timeline
from emulator.state import State


class Proposals:
    """What may have happened where the search stands, for each of the stories that it follows."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._known: dict[tuple[object, ...], tuple[State, list[Plan]]] = {}

    def begin(self) -> None:
        """The search has come to another line."""
        self._known.clear()

    def ranked(self, hyp: Hypothesis, at: int, strict: bool) -> list[Plan]:
        """The proposals of `propose.plans`, those first that can add the least to the cost."""
        outlook = _outlook(hyp, at, strict)
        known = self._known.get(outlook)
        if known is None:
            proposed = plans(self.timeline, hyp, at, strict)
            known = hyp.state, sorted(proposed, key=lambda plan: plan.price)
            self._known[outlook] = known
        return known[1]


def _outlook(hyp: Hypothesis, at: int, strict: bool) -> tuple[object, ...]:
    """Stories that are alike in this are offered the same; states are told apart by identity."""
    return (id(hyp.state), hyp.boot, hyp.history_open, hyp.lives, hyp.mask, hyp.xen_mask,
            hyp.newest, hyp.unknowns, resets_matter(hyp.row), at, strict)
