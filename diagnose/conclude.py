"""Turn a replay into a verdict: findings with their proof, what is harmless, what is left over.

**Invariant:** which facts make a fault is the rules' business; here they are only put together.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from diagnose.diagnosis import (
    Divergence,
    Finding,
    HarmlessItem,
    Rival,
    Suspicion,
    Witness,
    finding_id,
)
from diagnose.engine import Match, match
from diagnose.events import Event, Line
from diagnose.facts import Fact
from diagnose.judge import Key, Weighed, faults, key_of, weigh
from diagnose.proof import attach_step, place, proof, rival_text
from diagnose.replay import Replay
from diagnose.rules import Rule
from diagnose.story import Step
from diagnose.witness import alarming_events, event_facts, model_facts, step_facts, unique
from emulator.pci import PciAddress

WITNESS_LINES_MAX = 200


class Conclusion(Struct):
    """What the rules make of the best story."""

    steps: list[Step]
    weighed: list[Weighed]
    findings: list[Finding]
    harmless: list[HarmlessItem]
    suspicions: list[Suspicion]
    divergences: list[Divergence]
    cited: set[Line]           # by any of these, also where a witness is capped

    @property
    def ids(self) -> dict[Key, str]:
        """Identity of each finding → its id."""
        return {(f.fault, f.device, f.boot): f.id for f in self.findings}

    def troubled(self) -> Mapping[int, set[PciAddress]]:
        """Step → devices for which a finding's fact was found in it."""
        found: dict[int, set[PciAddress]] = defaultdict(set)
        for each in self.weighed:
            for fact in each.match.facts if each.confidence else ():
                device = fact.fields.get("device")
                if fact.step is not None and isinstance(device, PciAddress):
                    found[fact.step].add(device)
        return found


def conclude(rules: Sequence[Rule], replay: Replay) -> Conclusion:
    """Let the rules speak on the best story; everything alarming ends up somewhere."""
    story = replay.best
    steps = story.steps()
    named = frozenset(name for rule in rules for name in rule.names)
    facts = [*model_facts(steps), *event_facts(replay.timeline, story, named), *step_facts(steps)]
    weighed = weigh(rules, faults(rules, facts), replay)
    sure = [each for each in weighed if each.confidence]
    harmless = match([r for r in rules if r.harmless], facts)
    extra = _explained_lines(steps)
    telling = {event.line for _, event in alarming_events(replay.timeline)}
    made = Conclusion(steps, weighed, [], [], [], [], set())
    lines = {id(each): _lines(each.match, steps, extra, telling) for each in weighed}
    made.findings = _chained(
        [_finding(each, lines[id(each)], steps, replay) for each in sure],
        [each.match for each in sure])
    excused = [(found, _lines(found, steps, extra, telling)) for found in harmless]
    made.cited = {line for shown in (*lines.values(), *(each for _, each in excused))
                  for line in shown}
    made.harmless = [_harmless(found, shown) for found, shown in excused if shown]
    made.suspicions = [_suspicion(each, lines[id(each)]) for each in weighed
                       if not each.confidence]
    made.divergences = [*_unseen(steps), *_unexplained(replay, made)]
    return made


def _explained_lines(steps: Sequence[Step]) -> Mapping[int, tuple[Line, ...]]:
    """Alarming lines of each step: they belong to whatever the step shows."""
    return {nth: tuple(e.line for e in step.lines if e.production.alarming)
            for nth, step in enumerate(steps)}


def _lines(found: Match, steps: Sequence[Step], extra: Mapping[int, tuple[Line, ...]],
           telling: set[Line]) -> tuple[Line, ...]:
    """The lines of a match: its own, those that confirm it, and at last those of its steps.

    If there are alarming ones (`telling`) among them, those alone.
    """
    own = [line for fact in (*found.facts, *found.cited) for line in fact.lines]
    devices = {fact.fields.get("device") for fact in found.facts}
    for fact in found.facts:
        step = steps[fact.step] if fact.step is not None else None
        if step is not None and (step.act.device in devices or len(step.act.devices) == 1):
            own.extend(extra.get(fact.step or 0, ()))
    if not own:
        own = [line for fact in found.confirmed for line in fact.lines]
    if not own:
        own = [e.line for fact in found.facts if fact.step is not None
               for e in steps[fact.step].lines]
    if not own:
        for fact in found.facts:
            step = attach_step(fact, steps)
            own.extend(e.line for e in step.lines) if step is not None else None
    return unique([line for line in own if line in telling] or own)


def _witness(lines: Sequence[Line], facts: Iterable[Fact]) -> Witness:
    numbers = sorted({fact.step for fact in facts if fact.step is not None})
    return Witness(tuple(lines[:WITNESS_LINES_MAX]), tuple(numbers), len(lines))


def _finding(each: Weighed, lines: Sequence[Line], steps: Sequence[Step],
             replay: Replay) -> Finding:
    found = each.match
    fault, device, boot = key_of(found)
    message = found.message()
    address = found.device if isinstance(found.device, PciAddress) else None
    rival = None
    if each.rival is not None:
        rival = Rival(rival_text(each.rival.steps(), steps, address), _decider(each, steps))
    return Finding(
        id=finding_id(fault, device, boot), rule=found.rule.id, fault=fault,
        title=found.rule.title, severity=found.rule.severity, device=device,
        confidence="certain" if each.confidence == "certain" else "likely",
        candidates=tuple(str(c) for c in replay.timeline.candidates(address)) if address else (),
        domids=found.domids, entries=found.entries, pirqs=found.pirqs,
        occurrences=found.occurrences, message=f"{message.seen} {message.wrong}",
        proof=proof(found, steps), witness=_witness(lines, found.facts), rival=rival, boot=boot,
        todo=message.todo)


def _decider(each: Weighed, own: Sequence[Step]) -> str:
    """What would tell the finding's story from its rival."""
    mine = {(step.act.op, step.act.device, step.act.devices) for step in own}
    silent = [step for step in (each.rival.steps() if each.rival else ()) if not step.observed
              and step.act.op != "ifup"
              and (step.act.op, step.act.device, step.act.devices) not in mine]
    if not silent or silent[0].at is None:
        return "the lines before this log begins"
    return f"a line near {place(silent[0].at.line)} that shows, or rules out, the " + \
        silent[0].act.op.replace("_", " ")


def _chained(findings: list[Finding], matches: list[Match]) -> list[Finding]:
    """Join each finding with those that cause it; causes come first."""
    chained = []
    for finding, found in zip(findings, matches, strict=True):
        devices = {finding.device, *(str(other) for other in found.others)}
        causes = tuple(f.id for f in findings if f.fault in found.rule.follows
                       and f.boot == finding.boot and f.device in devices)
        chained.append(replace(finding, follows=causes))
    return sorted(chained, key=lambda f: (f.boot, len(f.follows)))


def _harmless(found: Match, lines: Sequence[Line]) -> HarmlessItem:
    device = str(found.device) if isinstance(found.device, PciAddress) else None
    return HarmlessItem(found.rule.id, device, _witness(lines, found.facts), found.rule.reason,
                        found.rule.would_be_a_fault_if, found.rule.title, found.boot)


def _suspicion(each: Weighed, lines: Sequence[Line]) -> Suspicion:
    fault, device, boot = key_of(each.match)
    return Suspicion(fault, device, f"{each.match.message().seen} Another story fits the log as "
                     "well, so this is not held against the system.",
                     tuple(lines[:WITNESS_LINES_MAX]), each.match.rule.id, each.match.rule.title,
                     boot)


def _unseen(steps: Sequence[Step]) -> Iterable[Divergence]:
    for step in steps:
        if step.unseen:
            kinds = dict.fromkeys(effect.kind for effect in step.unseen)
            near = step.lines[0].line if step.lines else step.at.line if step.at else None
            yield Divergence(
                "predicted-unseen", ", ".join(kinds), (near,) if near is not None else (),
                f"{step.act.op.replace('_', ' ')} should have printed {len(step.unseen)} more "
                "line(s) here, at a level that this log shows",
                str(step.act.device) if step.act.device is not None else None)


def _unexplained(replay: Replay, made: Conclusion) -> Iterable[Divergence]:
    """Lines that no act of the story prints, and alarming ones that nothing else cites."""
    cited = set(made.cited)
    told: set[Line] = set()
    for event in replay.best.left_over():
        if event.line not in cited and event.line not in told:
            told.add(event.line)
            yield Divergence("observed-unexplained", event.kind, (event.line,),
                             "no act of the cheapest story prints this line", _device(event.fields))
    for event in replay.timeline.quoted:
        if event.production.alarming:
            yield Divergence("observed-unexplained", event.kind, (event.line,),
                             "a text quotes it among other passages, and nothing tells of which "
                             "host and time each of them is", _device(event.fields))
    explained = {id(e) for step in made.steps for e in step.lines}
    for _, event in alarming_events(replay.timeline):
        if event.line not in cited and event.line not in told:
            told.add(event.line)
            yield Divergence("observed-unexplained", event.kind, (event.line,),
                             _left_over(event, id(event) in explained), _device(event.fields))


def _left_over(event: Event, explained: bool) -> str:
    """Why a line that looks alarming is in no finding and in no harmless item."""
    if explained:
        return "the story prints this line, and no rule says what it means"
    if event.proves("effect"):
        return "it belongs to no device or life in the story"
    about, todo = event.production.about, event.production.todo
    return f"{about}. {todo[:1].upper()}{todo[1:]}" if todo else about


def _device(fields: Mapping[str, object]) -> str | None:
    device = fields.get("device")
    return str(device) if isinstance(device, PciAddress) else None
