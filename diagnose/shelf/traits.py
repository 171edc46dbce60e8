"""Traits of kernels: what each knob of the emulated machine means, and which rows turn it.

**Invariant:** the meanings are the emulator's own.
"""

from __future__ import annotations

from msgspec import Struct

from diagnose.render.paper import Paper
from diagnose.shelf.kernels import value_told
from diagnose.shelf.sheet import Shelf, lead, row
from emulator.kernels import ROWS, TRAIT_MEANINGS


class TraitSheet(Struct, frozen=True):
    """One trait; `shipped` is its value as shipped, `rows` are those that have another."""

    name: str
    meaning: str
    shipped: str
    rows: tuple[str, ...]


def names() -> tuple[str, ...]:
    """All traits, in the emulator's order."""
    return tuple(TRAIT_MEANINGS)


def sheet(name: str) -> TraitSheet:
    """All about the trait of this name."""
    shipped = getattr(ROWS[0].traits, name)
    rows = tuple(each.name for each in ROWS if getattr(each.traits, name) != shipped)
    return TraitSheet(name, TRAIT_MEANINGS[name], value_told(shipped), rows)


def write(paper: Paper, each: TraitSheet) -> None:
    """One trait for people."""
    lead(paper, each.meaning)
    row(paper, "as shipped", each.shipped)
    row(paper, "differs in", ", ".join(each.rows) or "no row")


SHELF = Shelf("trait", names, sheet, write)
