"""Which lines of an input have to be read, and which only if they hold a cue; all are counted.

**Invariant:** a line that may say something, or tell what another one says, is wanted.
"""
from __future__ import annotations

import math

from diagnose.grammar import Catalogue
from diagnose.lines import RawLine, Reading
from diagnose.quoting import Shape
from diagnose.sieve import Sieve

SHAPE_BYTES = 1 << 20
"""So much of an input tells whether it is a log or a text that quotes logs."""
TORN_LINES = 1000
"""So many lines behind a torn one are all read."""


class Attention:
    """What is wanted of one input (see `sift.Listener`), as far as it has been read."""

    def __init__(self, reading: Reading, catalogue: Catalogue) -> None:
        self.reading = reading
        self.shape = Shape()
        self.until: float = 0
        self.counts: dict[str, int] = {}        # lines by their class in the coverage
        self._catalogue = catalogue
        self._started = self._every = False

    def sieve(self) -> Sieve | None:
        """What picks the lines that may say something.

        All are wanted at the beginning, which tells what an input is; of a text that quotes logs;
        where each line counts for the time of the next, or a record is spread over lines; and for
        a while behind a torn record, or one with escapes shown as dots: where one was cut or
        spoilt, others may be, in the middle of their cues.
        """
        if self._judged and self.shape.passages:
            self.read_all()
        if self._every or not self._started or not self.reading.offset:
            return None
        return self._catalogue.sieve

    def prose(self) -> bool:
        """Whether lines of prose are wanted as well."""
        return self._judged

    def passed_over(self, lines: int, empty: int) -> None:
        """Count lines that say nothing."""
        if empty:
            self._count("known_noise", empty)
        self._count("unknown", lines - empty)
        if self._judged:
            self.shape.filled += lines - empty

    def unreadable(self, lines: int) -> None:
        """Count lines that are no text."""
        self._count("unreadable", lines)

    def _count(self, verdict: str, lines: int = 1) -> None:
        if lines:
            self.counts[verdict] = self.counts.get(verdict, 0) + lines

    def read_all(self) -> None:
        """From here on every line is wanted."""
        self._every = True
        self.until = math.inf

    def _near(self, raw: RawLine) -> None:
        """For a while every line is wanted."""
        self.until = max(self.until, raw.number + TORN_LINES)

    @property
    def _judged(self) -> bool:
        """Whether it is still open what shape the input has."""
        return self._every or self.reading.offset < SHAPE_BYTES
