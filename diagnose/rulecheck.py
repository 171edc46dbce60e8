"""What is wrong with rule files: every mistake with its line, so that one look mends them all.

Checks go from the shape of a file to its meaning; what rests on a part that is wrong already is
not said twice.

**Invariant:** a rule without a mistake can be matched; the vocabulary knows every name in it.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from string import Formatter
from typing import cast

from diagnose.clause import Clause, bindings, fact_names, read_clause
from diagnose.errors import RuleError
from diagnose.facts import Vocabulary
from diagnose.rulefile import CLAUSE_KEYS, MESSAGE_KEYS, RULE_KEYS, RuleFile, Step, Table

KEY_FIELDS = ("device", "boot")
"""What a rule has one result for each value of, unless it says otherwise."""

CLAUSE_LISTS = ("requires", "unless", "cites")

PLACEHOLDERS = ("boot", "device", "others", "domids", "from_domids", "entries", "pirqs",
                "occurrences")
"""What a message may hold in braces; `Match.values()` of the engine fills them."""


def mistakes(file: RuleFile, names: Vocabulary) -> Iterator[RuleError]:
    """All that is wrong with the rule in `file`, held against the facts in `names`."""
    yield from file.mistakes(file.content, RULE_KEYS)
    yield from _side(file)
    if _shaped(file, "per", *CLAUSE_LISTS):
        yield from _clauses(file, names)
    if _shaped(file, "confirmed_by"):
        yield from _confirmations(file, names)
    yield from _message(file)


def mistakes_together(files: Sequence[RuleFile]) -> Iterator[RuleError]:
    """Ids and faults occur once; what a rule follows is some rule's fault."""
    faults = tuple(str(file.content["fault"]) for file in files if "fault" in file.content)
    taken: dict[tuple[str, str], str] = {}
    for file in files:
        for key in ("id", "fault"):
            name = str(file.content.get(key, ""))
            if name and (key, name) in taken:
                yield file.mistake((key,), f"The {key} {name!r} is taken by {taken[key, name]}. "
                                   "Each id and each fault has one rule; choose another.")
            taken.setdefault((key, name), file.name)
        follows = file.content.get("follows", [])
        for fault in follows if isinstance(follows, list) else ():
            if fault not in faults:
                yield file.stranger(("follows",), "The fault", str(fault), faults)


def _shaped(file: RuleFile, *keys: str) -> bool:
    """Whether the values of these keys have the shape that they need to be looked into."""
    told = {name: file.content[name] for name in keys if name in file.content}
    return not any(file.mistakes(told, {name: RULE_KEYS[name] for name in keys}))


def _side(file: RuleFile) -> Iterator[RuleError]:
    """A rule accuses or exonerates, and has the keys of its side only."""
    table = file.content
    harmless = table.get("harmless") is True
    if harmless == ("fault" in table):
        yield file.mistake(("fault" if harmless else "id",), "A rule has either the key 'fault' or "
                           "`harmless = true`, and not both. Decide which it is.")
        return
    side, other = ("harmless", "fault") if harmless else ("fault", "harmless")
    for name, key in RULE_KEYS.items():
        if key.needed == side and name not in table:
            yield file.mistake((), f"The key {name!r} is missing. Add it: {key.about}")
        if key.needed == other and name in table:
            yield file.mistake((name,), f"The key {name!r} belongs to a {other} rule. Take it out.")
    told = str(table.get("id", ""))
    if told and not re.fullmatch(r"MSIX1\d\d" if harmless else r"MSIX0\d\d", told):
        yield file.mistake(("id",), f"The id {told!r} does not fit. "
                           "Fault rules are called MSIX0xx, harmless ones MSIX1xx.")


def _clauses(file: RuleFile, names: Vocabulary) -> Iterator[RuleError]:
    """Each clause by itself; only if none is wrong, the clauses with one another."""
    per = tuple(cast("list[str]", file.content.get("per", KEY_FIELDS)))
    told = {name: cast("list[Table]", file.content.get(name, [])) for name in CLAUSE_LISTS}
    if not told["requires"]:
        yield file.mistake(("requires",), "The list 'requires' is empty. Name at least one fact.")
        return
    found = [error for name, tables in told.items() for nr, table in enumerate(tables)
             for error in _clause(file, table, (name, nr), per, names)]
    yield from found
    if found:
        return
    parts = {name: tuple(read_clause(table, per) for table in tables)
             for name, tables in told.items()}
    yield from _key(file, per, parts["requires"])
    yield from _bound(file, parts)
    if file.content.get("harmless") is not True:
        yield from _model_only(file, {name: parts[name] for name in ("requires", "unless")}, names)


def _clause(
    file: RuleFile, table: Table, path: tuple[Step, ...], per: tuple[str, ...], names: Vocabulary
) -> Iterator[RuleError]:
    shape = list(file.mistakes(table, CLAUSE_KEYS, path))
    yield from shape
    if shape:
        return
    strange = [fact for fact in fact_names(table) if fact not in names]
    for fact in strange:
        yield file.stranger((*path, "fact"), "The fact", fact, tuple(names))
    for field, value in bindings(table).items():
        for fact in fact_names(table):
            fields = names[fact].fields if fact in names else {}
            if field in fields:
                yield from _literal(file, (*path, "bind", field), value, fields[field])
            elif fact in names:
                yield file.stranger((*path, "bind", field), f"In the fact {fact!r} the field",
                                    field, tuple(fields))


def _literal(
    file: RuleFile, path: tuple[Step, ...], value: object, kind: str
) -> Iterator[RuleError]:
    """A value in a binding is a variable, or a value or list of values of the field's type."""
    if isinstance(value, str) and value.startswith("$"):
        if not re.fullmatch(r"\$([a-z][a-z0-9_]*|_)", value):
            yield file.mistake(path, f"The variable {value!r} is no name. "
                               "Write a dollar and small letters.")
        return
    types = {"int": int, "bool": bool, "str": str}
    for item in value if isinstance(value, list) else (value,):
        if kind == "address" or not isinstance(item, str | int):
            yield file.mistake(path, f"The field {path[-1]!r} is bound to {item!r}; it takes a "
                               "variable such as \"$device\", or a number, a text, true or false "
                               "if it holds such.")
        elif kind in types and type(item) is not types[kind]:
            yield file.mistake(path, f"The field {path[-1]!r} is bound to {item!r}, but it holds "
                               f"a value of type {kind}. Write a variable or a value of that type.")


def _key(
    file: RuleFile, per: tuple[str, ...], requires: tuple[Clause, ...]
) -> Iterator[RuleError]:
    """The first clause gives the key, so its key fields have to be their own variables."""
    for field in per:
        if (field, field) not in requires[0].joins:
            yield file.mistake(("requires", 0, "bind", field), "The first clause gives the rule's "
                               f"key; its field {field!r} cannot be bound otherwise. Leave it out.")


def _bound(file: RuleFile, parts: Mapping[str, tuple[Clause, ...]]) -> Iterator[RuleError]:
    variables = frozenset(chain.from_iterable(clause.variables for clause in parts["requires"]))
    known = tuple(f"${variable}" for variable in sorted(variables))
    for name in ("unless", "cites"):
        for nr, clause in enumerate(parts[name]):
            for field, variable in clause.joins:
                if variable not in variables:
                    yield file.stranger((name, nr, "bind", field), "Among the variables that "
                                        "'requires' binds, the variable", f"${variable}", known)


def _model_only(
    file: RuleFile, parts: Mapping[str, tuple[Clause, ...]], names: Vocabulary
) -> Iterator[RuleError]:
    """A fault rests on the ledgers alone: the same rule also judges runs that printed no line."""
    for name, clauses in parts.items():
        for nr, clause in enumerate(clauses):
            for fact in clause.facts:
                if names[fact].kind != "model":
                    yield file.mistake((name, nr, "fact"), "A fault rule rests on model facts; "
                                       f"{fact!r} is of kind {names[fact].kind}. Cite it, or "
                                       "require a model fact.")


def _confirmations(file: RuleFile, names: Vocabulary) -> Iterator[RuleError]:
    for name in cast("list[str]", file.content.get("confirmed_by", [])):
        if name not in names:
            yield file.stranger(("confirmed_by",), "The fact", name, tuple(names))


def _message(file: RuleFile) -> Iterator[RuleError]:
    table = file.content.get("message", {})
    if not isinstance(table, dict) or not table:
        return
    yield from file.mistakes(table, MESSAGE_KEYS, ("message",))
    for part in MESSAGE_KEYS:
        text = table.get(part, "")
        try:
            used = [name for _, name, _, _ in Formatter().parse(str(text))]
        except ValueError as error:
            yield file.mistake(("message", part), f"A brace is out of place: {error}. "
                               "Close or double it.")
            continue
        for name in used:
            if name is not None and name not in PLACEHOLDERS:
                yield file.stranger(("message", part), "The placeholder", name, PLACEHOLDERS)
