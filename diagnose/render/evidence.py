"""Findings and harmless items: the claim first, then the proof, then the lines that bear it.

**Invariant:** every claim is shown with places of its lines; only how many are quoted varies.
"""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.diagnosis import Diagnosis, Finding, HarmlessItem
from diagnose.events import Line
from diagnose.render.paper import Paper, Piece
from diagnose.render.safe import folded
from diagnose.render.words import (
    column,
    count,
    domains,
    numbered,
    sentence,
    subject,
    title,
)

QUOTED_MAX = 5
"""Lines quoted for one item unless everything is wanted."""
ROWS_MAX = 15
"""Rows of the overview unless everything is wanted."""

_TONES = {"error": "bad", "warning": "doubt"}


def overview(paper: Paper, diagnosis: Diagnosis) -> None:
    """One row a finding, effects indented under their causes; none for a single finding."""
    if len(diagnosis.findings) < 2 and not paper.style.short:
        return
    rows = [
        (number + 1, *_row(diagnosis.findings[number], depth))
        for number, depth in _tree(diagnosis.findings)
    ]
    shown = rows if paper.style.full else rows[:ROWS_MAX]
    digits = len(str(len(rows)))
    columns = list(zip(*(row[1:] for row in shown)))
    widths = _fitting([max(map(len, texts)) for texts in columns], paper.width - digits - 1)
    paper.blank()
    for number, *row in shown:
        cells = [str(cell).ljust(width) for cell, width in zip(row, widths)]
        lead: Piece = ("strong", f"{number:>{digits}}  {cells[0]}")
        paper.exact(lead, *(f"  {cell}" for cell in cells[1:]), indent=1)
    if len(shown) < len(rows):
        paper.put(("faint", f"… and {len(rows) - len(shown)} more; -v lists them all"), indent=1)


def findings(paper: Paper, diagnosis: Diagnosis) -> None:
    """Every finding in full; of many alike, one in full and the others by subject and place."""
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, finding in enumerate(diagnosis.findings):
        own = (finding.id,) if paper.style.full else ()
        alike.setdefault((finding.fault, finding.confidence, *own), []).append(number)
    proven: dict[str, int] = {}
    for numbers in alike.values():
        first = diagnosis.findings[numbers[0]]
        _finding(paper, numbers[0] + 1, first, proven)
        if len(numbers) > 1:
            _same(paper, [(number + 1, diagnosis.findings[number]) for number in numbers[1:]])


def harmless(paper: Paper, diagnosis: Diagnosis) -> None:
    """What a reader would worry about and need not."""
    if not diagnosis.harmless:
        return
    paper.heading("Looks alarming, is harmless")
    for item in diagnosis.harmless:
        _excused(paper, item)


def quote(paper: Paper, lines: Sequence[Line], total: int, indent: int) -> None:
    """Lines with their places; at most QUOTED_MAX unless everything is wanted."""
    shown = lines if paper.style.full else lines[:QUOTED_MAX]
    total = max(total, len(lines))
    room = column(paper.place(line) for line in shown)
    for line in shown:
        mark = ("place", paper.place(line).ljust(room))
        paper.item(mark, ("quote", folded(line.text)), indent=indent, gap=2)
    if len(shown) < total:
        rest = f"… and {count(total - len(shown), 'line')} more"
        paper.put(("faint", rest), indent=indent)


def _finding(paper: Paper, number: int, finding: Finding, proven: dict[str, int]) -> None:
    paper.heading(
        f"{number} · {finding.fault}",
        f"{finding.confidence} · {finding.severity} · {finding.rule}",
    )
    tone = _TONES.get(finding.severity, "")
    paper.put((tone, title(finding.title)), indent=3)
    about = [*subject(finding)]
    if finding.occurrences > 1:
        about.append(f"{finding.occurrences} assignments")
    if finding.boot:
        about.append(f"host boot {finding.boot}")
    paper.put(" · ".join(about), indent=3)
    paper.blank()
    paper.put(finding.message, indent=3)
    _proof(paper, number, finding, proven)
    _grounds(paper, finding)
    if finding.todo:
        _label(paper, "To do")
        paper.put(finding.todo, indent=5)


def _proof(paper: Paper, number: int, finding: Finding, proven: dict[str, int]) -> None:
    """The sentences in order; those that an earlier finding has shown are only referred to."""
    if not finding.proof:
        return
    _label(paper, "Proof")
    known = sorted({proven[clause] for clause in finding.proof if clause in proven})
    fresh = [clause for clause in finding.proof if clause not in proven]
    if known:
        as_for = f"As for {numbered('finding', 'findings', known)}"
        paper.item("•", f"{as_for}, and:" if fresh else f"{as_for}.", indent=5)
    for clause in fresh:
        proven[clause] = number
        paper.item("•", sentence(clause), indent=5)


def _grounds(paper: Paper, finding: Finding) -> None:
    """The lines that bear it, and what speaks against it."""
    _label(paper, "Lines")
    quote(paper, finding.witness.lines, finding.witness.total, 5)
    if finding.rival is not None:
        _label(paper, "Not certain, because another story fits")
        decided = finding.rival.decided_by.rstrip(".")
        decides = f" What would decide: {decided}." if decided else ""
        paper.put(sentence(finding.rival.story), decides, indent=5)


def _same(paper: Paper, others: Sequence[tuple[int, Finding]]) -> None:
    _label(paper, "The same befell")
    for number, finding in others[:ROWS_MAX]:
        lines = finding.witness.lines
        since: list[Piece] = [" · ", ("place", paper.place(lines[0]))] if lines else []
        paper.item(f"{number}", " · ".join(subject(finding)), *since, indent=5, gap=2)
    if len(others) > ROWS_MAX:
        paper.put(("faint", f"… and {len(others) - ROWS_MAX} more; -v tells all"), indent=5)


def _excused(paper: Paper, item: HarmlessItem) -> None:
    about = f" · {item.device}" if item.device else ""
    name: Piece = ("strong", title(item.title or item.rule))
    paper.item(("good", "✓"), name, f"{about} · {item.rule}", indent=1)
    paper.put(item.reason, indent=3)
    if item.would_be_a_fault_if:
        paper.put(f"It would be a fault if {item.would_be_a_fault_if.rstrip('.')}.", indent=3)
    quote(paper, item.witness.lines, item.witness.total, 5)


def _label(paper: Paper, text: str) -> None:
    paper.blank()
    paper.put(("strong", text), indent=3)


def _row(finding: Finding, depth: int) -> tuple[str, ...]:
    branch = "  " * (depth - 1) + "└ " if depth else ""
    entries = numbered("entry", "entries", finding.entries) if finding.entries else ""
    return (
        branch + finding.fault,
        finding.device,
        finding.confidence,
        domains(finding.domids, 3),
        entries,
    )


def _fitting(widths: list[int], room: int) -> list[int]:
    """Widths of the first columns that fit; the last of a row are the least important ones."""
    while len(widths) > 2 and sum(widths) + 2 * len(widths) > room:
        widths = widths[:-1]
    return widths


def _tree(found: Sequence[Finding]) -> list[tuple[int, int]]:
    """(ordinal, depth) of every finding, each effect below the first of its causes."""
    place = {finding.id: number for number, finding in enumerate(found)}
    below: dict[int | None, list[int]] = {}
    for number, finding in enumerate(found):
        causes = [place[cause] for cause in finding.follows if place.get(cause, number) < number]
        below.setdefault(causes[0] if causes else None, []).append(number)
    order: list[tuple[int, int]] = []
    waiting = [(number, 0) for number in reversed(below.get(None, []))]
    while waiting:
        number, depth = waiting.pop()
        order.append((number, depth))
        waiting += [(effect, depth + 1) for effect in reversed(below.get(number, []))]
    return order
