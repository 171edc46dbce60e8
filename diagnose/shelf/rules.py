"""A rule told in words: what has to be true, what is cited, what it means, where it fires.

**Invariant:** what a clause says is read from the rule; what its facts mean, from the emulator, the
grammars and the glossary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct

from diagnose.casefile import read_case
from diagnose.clause import Clause
from diagnose.render.paper import Paper, Piece
from diagnose.render.words import ranges, sentence
from diagnose.rules import Message, Rule
from diagnose.shelf.facts import built_in, meaning
from diagnose.shelf.sheet import Shelf, below, columns, lead, pairs, row, rows

CORPUS = Path(__file__).parents[2] / "corpus"
"""The cases; only a checkout has them."""


class ClauseSheet(Struct, frozen=True):
    """One condition. `joins`: field → variable; `wants`: field → the values that will do.

    `free` are fields of the rule's key that may differ from the rule's own here.
    """

    facts: tuple[str, ...]
    free: tuple[str, ...]
    joins: Mapping[str, str]
    wants: Mapping[str, tuple[object, ...]]


class CaseSheet(Struct, frozen=True):
    """A case of the corpus in which the rule fires."""

    slug: str
    title: str


class RuleSheet(Struct, frozen=True):
    """One rule. `side` is "fault" or "harmless"; `cases` is None where there is no corpus."""

    id: str
    side: str
    title: str
    fault: str | None
    severity: str
    per: tuple[str, ...]
    requires: tuple[ClauseSheet, ...]
    unless: tuple[ClauseSheet, ...]
    cites: tuple[ClauseSheet, ...]
    confirmed_by: tuple[str, ...]
    follows: tuple[str, ...]
    domids_from: str
    fix: str
    message: Message
    reason: str
    would_be_a_fault_if: str
    references: tuple[str, ...]
    cases: tuple[CaseSheet, ...] | None
    file: str


@cache
def names() -> tuple[str, ...]:
    """All ids, sorted."""
    return tuple(rule.id for rule in built_in())


def sheet(name: str) -> RuleSheet:
    """All about the rule with this id."""
    rule = next(rule for rule in built_in() if rule.id == name)
    return RuleSheet(
        id=rule.id, side="harmless" if rule.harmless else "fault", title=rule.title,
        fault=rule.fault, severity=rule.severity, per=rule.per,
        requires=_sheets(rule, rule.requires), unless=_sheets(rule, rule.unless),
        cites=_sheets(rule, rule.cites), confirmed_by=rule.confirmed_by, follows=rule.follows,
        domids_from=rule.domids_from, fix=rule.fix, message=rule.message, reason=rule.reason,
        would_be_a_fault_if=rule.would_be_a_fault_if, references=rule.references,
        cases=_cases(rule), file=f"diagnose/rules/{rule.file}",
    )


def _sheets(rule: Rule, clauses: Sequence[Clause]) -> tuple[ClauseSheet, ...]:
    """The clauses; a key that is joined to the rule's own key of that name goes without saying."""
    return tuple(
        ClauseSheet(clause.facts,
                    tuple(key for key in rule.per if key not in dict(clause.joins)
                          and key not in dict(clause.wants)),
                    {field: variable for field, variable in clause.joins
                     if not (field in rule.per and field == variable)},
                    dict(clause.wants))
        for clause in clauses)


@cache
def _corpus(folder: Path) -> tuple[tuple[CaseSheet, frozenset[str]], ...] | None:
    """Each case with the faults that it expects and the harmless rules, None without a corpus."""
    cases = [read_case(path) for path in sorted(folder.glob("*.case"))]
    if not cases:
        return None
    return tuple((CaseSheet(case.slug, case.title),
                  frozenset(each.fault for each in case.findings)
                  | {each.rule for each in case.harmless}) for case in cases)


def _cases(rule: Rule) -> tuple[CaseSheet, ...] | None:
    corpus = _corpus(CORPUS)
    if corpus is None:
        return None
    return tuple(case for case, fired in corpus if {rule.id, rule.fault} & fired)


# --- For people ------------------------------------------------------------------------------


def write_list(paper: Paper, sheets: Sequence[RuleSheet]) -> None:
    """All rules, one row each."""
    columns(paper, [((("strong", each.id), (_tone(each), each.side), each.severity),
                     each.title + (f" ({each.fault})" if each.fault else ""))
                    for each in sheets])


def _tone(each: RuleSheet) -> str:
    return "good" if each.side == "harmless" else "bad"


def write(paper: Paper, each: RuleSheet) -> None:
    """One rule for people."""
    lead(paper, each.title)
    row(paper, "a match is", (_tone(each), each.fault or "harmless"), f" · {each.severity}, one "
        f"for each {' and '.join(each.per)}")
    row(paper, "follows", f"from {', '.join(each.follows)}" if each.follows else "")
    _clauses(paper, "requires", each.requires)
    _clauses(paper, "unless", each.unless)
    _clauses(paper, "cites", each.cites)
    row(paper, "shown by", ", ".join(each.confirmed_by))
    if each.domids_from != "domid":
        row(paper, "names", f"the domains of the field {each.domids_from}")
    paper.blank()
    row(paper, "seen", each.message.seen)
    row(paper, "wrong", each.message.wrong)
    row(paper, "what to do", each.message.todo)
    row(paper, "fix", each.fix)
    row(paper, "reason", sentence(each.reason))
    row(paper, "a fault if", each.would_be_a_fault_if)
    paper.blank()
    rows(paper, "references", [(("faint", text),) for text in each.references])
    _write_cases(paper, each)
    row(paper, "file", ("place", each.file))


def _clauses(paper: Paper, label: str, clauses: Sequence[ClauseSheet]) -> None:
    """Each clause with its bindings, and below it what its facts mean."""
    for number, clause in enumerate(clauses):
        pieces = [*_names(clause.facts), *_bindings(clause)]
        if number == 0:
            row(paper, label, *pieces)
        else:
            below(paper, *pieces)
        for fact in clause.facts:
            about = f"{fact}: " if len(clause.facts) > 1 else ""
            below(paper, ("faint", f"{about}{meaning(fact)}"), more=2)


def _names(facts: Sequence[str]) -> list[Piece]:
    pieces: list[Piece] = []
    for number, fact in enumerate(facts):
        pieces += [" or " if number else "", ("strong", fact)]
    return pieces


def _bindings(clause: ClauseSheet) -> list[Piece]:
    told = [f"{field} = ${variable}" for field, variable in clause.joins.items()]
    told += [f"{field} = {_values(values)}" for field, values in clause.wants.items()]
    told += [f"any {field}" for field in clause.free]
    return [f" with {', '.join(told)}"] if told else []


def _values(values: Sequence[object]) -> str:
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        return ranges(numbers)
    return " or ".join(str(value).lower() if isinstance(value, bool) else str(value)
                       for value in values)


def _write_cases(paper: Paper, each: RuleSheet) -> None:
    if each.cases is None:
        row(paper, "fires in", ("faint", "the corpus of cases is not part of this installation"))
        return
    pairs(paper, "fires in", [(case.slug, ("faint", case.title)) for case in each.cases])


SHELF = Shelf("rule", names, sheet, write)
