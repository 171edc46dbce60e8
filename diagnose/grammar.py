"""The catalogue of messages at run time: find a line's production, read its fields, print it back.

A line is found by its words: a production is tried only if one of its literals stands in the
payload (see `cues.index`), and its regular expression is compiled when that happens first.

**Invariant:** payloads are folded (see `annotation.fold`) and cut at both ends before they come
here; no line is refused that lark's parser would accept.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from diagnose import catalogue_file
from diagnose.annotation import fold
from diagnose.events import Production
from diagnose.production import HEAD_LETTERS, Rule
from diagnose.sieve import Sieve, sieve
from diagnose.values import FIELD_TYPES

REMEMBERED_MAX = 4096
REMEMBERED_LENGTH_MAX = 256
_ANY_TEXT = ("[^\n]+", "[^\n]*")


class Reading(Struct, frozen=True):
    """A line as a production reads it."""

    production: Production
    fields: dict[str, object]


class Matched(Struct, frozen=True):
    """What the catalogue says of a payload.

    `near`: nothing reads it though it holds a long literal of some message. `cued`: it holds one
    by which a message is found.
    """

    reading: Reading | None = None
    near: bool = False
    cued: bool = False


NOTHING = Matched()


class Broken(Struct, frozen=True):
    """Where the nearest production stopped to fit: `column` counts from 0 in the payload."""

    production: Production
    column: int
    expected: str


class Catalogue:
    """All productions.

    `states` holds a catalogue for each kind of state file, `anyhost` the kinds that every host
    prints. `hash` identifies the grammars from which it comes. `remark` says what was wrong with
    the kept catalogue, None if nothing.
    """

    def __init__(self, data: Mapping[str, Any], remark: str | None = None) -> None:
        self.remark = remark
        self._memory: dict[str, Matched] = {}
        self.hash: str = data["hash"]
        self._made: Sequence[Mapping[str, Any]] = data["productions"]
        self._rules: list[Rule | None] = [None] * len(self._made)
        index = data["index"]
        self._fields: dict[str, list[str]] = index["fields"]
        self._numbers = {kind: number for number, kind in enumerate(self._fields)}
        self._literals: list[tuple[str, list[int], list[int]]] = index["literals"]
        self.raw_cues: tuple[str, ...] = tuple(index["raw"])
        self._words: dict[str, list[int]] = index["words"]
        self._bare = [(self._literals[number][0], number) for number in index["bare"]]
        self._heads: dict[str, list[int]] = index["heads"]
        self._layers = frozenset(index["layers"])
        self.anyhost: tuple[str, ...] = tuple(index["anyhost"])
        self.states = {kind: Catalogue({"hash": self.hash, **own})
                       for kind, own in data.get("state", {}).items()}

    @cached_property
    def sieve(self) -> Sieve:
        """What finds the lines of a log that this catalogue may read."""
        return sieve(self.raw_cues)

    # --- Asking about productions -----------------------------------------------------------

    def _rule(self, number: int) -> Rule:
        """One production, made when it is asked for: a log speaks of a tenth of them."""
        rule = self._rules[number]
        if rule is None:
            rule = self._rules[number] = Rule(self._made[number])
        return rule

    def _of(self, kind: str) -> Rule:
        return self._rule(self._numbers[kind])

    @cached_property
    def layers(self) -> tuple[Rule, ...]:
        """The layers of the envelope."""
        return tuple(map(self._rule, sorted(self._layers)))

    @property
    def _messages(self) -> Iterator[Rule]:
        """All but the layers of the envelope, which are no messages."""
        return (self._rule(nr) for nr in range(len(self._made)) if nr not in self._layers)

    @property
    def productions(self) -> tuple[Production, ...]:
        """All messages."""
        return tuple(rule.production for rule in self._messages)

    @cached_property
    def fields(self) -> Mapping[str, tuple[str, ...]]:
        """The kinds of all messages, each with the names of its fields."""
        return {kind: tuple(names)
                for number, (kind, names) in enumerate(self._fields.items())
                if number not in self._layers}

    def production(self, kind: str) -> Production:
        """The production of a kind. Raises KeyError for an unknown one."""
        return self._of(kind).production

    def pattern(self, kind: str) -> str:
        """The derived regular expression of a kind, for tests and for the curious."""
        return self._of(kind).pattern

    def place(self, kind: str) -> str:
        """The grammar file and the line that hold the production of a kind."""
        return self._of(kind).place

    def forms(self, kind: str) -> tuple[str, ...]:
        """The texts of a kind as they are printed, with `<field>` for each of its fields."""
        rule = self._of(kind)
        texts = ("".join(f"<{name}>" if name else raw for name, _, raw in steps)
                 for steps in rule.alternatives)
        return tuple(f"{rule.head}{text}{rule.tail}" for text in texts)

    # --- Reading ----------------------------------------------------------------------------

    def match(self, payload: str) -> Matched:
        """The reading of a payload, or None and how near it comes to a message.

        The fields of noise are not read: nobody asks for them. Logs repeat themselves, so the last
        few thousand answers are kept; equal payloads share one dictionary of fields.
        """
        known = self._memory.get(payload)
        if known is None:
            known = self._match(payload)
            if len(payload) <= REMEMBERED_LENGTH_MAX:
                if len(self._memory) >= REMEMBERED_MAX:
                    self._memory.clear()
                self._memory[payload] = known
        return known

    def _match(self, payload: str) -> Matched:
        hits = self._hits(payload)
        if not hits:
            return NOTHING
        literals = self._literals
        candidates = {number for hit in hits for number in literals[hit][1]}
        for number in sorted(candidates) if len(candidates) > 1 else candidates:
            rule = self._rule(number)
            if rule.production.noise:
                if rule.regex.fullmatch(payload) is not None:
                    return Matched(Reading(rule.production, {}))
                continue
            fields = rule.read(payload)
            if fields is not None:
                return Matched(Reading(rule.production, fields))
        return Matched(None, any(literals[hit][2] for hit in hits), True)

    def open_ended(self, kind: str) -> bool:
        """Whether a message ends with whatever text there is, so that no end of it is wrong."""
        return all(steps[-1][2].endswith(_ANY_TEXT) for steps in self._of(kind).alternatives)

    def begins(self, payload: str, cued: bool) -> bool:
        """Whether the payload may be the beginning of a message that is not there as a whole.

        Where it breaks off it is in a literal, or in a field of which the rest holds no blank.
        """
        heads = self._heads.get(payload[:HEAD_LETTERS])
        if not cued and heads is None:
            return False
        numbers = set(heads or ())
        if cued:
            numbers.update(number for hit in self._hits(payload)
                           for number in self._literals[hit][1])
        return any(self._breaks_off(self._rule(number), payload) for number in numbers)

    @staticmethod
    def _breaks_off(rule: Rule, payload: str) -> bool:
        for steps in rule.alternatives:
            at, _, in_field = _walk(steps, payload)
            if at >= len(payload) or (in_field and " " not in payload[at:]):
                return True
        return False

    def read(self, payload: str) -> Reading | None:
        """The reading of a folded payload, with the fields of noise as well."""
        reading = self.match(payload).reading
        if reading is None:
            return None
        production = reading.production
        return Reading(production, self._of(production.kind).read(payload) or {})

    def parse(self, payload: str) -> tuple[str, dict[str, object]] | None:
        """Kind and fields of a message as it stands in a log, folded here; None if none fits."""
        reading = self.read(fold(payload).strip(" "))
        return None if reading is None else (reading.production.kind, reading.fields)

    def accepting(self, payload: str) -> tuple[str, ...]:
        """The kinds of all productions that accept a folded payload, tried without any cue."""
        return tuple(
            rule.production.kind
            for rule in self._messages
            if rule.read(payload) is not None
        )

    def _hits(self, payload: str) -> list[int]:
        """The numbers of all literals that stand in the payload."""
        words = self._words
        literals = self._literals
        # A literal's blank at an end of the payload was cut off with the payload's ends.
        padded = f" {payload} "
        found = [number for literal, number in self._bare if literal in padded]
        for word in payload.split(" "):
            for number in words.get(word, ()):
                if literals[number][0] in padded:
                    found.append(number)
        return found

    def broken(self, payload: str) -> Broken | None:
        """The production that comes nearest to a folded payload, and the column where it broke.

        None if the payload holds no literal of any production.
        """
        numbers = {
            number
            for hit in self._hits(payload)
            for kinds in self._literals[hit][1:]
            for number in kinds
        }
        best: Broken | None = None
        for number in sorted(numbers):
            rule = self._rule(number)
            for steps in rule.alternatives:
                column, expected, _ = _walk(steps, payload)
                if best is None or column > best.column:
                    best = Broken(rule.production, column, expected)
        return best

    # --- Printing ---------------------------------------------------------------------------

    def print_line(self, kind: str, fields: Mapping[str, object]) -> str:
        """The message byte for byte as the kernel prints it, without envelope and line end.

        Raises KeyError for an unknown kind, ValueError for fields that the message cannot print.
        """
        rule = self._of(kind)
        types = rule.production.field_types
        given = {name for name, value in fields.items() if value is not None}
        for steps in rule.alternatives:
            if {name for name, _, _ in steps if name} == given:
                printed = [
                    FIELD_TYPES[types[name]].write(fields[name]) if name else text
                    for name, _, text in steps
                ]
                return "".join([rule.head, *printed, rule.tail])
        raise ValueError(f"{kind} prints {sorted(types)}, not {sorted(given)}")


def _walk(steps: Sequence[Sequence[str]], payload: str) -> tuple[int, str, bool]:
    """How far the steps fit the payload, what would have had to follow, and whether as a field."""
    at = 0
    for name, text, pattern in steps:
        if name:
            match = re.compile(pattern).match(payload, at)
            if match is None:
                return at, name, True
            at = match.end()
            continue
        for letter in text:
            if not payload.startswith(letter, at):
                return at, repr(text), False
            at += 1
    return at, "the end of the line", False


@lru_cache(maxsize=1)
def load(directory: Path | None = None) -> Catalogue:
    """The catalogue of this installation, loaded once.

    Raises GrammarError if the grammars cannot be used.
    """
    data, remark = catalogue_file.load(directory)
    return Catalogue(data, remark)


def print_line(kind: str, fields: Mapping[str, object]) -> str:
    """`Catalogue.print_line` of this installation's catalogue."""
    return load().print_line(kind, fields)
