"""Kernel rows: what each is, what had to be changed for it, how it differs, how far it is.

**Invariant:** a row's traits and their sources are the emulator's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from msgspec import Struct

from diagnose.fixes import load_fixes
from diagnose.hazards import Outcome, load_hazards, outcome
from diagnose.options import Options
from diagnose.pipeline import rules_for
from diagnose.reach import Reach, load_reach
from diagnose.render.paper import Paper, Piece, Style
from diagnose.render.words import sentence
from diagnose.rules import Rule
from diagnose.shelf.sheet import Shelf, below, columns, head, lead, pairs, row
from emulator.kernels import BUILD_MAX, ROWS, TRAIT_MEANINGS, Row, Traits, distance

WORLD = (
    "every story of up to {length} acts on a virtual function A and a card P, both seized, with "
    "two entries and two guests at a time (an HVM guest has A alone): {states} states of the host. "
    "Outside causes but a lingering domain, other drivers and a worn host are not in it"
)
DEAD = "the host dies"

SHIPPED = ROWS[0]
"""The row that the others are told apart from."""


class Trait(NamedTuple):
    """A trait that is cited or differs: its value here, as shipped, what it means, its source."""

    trait: str
    value: object
    shipped: object
    meaning: str
    cite: str


class Search(NamedTuple):
    """How much a search has tried: stories of up to `length` acts, `states` that were reached.

    `never`: the faults to which none of them leads.
    """

    length: int
    states: int
    tries: int
    never: tuple[str, ...]


class Danger(NamedTuple):
    """The shortest way into a fault (empty: a dead host), explained by the hazard of that name."""

    fault: str
    hazard: str
    title: str
    acts: tuple[str, ...]
    why: str
    references: tuple[str, ...]


class Hazard(NamedTuple):
    """A short story, and what comes of it on this row: faults, harmless rules, a dead host.

    `beyond`: no search comes upon it, for it needs a worn host or another driver.
    """

    hazard: str
    title: str
    faults: tuple[str, ...]
    harmless: tuple[str, ...]
    dies: str
    acts: tuple[str, ...]
    why: str
    references: tuple[str, ...]
    beyond: bool


class Distance(NamedTuple):
    """Steps from what a banner of builds `first` to `last` suggests; None: every later build."""

    first: int
    last: int | None
    steps: int


class RowSheet(Struct, frozen=True):
    """One kernel row; `builds` are the first and last that were shipped so, `fixes` lead to it.

    `search` is None, and `dangers` empty, for a row that nobody has searched.
    """

    name: str
    title: str
    base: str
    change: str
    builds: tuple[int, int | None] | None
    traits: tuple[Trait, ...]
    distances: tuple[Distance, ...]
    fixes: tuple[str, ...]
    search: Search | None
    dangers: tuple[Danger, ...]
    hazards: tuple[Hazard, ...]


def names() -> tuple[str, ...]:
    """All rows, the shipped one first."""
    return tuple(each.name for each in ROWS)


def sheet(name: str) -> RowSheet:
    """All about the row of this name."""
    each = next(each for each in ROWS if each.name == name)
    rules = rules_for(Options())
    outcomes = tuple(outcome(hazard, each, rules) for hazard in load_hazards())
    return _drawn_up(each, outcomes, rules, load_reach().get(name))


def _drawn_up(each: Row, outcomes: Sequence[Outcome], rules: Sequence[Rule],
             reach: Reach | None) -> RowSheet:
    """The row's sheet, with what comes of hazards there and what a search has found."""
    name = each.name
    return RowSheet(
        name=name, title=each.title, base=each.base, change=each.change, builds=_builds(each),
        traits=tuple(_traits(each)),
        distances=tuple(
            Distance(*builds, distance(each, builds[0]))
            for builds in map(_builds, ROWS) if builds is not None
        ),
        fixes=tuple(dict.fromkeys(fix.id for fix in load_fixes() if fix.row == name)),
        search=_search(reach, rules) if reach else None,
        dangers=tuple(_dangers(reach)) if reach else (),
        hazards=tuple(map(_hazard, outcomes)),
    )


def _search(reach: Reach, rules: Sequence[Rule]) -> Search:
    """How much was tried, and what it never led to."""
    reached = {way.fault for way in reach.ways}
    faults = dict.fromkeys(rule.fault for rule in rules if rule.fault)
    never = tuple(fault for fault in faults if fault not in reached)
    return Search(reach.length, reach.states, reach.tries, never)


def _dangers(reach: Reach) -> Iterator[Danger]:
    """The ways of the search, fault by fault."""
    hazards = {hazard.id: hazard for hazard in load_hazards()}
    order = list(dict.fromkeys(way.fault for way in reach.ways))
    for way in sorted(reach.ways, key=lambda way: order.index(way.fault)):
        told = hazards.get(way.hazard)
        title, why, references = (told.title, told.why, told.references) if told else ("", "", ())
        yield Danger(way.fault, way.hazard, title, way.acts, why, references)


def _hazard(of: Outcome) -> Hazard:
    told = of.hazard
    return Hazard(told.id, told.title, of.faults, of.harmless, of.dies, told.told, told.why,
                  told.references, told.beyond)


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


def search_told(reach: Reach, style: Style) -> str:
    """What a search has found, for people."""
    each = next(each for each in ROWS if each.name == reach.row)
    paper = Paper(style)
    head(paper, each.name, SHELF.noun)
    lead(paper, each.title)
    _reached(paper, _drawn_up(each, (), rules_for(Options()), reach))
    paper.blank()
    return paper.text()


def _reached(paper: Paper, each: RowSheet) -> None:
    """What can still go wrong here, by the shortest ways, and what never does."""
    if each.search is None:
        row(paper, "goes wrong", f"not searched yet; `diagnose kernels search {each.name}` does")
        return
    row(paper, "tried", WORLD.format(length=each.search.length, states=f"{each.search.states:,}"))
    told: set[str] = set()
    for fault, ways in groupby(each.dangers, key=lambda danger: danger.fault):
        row(paper, "goes wrong" if not told else "", ("bad", fault or DEAD))
        for way in ways:
            below(paper, ("strong", way.title or "no hazard explains this"), more=2)
            if way.hazard not in told:
                below(paper, way.why, more=4)
            below(paper, ("faint", "; ".join(way.acts)), more=4)
            told.add(way.hazard)
    row(paper, "not reached", f"{', '.join(each.search.never)}: by no such story"
        if each.search.never else "")


def _hazards(paper: Paper, each: RowSheet) -> None:
    """Hazards that the ways do not name: those that go wrong as well, and those without a fault.

    What no search comes upon is told whole; the rest are longer ways to what stands above.
    """
    named = {danger.hazard for danger in each.dangers}
    bad = [one for one in each.hazards if one.faults or one.dies]
    rest = [one for one in bad if one.hazard not in named]
    whole = [one for one in rest if one.beyond or each.search is None]
    for nth, one in enumerate(whole):
        row(paper, "and also" if nth == 0 else "", ("bad", ", ".join(one.faults) or DEAD))
        below(paper, ("strong", one.title), more=2)
        below(paper, one.why, more=4)
        below(paper, ("faint", "; ".join(one.acts)), more=4)
    for nth, one in enumerate(one for one in rest if one not in whole):
        row(paper, "longer ways" if nth == 0 else "", one.title,
            ("faint", f" ({', '.join(one.faults) or DEAD})"))
        below(paper, ("faint", "; ".join(one.acts)), more=2)
    for nth, one in enumerate(one for one in each.hazards if one not in bad):
        row(paper, "no fault" if nth == 0 else "", one.title,
            ("faint", f" ({', '.join(one.harmless)})" if one.harmless else ""))


SECTIONS = (_origin, _behaviour, _nearness, _ways, _reached, _hazards)
"""What is told of a row, top to bottom."""


def _changed(each: RowSheet) -> str:
    return {"none": "as shipped"}.get(each.change, each.change)


def _span(first: int, last: int | None) -> str:
    return f"2.6.18-{first} to -{last}" if last is not None else f"2.6.18-{first} and later"


def value_told(value: object) -> str:
    """A trait's value as people say it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


SHELF = Shelf("kernel row", names, sheet, write)
