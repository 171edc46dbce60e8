"""Rule files in, checked `Rule` values out: the jury's law book, as data.

A rule is a conjunctive query with negation over facts: clauses name facts, variables join their
fields. There is no arithmetic, no pattern matching and no name of any code in it; what a rule
cannot say has to become a fact that the emulator computes and its tests cover.

**Invariant:** a rule that loads can be matched; the vocabulary knows every name in it.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import NamedTuple, cast

from diagnose.errors import RuleError
from diagnose.facts import Vocabulary, vocabulary
from diagnose.rulefile import CLAUSE_KEYS, MESSAGE_KEYS, RULE_KEYS, RuleFile, Step, Table

RULES = Path(__file__).parent / "rules"
ANY = "$_"
PLACEHOLDERS = ("boot", "device", "others", "domids", "from_domids", "entries", "pirqs",
                "occurrences")
"""What a message may hold in braces; `Match.values()` of the engine fills them."""


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


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: a fact of one of these names whose fields fit.

    `joins` are (field, variable) pairs, `wants` (field, allowed values) pairs. A key field of the
    rule that a clause does not mention is joined to the rule's key of that name.
    """

    facts: tuple[str, ...]
    joins: tuple[tuple[str, str], ...]
    wants: tuple[tuple[str, tuple[object, ...]], ...]

    @property
    def variables(self) -> frozenset[str]:
        """The names of all variables, without the dollar."""
        return frozenset(variable for _, variable in self.joins)


@dataclass(frozen=True, slots=True)
class Rule:
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
        _check_together(pairs)
        _loaded[key] = tuple(sorted((rule for _, rule in pairs), key=lambda rule: rule.id))
    return _loaded[key]


def _files(directory: Path) -> list[RuleFile]:
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        raise RuleError(str(directory), None, "There is no rule here. Name a directory that holds "
                        "rule files (*.toml).")
    return [RuleFile(path) for path in paths]


def read_rule(file: RuleFile, names: Vocabulary) -> Rule:
    """The rule in `file`, checked against the facts in `names`. Raises RuleError."""
    table = file.content
    file.check(table, RULE_KEYS)
    harmless = _check_side(file)
    per = _texts(table, "per") or ("device", "boot")
    requires = _clauses(file, "requires", per, names)
    unless = _clauses(file, "unless", per, names)
    cites = _clauses(file, "cites", per, names)
    _check_key(file, per, requires)
    _check_bound(file, requires, {"unless": unless, "cites": cites})
    confirmed_by = _texts(table, "confirmed_by")
    for name in confirmed_by:
        if name not in names:
            file.unknown(("confirmed_by",), "The fact", name, tuple(names))
    if not harmless:
        _check_model_only(file, {"requires": requires, "unless": unless}, names)
    return Rule(
        id=_text(table, "id"), title=_text(table, "title"),
        fault=None if harmless else _text(table, "fault"), severity=_text(table, "severity"),
        per=per, requires=requires, unless=unless, cites=cites,
        confirmed_by=confirmed_by, follows=_texts(table, "follows"),
        domids_from=_text(table, "domids_from") or "domid",
        fix=_text(table, "fix"), references=_texts(table, "references"),
        message=_message(file), reason=_text(table, "reason"),
        would_be_a_fault_if=_text(table, "would_be_a_fault_if"), file=file.name,
    )


def _text(table: Table, name: str) -> str:
    return " ".join(str(table.get(name, "")).split())


def _texts(table: Table, name: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", table.get(name, [])))


def _check_side(file: RuleFile) -> bool:
    """A rule accuses or exonerates, and has the keys of its side only; True for harmless."""
    table = file.content
    harmless = table.get("harmless") is True
    if harmless == ("fault" in table):
        file.fail(("fault" if harmless else "id",), "A rule has either the key 'fault' or "
                  "`harmless = true`, and not both. Decide which it is.")
    side, other = ("harmless", "fault") if harmless else ("fault", "harmless")
    for name, key in RULE_KEYS.items():
        if key.needed == side and name not in table:
            file.fail((), f"The key {name!r} is missing. Add it: {key.about}")
        if key.needed == other and name in table:
            file.fail((name,), f"The key {name!r} belongs to a {other} rule. Take it out.")
    if not re.fullmatch(r"MSIX1\d\d" if harmless else r"MSIX0\d\d", _text(table, "id")):
        file.fail(("id",), f"The id {_text(table, 'id')!r} does not fit. "
                  "Fault rules are called MSIX0xx, harmless ones MSIX1xx.")
    return harmless


def _clauses(
    file: RuleFile, name: str, per: tuple[str, ...], names: Vocabulary
) -> tuple[Clause, ...]:
    tables = cast("list[Table]", file.content.get(name, []))
    if name == "requires" and not tables:
        file.fail((name,), "The list 'requires' is empty. Name at least one fact.")
    return tuple(_clause(file, table, (name, nr), per, names) for nr, table in enumerate(tables))


def _clause(
    file: RuleFile, table: Table, path: tuple[Step, ...], per: tuple[str, ...], names: Vocabulary
) -> Clause:
    file.check(table, CLAUSE_KEYS, path)
    told = table["fact"]
    facts = (told,) if isinstance(told, str) else _texts(table, "fact")
    for fact in facts:
        if fact not in names:
            file.unknown((*path, "fact"), "The fact", fact, tuple(names))
    bind = dict(cast("dict[str, object]", table.get("bind", {})))
    for field, value in bind.items():
        for fact in facts:
            fields = names[fact].fields
            if field not in fields:
                file.unknown((*path, "bind", field), f"In the fact {fact!r} the field", field,
                             tuple(fields))
            _check_literal(file, (*path, "bind", field), value, fields[field])
    bind |= {key: f"${key}" for key in per if key not in bind}
    joins = {f: v for f, v in bind.items() if isinstance(v, str) and v.startswith("$")}
    return Clause(
        facts,
        tuple((field, variable[1:]) for field, variable in joins.items() if variable != ANY),
        tuple((field, tuple(value) if isinstance(value, list) else (value,))
              for field, value in bind.items() if field not in joins),
    )


def _check_literal(file: RuleFile, path: tuple[Step, ...], value: object, kind: str) -> None:
    """A value in a binding is a variable, or a value or list of values of the field's type."""
    if isinstance(value, str) and value.startswith("$"):
        if not re.fullmatch(r"\$([a-z][a-z0-9_]*|_)", value):
            file.fail(path, f"The variable {value!r} is no name. Write a dollar and small letters.")
        return
    types = {"int": int, "bool": bool, "str": str}
    for item in value if isinstance(value, list) else (value,):
        if kind == "address" or not isinstance(item, str | int):
            file.fail(path, f"The field {path[-1]!r} is bound to {item!r}; it takes a variable "
                      "such as \"$device\", or a number, a text, true or false if it holds such.")
        if kind in types and type(item) is not types[kind]:
            file.fail(path, f"The field {path[-1]!r} is bound to {item!r}, but it holds a value of "
                      f"type {kind}. Write a variable or a value of that type.")


def _check_key(file: RuleFile, per: tuple[str, ...], requires: tuple[Clause, ...]) -> None:
    """The first clause gives the key, so its key fields have to be their own variables."""
    for field in per:
        if (field, field) not in requires[0].joins:
            file.fail(("requires", 0, "bind", field), f"The first clause gives the rule's key; its "
                      f"field {field!r} cannot be bound otherwise. Leave it out.")


def _check_bound(
    file: RuleFile, requires: tuple[Clause, ...], others: Mapping[str, tuple[Clause, ...]]
) -> None:
    bound = tuple(sorted(frozenset().union(*(clause.variables for clause in requires))))
    for name, clauses in others.items():
        for nr, clause in enumerate(clauses):
            for field, variable in clause.joins:
                if variable not in bound:
                    file.unknown((name, nr, "bind", field), "Among the variables that 'requires' "
                                 "binds, the variable", f"${variable}",
                                 tuple(f"${known}" for known in bound))


def _check_model_only(
    file: RuleFile, parts: Mapping[str, tuple[Clause, ...]], names: Vocabulary
) -> None:
    """A fault rests on the ledgers alone: the same rule also judges runs that printed no line."""
    for name, clauses in parts.items():
        for nr, clause in enumerate(clauses):
            for fact in clause.facts:
                if names[fact].kind != "model":
                    file.fail((name, nr, "fact"), f"A fault rule rests on model facts; {fact!r} is "
                              f"of kind {names[fact].kind}. Cite it, or require a model fact.")


def _message(file: RuleFile) -> Message:
    table = cast("Table", file.content.get("message", {}))
    if not table:
        return Message("", "", "")
    file.check(table, MESSAGE_KEYS, ("message",))
    for part in table:
        try:
            used = [name for _, name, _, _ in Formatter().parse(_text(table, part))]
        except ValueError as error:
            file.fail(("message", part), f"A brace is out of place: {error}. Close or double it.")
        for name in used:
            if name is not None and name not in PLACEHOLDERS:
                file.unknown(("message", part), "The placeholder", name, PLACEHOLDERS)
    return Message(*(_text(table, part) for part in MESSAGE_KEYS))


def _check_together(pairs: list[tuple[RuleFile, Rule]]) -> None:
    """Ids and faults occur once; what a rule follows is some rule's fault."""
    faults = tuple(rule.fault for _, rule in pairs if rule.fault is not None)
    taken: dict[str, str] = {}
    for file, rule in pairs:
        for key, name in (("id", rule.id), ("fault", rule.fault)):
            if name in taken:
                file.fail((key,), f"The {key} {name!r} is taken by {taken[name]}. "
                          "Each id and each fault has one rule; choose another.")
            if name:
                taken[name] = rule.file
        for fault in rule.follows:
            if fault not in faults:
                file.unknown(("follows",), "The fault", fault, faults)
