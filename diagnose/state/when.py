"""When a state was seen: a file as it was collected, a dump at the stamp of its line.

A file tells no time of its own. It is taken to be made when the logs were, so after all that they
tell, and in the last host boot of which they do.

**Invariant:** what may have been seen earlier is never called later.
"""
from __future__ import annotations

from diagnose.events import Event, Line, Parsed, StateFact
from diagnose.replay import Replay


class Moments:
    """Whether states were seen after lines of the logs, and whether their logs go on."""

    def __init__(self, parsed: Parsed, played: Replay) -> None:
        self._times = played.timeline.times
        self._boots = played.best.boot + 1
        self._dumps: dict[Line, tuple[int, Event]] = {}
        self._ends: dict[str, int] = {}
        for place, event in enumerate(parsed.events):
            if event.production.state:
                self._dumps[event.line] = place, event
            else:
                self._ends[event.log] = place

    def later(self, fact: StateFact, cited: Event) -> bool:
        """Whether the state was seen after that line, by their place, by the clocks, or because
        nothing follows on the dump: it was then made as the logs were collected.
        """
        if fact.when is None:
            return True
        place, dump = self._dumps[fact.line]
        if dump.line.input == cited.line.input:
            return dump.line.line > cited.line.line
        mine, other = self._times.window(dump), self._times.window(cited)
        if mine is not None and other is not None:
            return mine.boot == other.boot and mine.low > other.high
        return self._boots == 1 and self._ends.get(dump.log, -1) < place

    def last(self, fact: StateFact) -> bool:
        """Whether nothing but dumps follows on the state in its own log."""
        if fact.when is None:
            return True
        place, dump = self._dumps[fact.line]
        return self._ends.get(dump.log, -1) < place
