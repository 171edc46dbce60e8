"""Turn a story into facts: what the machine says went wrong, with the lines that show it.

**Invariant:** names no kind of line; which line shows what is decided by the fields they share.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from diagnose.events import Event, Line
from diagnose.facts import Fact
from diagnose.story import Hypothesis, Step, known_domid
from diagnose.timeline import Timeline
from emulator.invariants import Violation
from emulator.pci import PciAddress

Assignments = Mapping[tuple[int, PciAddress], int]


def model_facts(steps: Sequence[Step]) -> list[Fact]:
    """One fact for each violation of the story, in story order."""
    ordinals: dict[tuple[int, PciAddress], int] = defaultdict(int)
    facts = []
    for nth, step in enumerate(steps):
        if step.act.op == "domain_start":
            for device in step.act.devices:
                ordinals[step.boot, device] += 1
        for violation in step.violations:
            facts.append(_fact(nth, step, violation, ordinals))
    return facts


def _fact(nth: int, step: Step, violation: Violation, ordinals: Assignments) -> Fact:
    fields: dict[str, object] = {
        "boot": step.boot,
        "device": violation.device,
        "domid": known_domid(violation.domid),
        "assignment": ordinals.get((step.boot, violation.device), 0),
        "entry_nr": violation.entry_nr,
        "pirq": violation.pirq,
        "from_domid": known_domid(violation.from_domid),
        "other": violation.other,
        "record": violation.record,
        "clean": step.act.op == "clean_shutdown",
        "note": violation.note,
    }
    return Fact("model", violation.name, fields, lines_for(step, violation), nth)


def lines_for(step: Step, violation: Violation) -> tuple[Line, ...]:
    """The step's lines that speak of this violation: alarming ones if there are any."""
    speaking = [event for event in step.lines
                if event.proves("effect") and _speaks_of(event, violation)]
    alarming = [event for event in speaking if event.production.alarming]
    return unique(event.line for event in alarming or speaking)


def _speaks_of(event: Event, violation: Violation) -> bool:
    told = event.fields
    if violation.other is not None and event.production.alarming and \
            told.get("pirq") != violation.pirq:
        return False
    for name, value in (("entry_nr", violation.entry_nr), ("pirq", violation.pirq)):
        if value is not None and told.get(name) not in (None, value):
            return False
    device = told.get("device")
    if event.speaker != "guest" and isinstance(device, PciAddress):
        others = (violation.device, violation.other)
        if not any(d is not None and device.agrees(d) for d in others):
            return False
    domid = told.get("domid")
    return domid is None or event.speaker == "guest" or domid == violation.domid


def unique(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Each line once, in the given order."""
    return tuple(dict.fromkeys(lines))


def event_facts(timeline: Timeline, story: Hypothesis, kinds: frozenset[str]) -> list[Fact]:
    """One fact for each line that looks alarming or is of one of these kinds, and for each option.

    It tells whether the story explains the line.
    """
    explained: dict[int, tuple[int, Step]] = {}
    for nth, step in enumerate(story.steps()):
        for event in step.lines:
            explained[id(event)] = (nth, step)
    facts = []
    for boot, event in _events(timeline):
        if event.production.alarming or event.kind in kinds:
            facts.append(_event_fact(boot, event, explained.get(id(event))))
        facts.extend(_option(term.args[0], boot, event.speaker, event.line)
                     for term in event.proofs() if term.name == "option")
    facts.extend(_option(each.name, story.boot, each.part, each.line)
                 for each in timeline.options)
    return facts


def _event_fact(boot: int, event: Event, place: tuple[int, Step] | None) -> Fact:
    device = event.fields.get("device")
    if place is not None:
        acted = place[1].act.devices or (place[1].act.device,)
        device = acted[0] if len(acted) == 1 and acted[0] is not None else device
    fields = {**event.fields, "boot": place[1].boot if place else boot,
              "device": device if event.speaker != "guest" or place else None,
              "explained": place is not None}
    return Fact("event", event.kind, fields, (event.line,), place[0] if place else None)


def _option(name: str, boot: int, part: str, line: Line) -> Fact:
    return Fact("trace", "boot_option",
                {"boot": boot, "device": None, "option": name, "part": part}, (line,))


def step_facts(steps: Sequence[Step]) -> list[Fact]:
    """One fact for each step and each device that it concerns."""
    facts = []
    for nth, step in enumerate(steps):
        act = step.act
        for device in act.devices or (act.device,):
            fields = {"boot": step.boot, "device": device, "op": act.op,
                      "domid": known_domid(act.domid), "kind": act.kind,
                      "mode": act.mode if act.op == "driver_load" else "",
                      "status": "observed" if step.observed else "inferred"}
            facts.append(Fact("trace", "story_step", fields,
                              unique(event.line for event in step.lines), nth))
    return facts


def alarming_events(timeline: Timeline) -> list[tuple[int, Event]]:
    """Every line that looks like a failure on the passthrough path, with its host boot."""
    return [(boot, event) for boot, event in _events(timeline) if event.production.alarming]


def _events(timeline: Timeline) -> Iterator[tuple[int, Event]]:
    """Every line that a story may be held against, with its host boot."""
    boot = 0
    begun = False
    for item in timeline.items:
        if item.boot and item.event.speaker == "dom0" and begun:
            boot += 1
        begun = begun or item.effect
        yield boot, item.event
    for nth, run in enumerate(timeline.xen):
        yield from ((nth, event) for event in run)
    for segment in timeline.segments:
        yield from ((0, event) for event in segment.events)
    yield from timeline.aside
