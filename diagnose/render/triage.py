"""Many incidents: a table for people that grows row by row, or a JSON object a line for programs.

A narrow page lacks the last of the `COLUMNS`. A text that is no column, such as an error, takes the
place of all of them.

**Invariant:** a row needs nothing but its outcome and the names of all incidents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from textwrap import wrap

from msgspec import Struct

from diagnose.outcome import Group, Outcome, OutcomeVerdict, Tally
from diagnose.render.names import brief
from diagnose.render.paper import Paper, Piece, Style
from diagnose.render.safe import neutral
from diagnose.render.words import count, listed

NAME_MIN, NAME_MAX = 24, 36
"""Columns are given up until names of so many characters fit; longer names than the second get a
line of their own."""
GROUPS_MAX = 20
"""So many kinds of incidents are told; whoever wants all of them reads the lines for programs."""
VERDICTS: Mapping[OutcomeVerdict, str] = {
    "fault": "bad", "healthy": "good", "inconclusive": "doubt", "unreadable": "strong",
    "broken": "strong",
}
"""Verdict → how it is painted, in the order of a summary."""
OPEN = "its report tells what is left open"
_VERDICT_WIDTH = max(map(len, VERDICTS))


class _Column(Struct, frozen=True):
    heading: str
    width: int
    told: Callable[[Outcome], str]


def _cause(outcome: Outcome) -> str:
    return outcome.findings[0].fault if outcome.findings else ""


def _device(outcome: Outcome) -> str:
    return outcome.findings[0].device if outcome.findings else ""


def _confidence(outcome: Outcome) -> str:
    return outcome.findings[0].confidence if outcome.findings else ""


def _more(outcome: Outcome) -> str:
    return f"+{len(outcome.findings) - 1}" if len(outcome.findings) > 1 else ""


def _kernel(outcome: Outcome) -> str:
    """The row, with a question mark where nothing but the likeliest story speaks for it."""
    kernel = outcome.kernel
    if kernel is None or kernel.row is None:
        return ""
    return kernel.row + "?" * (kernel.how == "inferred" and bool(kernel.alternatives))


def _signature(outcome: Outcome) -> str:
    return outcome.signature or ""


COLUMNS = (
    _Column("cause", 16, _cause),
    _Column("sure", 7, _confidence),
    _Column("more", 4, _more),
    _Column("device", 12, _device),
    _Column("kernel", 17, _kernel),
    _Column("signature", 12, _signature),
)
"""From left to right; a narrow page lacks the last ones, but never the first."""
_GAP = 2


class Table:
    """The table for people. The names of all incidents decide how wide their column is."""

    def __init__(self, names: Iterable[str], style: Style) -> None:
        """A table for incidents of these names."""
        self._style = style
        self._names = brief(names)
        widths = [len(neutral(name)) for name in self._names.values()]
        self._name_width = max([len("incident"), *(one for one in widths if one <= NAME_MAX)])
        self._columns: tuple[_Column, ...] = COLUMNS
        while self._room() < min(self._name_width, NAME_MIN) and len(self._columns) > 1:
            self._columns = self._columns[:-1]
        self._name_width = min(self._name_width, max(self._room(), NAME_MIN))

    def _room(self) -> int:
        """Columns of the page that are left for the names."""
        taken = sum(column.width + _GAP for column in self._columns)
        return self._style.width - 1 - _VERDICT_WIDTH - _GAP - taken

    def head(self) -> str:
        """The headings; nothing in a short style, which has the summary alone."""
        if self._style.short:
            return ""
        paper = Paper(self._style)
        cells = [column.heading.ljust(column.width + _GAP) for column in self._columns]
        paper.exact(("faint", self._lead("verdict", "incident") + "".join(cells)))
        return paper.text()

    def row(self, outcome: Outcome) -> str:
        """One incident."""
        if self._style.short:
            return ""
        paper = Paper(self._style)
        name = neutral(self._names.get(outcome.incident, outcome.incident))
        verdict: Piece = (VERDICTS[outcome.verdict], f" {outcome.verdict:<{_VERDICT_WIDTH}}")
        lead = self._lead("", "")
        first, *rest = self._cells(outcome, len(lead))
        if len(name) > self._name_width:
            paper.exact(verdict, " " * _GAP + name)
            rest = [first, *rest]
        else:
            paper.exact(verdict, f"{'':{_GAP}}{name:<{self._name_width + _GAP}}{first}")
        for line in rest:
            paper.exact(lead, line)
        return paper.text()

    def _lead(self, verdict: str, name: str) -> str:
        return f" {verdict:<{_VERDICT_WIDTH + _GAP}}{name:<{self._name_width + _GAP}}"

    def _cells(self, outcome: Outcome, start: int) -> list[str]:
        """What stands behind the name: cells, or a text on as many lines as it needs."""
        text = outcome.error or ""
        if outcome.verdict == "inconclusive":
            text = f"lacks {outcome.missing}" if outcome.missing else OPEN
        if text:
            return wrap(neutral(text), max(self._style.width - start, NAME_MIN))
        return ["".join(f"{column.told(outcome):<{column.width + _GAP}}"
                        for column in self._columns)]

    def summary(self, tally: Tally) -> str:
        """How many of each verdict, and which kinds of incidents there were."""
        paper = Paper(self._style)
        pieces: list[Piece] = [f"{count(tally.total, 'incident')}: "]
        for verdict, style in VERDICTS.items():
            number = tally.verdicts[verdict]
            if number:
                pieces += [", "] * (len(pieces) > 1) + [(style, f"{number} {verdict}")]
        paper.put(*pieces, indent=1)
        paper.blank()
        ranked = tally.ranked()
        for group in ranked[:GROUPS_MAX]:
            self._group(paper, group)
        if len(ranked) > GROUPS_MAX:
            rest = count(len(ranked) - GROUPS_MAX, "more kind")
            paper.put(("faint", f"… and {rest}; --format jsonl tells all signatures"), indent=8)
        return ("" if self._style.short else "\n") + paper.text()

    def _group(self, paper: Paper, group: Group) -> None:
        names = [self._names.get(name, name) for name in group.names]
        told = ", ".join(names)
        if group.count > len(names):
            told += f" and {group.count - len(names)} more"
        paper.item(("strong", f"{group.count:>4} ×"), (VERDICTS[group.first.verdict],
                   _kind(group.first)), " · ", ("place", group.first.signature or ""), indent=1)
        paper.put(("faint", told), indent=8)
        if group.first.fix is not None:
            fix = group.first.fix
            paper.put(("good", "→ "), f"{fix.kind}: {fix.fix}", indent=8)


def _kind(outcome: Outcome) -> str:
    """What the incidents of a group share, in words."""
    if not outcome.findings:
        return outcome.verdict
    faults = listed(list(dict.fromkeys(
        each.fault + (" (likely)" if each.confidence == "likely" else "")
        for each in outcome.findings)))
    devices = len({each.device for each in outcome.findings})
    return faults + (f", {devices} devices" if devices > 1 else "")


class Lines:
    """JSON Lines, `diagnose.triage/1`: an object an incident, all of it printable ASCII."""

    def head(self) -> str:
        """Nothing: every line is an incident."""
        return ""

    def row(self, outcome: Outcome) -> str:
        """One object on a line of its own."""
        text = json.dumps(outcome.to_json(), ensure_ascii=True)
        # JSON lets DEL stand, the one control character that json.dumps does not escape.
        return text.replace("\x7f", "\\u007f") + "\n"

    def summary(self, tally: Tally) -> str:
        """Nothing: whoever reads the lines can count them."""
        return ""
