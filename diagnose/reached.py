"""The stories of one kernel row that have come over a line, and which of them are worth following.

**Invariant:** compares prices and futures; knows no act and no line.
"""
from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from diagnose.story import Hypothesis

#: A story this much dearer than another one of its row, and no more consistent, is not followed:
#: "certain" means that no story within this horizon differs.
HORIZON = 20
NO_LIMIT = (1 << 30, 0)


class Reached:
    """The stories of one row that have come over a line: of equal futures the cheapest only."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._best: dict[tuple[object, ...], Hypothesis] = {}
        self._ranks: list[tuple[int, int]] = []
        self.limit = NO_LIMIT
        self.horizon = NO_LIMIT

    def too_dear(self, rank: tuple[int, int]) -> bool:
        """Whether a better story with as few contradictions makes this one not worth following."""
        return rank[0] == self.horizon[0] and rank > self.horizon

    def take(self, story: Hypothesis) -> None:
        """Keep the story unless a cheaper one has the same future."""
        key = story.key
        other = self._best.get(key)
        if other is not None and other.price <= story.price:
            return
        if other is not None:
            del self._ranks[bisect_left(self._ranks, other.rank)]
        self._best[key] = story
        insort(self._ranks, story.rank)
        contradictions, worth = story.rank
        self.horizon = min(self.horizon, (contradictions, worth + HORIZON))
        if len(self._ranks) >= self.room:
            self.limit = self._ranks[self.room - 1]

    def stories(self) -> Iterable[Hypothesis]:
        """All that were kept, in the order in which their futures were first reached."""
        return self._best.values()
