"""Words of a report: faults, verdicts, steps, terms that a line proves, and what belongs to each.

**Invariant:** what a word means is the glossary's; what belongs to it is looked up.
"""

from __future__ import annotations

from functools import cache, partial

from msgspec import Struct

from diagnose import grammar
from diagnose.fixes import load_fixes
from diagnose.glossary import GROUPS, Word, load_glossary
from diagnose.render.paper import Paper
from diagnose.render.words import listed
from diagnose.shelf.facts import built_in
from diagnose.shelf.sheet import Shelf, lead, row
from emulator.vocabulary import EMITS

FACT = "fact"
"""The group that has a shelf of its own, because most facts are described by the emulator."""


class WordSheet(Struct, frozen=True):
    """One word. A fault has a rule and fixes, a step or a proof the messages that show it."""

    name: str
    group: str
    what: str
    why: str
    todo: str
    rule: str | None
    follows: tuple[str, ...]
    fixes: tuple[str, ...]
    messages: tuple[str, ...]


@cache
def _words() -> dict[str, Word]:
    return {word.name: word for word in load_glossary() if word.group != FACT}


def names(group: str) -> tuple[str, ...]:
    """All words of a group."""
    return tuple(word.name for word in _words().values() if word.group == group)


def sheet(name: str) -> WordSheet:
    """All about the word of this name."""
    word = _words()[name]
    rule = next((rule for rule in built_in() if rule.fault == name), None)
    fixes = tuple(dict.fromkeys(fix.id for fix in load_fixes() if name in fix.faults))
    made = grammar.load().productions
    shown = [each for each in made if any(term.name == name for term in each.proves)
             or each.kind in EMITS.get(name, ())]
    return WordSheet(
        word.name, word.group, word.what, word.why, word.todo, rule.id if rule else None,
        rule.follows if rule else (), fixes, tuple(sorted(each.catalogue_id for each in shown)),
    )


def write(paper: Paper, each: WordSheet) -> None:
    """One word for people."""
    lead(paper, each.what)
    row(paper, "why", each.why)
    row(paper, "what to do", each.todo)
    row(paper, "follows", f"from {', '.join(each.follows)}" if each.follows else "")
    row(paper, "found by", each.rule or "")
    row(paper, "fixes", ", ".join(each.fixes))
    row(paper, "shown by", listed(each.messages, 16))


SHELVES = tuple(
    Shelf(group, partial(names, group), sheet, write) for group in GROUPS if group != FACT
)
