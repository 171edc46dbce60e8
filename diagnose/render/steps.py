"""One step of a replay as it stands above its ledgers: place, words, lines.

**Invariant:** a step that no line shows is marked as inferred, with the reason why it must be.
"""

from __future__ import annotations

from diagnose.events import Line
from diagnose.frames import Frame, Ledgers, ReplayReport
from diagnose.render.evidence import quote
from diagnose.render.paper import Paper
from diagnose.render.safe import folded
from diagnose.render.words import column, count, step

QUOTED_MAX = 3
"""Lines quoted for a step unless all are wanted."""



def told(paper: Paper, frame: Frame, quoted: bool = True) -> None:
    """One step in words, with its lines (if `quoted`), or with why it must have happened."""
    paper.heading(f"step {frame.number}", where(paper, frame))
    tone = "strong" if frame.status == "observed" else "doubt"
    paper.put((tone, step(frame)), indent=1)
    if frame.why:
        paper.put(("faint", f"inferred: {frame.why.rstrip('.')}"), indent=1)
    if not quoted:
        return
    if paper.style.full:
        quote(paper, frame.lines, len(frame.lines), 3)
        return
    speaking = [line for broken in frame.violations for line in broken.lines]
    shown = list(dict.fromkeys([*speaking, *frame.lines]))[:QUOTED_MAX]
    room = column(paper.place(line) for line in shown)
    for line in sorted(shown, key=frame.lines.index):
        _short(paper, line, room)
    if len(frame.lines) > len(shown):
        paper.put(("faint", f"… and {count(len(frame.lines) - len(shown), 'line')} more"),
                  indent=3)


def where(paper: Paper, frame: Frame) -> str:
    """The place of a step's first line, or that it has none."""
    return paper.place(frame.lines[0]) if frame.lines else frame.status


def outline(ledgers: Ledgers) -> tuple[object, ...]:
    """What decides whether ledgers are drawn anew: all but event channels and beliefs."""
    return ledgers.dom0, {domid: table.pirqs for domid, table in ledgers.xen.items()}


def ill(ledgers: Ledgers) -> bool:
    """Whether dom0 has a pair on record that Xen does not bear out."""
    return any(state != "live" for record in ledgers.dom0.values()
               for _, _, _, state in record.entries)


def frame_at(report: ReplayReport, number: int) -> Frame | None:
    """The last frame of the report up to a step of the story; None where there is none."""
    return next((frame for frame in reversed(report.frames) if frame.number <= number), None)


def _short(paper: Paper, line: Line, column_room: int) -> None:
    """A line in one row of the page: of a long one the end, which holds the message."""
    place, text = paper.place(line).ljust(column_room), folded(line.text)
    room = max(paper.width - 5 - len(place), 20)
    if len(text) > room:
        end = text[len(text) - room + 1:]
        text = f"…{end.partition(' ')[2] or end}"
    paper.item(("place", place), ("quote", text), indent=3, gap=2)
