"""Say why a finding holds, as a short chain of sentences with file:line.

The sentences follow one MSI-X entry or pirq through the story: who attached it, how that owner
went, that nothing released it, and which line could not have been printed otherwise.

**Invariant:** retells facts and steps; adds no judgement.
"""
from __future__ import annotations

from collections.abc import Sequence

from diagnose.enact import ENDS
from diagnose.engine import Match
from diagnose.events import Line
from diagnose.facts import Fact
from diagnose.story import Step, known_domid
from emulator.pci import PciAddress
from emulator.records import MSI

_DEATHS = {
    "clean_shutdown": "shut down in order with its driver loaded",
    "destroy": "was destroyed without a word from its guest",
    "crash": "crashed", "teardown": "was taken down",
}


def proof(found: Match, steps: Sequence[Step]) -> tuple[str, ...]:
    """Sentences for the first fact of the match that the story can retell in full."""
    fact = _telling(found)
    sentences = [*_attached(fact, steps), *_ended(fact, steps), *_shown(found, fact)]
    return tuple(sentences)


def _telling(found: Match) -> Fact:
    """The fact to retell: one with lines if there is one, the earliest of those."""
    for fact in found.facts:
        if fact.lines:
            return fact
    return found.facts[0]


def place(line: Line) -> str:
    """Where a line stands."""
    return f"{line.input}:{line.line}"


def owner_name(domid: object) -> str:
    """How a sentence calls an owner whose domid may be unknown."""
    return f"dom{domid}" if isinstance(domid, int) else "a domain whose id no line tells"


def attach_step(fact: Fact, steps: Sequence[Step]) -> Step | None:
    """The last load before the fact in which its owner of record attached the pair."""
    owner, device = fact.fields.get("from_domid"), _record(fact)
    for step in reversed(steps[:fact.step or 0]):
        if step.act.op == "driver_load" and step.act.device == device and \
                known_domid(step.act.domid) == owner:
            return step
    return None


def end_step(fact: Fact, steps: Sequence[Step]) -> Step | None:
    """The end of that owner's life."""
    owner = fact.fields.get("from_domid")
    for step in reversed(steps[:(fact.step or 0) + 1]):
        if step.act.op in ENDS and known_domid(step.act.domid) == owner and \
                step.act.domid is not None:
            return step
    return None


def _attached(fact: Fact, steps: Sequence[Step]) -> list[str]:
    step = attach_step(fact, steps)
    if step is None:
        return []
    if step.lines:
        where = f"at {place(step.lines[0].line)}"
    else:
        where = step.why or "without a line of its own"
    owner = owner_name(fact.fields.get("from_domid"))
    if step.act.mode == MSI:
        return [f"{owner} enabled MSI on {_record(fact)} {where}; dom0 keeps {_what(fact)} in the "
                "device's irq field."]
    return [f"{owner} enabled MSI-X on {_record(fact)} {where}; dom0 put {_what(fact)} on record."]


def _record(fact: Fact) -> object:
    """The device in whose record the fact's pair stood."""
    return fact.fields.get("record") or fact.fields.get("device")


def _what(fact: Fact) -> str:
    entry_nr, pirq = fact.fields.get("entry_nr"), fact.fields.get("pirq")
    if isinstance(entry_nr, int) and isinstance(pirq, int):
        return f"entry {entry_nr} with pirq {pirq} (hex {pirq:x})"
    if isinstance(pirq, int):
        return f"pirq {pirq} (hex {pirq:x})"
    return f"entry {entry_nr}" if isinstance(entry_nr, int) else "its vectors"


def _ended(fact: Fact, steps: Sequence[Step]) -> list[str]:
    step = end_step(fact, steps)
    if step is None:
        return []
    how = "crashed while it shut down" if step.torn else _DEATHS[step.act.op]
    told = f"{owner_name(fact.fields.get('from_domid'))} {how}"
    if step.lines:
        told += f" ({place(step.lines[0].line)})"
    elif step.at is not None:
        told += f": no line says so, but it was gone before {place(step.at.line)}"
    else:
        told += "; no line tells when"
    return [f"{told}. Until then no line tells of a release of that pair."]


def _shown(found: Match, fact: Fact) -> list[str]:
    confirming = next((f for f in found.confirmed if f.lines), None)
    shown = fact if fact.lines else confirming
    if shown is None or not shown.lines:
        return ["No later line shows it; every story that fits the log has it."]
    line = shown.lines[0]
    owner = shown.fields.get("domid")
    who = f" for {owner_name(owner)}" if isinstance(owner, int) and owner else ""
    if shown.fields.get("pirq") is None:
        return [f"{place(line)} says so itself{who}."]
    return [f"{place(line)} concerns {_what(shown)} of {_record(shown)}{who}: it could not "
            "have been printed had that pair been released."]


def rival_text(steps: Sequence[Step], own: Sequence[Step], device: PciAddress | None) -> str:
    """What happens in a rival story and not in the best one."""
    mine = [(s.act.op, s.act.device, s.act.devices) for s in own]
    differing = [s for s in steps if (s.act.op, s.act.device, s.act.devices) not in mine]
    if not differing:
        return "the same steps, in other lives of the guests"
    told = []
    for step in differing[:3]:
        act = step.act
        whom = f" of {owner_name(known_domid(act.domid))}" if act.domid is not None else ""
        what = f" on {act.device}" if act.device is not None else ""
        told.append(f"{act.op.replace('_', ' ')}{whom}{what}")
    more = f" and {len(differing) - 3} more steps" if len(differing) > 3 else ""
    return ", ".join(told) + more
