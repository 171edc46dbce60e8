"""One line of one speaker with its time and level, before any envelope."""

from __future__ import annotations

from typing import NamedTuple

NOISE, BANNER, ANNOUNCED = "noise", "banner", "announced"
"""Kinds of records beside those of messages: of no meaning, of a host that boots, of a kexec."""


class Record(NamedTuple):
    """A line: `guest` is (boot, domid) of a speaking guest; `step` the act that printed it.

    `during` is the number of the act in whose course it was printed, -1 before all of them. Lines
    that mean nothing for the story are of the kind `NOISE`.
    """

    time: float
    speaker: str
    guest: tuple[int, int] | None
    level: str
    text: str
    step: int | None = None
    kind: str = ""
    during: int = -1
