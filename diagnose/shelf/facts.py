"""What rules talk about: facts by name, what each says, and which rules name it.

Facts of the ledgers have their meaning from the emulator, those of the replay from the glossary,
and a fact that is a line of a log means what the line's message says.

**Invariant:** every fact that a rule may name has a meaning here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from diagnose import grammar
from diagnose.facts import TRACE_FACTS, VIOLATION_FIELDS
from diagnose.glossary import load_glossary
from diagnose.render.paper import Paper
from diagnose.rules import Rule, load_rules
from diagnose.shelf.sheet import Shelf, lead, row
from emulator.invariants import VIOLATIONS


class FactSheet(Struct, frozen=True):
    """One fact. `kind` is "model" or "trace"; `fields` maps names to types, `rules` name it."""

    name: str
    kind: str
    meaning: str
    fields: Mapping[str, str]
    rules: tuple[str, ...]


@cache
def event_kinds() -> Mapping[str, tuple[str, ...]]:
    """The grammar's kinds with the names of their fields."""
    return grammar.load().fields


def built_in() -> tuple[Rule, ...]:
    """All rules of this installation."""
    return load_rules(event_kinds=event_kinds())


def rules_naming(fact: str) -> tuple[str, ...]:
    """The ids of the rules in which a fact occurs."""
    return tuple(
        rule.id for rule in built_in()
        if fact in rule.confirmed_by
        or any(fact in clause.facts for clause in (*rule.requires, *rule.unless, *rule.cites))
    )


def meaning(fact: str) -> str:
    """What a fact says. Raises KeyError for one that no rule may name."""
    if fact in VIOLATIONS:
        return VIOLATIONS[fact]
    if fact in TRACE_FACTS:
        return next(word.what for word in load_glossary() if word.name == fact)
    about = grammar.load().production(fact).about
    return about or f'the line "{grammar.load().forms(fact)[0].strip()}"'


def names() -> tuple[str, ...]:
    """All facts but those that are lines of a log: these are messages."""
    return (*VIOLATIONS, *TRACE_FACTS)


def sheet(name: str) -> FactSheet:
    """All about the fact of this name."""
    trace = TRACE_FACTS.get(name)
    return FactSheet(name, "model" if trace is None else "trace", meaning(name),
                     VIOLATION_FIELDS if trace is None else trace, rules_naming(name))


def write(paper: Paper, each: FactSheet) -> None:
    """One fact for people."""
    lead(paper, each.meaning)
    told = {"model": "the two ledgers of the emulator", "trace": "the replay of the log"}
    row(paper, "told by", told[each.kind])
    row(paper, "fields", ", ".join(each.fields))
    row(paper, "named by", ", ".join(each.rules) or "no rule")


SHELF = Shelf("fact", names, sheet, write)
