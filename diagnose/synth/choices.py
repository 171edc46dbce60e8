"""What can be chosen about an incident; whatever is left open is drawn.

Every choice has a stream of random numbers of its own, so that one that is given changes nothing
else: the same seed with more lost lines is the same story, with more of its lines lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from msgspec import Struct

from diagnose.errors import UsageError, nearest
from diagnose.synth.free import GUESTS_MAX, LIVES_MAX
from diagnose.synth.free import told as free
from diagnose.synth.kinds import EVERY, KINDS, Kind
from diagnose.synth.kinds_hazards import HAZARDS
from diagnose.synth.kinds_host import HOST
from diagnose.synth.kinds_rare import RARE
from diagnose.synth.stage import known_faults

FREE = "free"
STORIES: Mapping[str, Kind] = {
    FREE: Kind("drawn act by act: whatever can happen to some guests", EVERY, free),
    **KINDS, **RARE, **HOST, **HAZARDS,
}
ENVELOPES = ("plain", "syslog", "printk", "prio", "mixed")
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""The kernel's, from the gravest on."""
TRUNCATIONS = ("none", "head", "tail", "both")
VIEWS = ("full", "no-xen", "no-guest", "one-guest")
"""Which logs are there: all, none of Xen, none of a guest, of the guests only the first one's."""

Stream = Callable[[str], random.Random]
"""Name of what is to be decided → the numbers that decide it."""


class Choices(Struct, frozen=True):
    """What was asked for; None is anything.

    `fault` wants that fault to happen, under whatever name its devices have. `guests` and `lives`
    want a free story with so many. `level` is the lowest that dom0's log keeps, `lose` the
    probability of each line to be lost.
    """

    story: str | None = None
    row: str | None = None
    fault: str | None = None
    guests: int | None = None
    lives: int | None = None
    envelope: str | None = None
    level: str | None = None
    lose: float | None = None
    truncate: str | None = None
    view: tuple[str, ...] = ()
    interleave: bool | None = None
    noise: bool | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a value that does not exist, with the nearest that do."""
        for what, value in self._named():
            if value is not None and value not in NAMES[what]:
                raise UsageError(unknown(what, value))
        if self.lose is not None and not 0 <= self.lose <= 1:
            raise UsageError(f"--lose {self.lose:g} is no probability; give one from 0 to 1.")
        for what, number, most in (("guests", self.guests, GUESTS_MAX),
                                   ("lives", self.lives, LIVES_MAX)):
            if number is not None and not 1 <= number <= most:
                raise UsageError(f"--{what} {number} is out of range; give 1 to {most}.")
        if self.counted and self.story not in (None, FREE):
            raise UsageError(f"--guests and --lives are of a {FREE} story; {self.story!r} has its"
                             " own. Leave --story out.")
        if "full" in self.view and len(self.view) > 1:
            raise UsageError("--view full is everything; it goes with no other view.")
        if self.story and self.row and self.row not in STORIES[self.story].rows:
            rows = ", ".join(STORIES[self.story].rows)
            raise UsageError(f"The story {self.story!r} is not told on {self.row}, but on {rows}.")

    def _named(self) -> list[tuple[str, str | None]]:
        return [("story", self.story), ("row", self.row), ("fault", self.fault),
                ("envelope", self.envelope), ("level", self.level), ("truncate", self.truncate),
                *(("view", each) for each in self.view)]

    @property
    def counted(self) -> bool:
        """Whether the number of guests or lives is asked for."""
        return self.guests is not None or self.lives is not None


ANYTHING = Choices()

NAMES: Mapping[str, tuple[str, ...]] = {
    "story": tuple(STORIES),
    "row": EVERY,
    "fault": tuple(known_faults()),
    "envelope": ENVELOPES,
    "level": LEVELS,
    "truncate": TRUNCATIONS,
    "view": VIEWS,
}
"""Choice → its values."""


def unknown(what: str, value: str) -> str:
    """What to say of a value that a choice does not have."""
    like = nearest(value, NAMES[what])
    rest = f"did you mean {' or '.join(like)}?" if like else f"one of {', '.join(NAMES[what])}."
    return f"--{what} {value!r} does not exist; {rest}"
