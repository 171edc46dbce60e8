"""What a report is written on: a width, colours or none, wrapped and indented lines.

A piece is a text, or a pair (style, text). Pieces are joined without blanks between them, so a
coloured word can be followed by a plain full stop; lines break at blanks only.

Inputs are called by their short names here, also inside sentences that the pipeline has written; a
piece in the style "quote" is a line of a log and stays as it is.

**Invariant:** all text passes through :func:`diagnose.render.safe.neutral` before it is painted, so
no text from outside reaches a terminal unescaped; this module knows nothing of diagnoses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from diagnose.render.measures import WIDTH, WIDTH_MIN
from diagnose.render.names import brief
from diagnose.render.safe import neutral

if TYPE_CHECKING:
    from diagnose.events import Line

Piece = str | tuple[str, str]
_Word = list[tuple[str, str]]

_SGR: Mapping[str, str] = {
    "": "",
    "strong": "1",
    "faint": "2",
    "quote": "",
    "place": "36",
    "good": "32",
    "bad": "31",
    "doubt": "33",
    "good badge": "1;30;42",
    "bad badge": "1;37;41",
    "doubt badge": "1;30;43",
    "heading": "1;34",
    "command": "35",
}
"""Style → parameters of the escape sequence: the sixteen colours that users choose themselves."""

_ASCII: Mapping[int, str] = str.maketrans(
    {"─": "-", "│": "|", "└": "`", "·": "-", "–": "-", "…": "...", "•": "*", "→": "->"}
    | {"✓": "+", "✗": "x", "●": "*", "○": "o", "×": "x", "≥": ">=", "⋮": ":", "−": "-"}
    | {"◄": "<", "═": "=", **dict.fromkeys("╭╮╰╯├┤", "+")}
)
_BLANK = re.compile(r"( +)")


class Style(Struct, frozen=True):
    """How to show: columns, colour or not, -1 short, 0 normal, 1 everything."""

    width: int = WIDTH
    colour: bool = False
    verbosity: int = 0
    unicode: bool = True

    @property
    def short(self) -> bool:
        """Only the verdict and one line a finding are wanted."""
        return self.verbosity < 0

    @property
    def full(self) -> bool:
        """Nothing may be left out."""
        return self.verbosity > 0


class Paper:
    """Lines written so far. All methods append; :meth:`text` returns the whole."""

    def __init__(self, style: Style, inputs: Iterable[str] = ()) -> None:
        """An empty sheet; `inputs` are the paths whose `path:line` may stand in prose."""
        self.style = style
        self.width = max(style.width, WIDTH_MIN)
        self._lines: list[str] = []
        self._names = {neutral(path): neutral(name) for path, name in brief(inputs).items()}
        longest = sorted(self._names, key=len, reverse=True)
        choice = "|".join(re.escape(name) for name in longest)
        self._places = re.compile(rf"(?<![\w./!-])({choice})(:\d+)") if choice else None

    def text(self) -> str:
        """Everything written, ending with one line feed."""
        text = "\n".join(self._lines).rstrip("\n") + "\n"
        return text if self.style.unicode else text.translate(_ASCII)

    def drawn(self, text: str) -> str:
        """The text as it will stand on the page, for drawings that count columns."""
        return neutral(text) if self.style.unicode else neutral(text).translate(_ASCII)

    def name(self, path: str) -> str:
        """The short name of an input; a path that is none is its own name."""
        return self._names.get(neutral(path), path)

    def place(self, line: Line) -> str:
        """`file:line`, as editors and compilers write it."""
        return f"{self.name(line.input)}:{line.line}"

    def blank(self) -> None:
        """An empty line, never two in a row and never the first."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def heading(self, title: str, aside: str = "") -> None:
        """A rule across the page with a title in it and an aside at its right end, or below."""
        self.blank()
        left = neutral(title)
        right = f" {neutral(aside)} ─" if aside else ""
        fill = self.width - len(left) - len(right) - 4
        below = bool(right) and fill < 2
        rule = "─" * max(fill + len(right) if below else fill, 2)
        self.exact(
            ("faint", "── "), ("heading", left), ("faint", f" {rule}{'' if below else right}")
        )
        if below:
            self.put(("faint", aside), indent=3)

    def exact(self, *pieces: Piece, indent: int = 0) -> None:
        """One line that is never broken: a table row, a command to copy."""
        self._lines.append(" " * indent + self._paint(self._told(pieces)).rstrip())

    def put(self, *pieces: Piece, indent: int = 0, hang: int | None = None) -> None:
        """Wrapped text; the first line is indented by `indent`, the others by `hang`."""
        hang = indent if hang is None else hang
        row: _Word = []
        used = indent
        margin = indent
        words = _words(self._told(pieces))
        for word in self._chop(words, self.width - max(indent, hang)):
            size = sum(len(text) for _, text in word)
            if row and used + 1 + size > self.width:
                self._lines.append(" " * margin + self._paint(row))
                row, used, margin = [], hang, hang
            if row:
                row.append((word[0][0] if word[0][0] == row[-1][0] else "", " "))
                used += 1
            row += word
            used += size
        self._lines.append((" " * margin + self._paint(row)).rstrip())

    def item(self, mark: Piece, *pieces: Piece, indent: int = 0, gap: int = 1) -> None:
        """Wrapped text after a mark, with the text's left edge kept.

        A mark that would take half the page, such as a long path, gets a line of its own.
        """
        self.beside((mark, " " * gap), *pieces, indent=indent)

    def beside(self, cells: Sequence[Piece], *pieces: Piece, indent: int = 0) -> None:
        """Wrapped text after several marks that stand as they are; otherwise like `item`."""
        lead = sum(len(text) for _, text in self._told(cells))
        if indent + lead > self.width // 2:
            self.exact(*cells, indent=indent)
            self.put(*pieces, indent=indent + 4)
            return
        start = len(self._lines)
        self.put(*pieces, indent=indent + lead)
        painted = self._paint(self._told(cells))
        line = " " * indent + painted + self._lines[start][indent + lead :]
        self._lines[start] = line.rstrip()

    def _told(self, pieces: Iterable[Piece]) -> _Word:
        """Pieces as (style, neutral text), inputs by their short names, places in prose styled."""
        told: _Word = []
        for piece in pieces:
            style, text = piece if isinstance(piece, tuple) else ("", piece)
            text = neutral(text)
            if style == "quote" or self._places is None:
                told.append((style, text))
                continue
            prose, *found = self._places.split(text)
            told.append((style, prose))
            for path, line, rest in zip(found[::3], found[1::3], found[2::3]):
                told += [(style or "place", self._names[path] + line), (style, rest)]
        return told

    @staticmethod
    def _chop(words: Iterable[_Word], room: int) -> Iterator[_Word]:
        """Words, those of one style that fit in no line cut into pieces that do."""
        for word in words:
            style, text = word[0]
            if len(word) > 1 or len(text) <= max(room, 1):
                yield word
                continue
            for start in range(0, len(text), room):
                yield [(style, text[start : start + room])]

    def _paint(self, fragments: _Word) -> str:
        if not self.style.colour:
            return "".join(text for _, text in fragments)
        painted = []
        for style, run in groupby(fragments, key=lambda fragment: fragment[0]):
            code, text = _SGR[style], "".join(text for _, text in run)
            painted.append(f"\x1b[{code}m{text}\x1b[0m" if code and text else text)
        return "".join(painted)


def _words(pieces: Iterable[tuple[str, str]]) -> Iterator[_Word]:
    """Pieces cut at blanks; a word may hold fragments of several styles."""
    word: _Word = []
    for style, text in pieces:
        for fragment in _BLANK.split(text):
            if not fragment:
                continue
            if fragment[0] != " ":
                word.append((style, fragment))
            elif word:
                yield word
                word = []
    if word:
        yield word
