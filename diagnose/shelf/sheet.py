"""How sheets look: a rule with the name, rows of a label and a text, lists in columns.

**Invariant:** knows nothing of what it lays out; the same record makes the text and the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from diagnose.diagnosis import encode
from diagnose.errors import UsageError, nearest
from diagnose.render.paper import Paper, Piece, Style
from diagnose.render.words import sentence

LABEL = 11
"""Columns of a label at the left edge."""
GAP = 2
NAMED_MAX = 3
"""So many names are suggested for one that does not exist."""
LISTED_MAX = 20
"""So many names are listed where none is near to what was asked for."""


class Shelf(NamedTuple):
    """Things of one kind: `noun` names the kind, `sheet` takes a name from `names`.

    `write` puts a sheet on paper, below the rule that bears its name.
    """

    noun: str
    names: Callable[[], tuple[str, ...]]
    sheet: Callable[[str], Any]
    write: Callable[[Paper, Any], None]


def find(shelf: Shelf, name: str) -> str:
    """The shelf's own spelling of `name`. Raises UsageError with the nearest names."""
    names = shelf.names()
    known = {spelling(one): one for one in names}
    if spelling(name) in known:
        return known[spelling(name)]
    raise UsageError(f"No {shelf.noun} is called {name!r}. {suggestion(name, names)}")


def spelling(name: str) -> str:
    """A name without what people mix up in names: capitals, dashes and underscores."""
    return name.strip().lower().replace("_", "-")


def suggestion(name: str, names: tuple[str, ...]) -> str:
    """What may have been meant, or all that there is if nothing is near and that is little."""
    known = {spelling(one): one for one in names}
    part = [one for one in known if spelling(name) in one][:NAMED_MAX]
    near = [known[one] for one in part or nearest(spelling(name), tuple(known), NAMED_MAX)]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    few = len(names) <= LISTED_MAX
    return f"There are: {', '.join(names)}." if few else "`diagnose explain` lists all names."


def told(shelf: Shelf, name: str, form: str, style: Style) -> str:
    """One sheet, as text or as JSON."""
    sheet = shelf.sheet(name)
    if form == "json":
        return as_json({"is": shelf.noun, **encoded(sheet)})
    paper = Paper(style)
    head(paper, name, shelf.noun)
    shelf.write(paper, sheet)
    return paper.text()


def as_json(value: object) -> str:
    """Indented JSON in printable ASCII."""
    return json.dumps(encode(value), indent=2).replace("\x7f", "\\u007f") + "\n"


def listing(shelf: Shelf, form: str, style: Style, write: Callable[[Paper, Any], None]) -> str:
    """All sheets: as a JSON list, or the way `write` puts them on paper."""
    sheets = [shelf.sheet(name) for name in shelf.names()]
    if form == "json":
        return as_json(sheets)
    paper = Paper(style)
    write(paper, sheets)
    return paper.text()


def encoded(sheet: object) -> dict[str, object]:
    """A sheet as plain JSON values."""
    values = encode(sheet)
    assert isinstance(values, dict)
    return values


def head(paper: Paper, name: str, noun: str) -> None:
    """The rule across the page that begins a sheet."""
    paper.heading(name, noun)
    paper.blank()


def lead(paper: Paper, text: str, *more: Piece) -> None:
    """What the thing is, in a sentence."""
    paper.put(("strong", sentence(text)), *more, indent=1)
    paper.blank()


def row(paper: Paper, label: str, *pieces: Piece) -> None:
    """A label and a text beside it; nothing if the text is empty."""
    if any(piece if isinstance(piece, str) else piece[1] for piece in pieces):
        paper.item(("heading", label.ljust(LABEL)), *pieces, indent=1, gap=GAP)


def below(paper: Paper, *pieces: Piece, more: int = 0) -> None:
    """A further text in the column of the texts, `more` columns to the right."""
    paper.put(*pieces, indent=1 + LABEL + GAP + more)


def rows(paper: Paper, label: str, texts: Iterable[Sequence[Piece] | str]) -> None:
    """A label with several texts, each on a line of its own."""
    for number, text in enumerate(texts):
        pieces = (text,) if isinstance(text, str) else tuple(text)
        if number == 0:
            row(paper, label, *pieces)
        else:
            below(paper, *pieces)


def pairs(paper: Paper, label: str, table: Sequence[tuple[str, Piece]]) -> None:
    """A label with names in a column and a text beside each, or below it on a narrow page."""
    room = max((len(name) for name, _ in table), default=0)
    for number, (name, text) in enumerate(table):
        mark = label if number == 0 else ""
        cells = (("heading", mark.ljust(LABEL + GAP)), ("strong", name.ljust(room + GAP)))
        if 1 + LABEL + GAP + room + GAP <= paper.width // 2:
            paper.beside(cells, text, indent=1)
        else:
            paper.exact(*cells, indent=1)
            below(paper, text, more=2)


def columns(paper: Paper, table: Sequence[tuple[Sequence[Piece], Piece]]) -> None:
    """Rows of short cells, kept in columns, and a last text that is wrapped beside them."""
    widths = [max(map(len, cells)) for cells in zip(*(map(_plain, cells) for cells, _ in table))]
    for cells, text in table:
        padded = [
            (cell[0] if isinstance(cell, tuple) else "", _plain(cell).ljust(width + GAP))
            for cell, width in zip(cells, widths)
        ]
        paper.beside(padded, text, indent=1)


def _plain(piece: Piece) -> str:
    return piece if isinstance(piece, str) else piece[1]
