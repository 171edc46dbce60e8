"""Sets of files that one log was rotated into: which belong together, and in what order.

`messages-20110601`, `messages.2.gz` and `messages.1` are older parts of `messages`; a date or a
number in a name that nothing else shares a beginning with is just a part of the name.

**Invariant:** names decide; nothing is opened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from diagnose.bundle.names import natural

_PACKED = r"(?:\.(?:gz|bz2|xz|zst|lz4))?"
_ROTATED = re.compile(
    rf"(?P<log>.+?)(?:[-.](?P<date>\d{{8}})(?:-(?P<time>\d{{2,10}}))?|\.(?P<number>\d{{1,4}})"
    rf"|\.(?P<old>old))?{_PACKED}", re.DOTALL)


class Part(Struct, frozen=True):
    """A file as a part of a log: `age` grows from the oldest part to the one still written."""

    log: str
    age: tuple[int, int, int]
    numbered: bool


def part_of(name: str) -> Part:
    """What a name tells: dates come before numbers, these before the log itself."""
    told = _ROTATED.fullmatch(name)
    if told is None:
        return Part(name, (2, 0, 0), False)
    if told["date"]:
        return Part(told["log"], (0, int(told["date"]), int(told["time"] or 0)), False)
    if told["number"]:
        return Part(told["log"], (1, -int(told["number"]), 0), True)
    return Part(told["log"], (1, 0, 0) if told["old"] else (2, 0, 0), bool(told["old"]))


def logs(names: Sequence[str]) -> list[tuple[str, list[int]]]:
    """The logs that files are parts of: name, and the places of the parts, oldest first.

    A log stands where its first part does. Numbered files are parts only of a log that is there.
    """
    parts = [part_of(name) for name in names]
    whole = {part.log for part in parts if part.age[0] == 2}
    found: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        alone = part.numbered and part.log not in whole
        found.setdefault(names[place] if alone else part.log, []).append(place)
    return [(names[places[0]] if len(places) == 1 else log,
             sorted(places, key=lambda place: (parts[place].age, natural(names[place]))))
            for log, places in found.items()]
