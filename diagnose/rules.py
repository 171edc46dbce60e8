"""Rule files in, checked `Rule` values out: the jury's law book, as data.

A rule is a conjunctive query with negation over facts: clauses name facts, variables join their
fields. There is no arithmetic, no pattern matching and no name of any code in it; what a rule
cannot say has to become a fact that the emulator computes and its tests cover.

**Invariant:** a rule that loads can be matched; the vocabulary knows every name in it.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from msgspec import Struct

from diagnose.clause import Clause, read_clause
from diagnose.errors import RuleError
from diagnose.facts import Vocabulary, vocabulary
from diagnose.rulecheck import CLAUSE_LISTS, KEY_FIELDS, mistakes, mistakes_together
from diagnose.rulefile import MESSAGE_KEYS, RuleFile, Table

RULES = Path(__file__).parent / "rules"


class Message(NamedTuple):
    """A finding's text: what was seen, why it is wrong, what to do."""

    seen: str
    wrong: str
    todo: str

    def filled(self, values: Mapping[str, str]) -> Message:
        """The same with its placeholders replaced."""
        return Message(*(part.format_map(values) for part in self))

    def __str__(self) -> str:
        return " ".join(self)


class Rule(Struct, frozen=True):
    """One rule; `fault` is None for a harmless one, `file` is the name of its file.

    `follows` names faults that cause this one: those of the same boot whose device is the
    finding's own or one that its facts call the other device.
    """

    id: str
    title: str
    fault: str | None
    severity: str
    per: tuple[str, ...]
    requires: tuple[Clause, ...]
    unless: tuple[Clause, ...]
    cites: tuple[Clause, ...]
    confirmed_by: tuple[str, ...]
    follows: tuple[str, ...]
    domids_from: str
    fix: str
    references: tuple[str, ...]
    message: Message
    reason: str
    would_be_a_fault_if: str
    file: str

    @property
    def harmless(self) -> bool:
        """Whether a match exonerates lines instead of accusing a device."""
        return self.fault is None


    @property
    def names(self) -> frozenset[str]:
        """The facts that the rule speaks of, whichever clause it is."""
        clauses = (*self.requires, *self.unless, *self.cites)
        return frozenset(name for clause in clauses for name in clause.facts)


EventKinds = Mapping[str, Iterable[str]]
_loaded: dict[tuple[object, ...], tuple[Rule, ...]] = {}


def load_rules(
    directory: Path | None = None, *, event_kinds: EventKinds, more: str | Path | None = None
) -> tuple[Rule, ...]:
    """All rules of `directory` (the built-in ones by default), ordered by id; read once.

    `event_kinds` maps the grammar's kinds to the names of their fields. The rules in the directory
    `more` are added; one with the id of a rule in `directory` takes its place.
    Raises RuleError with file and line at the first mistake, and where a directory has no rule.
    """
    places = (directory or RULES, *([Path(more)] if more is not None else []))
    key = (*places, tuple((kind, tuple(fields)) for kind, fields in event_kinds.items()))
    if key not in _loaded:
        names = vocabulary(event_kinds)
        pairs: list[tuple[RuleFile, Rule]] = []
        for place in places:
            own = [(file, read_rule(file, names)) for file in _files(place)]
            replaced = {rule.id for _, rule in own}
            pairs = [pair for pair in pairs if pair[1].id not in replaced] + own
        for error in mistakes_together([file for file, _ in pairs]):
            raise error
        _loaded[key] = tuple(sorted((rule for _, rule in pairs), key=lambda rule: rule.id))
    return _loaded[key]


def _files(directory: Path) -> list[RuleFile]:
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        raise RuleError(str(directory), None, "There is no rule here. Name a directory that holds "
                        "rule files (*.toml).")
    return [RuleFile(path) for path in paths]


def lint(files: Sequence[Path], names: Vocabulary) -> Iterator[RuleError]:
    """Every mistake of every file, and of all of them together, in the order of the files.

    Raises OSError for a file that cannot be read.
    """
    readable = []
    for path in files:
        try:
            file = RuleFile(path)
        except RuleError as error:
            yield error
            continue
        yield from mistakes(file, names)
        readable.append(file)
    yield from mistakes_together(readable)


def read_rule(file: RuleFile, names: Vocabulary) -> Rule:
    """The rule in `file`, checked against the facts in `names`. Raises RuleError."""
    for error in mistakes(file, names):
        raise error
    table = file.content
    per = _texts(table, "per") or KEY_FIELDS
    requires, unless, cites = (
        tuple(read_clause(clause, per) for clause in cast("list[Table]", table.get(name, [])))
        for name in CLAUSE_LISTS
    )
    message = cast("Table", table.get("message", {}))
    return Rule(
        id=_text(table, "id"), title=_text(table, "title"),
        fault=_text(table, "fault") or None, severity=_text(table, "severity"),
        per=per, requires=requires, unless=unless, cites=cites,
        confirmed_by=_texts(table, "confirmed_by"), follows=_texts(table, "follows"),
        domids_from=_text(table, "domids_from") or "domid",
        fix=_text(table, "fix"), references=_texts(table, "references"),
        message=Message(*(_text(message, part) for part in MESSAGE_KEYS)),
        reason=_text(table, "reason"),
        would_be_a_fault_if=_text(table, "would_be_a_fault_if"), file=file.name,
    )


def _text(table: Table, name: str) -> str:
    return " ".join(str(table.get(name, "")).split())


def _texts(table: Table, name: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", table.get(name, [])))
