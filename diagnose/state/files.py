"""Tell a state file from a log by what it holds, and read what its lines tell.

A file is of a kind if every line that begins at its margin is one of the kind's, and one of them is
a line that only this kind has. Its name counts for nothing.

**Invariant:** no line of a log is tried here but those by which the file is found to be one.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from diagnose.annotation import fold
from diagnose.events import Line, StateFact
from diagnose.grammar import Catalogue
from diagnose.lines import RawLine

HEAD_LINES = 256
"""So many lines at its beginning tell what a file is: examples of configurations begin with some
hundred lines of comment."""


class StateFile:
    """One state file while it is read: `kind` of file, and the `facts` so far."""

    def __init__(self, name: str, kind: str, catalogue: Catalogue) -> None:
        self.kind = kind
        self.facts: list[StateFact] = []
        self._name = name
        self._catalogue = catalogue
        self._above: dict[str, object] = {}

    def take(self, raw: RawLine) -> str:
        """Read one line; the class of the coverage in which it counts."""
        if raw.payload is None:
            return "unreadable"
        reading = self._catalogue.match(_payload(raw.payload)).reading
        if reading is None or not reading.production.state:
            return "known_noise"
        kind, _, of = reading.production.state.partition(" of ")
        fields = dict(reading.fields)
        if of in self._above:
            fields[of] = self._above[of]
        self._above.update(fields)
        line = Line(self._name, raw.number, raw.text)
        options = tuple(term.args[0] for term in reading.production.proves
                        if term.name == "option" and term.holds(fields, ""))
        self.facts.append(StateFact(kind, fields, line, reading.production.kind, None, options))
        return "events"


def recognised(name: str, lines: Iterator[RawLine],
               catalogue: Catalogue) -> tuple[StateFile | None, Iterator[RawLine]]:
    """The state file that these lines are of, None for a log; and all the lines, still unread."""
    head = list(islice(lines, HEAD_LINES))
    fitting = [(kind, own) for kind, own in catalogue.states.items() if _fits(head, own)]
    made = StateFile(name, *fitting[0]) if len(fitting) == 1 else None
    return made, chain(head, lines)


def _fits(head: Sequence[RawLine], catalogue: Catalogue) -> bool:
    shown = False
    for raw in head:
        if raw.payload is None:
            return False
        if not raw.payload or raw.payload.isspace():
            continue
        reading = catalogue.match(_payload(raw.payload)).reading
        if reading is None and not raw.payload[0].isspace():
            return False
        shown = shown or (reading is not None and reading.production.head)
    return shown


def _payload(text: str) -> str:
    return fold(text).strip(" ")
