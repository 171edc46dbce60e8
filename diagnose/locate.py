"""Lay a line of an input on the story: which steps had happened when it was printed.

On the spine (dom0's log) the order is certain, and a step has happened once its first line there
is printed; an inferred one once the line is reached that is impossible without it. A log beside the
spine is joined by what it says: a line of it stands after the last step that has a line above it,
and a guest's line after the start of its domain. What lies between the last step that had surely
happened and the next one that surely had not may have happened, and is named.

**Invariant:** looks at places of lines, never at what they say.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from diagnose.errors import UsageError
from diagnose.events import Parsed
from diagnose.frames import Located
from diagnose.render.names import STANDARD_INPUT
from diagnose.story import Step
from diagnose.timeline import Timeline

Place = tuple[int, int]      # ordinal of a spine input, line


def locate(wanted: str, parsed: Parsed, timeline: Timeline, steps: Sequence[Step]) -> Located:
    """The place of `FILE:LINE` in a story that has steps.

    Raises UsageError where no input is meant, several may be, or the line does not exist.
    """
    name, number = _read(wanted, parsed)
    text = next((event.line.text for event in parsed.events
                 if (event.line.input, event.line.line) == (name, number)), None)
    own = [nth for nth, step in enumerate(steps)
           if any((e.line.input, e.line.line) == (name, number) for e in step.lines)]
    if own:
        return Located(name, number, text, own[-1], True)
    spine = any(source.log in timeline.spine_inputs for source in parsed.sources
                if source.name == name)
    places = _on_spine(timeline, steps) if spine else _beside(name, steps)
    here = (_order(timeline).get(name, -1), number) if spine else (0, number)
    passed = [nth for nth, place in enumerate(places) if place is not None and place <= here]
    if not any(places):
        raise UsageError(f"--at {wanted!r}: no step of this story has a line in {name}, so nothing "
                         "tells what had happened by then. Name a line of another input.")
    if spine and not passed:
        passed = [nth for nth in range(len(steps)) if not any(places[:nth + 1])]
    if not spine:
        passed += _birth(name, number, timeline, steps)
    reached = max(passed, default=-1)
    ahead = next((nth for nth, place in enumerate(places)
                  if nth > reached and place is not None and place > here), len(steps))
    return Located(name, number, text, None if reached < 0 else reached, False,
                   tuple(range(reached + 1, ahead)))


def _read(wanted: str, parsed: Parsed) -> tuple[str, int]:
    """The input and the line that are meant."""
    name, _, digits = wanted.rpartition(":")
    if not name or not digits.isdecimal():
        raise UsageError(f"--at {wanted!r} is no place in a log; write --at FILE:LINE, say "
                         f"--at {_example(parsed)}.")
    counts = {source.name: source.lines for source in parsed.sources}
    meant = _meant(name, counts)
    if len(meant) != 1:
        said = "may be several inputs" if meant else "is none of the inputs"
        raise UsageError(f"--at {wanted!r}: {name!r} {said}. Write one of "
                         f"{', '.join(meant or counts)}.")
    number, last = int(digits), counts[meant[0]]
    if not 1 <= number <= last:
        raise UsageError(f"--at {wanted!r}: {meant[0]} has {last} lines, so there is no line "
                         f"{number}. Lines count from 1.")
    return meant[0], number


def _example(parsed: Parsed) -> str:
    return f"{parsed.sources[0].name}:1" if parsed.sources else "dom0.log:1"


def _meant(name: str, known: Iterable[str]) -> list[str]:
    """The inputs that a full name, or the ending of one that begins where a part does, may mean."""
    found = [path for path in known if name in (path, STANDARD_INPUT.get(path))]
    return found or [path for path in known if path.endswith((f"/{name}", f"!{name}"))]


def _order(timeline: Timeline) -> Mapping[str, int]:
    """The inputs of the spine in their order."""
    return {name: nth for nth, name in enumerate(
        dict.fromkeys(item.event.line.input for item in timeline.items))}


def _on_spine(timeline: Timeline, steps: Sequence[Step]) -> list[Place | None]:
    """Where on the spine each step is first seen to have happened, as far as anything tells."""
    order = _order(timeline)
    places: list[Place | None] = []
    latest: Place = (-1, 0)
    for step in steps:
        own = [(order[event.line.input], event.line.line) for event in step.lines
               if event.line.input in order]
        if not own and step.at is not None:
            own = [(order[step.at.line.input], step.at.line.line)]
            # What merely follows on the step before it has no place of its own.
            own = own if own[0] > latest else []
        places.append(min(own, default=None))
        latest = max(latest, *own) if own else latest
    return places


def _beside(name: str, steps: Sequence[Step]) -> list[Place | None]:
    """Where each step is first seen in a log beside the spine."""
    return [min(((0, event.line.line) for event in step.lines if event.line.input == name),
                default=None) for step in steps]


def _birth(name: str, number: int, timeline: Timeline, steps: Sequence[Step]) -> list[int]:
    """The start of the domain whose guest printed the line: that boot of it has lines in steps."""
    boots = [segment for segment in timeline.segments if segment.events[0].line.input == name
             and segment.events[0].line.line <= number]
    own = {event.line for segment in boots[-1:] for event in segment.events}
    found = []
    for nth, step in enumerate(steps):
        if any(event.line in own for event in step.lines):
            found += [start for start in range(nth) if steps[start].act.op == "domain_start"
                      and steps[start].act.domid == step.act.domid][-1:]
    return found
