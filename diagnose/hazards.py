"""The table of hazards: short stories that can end in a fault, and what comes of each on a row.

`hazards.toml` tells what is done; the emulator does it under a row's traits, and the rules say what
that is. So the same table answers for kernels that it was not written for.

**Invariant:** no outcome stands in the table; a fault that is listed has been run into.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import cast

from msgspec import Struct

from diagnose.engine import match
from diagnose.rulefile import Key, RuleFile, Table
from diagnose.rules import Rule
from diagnose.story import Step
from diagnose.whatif import Change, as_it_was
from diagnose.witness import model_facts
from emulator.acts import FAULTS
from emulator.invariants import violations
from emulator.kernels import Row, Traits
from emulator.life import ACTS, Act
from emulator.pci import PciAddress
from emulator.recall import Recall, Stopped
from emulator.records import GSI_VECTORS, INTX, MSI
from emulator.state import State

HAZARDS = Path(__file__).parent / "hazards.toml"

#: What the letters of a story stand for.
DEVICES: Mapping[str, PciAddress] = MappingProxyType({
    "A": PciAddress.parse("0000:01:10.0"), "B": PciAddress.parse("0000:05:10.0"),
    "C": PciAddress.parse("0000:01:00.0"), "P": PciAddress.parse("0000:02:00.0"),
})
_FILE_KEYS: Mapping[str, Key] = MappingProxyType({
    "hazard": Key("clauses", "always", "One table for each story, the likeliest first."),
})
_HAZARD_KEYS: Mapping[str, Key] = MappingProxyType({
    "id": Key("string", "always", "The story's name."),
    "title": Key("string", "always", "What happens, in one line."),
    "acts": Key("strings", "always", "What is done, in order: an act and its arguments each."),
    "gsi_vectors": Key("integer", "", "How many of Xen's vectors are in use as it begins."),
    "guest_shutdown": Key("integer", "", "What igbvf's shutdown hook does: 0 to 3, as the trait."),
    "mistake": Key("boolean", "", "True: whoever gives the order can know better, on any row."),
    "why": Key("string", "always", "How that touches the ledgers."),
    "references": Key("strings", "always", "Where this can be read up."),
})


class Hazard(Struct, frozen=True):
    """One story; `told` are its acts as the table words them."""

    id: str
    title: str
    acts: tuple[Act, ...]
    told: tuple[str, ...]
    why: str
    references: tuple[str, ...]
    gsi_vectors: int = GSI_VECTORS
    guest_shutdown: int = 0
    mistake: bool = False

    @property
    def beyond(self) -> bool:
        """Whether it needs what a search from a fresh host with the stock driver never has."""
        return self.gsi_vectors != GSI_VECTORS or self.guest_shutdown != 0


class Outcome(Struct, frozen=True):
    """What comes of a hazard on a row: faults and harmless rules; `dies`: what kills the host."""

    hazard: Hazard
    faults: tuple[str, ...]
    harmless: tuple[str, ...]
    dies: str


@cache
def load_hazards(path: Path = HAZARDS) -> tuple[Hazard, ...]:
    """The whole table. Raises RuleError with file and line."""
    file = RuleFile(path)
    file.check(file.content, _FILE_KEYS)
    return tuple(_hazard(file, nr, table)
                 for nr, table in enumerate(cast("list[Table]", file.content["hazard"])))


def _hazard(file: RuleFile, nr: int, table: Table) -> Hazard:
    file.check(table, _HAZARD_KEYS, ("hazard", nr))
    told = tuple(cast("list[str]", table["acts"]))
    acts = []
    for words in told:
        try:
            acts.append(read_act(words))
        except ValueError as error:
            file.fail(("hazard", nr, "acts"), f"{words!r} is no act: {error}")
    text = {name: " ".join(str(table[name]).split()) for name in ("id", "title", "why")}
    return Hazard(text["id"], text["title"], tuple(acts), told, text["why"],
                  tuple(cast("list[str]", table["references"])),
                  cast("int", table.get("gsi_vectors", GSI_VECTORS)),
                  cast("int", table.get("guest_shutdown", 0)), table.get("mistake") is True)


def read_act(words: str) -> Act:
    """An act as the table words it: `driver_load 1 A 3`, `domain_start 2 A B hvm`.

    Raises ValueError that says which word means nothing.
    """
    op, *rest = words.split()
    if op not in ACTS:
        raise ValueError(f"there is no {op!r}; acts are {', '.join(ACTS)}")
    act, devices = Act(op), []
    for word in rest:
        if word.isdigit():
            number = int(word)
            act = act._replace(domid=number) if act.domid is None else act._replace(nvec=number)
        elif word in DEVICES:
            devices.append(DEVICES[word])
        elif word in (MSI, INTX):
            act = act._replace(mode=word, nvec=1)
        elif word == "hvm":
            act = act._replace(kind=word)
        elif word in FAULTS:
            act = act._replace(fault=(word, 1, 0))
        else:
            raise ValueError(f"{word!r} is no device, number, kind or cause")
    several = op in ("domain_start", "vf_destroy", "pf_reload")
    return act._replace(devices=tuple(devices)) if several else act._replace(
        device=devices[0] if devices else None)


def tell_act(act: Act) -> str:
    """An act as the table words it; its devices have to be among `DEVICES`."""
    letters = {device: letter for letter, device in DEVICES.items()}
    devices = act.devices or ((act.device,) if act.device is not None else ())
    words = [act.op, *([] if act.domid is None else [str(act.domid)]),
             *(letters[device] for device in devices)]
    if act.mode in (MSI, INTX):
        words.append(act.mode)
    elif act.nvec:
        words.append(str(act.nvec))
    words += [act.kind] if act.kind == "hvm" else []
    return " ".join([*words, act.fault[0]] if act.fault is not None else words)


def outcome(hazard: Hazard, row: Row, rules: Sequence[Rule], change: Change = as_it_was) -> Outcome:
    """Let it happen under the row, with a habit of the guests if told."""
    steps, dies = _run(hazard, row.traits._replace(guest_shutdown=hazard.guest_shutdown), change)
    found = match(rules, model_facts(steps))
    return Outcome(hazard, _each(rule.rule.fault for rule in found),
                   _each(rule.rule.id for rule in found if rule.rule.harmless), dies)


def _each(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name is not None))


@cache
def _run(hazard: Hazard, traits: Traits, change: Change) -> tuple[tuple[Step, ...], str]:
    """The steps that can happen there, and what the host dies of (empty: it lives)."""
    state = State.boot(gsi_vectors=hazard.gsi_vectors)
    steps: list[Step] = []
    for told in hazard.acts:
        for act in change(state, told):
            came = _recall().perform(traits, state, act)
            if not isinstance(came, Stopped):
                state = came.state
                steps.append(Step(None, act, False, "", 0, (), (), violations(came.deeds), None))
            elif came.fatal:
                return tuple(steps), came.why
    return tuple(steps), ""


@cache
def _recall() -> Recall:
    """Hazards begin alike, and most go alike on most rows."""
    return Recall()
