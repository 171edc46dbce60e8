"""Short names of inputs, for texts that people read.

A report cites its inputs in every second line. Where they were given as long paths, the last part
of each tells them apart just as well.

**Invariant:** no two inputs ever get the same name, and no input gets the path of another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_PARTS = re.compile(r"[/!]")
"""What ends a part of a name: a folder's slash, or the mark between an archive and its member."""

STANDARD_INPUT = {"-": "<stdin>"}
"""What a sentence calls the input that was given as a bare dash."""


def brief(paths: Iterable[str]) -> dict[str, str]:
    """Each path → the shortest ending of it, cut where a part begins, that ends no other path."""
    endings = {path: _endings(STANDARD_INPUT.get(path, path)) for path in paths}
    shared = Counter(ending for own in endings.values() for ending in own)
    return {
        path: next((ending for ending in own if shared[ending] == 1), path)
        for path, own in endings.items()
    }


def _endings(path: str) -> list[str]:
    """The endings of a path that are names, shortest first; the last one is the path itself."""
    starts = [0, *(mark.end() for mark in _PARTS.finditer(path))]
    return [path[start:] for start in reversed(starts) if start < len(path)]
