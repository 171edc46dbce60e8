"""What every dressing is sewn with: its type, the name of the host, the gaps between lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from tests.dress.streams import Told

Dressing = Callable[[Sequence[Told]], list[str]]
Line = Callable[[Told], str]

HOST = "virthost4"


def per_line(form: Line) -> Dressing:
    """A dressing that puts every message into a line of its own."""
    return lambda told: [form(each) for each in told]


def gaps(told: Sequence[Told]) -> list[float]:
    """Seconds from each line to the next, nought for the first."""
    return [0.0, *((b.wall - a.wall).total_seconds() for a, b in pairwise(told))]
