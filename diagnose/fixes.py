"""The table of what can be done: `fixes.toml` in, checked `Fix` values out.

A fix says what to do and which kernel row, or which behaviour of guests, that leads to. It never
says that it is enough: the replay runs the story under what a fix leads to, and that is the answer.

**Invariant:** the texts are data; no code here or elsewhere knows a fix by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from diagnose.rulefile import Key, RuleFile, Table
from emulator.kernels import ROWS

if TYPE_CHECKING:
    from diagnose.diagnosis import FixKind

FIXES = Path(__file__).parent / "fixes.toml"

FIX_KINDS: tuple[FixKind, ...] = ("upgrade", "backport", "workaround", "recover")
"""In the order in which they are recommended: a released kernel first."""

_FILE_KEYS: Mapping[str, Key] = MappingProxyType({
    "fix": Key("clauses", "always", "One table for each fix."),
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


@dataclass(frozen=True, slots=True)
class Fix:
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


@cache
def load_fixes(path: Path = FIXES) -> tuple[Fix, ...]:
    """All fixes in the order of recommendation. Raises RuleError with file and line."""
    file = RuleFile(path)
    file.check(file.content, _FILE_KEYS)
    tables = cast("list[Table]", file.content["fix"])
    fixes = tuple(_fix(file, nr, table) for nr, table in enumerate(tables))
    seen: set[tuple[str, str]] = set()
    for nr, fix in enumerate(fixes):
        if (fix.id, fix.kind) in seen:
            file.fail(("fix", nr, "id"), f"The {fix.kind} {fix.id!r} stands here twice. "
                      "Join the two, or give one another id.")
        seen.add((fix.id, fix.kind))
    return tuple(sorted(fixes, key=lambda fix: FIX_KINDS.index(fix.kind)))


def _fix(file: RuleFile, nr: int, table: Table) -> Fix:
    file.check(table, FIX_KEYS, ("fix", nr))
    text = {name: " ".join(str(table[name]).split())
            for name, key in FIX_KEYS.items() if key.type == "string"}
    kind = cast("FixKind", text.pop("kind"))
    rows = tuple(row.name for row in ROWS)
    if text["assume"] not in (*rows, text["id"]):
        raise file.stranger(("fix", nr, "assume"), "The kernel row", text["assume"], rows)
    lists = {name: tuple(cast("list[str]", table[name])) for name in ("faults", "references")}
    return Fix(**text, kind=kind, faults=lists["faults"], references=lists["references"])
