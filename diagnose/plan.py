"""A proposal of the search: what may have been done, and where a line shows it.

**Invariant:** a value; what comes of it is tried elsewhere.
"""
from __future__ import annotations

from msgspec import Struct

from diagnose.costs import costs
from emulator.life import Act


class Plan(Struct, frozen=True):
    """Inferred acts, then the act that prints the line; `prior` of them came before the log."""

    before: tuple[Act, ...]
    act: Act
    cost: int = 0
    prior: int = 0
    rare: bool = False         # asked for only where nothing else explains the line

    @property
    def price(self) -> int:
        """The least that this can add to a story's cost."""
        return self.cost + sum(costs().inferred[act.op] for act in self.before)
