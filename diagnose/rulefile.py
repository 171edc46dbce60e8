"""A rule file's text: its closed set of keys, the check of every value, and the line of a mistake.

A key is one row of a table here: its type, when it is needed, what it means. The loader and the
published JSON Schema are both made from these tables, so that they cannot disagree.

**Invariant:** knows the shape of a rule file and nothing of what a rule says.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from msgspec import Struct

from diagnose import tables
from diagnose.errors import RuleError, nearest

RULE_BYTES_MAX = 65536
"""A rule is a page; a longer file is a mistake."""


class Key(Struct, frozen=True):
    """One key: its TOML type, when it is needed ("always", "fault", "harmless" or "")."""

    type: str
    needed: str
    about: str
    choices: tuple[str, ...] = ()


RULE_KEYS: Mapping[str, Key] = MappingProxyType({
    "id": Key("string", "always", "MSIX001… fault, MSIX1xx harmless; a retired id stays retired."),
    "title": Key("string", "always", "One line, lower case, without a full stop."),
    "fault": Key("string", "", "The fault that a match is; a file has either this or `harmless`."),
    "harmless": Key("boolean", "", "True: a match explains lines that look alarming and are not."),
    "severity": Key("string", "always", "How bad it is.", ("error", "warning", "note")),
    "per": Key("strings", "", "One result for each value of these.", ("device", "boot")),
    "requires": Key("clauses", "always", "Facts that have to exist, joined by variables."),
    "unless": Key("clauses", "", "Facts that must not exist; their variables are bound above."),
    "cites": Key("clauses", "", "Facts that are evidence if they exist."),
    "confirmed_by": Key("strings", "", "Later facts that show a fault which printed nothing."),
    "follows": Key("strings", "", "Faults that cause this one."),
    "domids_from": Key("string", "", "Whose domid is reported.", ("domid", "from_domid")),
    "fix": Key("string", "fault", "What ends it, in one sentence."),
    "references": Key("strings", "always", "Where this can be read up."),
    "message": Key("table", "fault", "What was seen, why it is wrong, what to do."),
    "reason": Key("string", "harmless", "Why the lines are expected."),
    "would_be_a_fault_if": Key("string", "harmless", "What would have made the same text a fault."),
})

CLAUSE_KEYS: Mapping[str, Key] = MappingProxyType({
    "fact": Key("names", "always", "A fact's name, or a list of names any of which will do."),
    "bind": Key("bindings", "", "Field → \"$variable\", \"$_\" for any value, a value, a list."),
})

MESSAGE_KEYS: Mapping[str, Key] = MappingProxyType({
    "seen": Key("string", "always", "What was seen."),
    "wrong": Key("string", "always", "Why it is wrong."),
    "todo": Key("string", "always", "What to do."),
})

_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = MappingProxyType({
    "string": ((str,), "a text"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "strings": ((list,), "a list of texts"),
    "names": ((str, list), "a text or a list of texts"),
    "clauses": ((list,), "a list of tables"),
    "table": ((dict,), "a table"),
    "bindings": ((dict,), "a table"),
})

Step = str | int
Table = Mapping[str, object]


class RuleFile:
    """One file's text with its parsed content; complains about it with file and line."""

    def __init__(self, path: Path) -> None:
        """Read `path`. Raises RuleError if it is no TOML file of sane size in UTF-8."""
        self.name = path.name
        raw = path.read_bytes()
        self._text = raw.decode("utf-8", errors="replace")
        if len(raw) > RULE_BYTES_MAX:
            self.fail((), f"The file has {len(raw)} bytes; a rule has at most {RULE_BYTES_MAX}. "
                      "Move its story to the documentation.")
        try:
            self.content: Table = tables.parsed(path, raw)
        except ValueError as error:
            place = re.search(r"at line (\d+)", str(error))
            line = int(place[1]) if place else self._text.count("\n") + 1
            what = f"This is not TOML: {error}. Mend the syntax."
            raise RuleError(self.name, line, what) from None

    def mistake(self, path: tuple[Step, ...], what: str) -> RuleError:
        """The error that says what is wrong at the line of the key that `path` leads to."""
        return RuleError(self.name, line_of(self._text, path), what)

    def stranger(
        self, path: tuple[Step, ...], what: str, word: str, known: tuple[str, ...]
    ) -> RuleError:
        """The error for a `word` that is not among `known`; it names the nearest that is."""
        near = nearest(word, known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known)}."
        return self.mistake(path, f"{what} {word!r} does not exist. {hint}")

    def fail(self, path: tuple[Step, ...], what: str) -> NoReturn:
        """Raise what `mistake` returns."""
        raise self.mistake(path, what)

    def check(self, table: Table, keys: Mapping[str, Key], path: tuple[Step, ...] = ()) -> None:
        """Raise the first of the mistakes in `table`, if there is any."""
        for error in self.mistakes(table, keys, path):
            raise error

    def mistakes(
        self, table: Table, keys: Mapping[str, Key], path: tuple[Step, ...] = ()
    ) -> Iterator[RuleError]:
        """What is wrong with names, types and choices of the keys of `table`, and what it lacks."""
        for name, value in table.items():
            if name in keys:
                yield from self._value_mistakes(value, keys[name], (*path, name))
            else:
                yield self.stranger((*path, name), "The key", name, tuple(keys))
        for name, key in keys.items():
            if key.needed == "always" and name not in table:
                yield self.mistake(path, f"The key {name!r} is missing. Add it: {key.about}")

    def _value_mistakes(
        self, value: object, key: Key, path: tuple[Step, ...]
    ) -> Iterator[RuleError]:
        types, said = _TYPES[key.type]
        name = path[-1]
        # To Python true is a number as well; to who writes a file it is none.
        if not isinstance(value, types) or isinstance(value, bool) != (bool in types):
            yield self.mistake(path, f"The key {name!r} holds {_spell(value)}; it needs {said}.")
            return
        if isinstance(value, str) and not value.strip():
            yield self.mistake(path, f"The key {name!r} is empty. Say it, or leave the key out.")
            return
        inner = dict if key.type == "clauses" else str
        for item in value if isinstance(value, list) else ():
            if not isinstance(item, inner):
                yield self.mistake(
                    path, f"The list {name!r} holds {_spell(item)}; it needs {said}."
                )
            elif isinstance(item, str) and not item.strip():
                yield self.mistake(path, f"The list {name!r} holds an empty text. Say it, or take "
                                   "it out.")
        for word in value if isinstance(value, list) else (value,):
            if key.choices and word not in key.choices:
                yield self.stranger(path, f"For {name!r} the value", str(word), key.choices)


def line_of(text: str, path: tuple[Step, ...]) -> int:
    """Line (from 1) on which the key at `path` stands; the nearest place before it if unsure.

    A number in `path` counts the tables of a list, which are written as `[[name]]` or in braces.
    """
    at = 0
    for position, step in enumerate(path):
        if isinstance(step, int):
            head = re.escape(str(path[position - 1]))
            heads = list(re.finditer(rf"^\[\[{head}\]\]", text, re.MULTILINE))
            found = heads or list(re.compile(r"\{").finditer(text, at))
            at = found[step].start() if step < len(found) else at
        else:
            word = re.escape(step)
            key = re.compile(rf"^\s*\[+{word}\]+|(?<![\w$.]){word}[\"']?\s*=", re.MULTILINE)
            hit = key.search(text, at)
            at = hit.end() if hit else at
    return text.count("\n", 0, at) + 1


def _spell(value: object) -> str:
    """How a TOML value is called in an error message."""
    if isinstance(value, bool):
        return str(value).lower()
    names = {str: "the text", int: "the number", list: "a list", dict: "a table"}
    name = names.get(type(value), "a value")
    return f"{name} {value!r}" if isinstance(value, str | int) else name
