"""Who wants to read every line."""

from __future__ import annotations

import math

from diagnose.lines import RawLine
from diagnose.sieve import Sieve


class Everything:
    """A listener that reads all, and counts what is no text and blank lines of long runs."""

    until = math.inf

    def __init__(self) -> None:
        self.no_text = self.blank = 0

    def sieve(self) -> Sieve | None:
        """Nothing is picked."""
        return None

    def prose(self) -> bool:
        """Nothing is picked."""
        return False

    def ready(self) -> bool:
        """Every line is shown."""
        return False

    def run(self, text: str, at: int) -> tuple[int, int]:
        """Every line is shown."""
        raise AssertionError(text, at)

    def back(self, raw: RawLine) -> int:
        """Nothing is picked."""
        raise AssertionError(raw)

    def passed_over(self, lines: int, empty: int) -> None:
        """Only blank lines of a long run are."""
        assert lines == empty
        self.blank += empty

    def unreadable(self, lines: int) -> None:
        """Count lines that are no text."""
        self.no_text += lines
