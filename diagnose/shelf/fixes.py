"""Fixes: what each changes in the bookkeeping, where it is to be had, what to do for it.

**Invariant:** no sheet says that a fix is enough; only a replay of a story can.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from diagnose.fixes import Fix, KnownFix, load_fixes, load_known
from diagnose.render.paper import Paper
from diagnose.render.words import sentence
from diagnose.shelf.sheet import Shelf, columns, lead, row, rows


class FixSheet(Struct, frozen=True):
    """One fix: the ways to have it that the replay can try, or what is known of one it cannot."""

    id: str
    title: str
    component: str
    ways: tuple[Fix, ...]
    known: KnownFix | None


def names() -> tuple[str, ...]:
    """All fixes, those that can be tried first and in the order of recommendation."""
    tried = dict.fromkeys(fix.id for fix in load_fixes())
    return (*tried, *(fix.id for fix in load_known()))


def sheet(name: str) -> FixSheet:
    """All about the fix of this name."""
    ways = tuple(fix for fix in load_fixes() if fix.id == name)
    known = next((fix for fix in load_known() if fix.id == name), None)
    first = known or ways[0]
    return FixSheet(name, first.title, first.component, ways, known)


def write_list(paper: Paper, sheets: Sequence[FixSheet]) -> None:
    """All fixes, one row each way to have them."""
    told: list[tuple[str, str, str]]
    told = [(each.id, way.kind, way.title) for each in sheets for way in each.ways]
    told += [(each.id, "known", each.title) for each in sheets if each.known]
    columns(paper, [((("strong", name), (_tone(kind), kind)), title) for name, kind, title in told])


def _tone(kind: str) -> str:
    return {"upgrade": "good", "backport": "doubt", "known": "faint"}.get(kind, "")


def write(paper: Paper, each: FixSheet) -> None:
    """One fix for people."""
    for way in each.ways:
        lead(paper, way.title)
        row(paper, "is", (_tone(way.kind), way.kind), f" of {way.component}")
        row(paper, "released in", way.release)
        row(paper, "what to do", way.text)
        row(paper, "effect", way.effect)
        row(paper, "leads to", f"kernel row {way.row}" if way.row else "another habit of guests")
        row(paper, "speaks to", ", ".join(way.faults))
        _references(paper, way.references)
    if each.known is not None:
        lead(paper, each.title)
        row(paper, "is", ("faint", "known"), f", of {each.component}; never recommended")
        row(paper, "released in", each.known.release)
        row(paper, "effect", each.known.effect)
        row(paper, "not tried", sentence(each.known.outside))
        _references(paper, each.known.references)


def _references(paper: Paper, references: Sequence[str]) -> None:
    rows(paper, "references", [(("faint", text),) for text in references])
    paper.blank()


SHELF = Shelf("fix", names, sheet, write)
