"""Cases that were tried, for people: a line each, and of a failure what exactly is different.

**Invariant:** reads what was kept of a case and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diagnose.outcome import Difference, Tried
from diagnose.render.paper import Paper, Piece, Style
from diagnose.render.words import count

DIFF_LINES_MAX = 40
"""So many lines of a golden difference are shown unless everything is wanted."""

_MARKS = {
    "passed": ("good", "pass"),
    "updated": ("doubt", "new "),
    "failed": ("bad", "FAIL"),
    "unreadable": ("bad", "ERR "),
}
_DIFF_STYLES = {"+": "good", "-": "bad", "@": "faint"}
_MARGIN = 6


def case(tried: Tried, style: Style) -> str:
    """One case: its line, and what is to be known of it. Empty for a good one in a short style."""
    paper = Paper(style)
    if style.short and tried.state == "passed":
        return ""
    look, mark = _MARKS[tried.state]
    seconds = f"  {tried.seconds:6.2f} s" if style.full else ""
    paper.item((look, mark + seconds), tried.path, indent=1, gap=2)
    _explain(paper, tried, _MARGIN)
    return paper.text()


def explanation(tried: Tried, style: Style) -> str:
    """What is different in a case, without the line that names it."""
    paper = Paper(style)
    _explain(paper, tried, 0)
    return paper.text()


def _explain(paper: Paper, tried: Tried, margin: int) -> None:
    """Write what is different: headers, then the golden report where the headers are right."""
    for each in tried.differences:
        _difference(paper, each, margin)
    if tried.error:
        paper.put(tried.error, indent=margin)
    if tried.note and (paper.style.full or tried.state != "passed"):
        paper.put(("faint", tried.note), indent=margin)
    if tried.golden and (paper.style.full or not (tried.good or tried.differences)):
        _diff(paper, tried.golden, margin)


def _difference(paper: Paper, each: Difference, margin: int) -> None:
    """Header, then both sides below each other; a side that has nothing says so."""
    width = max(len(each.header), 12)
    label = each.header.ljust(width)
    sides = (("expected", each.expected, "good"), ("got", each.got, "bad"))
    for nth, (side, text, style) in enumerate(sides):
        told: Piece = (style, text) if text else ("faint", f"no such {each.header}")
        mark = f"{label if not nth else ' ' * width}  {side:<8}"
        paper.item(mark, told, indent=margin, gap=2)


def _diff(paper: Paper, lines: Sequence[str], margin: int) -> None:
    shown = lines if paper.style.full else lines[:DIFF_LINES_MAX]
    for line in shown:
        style = "" if line.startswith(("---", "+++")) else _DIFF_STYLES.get(line[:1], "")
        paper.exact((style, line), indent=margin)
    if len(shown) < len(lines):
        rest = count(len(lines) - len(shown), "line")
        paper.exact(("faint", f"… and {rest} more; everything with -v"), indent=margin)


def summary(tried: Sequence[Tried], style: Style) -> str:
    """How many cases there were and what became of them."""
    paper = Paper(style)
    states = [each.state for each in tried]
    bad = sum(not each.good for each in tried)
    begin = "" if style.short and not bad else "\n"
    told = [f"{states.count(state)} {said}" for state, said in (
        ("passed", "passed"), ("updated", "updated"), ("failed", "failed"),
        ("unreadable", "cannot be tried")) if state in states]
    paper.put(("bad" if bad else "good", f"{count(len(tried), 'case')}: {', '.join(told)}"),
              indent=1)
    updated = [each.path for each in tried if each.state == "updated"]
    if updated:
        paper.put("Look at the new golden reports before you keep them.", indent=1)
    return begin + paper.text()


def coverage(never: Iterable[str], always: Iterable[str], known: int, style: Style) -> str:
    """Which rules no case makes fire, and which no case keeps silent."""
    paper = Paper(style)
    paper.put(f"{count(known, 'rule')} in force", indent=1)
    rows = (("fired in no case", never, "write a case in which each of them fires"),
            ("silent in no case", always, "write a nearly identical case in which it is silent"))
    for what, rules, advice in rows:
        names = ", ".join(rules)
        told = [("doubt", names), ("faint", f": {advice}")] if names else [("good", "none")]
        paper.item(f"{what:<18}", *told, indent=3)
    return paper.text()
