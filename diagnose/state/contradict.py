"""Hold the end of a story against the domains that tools, state files and dumps tell of.

A guest whose end the tool stack tells and that the story leaves running, one that a list shows
alive after the story has ended it, one that runs to the end and is in no list, or a pirq that Xen
has mapped though the story says that it has not: one of the two is wrong, and nobody is acquitted
on such a story.

**Invariant:** accuses nobody, and speaks only where it is known that the state was seen later.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence

from diagnose.diagnosis import Divergence
from diagnose.enact import ENDS
from diagnose.events import Event, Line, Parsed, StateFact
from diagnose.replay import Replay
from diagnose.state.functions import differing
from diagnose.state.host import Lives, dumped, lists, living
from diagnose.state.when import Moments
from diagnose.story import Step, known_domid
from emulator.state import State


def contradictions(parsed: Parsed, played: Replay) -> tuple[Divergence, ...]:
    """A divergence for each guest, pirq and device on which story and state disagree."""
    shown = [*parsed.state, *dumped(parsed.events)]
    dead = tuple(_dead(played))
    if not shown:
        return dead
    moments = Moments(parsed, played)
    steps = [step for step in played.best.steps() if step.boot == played.best.boot]
    found = {(each.domid, each.pirq, each.fact.event): divergence for each in living(shown)
             if (divergence := _told(each, steps, played.best.state, moments)) is not None}
    return (*dead, *found.values(), *_unlisted(parsed.state, steps, played.best.state),
            *differing(shown, played, moments))


def _dead(played: Replay) -> Iterator[Divergence]:
    """Guests whose end a tool tells, with the vectors on record, and that the story leaves running.
    """
    end = played.best.state
    for domid, (_, event) in played.timeline.ends.items():
        if end.alive(domid) and any(end.loaded(domid, device) for device in end.owned(domid)):
            yield Divergence("observed-unexplained", event.kind, (event.line,),
                             f"it tells that dom{domid} ended, and in the story it still runs")


def _told(each: Lives, steps: Sequence[Step], state: State,
          moments: Moments) -> Divergence | None:
    end = next((step for step in steps[::-1]
                if step.act.op in ENDS and step.act.domid == each.domid), None)
    if end is not None:
        cited = next((event for event in (*end.lines, end.at) if event is not None), None)
        if cited is None or not moments.later(each.fact, cited):
            return None
        return _divergence(each.fact, (each.fact.line, cited.line),
                           f"it shows dom{each.domid} alive, and the story ended it before")
    if each.pirq is None or not state.alive(each.domid) or not moments.last(each.fact):
        return None
    stale = {pair.pirq for device in state.owned(each.domid) for pair in state.pairs(device)} - \
        set(state.pirqs(each.domid))
    lines = _lines(steps, each.domid)
    if each.pirq not in stale or (lines and not moments.later(each.fact, lines[-1])):
        return None
    return _divergence(each.fact, (each.fact.line, *(event.line for event in lines[-1:])),
                       f"it shows pirq {each.pirq} bound by dom{each.domid}, and in the story Xen "
                       "maps no such pirq for it")


def _unlisted(state: Sequence[StateFact], steps: Sequence[Step],
              end: State) -> Iterator[Divergence]:
    """PV guests that the story leaves running, with vectors that a line tells of, and that a list
    lacks. Where a guest has none, nobody need print how it ended.
    """
    for domid in end.living():
        if known_domid(domid) is None or end.kind(domid) != "pv" or not any(
                end.loaded(domid, device) for device in end.owned(domid)):
            continue
        lines = _lines([step for step in steps if step.act.op == "driver_load"], domid)
        for rows in lists(state):
            if lines and all(fact.fields["domid"] != domid for fact in rows):
                yield _divergence(rows[-1], (rows[-1].line, lines[-1].line),
                                  f"this list has no dom{domid}, and in the story it still runs")


def _lines(steps: Sequence[Step], domid: int) -> list[Event]:
    return [event for step in steps if step.act.domid == domid for event in step.lines]


def _divergence(fact: StateFact, lines: tuple[Line, ...], why: str) -> Divergence:
    return Divergence("observed-unexplained", fact.event, lines, why)
