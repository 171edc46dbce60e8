"""The answers to what was asked of a replay: a line, an entry, another kernel row.

**Invariant:** each answer stands by itself; none needs the story to be shown as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from diagnose.diagnosis import Finding
from diagnose.frames import Assumed, Difference, EntryLife, Ledgers, Moment, ReplayReport
from diagnose.render.ledgers import draw, legend
from diagnose.render.paper import Paper
from diagnose.render.partings import partings
from diagnose.render.safe import folded
from diagnose.render.steps import frame_at, outline, told, where
from diagnose.render.words import column, count, domain_name, numbered, sentence, step, subject

DIFFERENCES_MAX = 12
"""Steps that go another way, shown one by one unless all are wanted."""
LINES_MAX = 6
"""Lines shown for one of these."""
PLACES_MAX = 3
"""Places named of the lines that speak of one moment."""
LIVES_MAX = 8
"""Lives of an entry that are told unless all are wanted."""

_MOMENTS: Mapping[str, str] = {
    "attached": "put on record for {dom}",
    "stale": "made stale: it stays on record though {dom}'s table is gone",
    "foreign": "made foreign: its pirq now is another device's",
    "lost": "lost: Xen no longer maps its pirq, the pair stays",
    "live": "alive: Xen maps its pirq to this device",
    "released": "taken off the record",
    "pairs_left": "left behind as {dom} gives the device back",
    "stale_served": "served to {dom}, for whom Xen never mapped it",
    "own_pairs_reused": "served to {dom} once more",
    "stale_unmap_refused": "flushed for {dom}; Xen refuses, as it never mapped it there",
    "own_unmap_refused": "flushed for {dom}; Xen refuses",
    "dom0_unmap_refused": "flushed for dom0, as nobody owns the device; Xen refuses",
    "shared_pirq": "shares its pirq with another device of {dom}",
    "foreign_unmapped": "flushed for {dom}, which takes the pirq from another device",
    "bind_refused": "no event channel for {dom}, as Xen does not map it",
}
"""What became of a pair → what it says; one that is missing here is shown by its name."""
_GOOD = frozenset({"attached", "live"})
_BAD = frozenset(_MOMENTS) - _GOOD - {"released", "own_pairs_reused", "own_unmap_refused",
                                      "dom0_unmap_refused"}
_DECISIVE = ("stale", "foreign", "lost")


def located(paper: Paper, report: ReplayReport) -> None:
    """Both ledgers as they stood when a line was printed."""
    found = report.at
    assert found is not None
    place = f"{paper.name(found.input)}:{found.line}"
    paper.heading(f"After {place}")
    if found.text is not None:
        paper.item(("place", place), ("quote", folded(found.text)), indent=1, gap=2)
    frame = None if found.step is None else frame_at(report, found.step)
    if not found.told:
        what = "This line belongs to no step" if found.text is not None else \
            "This line is no event of the two ledgers"
        after = "the story had not begun" if frame is None else \
            f"step {frame.number} had happened for certain"
        paper.put(f"{what}; when it was printed, {after}.", indent=1)
    if found.open:
        steps = numbered("Step", "Steps", found.open)
        paper.put(("doubt", f"{steps} may have happened by then as well: nothing tells."), indent=1)
    if frame is None:
        draw(paper, Ledgers())
        return
    told(paper, frame)
    draw(paper, frame.ledgers, frame.changes if found.told else ())
    partings(paper, frame)
    legend(paper, [frame.ledgers])


def watched(paper: Paper, report: ReplayReport) -> None:
    """What became of one entry, life by life."""
    found = report.watched
    assert found is not None
    lives = found.lives if paper.style.full else found.lives[:LIVES_MAX]
    paper.heading(f"{found.device}, entry {found.entry_nr}",
                  count(len(found.lives), "pair on record", "pairs on record"))
    for number, life in enumerate(lives, 1):
        _life(paper, report, number, life)
    if len(lives) < len(found.lives):
        paper.put(("faint", f"… and {len(found.lives) - len(lives)} more; -v tells all"), indent=1)


def _life(paper: Paper, report: ReplayReport, number: int, life: EntryLife) -> None:
    paper.blank()
    paper.item(("strong", f"{number}."), ("strong", f"pirq {life.pirq} (hex {life.pirq:x})"),
               f", put on record for {domain_name(life.domid)}"
               + (f" in host boot {life.boot}" if life.boot else ""), indent=1)
    shown = {frame.number: frame for frame in report.frames}
    steps = {moment.step: shown.get(moment.step) for moment in life.moments}
    places = {number: where(paper, frame) if frame else "" for number, frame in steps.items()}
    room = column(places.values())
    for number, frame in steps.items():
        mark = ("place", f"{number:>3}  {places[number].ljust(room)}")
        paper.item(mark, step(frame) if frame else "", indent=3, gap=2)
        if frame is not None and frame.why:
            paper.put(("faint", f"inferred: {frame.why.rstrip('.')}"), indent=10 + room)
        for moment in life.moments:
            if moment.step == number:
                _moment(paper, moment, 10 + room)
    if life.ended is None:
        tone = "good" if life.state == "live" else "bad"
        paper.put(f"As the logs end it is still on record, and {life.state}: ",
                  (tone, "Xen maps it." if life.state == "live" else "Xen does not bear it out."),
                  indent=4)


def _moment(paper: Paper, moment: Moment, indent: int) -> None:
    dom = "" if moment.domid is None else domain_name(moment.domid)
    words = _MOMENTS.get(moment.what, moment.what).format(dom=dom)
    good, bad = moment.what in _GOOD, moment.what in _BAD
    mark = ("good" if good else "bad" if bad else "faint", "+" if good else "✗" if bad else "·")
    decisive = ("bad", " ◄") if moment.what in _DECISIVE else ""
    said = ", ".join(paper.place(line) for line in moment.lines[:PLACES_MAX])
    paper.item(mark, ("bad" if bad else "", words), decisive,
               ("place", f" ({said})" if said else ""), indent=min(indent, 24))


def assumed(paper: Paper, report: ReplayReport) -> None:
    """Where the story goes another way under another row, and what that spares."""
    found = report.assumed
    assert found is not None
    paper.heading(f"Under {found.row} instead of {report.kernel.row}", found.title)
    _spared(paper, found)
    if not found.differences:
        paper.put("The story goes the same way there: not a line and not a row of either ledger "
                  "would differ.", indent=1)
        return
    drawn: tuple[object, ...] = ()
    shown = found.differences if paper.style.full else found.differences[:DIFFERENCES_MAX]
    for difference in shown:
        drawn = _difference(paper, report, found, difference, drawn)
    if len(shown) < len(found.differences):
        rest = count(len(found.differences) - len(shown), "more step")
        paper.put(("faint", f"… and {rest} would go another way; -v shows all"), indent=1)
    numbers = {difference.step for difference in shown}
    legend(paper, [*(difference.ledgers for difference in shown),
                   *(frame.ledgers for frame in report.frames if frame.number in numbers)])


def _spared(paper: Paper, found: Assumed) -> None:
    """The findings of the story and what is left of them."""
    def named(finding: Finding) -> str:
        return f"{finding.fault} · {' · '.join(subject(finding))}"

    for finding in found.gone:
        paper.item(("good", "✓"), ("good", "gone"), f"   {named(finding)}", indent=1)
    for finding in found.left:
        paper.item(("bad", "✗"), ("bad", "still"), f"  {named(finding)}", indent=1)
    for fault, device, boot in found.arisen:
        where = f" · host boot {boot}" if boot else ""
        paper.item(("bad", "!"), ("bad", "new"), f"    {fault} · {device}{where}", indent=1)
    if not found.gone and not found.left and not found.arisen:
        paper.item(("good", "✓"), "No fault in either.", indent=1)


def _difference(paper: Paper, report: ReplayReport, found: Assumed, difference: Difference,
                drawn: tuple[object, ...]) -> tuple[object, ...]:
    """One step as it would be, and both pairs of ledgers unless they were drawn; what is drawn."""
    frame = frame_at(report, difference.step)
    if frame is None or frame.number != difference.step:
        return drawn
    told(paper, frame, quoted=False)
    if not drawn:
        paper.item(("strong", "◄"), ("strong", "Here the two kernels part."), indent=1)
    if difference.refusal:
        paper.put(("doubt", sentence(f"under {found.row} this cannot happen: "
                                     f"{difference.refusal}")), indent=1)
    _lines(paper, "−", "bad", "not printed", difference.missing)
    _lines(paper, "+", "good", "printed instead" if difference.missing else "printed besides",
           difference.instead)
    now = (outline(frame.ledgers), outline(difference.ledgers))
    if now != drawn and (difference.parted or paper.style.full):
        paper.put(("strong", f"{report.kernel.row}, as it was"), indent=1)
        draw(paper, frame.ledgers)
        paper.put(("strong", f"{found.row}, as it would be"), indent=1)
        draw(paper, difference.ledgers)
    return now


def _lines(paper: Paper, mark: str, tone: str, what: str, lines: tuple[str, ...]) -> None:
    """Lines that one of the two kernels prints, equal ones counted."""
    if not lines:
        return
    paper.put(("faint", f"{what}:"), indent=3)
    times = list(Counter(lines).items())
    for line, number in times if paper.style.full else times[:LINES_MAX]:
        repeated = f"  × {number}" if number > 1 else ""
        paper.item((tone, mark), ("quote", folded(line)), ("faint", repeated), indent=3)
    if len(times) > LINES_MAX and not paper.style.full:
        paper.put(("faint", f"… and {len(times) - LINES_MAX} more"), indent=3)
