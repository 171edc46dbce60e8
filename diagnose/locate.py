"""Lay a line of an input on the story: which steps had happened when it was printed.

On the spine (dom0's log) the order is certain, and a step has happened once its first line there
is printed; an inferred one once the line is reached that is impossible without it. A log beside the
spine is joined by what it says, so only its lines that belong to a step have a place, and others
stand after the last of these.

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
    spine = name in timeline.spine_inputs
    reached = _on_spine(name, number, timeline, steps) if spine else _beside(name, number, steps)
    following = 0 if reached is None else reached + 1
    telling = timeline.spine_inputs if spine else {name}
    silent = following < len(steps) and not any(
        event.line.input in telling for event in steps[following].lines)
    return Located(name, number, text, reached, False, following if silent else None)


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


def _on_spine(name: str, number: int, timeline: Timeline, steps: Sequence[Step]) -> int | None:
    order = {source: nth for nth, source in enumerate(
        dict.fromkeys(item.event.line.input for item in timeline.items))}
    here = (order.get(name, -1), number)
    begun = [_began(step, order) for step in steps]
    reached = [nth for nth, place in enumerate(begun) if place is not None and place <= here]
    first = next((nth for nth, place in enumerate(begun) if place is not None), len(steps))
    return max(reached, default=first - 1 if first else None)


def _began(step: Step, order: Mapping[str, int]) -> Place | None:
    """Where on the spine a step is first seen to have happened; None before and after the log."""
    own = [(order[event.line.input], event.line.line) for event in step.lines
           if event.line.input in order]
    if not own and step.at is not None:
        own = [(order[step.at.line.input], step.at.line.line)]
    return min(own, default=None)


def _beside(name: str, number: int, steps: Sequence[Step]) -> int | None:
    """The last step that this log has a line of, up to the line; UsageError if it has none."""
    told = [(nth, e.line.line) for nth, step in enumerate(steps) for e in step.lines
            if e.line.input == name]
    if not told:
        raise UsageError(f"--at {name}:{number}: no step of this story has a line in {name}, so "
                         "nothing tells what had happened by then. Name a line of another input.")
    passed = [nth for nth, line in told if line <= number]
    return max(passed) if passed else min(nth for nth, _ in told) - 1 if told[0][0] else None
