"""Does the same work on many items, in as many processes as are wanted, and tells the results in
their order.

**Invariant:** results do not depend on the number of processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def ordered(
    work: Callable[[T], R], items: Sequence[T], jobs: int, died: Callable[[T], R]
) -> Iterator[R]:
    """`work` of every item, in the order of the items, by `jobs` processes.

    With one job, or one item, all is done in this process, and an end of it is the end; `died`
    tells what becomes of an item that has killed its process. What `work` raises is raised here in
    its turn.
    """
    jobs = min(jobs, len(items))
    if jobs <= 1:
        yield from map(work, items)
        return
    from diagnose.pool import shared  # what it stands on takes its time to load

    yield from shared(work, items, jobs, died)
