"""What was not read, told in short and at length.

**Invariant:** the order is that of the names, and depends neither on archives nor on disks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from diagnose.bundle.names import natural
from diagnose.events import LeftOut

SHOWN_MAX = 200
"""So many are told by name; a bundle holds thousands of files that are no logs."""


def tally(met: Sequence[LeftOut]) -> str:
    """How many were not read for which reason, the commonest first."""
    counts = sorted(Counter(each.why for each in met).items(), key=lambda item: (-item[1], item[0]))
    things = "thing in it was" if len(met) == 1 else "things in it were"
    return f"{len(met)} {things} not read" + "".join(
        f"{', ' if nth else ': '}{count} × {why}" for nth, (why, count) in enumerate(counts))


def shown(met: Iterable[Sequence[LeftOut]]) -> list[LeftOut]:
    """The first ones by name, of each given input."""
    return [each for own in met for each in
            sorted(own, key=lambda left: natural(left.path))[:SHOWN_MAX]]
