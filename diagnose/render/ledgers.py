"""Draws both ledgers side by side: what dom0 has on record, and what Xen answers to each pair.

A pair whose pirq Xen maps to the device is joined to its row in Xen's table; one that Xen knows
nothing of ends in a cross. On a narrow page the two ledgers stand one below the other.

**Invariant:** every row of both ledgers is drawn or counted; none is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from diagnose.frames import Change, DeviceRecord, Entry, Ledgers
from diagnose.render.paper import Paper, Piece
from diagnose.render.words import domain_name, numbered, ranges

BESIDE_MIN = 70
"""A narrower page has no room for two ledgers beside each other."""
ALIKE_MAX = 6
"""So many rows alike are drawn; of more, the first two and the last, unless all are wanted."""

_DOM0, _XEN = "dom0: device → pirq, entry", "Xen: domain → pirq"
_JOIN = {"": "   ", "same": "───", "none": "─✗ "}
_TONES = {"live": "", "stale": "bad", "foreign": "bad", "lost": "doubt"}
_STATES = {
    "stale": "dom0 attached the pair in an earlier assignment, and Xen has forgotten its pirq.",
    "foreign": "Xen maps the pair's pirq to another device of the domain that has this one now.",
    "lost": "dom0 attached the pair for the present owner, and Xen no longer maps its pirq.",
}
"""What a pair that is not live is worth."""
_MARKS = {"added": ("+", "good"), "removed": ("−", "faint"), "live": ("+", "good")}
"""What a step did to a row → its mark and its tone; a pair that went bad has its own tone."""


class Cell(NamedTuple):
    """Half of a row: a text at the left edge and a word at the right one."""

    text: str = ""
    tone: str = ""
    tail: str = ""


class Row(NamedTuple):
    """What stands beside each other. `note`: the right half is a remark, not a row of Xen's."""

    left: Cell = Cell()
    join: str = ""
    right: Cell = Cell()
    note: bool = False
    head: bool = False

    @property
    def shape(self) -> tuple[object, ...]:
        """Rows of one shape differ in their numbers alone."""
        marks = self.left.text[:2], self.right.text[:2]
        return self.head, marks, self.left.tone, self.left.tail, self.join, self.right.tone


def draw(paper: Paper, ledgers: Ledgers, changed: Sequence[Change] = ()) -> None:
    """Both ledgers, with marks at the rows that a step has changed, and what the guests believe."""
    rows = list(_folded(_Book(ledgers, changed).rows(), paper.style.full)) or [
        Row(Cell("nothing on record", "faint"))]
    if not any(row.right.text for row in rows):
        rows[0] = rows[0]._replace(right=Cell("no domain", "faint"))
    if paper.width < BESIDE_MIN:
        _box(paper, _DOM0, (_annotated(row) for row in rows if row.left.text))
        _box(paper, _XEN, (row.right for row in rows if row.right.text and not row.note))
    else:
        _beside(paper, rows)
    for domid, held in ledgers.guests.items():
        for device, belief in held.items():
            _belief(paper, ledgers, domid, device, belief.pirqs)


def legend(paper: Paper, drawn: Iterable[Ledgers]) -> None:
    """What the marks and the states in these ledgers mean."""
    paper.blank()
    paper.put(("faint", "+ new · − gone · ! gone bad in this step · ├─✗ Xen does not bear it out"),
              indent=1)
    states = {pair[3] for ledgers in drawn for record in ledgers.dom0.values()
              for pair in record.entries}
    for state, meaning in _STATES.items():
        if state in states:
            paper.item(("faint", f"{state}:"), ("faint", meaning), indent=1)


class _Book:
    """Both ledgers with what has just changed in them, row by row."""

    def __init__(self, ledgers: Ledgers, changed: Sequence[Change]) -> None:
        self.ledgers = ledgers
        self.pairs = {(c.device, c.pirq, c.entry_nr, c.domid): c.what for c in changed
                      if c.ledger == "dom0"}
        self.pirqs = {(c.domid, c.pirq): c for c in changed if c.ledger == "xen"}
        self.told: set[tuple[int, int]] = set()

    def rows(self) -> Iterator[Row]:
        """A block for each device, with Xen's answers; then what Xen has besides."""
        above: int | None = None        # whose table the right half is in
        heads: set[int | None] = set()
        for device, record in self.ledgers.dom0.items():
            domid = self._of(device, record)
            yield Row(Cell(_holder(device, record), "strong"), "",
                      Cell() if domid is None or domid == above else self._table(domid),
                      head=True)
            above = domid
            heads.add(domid)
            yield from self._pairs(device, record)
            yield from self._unrecorded(device, domid)
        for other in dict.fromkeys([*self.ledgers.xen, *(domid for domid, _ in self.pirqs)]):
            rest = [Row(right=cell) for cell in self._rest(other)]
            if (rest and other != above) or other not in heads:
                yield Row(right=self._table(other), head=True)
                above = other
            yield from rest

    def _of(self, device: str, record: DeviceRecord) -> int | None:
        """Whose table stands beside the device: its owner's, or that of who has just lost it."""
        lost = [c.domid for c in self.pirqs.values() if c.device == device and c.what == "removed"]
        return record.owner if record.owner is not None or not lost else lost[0]

    def _table(self, domid: int) -> Cell:
        """What heads a domain's table."""
        table = self.ledgers.xen.get(domid)
        if table is None:
            return Cell(f"{domain_name(domid)} is gone, and its table", "strong")
        kind = " (HVM)" if table.kind == "hvm" else ""
        rows = any(domid == other for other, _ in self.pirqs) or table.pirqs or table.forced
        return Cell(f"{domain_name(domid)}{kind}{'' if rows else ', no pirq mapped'}", "strong")

    def _pairs(self, device: str, record: DeviceRecord) -> Iterator[Row]:
        for pair in record.entries:
            pirq, entry_nr, domid, state = pair
            what = self.pairs.get((device, pirq, entry_nr, domid), "")
            mark, tone = _MARKS.get(what, ("!" if what else " ", _TONES[state]))
            left = Cell(f"{mark} ({pirq},{entry_nr}) of {domain_name(domid)}", tone, state)
            yield self._answered(left, device, record, pair)
        for (name, pirq, number, domid), what in self.pairs.items():
            if name == device and what == "removed":
                left = Cell(f"− ({pirq},{number}) of {domain_name(domid)}", "faint", "released")
                change = self.pirqs.get((domid, pirq))
                gone = change is not None and change.what == "removed"
                yield Row(left, "", self._row(domid, pirq, device) if gone else Cell())

    def _answered(self, left: Cell, device: str, record: DeviceRecord, pair: Entry) -> Row:
        """A pair with what Xen has to say about its pirq."""
        pirq, _, domid, state = pair
        holder = record.owner or 0
        if state == "live":
            return Row(left, "same", self._row(holder, pirq, device))
        change = self.pirqs.get((domid, pirq))
        if state != "foreign" and change is not None and change.what == "removed":
            return Row(left, "none", self._row(domid, pirq, device))
        table = self.ledgers.xen.get(holder)
        real = None if table is None else table.pirqs.get(pirq)
        if real == device:
            note = f"{pirq} serves another entry"
        elif real is not None:
            note = f"{pirq} is that of {real}"
        elif record.owner is None and domid not in self.ledgers.xen:
            note = f"{pirq} went with {domain_name(domid)}"
        else:
            note = f"{pirq} not mapped for {domain_name(holder)}"
        return Row(left, "none", Cell(f"  {note}", "bad"), note=True)

    def _row(self, domid: int, pirq: int, device: str | None) -> Cell:
        """One row of Xen's table, marked if the step has changed it."""
        self.told.add((domid, pirq))
        change = self.pirqs.get((domid, pirq))
        mark, tone = _MARKS[change.what] if change is not None else (" ", "")
        table = self.ledgers.xen.get(domid)
        tail = "" if table is None else "by force" if pirq in table.forced else \
            "bound" if pirq in table.bound else ""
        return Cell(f"{mark} {pirq} → {device or 'no device'}", tone, tail)

    def _unrecorded(self, device: str, domid: int | None) -> Iterator[Row]:
        """Rows of Xen's that are the device's and that dom0 has no pair for."""
        table = self.ledgers.xen.get(-1 if domid is None else domid)
        mapped = {} if table is None else table.pirqs
        for pirq, owner in mapped.items():
            if domid is not None and owner == device and (domid, pirq) not in self.told:
                yield Row(right=self._row(domid, pirq, device))
        for (other, pirq), change in self.pirqs.items():
            if change.device == device and other == domid and (other, pirq) not in self.told:
                yield Row(right=self._row(other, pirq, device))

    def _rest(self, domid: int) -> Iterator[Cell]:
        """What is left of a domain's table, and what has just left it."""
        table = self.ledgers.xen.get(domid)
        rows = {} if table is None else dict(table.pirqs)
        rows |= {pirq: c.device for (other, pirq), c in self.pirqs.items() if other == domid}
        for pirq, device in rows.items():
            if (domid, pirq) not in self.told:
                yield self._row(domid, pirq, device)
        for pirq in () if table is None else table.forced:
            if (domid, pirq) not in self.told:
                yield Cell(f"  {pirq} → nothing", "doubt", "by force")


def _holder(device: str, record: DeviceRecord) -> str:
    """A device with who has it."""
    if not record.present:
        who = "removed"
    elif record.owner is not None:
        who = domain_name(record.owner)
    else:
        who = "no owner" if record.seized else "not seized"
    return f"{device} · {who}{' · MSI-X on' if record.msix_enabled else ''}"


def _folded(rows: Iterable[Row], full: bool) -> Iterator[Row]:
    """Long runs of rows alike cut to their ends."""
    for _, run in groupby(rows, key=lambda row: row.shape):
        alike = list(run)
        if full or len(alike) <= ALIKE_MAX:
            yield from alike
            continue
        more = Cell(f"⋮ {len(alike) - 3} more alike", "faint")
        first = alike[0]
        yield from alike[:2]
        yield Row(more if first.left.text else Cell(), "", more if first.right.text else Cell())
        yield alike[-1]


def _annotated(row: Row) -> Cell:
    """The left half, with the remark that would stand beside it."""
    if not row.note:
        return row.left
    return Cell(f"{row.left.text} ✗ {row.right.text.strip()}", row.left.tone, row.left.tail)


def _beside(paper: Paper, rows: Sequence[Row]) -> None:
    room = (paper.width - 12) // 2
    paper.exact(("faint", f"{_top(paper, _DOM0, room)}   {_top(paper, _XEN, room)}"), indent=1)
    for row in rows:
        left, right = "├" if row.join else "│", "┤" if row.join == "same" else "│"
        link = ("bad" if row.join == "none" else "faint", _JOIN[row.join])
        paper.exact(("faint", "│ "), *_cell(paper, row.left, room), ("faint", f" {left}"), link,
                    ("faint", f"{right} "), *_cell(paper, row.right, room), ("faint", " │"),
                    indent=1)
    bottom = f"╰{'─' * (room + 2)}╯"
    paper.exact(("faint", f"{bottom}   {bottom}"), indent=1)


def _box(paper: Paper, title: str, cells: Iterable[Cell]) -> None:
    room = paper.width - 5
    paper.exact(("faint", _top(paper, title, room)), indent=1)
    for cell in cells:
        paper.exact(("faint", "│ "), *_cell(paper, cell, room), ("faint", " │"), indent=1)
    paper.exact(("faint", f"╰{'─' * (room + 2)}╯"), indent=1)


def _top(paper: Paper, title: str, room: int) -> str:
    return f"╭─ {title} {'─' * (room - len(paper.drawn(title)) - 1)}╮"


def _cell(paper: Paper, cell: Cell, room: int) -> list[Piece]:
    """The half padded to the room; what does not fit is cut, and says so."""
    text = paper.drawn(cell.text)
    space = room - len(cell.tail) - bool(cell.tail)
    if len(text) > space:
        more = paper.drawn("…")
        text = f"{text[: space - len(more)]}{more}"
    return [(cell.tone, text), " " * (room - len(text) - len(cell.tail)), (cell.tone, cell.tail)]


def _belief(paper: Paper, ledgers: Ledgers, domid: int, device: str,
            pirqs: tuple[int, ...]) -> None:
    """What a guest's driver counts on, and whether Xen would agree."""
    table = ledgers.xen.get(domid)
    mapped: Mapping[int, str | None] = {} if table is None else table.pirqs
    good = [pirq for pirq in pirqs if mapped.get(pirq) == device]
    who = f"{domain_name(domid)}'s driver of {device}"
    if not pirqs:
        paper.item(("doubt", "?"), f"{who} has no vector.", indent=1)
    elif len(good) == len(pirqs):
        paper.item(("good", "✓"), f"{who} holds {numbered('pirq', 'pirqs', pirqs)}, and Xen maps "
                   f"{'it' if len(pirqs) == 1 else 'them all'}.", indent=1)
    else:
        dead = [pirq for pirq in pirqs if pirq not in good]
        truth = f"does not map {ranges(dead)}" if good else "maps none of them"
        paper.item(("bad", "✗"), f"{who} believes in {numbered('pirq', 'pirqs', pirqs)}; Xen "
                   f"{truth} to that device.", indent=1)
