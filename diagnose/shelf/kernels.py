"""Kernel rows: what each is, what had to be changed for it, how it differs, how far it is.

**Invariant:** a row's traits and their sources are the emulator's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from diagnose.exposure import outcomes
from diagnose.fixes import load_fixes
from diagnose.options import Options
from diagnose.pipeline import rules_for
from diagnose.render.paper import Paper, Piece
from diagnose.render.words import sentence
from diagnose.shelf.sheet import Shelf, below, columns, lead, pairs, row
from emulator.kernels import BUILD_MAX, ROWS, TRAIT_MEANINGS, Row, Traits, distance

SHIPPED = ROWS[0]
"""The row that the others are told apart from."""


class Trait(NamedTuple):
    """A trait that is cited or differs: its value here, as shipped, what it means, its source."""

    trait: str
    value: object
    shipped: object
    meaning: str
    cite: str


class Hazard(NamedTuple):
    """A short story, and what comes of it on this row: faults, harmless rules, a dead host."""

    hazard: str
    title: str
    faults: tuple[str, ...]
    harmless: tuple[str, ...]
    dies: str
    acts: tuple[str, ...]
    why: str
    references: tuple[str, ...]


class Distance(NamedTuple):
    """Steps from what a banner of builds `first` to `last` suggests; None: every later build."""

    first: int
    last: int | None
    steps: int


@dataclass(frozen=True, slots=True)
class RowSheet:
    """One kernel row; `builds` are the first and last that were shipped so, `fixes` lead to it."""

    name: str
    title: str
    base: str
    change: str
    builds: tuple[int, int | None] | None
    traits: tuple[Trait, ...]
    distances: tuple[Distance, ...]
    fixes: tuple[str, ...]
    hazards: tuple[Hazard, ...]


def names() -> tuple[str, ...]:
    """All rows, the shipped one first."""
    return tuple(each.name for each in ROWS)


def sheet(name: str) -> RowSheet:
    """All about the row of this name."""
    each = next(each for each in ROWS if each.name == name)
    return RowSheet(
        name=name, title=each.title, base=each.base, change=each.change, builds=_builds(each),
        traits=tuple(_traits(each)),
        distances=tuple(
            Distance(*builds, distance(each, builds[0]))
            for builds in map(_builds, ROWS) if builds is not None
        ),
        fixes=tuple(dict.fromkeys(fix.id for fix in load_fixes() if fix.row == name)),
        hazards=tuple(
            Hazard(told.hazard.id, told.hazard.title, told.faults, told.harmless, told.dies,
                   told.hazard.told, told.hazard.why, told.hazard.references)
            for told in outcomes(each, rules_for(Options()))
        ),
    )


def _builds(each: Row) -> tuple[int, int | None] | None:
    if each.releases is None:
        return None
    first, last = each.releases
    return first, None if last == BUILD_MAX else last


def _traits(each: Row) -> list[Trait]:
    own, shipped = each.traits._asdict(), SHIPPED.traits._asdict()
    return [
        Trait(name, own[name], shipped[name], TRAIT_MEANINGS[name], each.cites.get(name, ""))
        for name in Traits._fields
        if own[name] != shipped[name] or name in each.cites
    ]


# --- For people ------------------------------------------------------------------------------


def write_list(paper: Paper, sheets: Sequence[RowSheet]) -> None:
    """All rows, one each."""
    columns(paper, [((("strong", each.name), _changed(each)), each.title) for each in sheets])


def write(paper: Paper, each: RowSheet) -> None:
    """One row for people."""
    lead(paper, each.title)
    for section in SECTIONS:
        section(paper, each)


def _origin(paper: Paper, each: RowSheet) -> None:
    row(paper, "builds", _span(*each.builds) if each.builds else "nobody shipped this row")
    row(paper, "changed", f"{each.change}, on top of {each.base}" if each.builds is None else "")


def _behaviour(paper: Paper, each: RowSheet) -> None:
    for number, trait in enumerate(each.traits):
        same = trait.value == trait.shipped
        note = ", as shipped" if same else f" (as shipped: {value_told(trait.shipped)})"
        pieces: tuple[Piece, ...] = (
            ("strong", trait.trait), " = ",
            ("" if same else "doubt", value_told(trait.value)), note,
        )
        if number == 0:
            row(paper, "traits", *pieces)
        else:
            below(paper, *pieces)
        below(paper, sentence(trait.meaning), more=2)
        below(paper, ("faint", trait.cite), more=2)


def _nearness(paper: Paper, each: RowSheet) -> None:
    pairs(paper, "distance", [
        (str(far.steps), f"from a banner of {_span(far.first, far.last)}") for far in each.distances
    ])


def _ways(paper: Paper, each: RowSheet) -> None:
    row(paper, "fixes", ", ".join(each.fixes))


def _hazards(paper: Paper, each: RowSheet) -> None:
    """What can still go wrong here, with the story that does it, and what cannot any more."""
    bad = [one for one in each.hazards if one.faults or one.dies]
    good = [one for one in each.hazards if one not in bad]
    for label, hazards in (("goes wrong", bad), ("stays well", good)):
        for number, one in enumerate(hazards):
            if number == 0:
                row(paper, label, ("strong", one.title))
            else:
                below(paper, ("strong", one.title))
            result = ", ".join([*one.faults, *([one.dies] if one.dies else [])])
            excused = f"harmless: {', '.join(one.harmless)}" if one.harmless else "no fault"
            below(paper, ("bad", result) if result else ("good", excused), more=2)
            if result:
                below(paper, one.why, more=2)
                below(paper, ("faint", "; ".join(one.acts)), more=2)


SECTIONS = (_origin, _behaviour, _nearness, _ways, _hazards)
"""What is told of a row, top to bottom."""


def _changed(each: RowSheet) -> str:
    return {"none": "as shipped"}.get(each.change, each.change)


def _span(first: int, last: int | None) -> str:
    return f"2.6.18-{first} to -{last}" if last is not None else f"2.6.18-{first} and later"


def value_told(value: object) -> str:
    """A trait's value as people say it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


SHELF = Shelf("kernel row", names, sheet, write)
