"""Hold the end of a story against what state files and dumps show.

A guest that a list shows alive after the story has ended it, or a pirq that Xen has mapped though
the story says that it has not: one of the two is wrong, and nobody is acquitted on such a story.

**Invariant:** accuses nobody, and speaks only where it is known that the state was seen later.
"""
from __future__ import annotations

from collections.abc import Sequence

from diagnose.diagnosis import Divergence
from diagnose.enact import ENDS
from diagnose.events import Event, Line, Parsed, StateFact
from diagnose.replay import Replay
from diagnose.state.host import Lives, dumped, living
from diagnose.story import Step


def contradictions(parsed: Parsed, played: Replay) -> tuple[Divergence, ...]:
    """A divergence for each guest, and each pirq of one, on which story and state disagree."""
    shown = list(living((*parsed.state, *dumped(parsed.events))))
    steps = [step for step in played.best.steps() if step.boot == played.best.boot]
    found = {(each.domid, each.pirq, each.fact.event): divergence for each in shown
             if (divergence := _told(each, steps, parsed, played)) is not None}
    return tuple(found.values())


def _told(each: Lives, steps: Sequence[Step], parsed: Parsed,
          played: Replay) -> Divergence | None:
    end = next((step for step in steps[::-1]
                if step.act.op in ENDS and step.act.domid == each.domid), None)
    if end is not None:
        cited = next((event for event in (*end.lines, end.at) if event is not None), None)
        if cited is None or not _later(each.fact, cited, parsed, played):
            return None
        return _divergence(each, (each.fact.line, cited.line),
                           f"it shows dom{each.domid} alive, and the story ended it before")
    state = played.best.state
    if each.pirq is None or not state.alive(each.domid) or _goes_on(each.fact, parsed):
        return None
    stale = {pair.pirq for device in state.owned(each.domid) for pair in state.pairs(device)} - \
        set(state.pirqs(each.domid))
    lines = [event.line for step in steps if step.act.domid == each.domid for event in step.lines]
    if each.pirq not in stale:
        return None
    return _divergence(each, (each.fact.line, *lines[-1:]), f"it shows pirq {each.pirq} bound by "
                       f"dom{each.domid}, and in the story Xen maps no such pirq for it")


def _divergence(each: Lives, lines: tuple[Line, ...], why: str) -> Divergence:
    return Divergence("observed-unexplained", each.fact.event, lines, why)


def _later(fact: StateFact, cited: Event, parsed: Parsed, played: Replay) -> bool:
    """Whether the state was seen after the line: files are, and dumps that nothing follows."""
    if fact.when is None:
        return True
    if fact.line.input == cited.line.input:
        return fact.line.line > cited.line.line
    times = played.timeline.times
    dump = next(event for event in parsed.events if event.line == fact.line)
    mine, other = times.window(dump), times.window(cited)
    if mine is not None and other is not None:
        return mine.boot == other.boot and mine.low > other.high
    return not _goes_on(fact, parsed)


def _goes_on(fact: StateFact, parsed: Parsed) -> bool:
    """Whether its log has anything but dumps after it, so that it is not the end that it shows."""
    return fact.when is not None and any(
        event.line.input == fact.line.input and event.line.line > fact.line.line
        and not event.production.state for event in parsed.events)
