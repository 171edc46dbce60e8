"""The table of what can be done: `fixes.toml` in, checked `Fix` and `KnownFix` values out.

A fix says what to do and which kernel row, or which behaviour of guests, that leads to. It never
says that it is enough: the replay runs the story under what a fix leads to, and that is the answer.
A known fix leads to nothing that can be replayed, and is therefore never recommended.

**Invariant:** the texts are data; no code here or elsewhere knows a fix by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from diagnose.rulefile import Key, RuleFile, Table
from emulator.kernels import ROWS

if TYPE_CHECKING:
    from diagnose.diagnosis import FixKind

FIXES = Path(__file__).parent / "fixes.toml"

FIX_KINDS: tuple[FixKind, ...] = ("upgrade", "backport", "workaround", "recover")
"""In the order in which they are recommended: a released kernel first."""

_FILE_KEYS: Mapping[str, Key] = MappingProxyType({
    "fix": Key("clauses", "always", "One table for each fix that the replay can try."),
    "known": Key("clauses", "", "One table for each fix that it cannot try."),
})
FIX_KEYS: Mapping[str, Key] = MappingProxyType({
    "id": Key("string", "always", "The fix's name; one name may occur once for each kind."),
    "kind": Key("string", "always", "What the administrator has to do.", FIX_KINDS),
    "title": Key("string", "always", "One line, lower case, without a full stop."),
    "assume": Key("string", "always", "The kernel row that it leads to, or its own id."),
    "component": Key("string", "always", "Which program changes."),
    "release": Key("string", "always", "The first release that has it."),
    "text": Key("string", "always", "What to do, in the imperative."),
    "effect": Key("string", "always", "What changes in the bookkeeping."),
    "faults": Key("strings", "always", "The faults that it speaks to."),
    "references": Key("strings", "always", "Where this can be read up."),
})
KNOWN_KEYS: Mapping[str, Key] = MappingProxyType({
    **{name: FIX_KEYS[name] for name in ("title", "component", "effect", "references")},
    "id": Key("string", "always", "The fix's name."),
    "release": Key("string", "always", "Where it is."),
    "outside": Key("string", "always", "Why the replay cannot try it."),
})


class Fix(Struct, frozen=True):
    """One thing to do. `assume` is a kernel row's name, or `id` for what guests do or should do."""

    id: str
    kind: FixKind
    title: str
    assume: str
    component: str
    release: str
    text: str
    effect: str
    faults: tuple[str, ...]
    references: tuple[str, ...]

    @property
    def row(self) -> str | None:
        """The kernel row that the fix leads to; None where it changes no kernel of the host."""
        return None if self.assume == self.id else self.assume


class KnownFix(Struct, frozen=True):
    """A fix for people to know of; `outside` says why no story can be run with it."""

    id: str
    title: str
    component: str
    release: str
    effect: str
    outside: str
    references: tuple[str, ...]


@cache
def load_fixes(path: Path = FIXES) -> tuple[Fix, ...]:
    """All fixes in the order of recommendation. Raises RuleError with file and line."""
    file = RuleFile(path)
    file.check(file.content, _FILE_KEYS)
    fixes = tuple(_fix(file, nr, table) for nr, table in enumerate(_tables(file, "fix")))
    seen: set[tuple[str, str]] = set()
    for nr, fix in enumerate(fixes):
        if (fix.id, fix.kind) in seen:
            file.fail(("fix", nr, "id"), f"The {fix.kind} {fix.id!r} stands here twice. "
                      "Join the two, or give one another id.")
        seen.add((fix.id, fix.kind))
    return tuple(sorted(fixes, key=lambda fix: FIX_KINDS.index(fix.kind)))


@cache
def load_known(path: Path = FIXES) -> tuple[KnownFix, ...]:
    """All known fixes as they stand in the file. Raises RuleError with file and line."""
    taken = {fix.id for fix in load_fixes(path)}
    file = RuleFile(path)
    known = []
    for nr, table in enumerate(_tables(file, "known")):
        file.check(table, KNOWN_KEYS, ("known", nr))
        known.append(KnownFix(**_texts(table, KNOWN_KEYS), references=_list(table, "references")))
        if known[-1].id in taken:
            file.fail(("known", nr, "id"), f"The fix {known[-1].id!r} stands here twice. "
                      "What can be tried is no known fix; keep one of them.")
        taken.add(known[-1].id)
    return tuple(known)


def _tables(file: RuleFile, name: str) -> list[Table]:
    return cast("list[Table]", file.content.get(name, []))


def _texts(table: Table, keys: Mapping[str, Key]) -> dict[str, str]:
    """The texts of a table, each as one line."""
    return {name: " ".join(str(table[name]).split())
            for name, key in keys.items() if key.type == "string"}


def _list(table: Table, name: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", table[name]))


def _fix(file: RuleFile, nr: int, table: Table) -> Fix:
    file.check(table, FIX_KEYS, ("fix", nr))
    text = _texts(table, FIX_KEYS)
    kind = cast("FixKind", text.pop("kind"))
    rows = tuple(row.name for row in ROWS)
    if text["assume"] not in (*rows, text["id"]):
        raise file.stranger(("fix", nr, "assume"), "The kernel row", text["assume"], rows)
    return Fix(**text, kind=kind, faults=_list(table, "faults"),
               references=_list(table, "references"))
