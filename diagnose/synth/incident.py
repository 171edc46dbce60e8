"""One made-up incident: a seed, a number and the choices give logs and a label, always the same.

**Invariant:** an incident depends on nothing else, so not on how many are made at once.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from diagnose.errors import UsageError
from diagnose.synth.beside import braid
from diagnose.synth.choices import ANYTHING, FREE, STORIES, Choices, Stream
from diagnose.synth.console import printed
from diagnose.synth.draft import Draft, Scenario
from diagnose.synth.free import told
from diagnose.synth.keep import choose, files, seen
from diagnose.synth.kinds import Kind
from diagnose.synth.label import label
from diagnose.synth.stage import Played, faults, play

TRIES_MAX = 400
"""So many stories are told before one with the fault that is wanted is given up."""
TELLINGS = 15
"""So often each kind of story is told to see whether it comes to the fault that is wanted."""
FREE_SHARE = 0.5
"""How many stories are free, where none is asked for."""
LABEL = "expected.json"


class Incident(NamedTuple):
    """Logs by file name, and what is to be found in them."""

    name: str
    texts: dict[str, str]
    expected: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write everything to a folder. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        expected = json.dumps(self.expected, indent=1)
        (folder / LABEL).write_text(expected + "\n", encoding="utf-8")


def make(seed: int, nth: int, choices: Choices = ANYTHING) -> Incident:
    """The nth incident of a seed. Raises UsageError if no story comes to the fault wanted."""
    for stream, scenario, played in _stories(seed, nth, choices):
        if choices.fault is None or _came_to(choices.fault, played):
            return _kept(f"{nth:04}-{scenario.kind}", stream, choices, scenario, played)
    where = "".join(f" {word} {name}" for word, name in
                    (("of the kind", choices.story), ("on", choices.row)) if name)
    raise UsageError(f"Incident {nth}: none of {TRIES_MAX} stories{where} came to {choices.fault};"
                     " it cannot happen there, or hardly ever. `diagnose kernels show` tells what"
                     " can.")


def _stories(seed: int, nth: int, choices: Choices) -> Iterator[tuple[Stream, Scenario, Played]]:
    """Stories that are as asked for, one after the other, each with its streams."""
    for attempt in range(TRIES_MAX):
        stream = partial(_stream, f"{seed}/{nth}/{attempt}")
        name, kind = _kind(stream("kind"), choices)
        draft = Draft(stream("story"), choices.row or stream("row").choice(kind.rows))
        if choices.counted:
            told(draft, choices.guests, choices.lives)
        else:
            kind.tell(draft)
        scenario = draft.scenario(name)
        yield stream, scenario, play(scenario.row, scenario.acts, strict=True)


def _stream(place: str, name: str) -> random.Random:
    return random.Random(f"{place}/{name}")


def _kind(rng: random.Random, choices: Choices) -> tuple[str, Kind]:
    """The kind that is asked for, or one that is told on the row that is.

    Where a fault is wanted, a kind that comes to it, if any is known to.
    """
    name = choices.story
    if name is None and (choices.counted or rng.random() < FREE_SHARE):
        name = FREE
    if name is None:
        told_there = tuple(each for each, kind in STORIES.items() if each != FREE
                           and choices.row in (None, *kind.rows))
        prone = _prone(choices.fault, choices.row) if choices.fault else ()
        name = rng.choice(prone or told_there)
    return name, STORIES[name]


@cache
def _prone(fault: str, row: str | None) -> tuple[str, ...]:
    """The kinds, but free ones, that come to a fault on a row, or on one of theirs."""
    return tuple(name for name, kind in STORIES.items()
                 if name != FREE and row in (None, *kind.rows) and _comes_to(name, fault, row))


def _comes_to(name: str, fault: str, row: str | None) -> bool:
    """Whether one of some tellings of a kind comes to the fault."""
    kind = STORIES[name]
    for nth in range(TELLINGS):
        draft = Draft(_stream(name, str(nth)), row or kind.rows[nth % len(kind.rows)])
        kind.tell(draft)
        if _came_to(fault, play(draft.row, draft.acts, strict=True)):
            return True
    return False


def _came_to(fault: str, played: Played) -> bool:
    return any(each == fault for each, _ in faults(played.steps))


def _kept(name: str, stream: Stream, choices: Choices, scenario: Scenario, played: Played,
          ) -> Incident:
    keeping = choose(stream, choices, scenario)
    records = printed(scenario, played.steps, stream("print"))
    if keeping.interleave:
        records = braid(records, played.steps, stream("braid"))
    kept = seen(records, keeping, scenario, stream)
    texts = files(kept, keeping, scenario, stream("tear"))
    return Incident(name, texts, label(scenario, keeping, played, kept, texts))
