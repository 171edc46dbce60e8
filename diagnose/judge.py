"""Let the rules speak on a story, and weigh what they say against the rival stories.

**Invariant:** names no rule and no fault.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from msgspec import Struct

from diagnose.engine import Match, match
from diagnose.events import Line
from diagnose.facts import Fact
from diagnose.proof import attach_step
from diagnose.replay import Replay
from diagnose.rules import Rule
from diagnose.story import Hypothesis, Step
from diagnose.torn import Torn
from diagnose.witness import alarming_events, model_facts

Key = tuple[str, str, int]     # fault, device, host boot: the identity of a finding

#: Distinct sets of violations among the consistent stories that are judged, cheapest first.
RIVALS_MAX = 24


class Weighed(Struct, frozen=True):
    """How sure a finding is: in all consistent stories, in all cheapest ones, or in fewer."""

    match: Match
    confidence: str            # "certain", "likely" or "" for a suspicion
    rival: Hypothesis | None   # the cheapest consistent story without it


def key_of(found: Match) -> Key:
    """The identity of a fault's match."""
    return (found.rule.fault or "", str(found.device), found.boot)


def faults(rules: Iterable[Rule], facts: Sequence[Fact]) -> dict[Key, Match]:
    """What the fault rules find in these facts, by identity."""
    accusing = [rule for rule in rules if not rule.harmless]
    return {key_of(found): found for found in match(accusing, facts)}


def fault_keys(rules: Iterable[Rule], steps: Sequence[Step]) -> set[Key]:
    """The identities alone, e.g. for a run that printed nothing."""
    return set(faults(rules, model_facts(steps)))


def _shown(found: Match, steps: Sequence[Step], consistent: bool) -> bool:
    """Whether a line shows the match.

    Pairs of an owner from before the log are an invention until a line names one by its entry: up
    to then a flush may as well be that of their own owner. So are all pairs of a story that
    contradicts the log.
    """
    return any(fact.lines and ((consistent and fact.fields.get("from_domid") is not None)
                               or _entry_named(fact, steps))
               for fact in (*found.facts, *found.confirmed))


def _entry_named(fact: Fact, steps: Sequence[Step]) -> bool:
    """Whether an alarming line up to the fact names an MSI-X entry of its device, or none could."""
    if fact.fields.get("pirq") is None or fact.step is None:
        return True
    return any(event.production.alarming and "entry_nr" in event.fields
               and event.fields.get("device") == fact.fields.get("device")
               for step in steps[:fact.step + 1] for event in step.lines)


def _attached(found: Match, steps: Sequence[Step]) -> bool:
    """Whether lines tell of the load that attached a pair, and of its owner's start, or none did.

    Else it is invented, or of a life of which the log has missed the beginning: where a log begins
    so, other lines of that life may be missing as well.
    """
    loads = [attach_step(fact, steps) for fact in found.facts]
    return any(load is None or (load.lines and begun(load, steps)) for load in loads)


def begun(load: Step, steps: Sequence[Step]) -> bool:
    """Whether a line tells that the domain started whose driver was loaded; dom0 always has."""
    return not load.act.domid or any(
        step.observed for step in takewhile(lambda step: step is not load, steps)
        if step.act.op == "domain_start" and step.act.domid == load.act.domid
        and step.boot == load.boot)


def _told(found: Match, telling: set[Line]) -> bool:
    """Whether an alarming line tells of each kind of fact in the match, or confirms it."""
    told = {fact.name for fact in found.facts if any(line in telling for line in fact.lines)}
    return told >= {fact.name for fact in found.facts} or any(
        line in telling for fact in found.confirmed for line in fact.lines)


def weigh(rules: Sequence[Rule], found: Mapping[Key, Match], replay: Replay) -> list[Weighed]:
    """Hold every match of the best story against the other consistent stories.

    What no line shows, of its own or of a later fact that confirms it, has to be certain, about a
    load that some line tells of, and no line of the device may be left over behind it. Where the
    best story contradicts the log, only alarming lines count, and what they show is likely at most:
    something happened there that the story does not know. If it happened between the two lives that
    the match joins, it is not even that. Where dom0 says that lines are missing in between, a rival
    may have its lines there: nothing is certain then, and a rival counts however dear it is.
    """
    telling = {event.line for _, event in alarming_events(replay.timeline)}
    steps = replay.best.steps()
    groups: dict[object, Hypothesis] = {}
    for story in replay.consistent:
        groups.setdefault((story.found, story.contradictions), story)
    rivals = list(groups.values())[:RIVALS_MAX]
    judged = [(story, fault_keys(rules, story.steps())) for story in rivals]
    torn = Torn(replay)
    incomplete = replay.dropped or len(groups) > RIVALS_MAX
    weighed = []
    for key, each in found.items():
        without = [story for story, keys in judged if key not in keys]
        rival = min(without, key=lambda s: s.price, default=None)
        consistent, holed = not replay.best.contradictions, torn.holed(each)
        shown = _shown(each, steps, consistent) and (
            consistent or (_told(each, telling) and torn.spares(each)))
        if torn.leaves_open(each):
            confidence = ""
        elif rival is None and consistent and not incomplete and not holed \
                and (shown or _attached(each, steps)):
            confidence = "certain"
        elif shown and (rival is None or (rival.price > replay.best.price and not holed)):
            confidence = "likely"
        else:
            confidence = ""
        weighed.append(Weighed(each, confidence, rival))
    return weighed
