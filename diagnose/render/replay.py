"""The replay for people: step by step what happened, and both ledgers wherever they changed.

**Invariant:** what is left out is counted in its place; nothing here decides what is true.
"""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.frames import UNTOLD_DOMID_MIN, Frame, Ledgers, ReplayReport
from diagnose.render.asked import assumed, located, watched
from diagnose.render.ledgers import draw, legend
from diagnose.render.paper import Paper, Piece, Style
from diagnose.render.partings import partings
from diagnose.render.steps import ill, outline, told, where
from diagnose.render.words import column, count, step

STEPS_MAX = 24
"""A longer story is cut down to the steps around those where the ledgers disagree."""
AROUND = 2
"""So many steps before and after one of these are shown with it."""
PARTED_MAX = 12
"""Steps of disagreement that are shown of a long story: its first ones."""
ENDS_MAX = 3
"""Steps kept at either end of a long story."""


def render(report: ReplayReport, style: Style) -> str:
    """The replay as text, ending with a line feed."""
    paper = Paper(style, (source.path for source in report.inputs))
    headline(paper, report)
    if not report.frames:
        return paper.text()
    if report.at is not None:
        located(paper, report)
    if report.watched is not None:
        watched(paper, report)
    if report.assumed is not None:
        assumed(paper, report)
    if report.at is None and report.watched is None and report.assumed is None:
        story(paper, report)
    return paper.text()


def headline(paper: Paper, report: ReplayReport) -> None:
    """How long the story is, under which kernel, and where the ledgers part."""
    badge = ("good badge", " REPLAY ")
    if not report.frames:
        paper.item(("doubt badge", " REPLAY "), *_nothing(report))
        for want in report.missing:
            paper.item("•", ("strong", want.what), f": {want.why}", indent=1)
            if want.command:
                paper.exact(("command", f"$ {want.command}"), indent=5)
        return
    seen = sum(frame.status == "observed" for frame in report.frames)
    about = f" that concern {report.narrowed}" if report.narrowed else ""
    under = {"given": "as given", "banner": "as the banner suggests", "inferred": "as it behaves"}
    how = under.get(report.kernel.how, "though nothing here tells one kernel from another")
    pieces: list[Piece] = [
        ("strong", count(len(report.frames), "step")),
        f"{about}, {seen} observed and {len(report.frames) - seen} inferred; kernel row "
        f"{report.kernel.row}, {how}. "]
    parted = _parted(report)
    if parted is None:
        pieces.append("No pair stays on dom0's record without its pirq in Xen's table.")
    else:
        badge = ("bad badge", " REPLAY ")
        frame = next(frame for frame in report.frames if frame.number == parted)
        pieces += [("bad", f"The ledgers part in step {parted}"), " (",
                   ("place", where(paper, frame)), "): ", step(frame), "."]
    paper.item(badge, *pieces)
    if report.contradictions:
        lines = count(report.contradictions, "contradiction")
        paper.put(("doubt", f"No story fits these logs without a contradiction; this one has "
                            f"{lines}."), indent=9)
    if any(domid >= UNTOLD_DOMID_MIN for frame in report.frames for domid in frame.ledgers.xen):
        paper.put(("faint", "dom?1, dom?2 and so on are domains whose domid no line tells."),
                  indent=9)


def _parted(report: ReplayReport) -> int | None:
    """The first step after which dom0 has a pair on record that Xen does not bear out."""
    return next((frame.number for frame in report.frames if ill(frame.ledgers)), None)


def _nothing(report: ReplayReport) -> list[Piece]:
    if report.narrowed and not report.missing:
        return [("strong", f"No step of this story concerns {report.narrowed}"), "."]
    return [("strong", "There is nothing to replay"), ": no line here tells of anything that "
            "happened to a passed-through device. What these logs lack:"]


def story(paper: Paper, report: ReplayReport) -> None:
    """The steps in order, each with the ledgers where they are not as they were drawn last."""
    if paper.style.short:
        paper.blank()
        room = column(where(paper, frame) for frame in report.frames)
        for frame in report.frames:
            sign = ("bad", "✗ ") if ill(frame.ledgers) else ("good", "✓ ")
            mark = f"{frame.number:>3}  {where(paper, frame).ljust(room)}"
            paper.item(("place", mark), sign, step(frame), indent=1, gap=2)
        return
    drawn, boot, parted = Ledgers(), 0, _parted(report)
    kept = _kept(report.frames, paper.style.full)
    last = -1
    for place in [*kept, len(report.frames)]:
        if place > last + 1:
            _left_out(paper, report.frames[last + 1:place])
        last = place
        if place == len(report.frames):
            break
        frame = report.frames[place]
        if frame.boot != boot:
            boot = frame.boot
            paper.blank()
            paper.put(("heading", f"═══ host boot {boot}: both ledgers begin anew ═══"), indent=1)
        told(paper, frame)
        if paper.style.full or outline(frame.ledgers) != outline(drawn):
            draw(paper, frame.ledgers, frame.changes)
            drawn = frame.ledgers
        if frame.number == parted:
            paper.item(("bad", "◄"), ("bad", "Here the ledgers part."), indent=1)
        partings(paper, frame)
    legend(paper, (report.frames[place].ledgers for place in kept))


def _kept(frames: Sequence[Frame], full: bool) -> list[int]:
    """Places of the frames to show: all, or both ends and what stands around disagreements."""
    if full or len(frames) <= STEPS_MAX:
        return list(range(len(frames)))
    parted = [place for place, frame in enumerate(frames)
              if frame.violations or ill(frame.ledgers)][:PARTED_MAX]
    kept = {near for place in parted for near in range(place - AROUND, place + AROUND + 1)}
    kept |= {*range(ENDS_MAX), *range(len(frames) - ENDS_MAX, len(frames))}
    return sorted(kept & set(range(len(frames))))


def _left_out(paper: Paper, frames: Sequence[Frame]) -> None:
    """What a gap holds: how many steps, and how many of them where the ledgers disagree."""
    paper.blank()
    bad = sum(ill(frame.ledgers) for frame in frames)
    steps = f"{frames[0].number}" if len(frames) == 1 else f"{frames[0].number}–{frames[-1].number}"
    more = f"do not agree after {bad} of them" if bad else "agree after all of them"
    paper.put(("faint", f"⋮ {count(len(frames), 'step')} left out ({steps}); the ledgers "
                        f"{more}; -v shows all"), indent=1)
