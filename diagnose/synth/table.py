"""Made-up incidents as a table: what happened in each, how it was kept, what was said of it.

A question mark behind a fault says that these lines are too few to know of it, on some device at
least.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from diagnose.render.paper import Paper, Piece, Style
from diagnose.render.words import count
from diagnose.synth.check import RESULTS, Summary
from diagnose.synth.choices import STORIES
from diagnose.synth.made import Made

PAINT: Mapping[str, str] = {
    "right": "good", "abstained": "doubt", "wrong": "bad", "missed": "bad", "false": "bad",
    "broken": "bad",
}
NAME = 23
RESULT = max(map(len, RESULTS))


class Table:
    """Rows as they come, and what they come to."""

    def __init__(self, style: Style, *, checked: bool) -> None:
        """`checked`: whether rows begin with a result."""
        self._style, self._checked = style, checked

    def head(self) -> str:
        """The headings; nothing in a short style."""
        if self._style.short:
            return ""
        first = f"{'result':<{RESULT}}  " if self._checked else ""
        paper = Paper(self._style)
        paper.exact(("faint", f" {first}{'incident':<{NAME}} "
                              "what happened · kernel row, how it was kept"))
        return paper.text()

    def row(self, made: Made) -> str:
        """One incident; in a short style only such as are not as they should be."""
        if self._style.short and not made.differences:
            return ""
        paper = Paper(self._style)
        cells: list[Piece] = [" "]
        if self._checked:
            cells.append((PAINT[made.result], f"{made.result:<{RESULT}}  "))
        cells.append(f"{made.name:<{NAME}} ")
        paper.beside(cells, _happened(made), ("faint", f" · {made.row}, {made.kept}"))
        for told in made.differences:
            paper.put(("faint", told), indent=3 + RESULT, hang=5 + RESULT)
        return paper.text()

    def summary(self, total: int, files: int, folder: str | None) -> str:
        """What was made and where it is."""
        where = f", {count(files, 'log')} written below {folder}" if folder else ""
        return ("" if self._style.short else "\n") + f" {count(total, 'incident')}{where}\n"

    def checks(self, summary: Summary) -> str:
        """How many diagnoses were right, and how many were not."""
        paper = Paper(self._style)
        pieces: list[Piece] = []
        for result in RESULTS:
            number = summary.results[result]
            if number or result in ("right", "abstained", "missed", "false"):
                pieces += [", "] * bool(pieces)
                pieces.append((PAINT[result] if number else "faint", f"{number} {result}"))
        paper.put(*pieces, indent=1)
        return paper.text()


def _happened(made: Made) -> str:
    """The faults of an incident in words, in the order of their names."""
    told = [f"{fault}{'' if known else '?'}{f' ×{number}' if number > 1 else ''}"
            for fault, number, known in made.happened]
    if made.host_died:
        told.append("the host died")
    return ", ".join(told) or "nothing wrong"


def stories(style: Style) -> str:
    """Every kind of story with its meaning and the kernel rows on which it is told."""
    paper = Paper(replace(style, verbosity=0))
    width = max(map(len, STORIES)) + 2
    for name, kind in STORIES.items():
        paper.item(("strong", f"{name:<{width}}"), kind.about, indent=1, gap=0)
    return paper.text()
