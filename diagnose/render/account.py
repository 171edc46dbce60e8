"""The story, the what-if table and what to do: how it came about and what ends it.

**Invariant:** a step that no line shows is marked as inferred wherever it appears.
"""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.diagnosis import AssignmentReport, Diagnosis, Recommendation, StoryStep, WhatIf
from diagnose.render.paper import Paper, Piece
from diagnose.render.words import column, count, listed, step

STEPS_MAX = 24
"""A longer story is cut down to the lives that bear a finding, unless everything is wanted."""
ROUTINE = frozenset({"ifup", "ifdown"})
"""Ops that every healthy life has as well: where nothing shows them, nobody wants to read them."""
ENDS_MAX = 4
"""Steps kept at either end of a long story in which nothing was found."""
GAP_MIN = 10
"""So many steps left out between two that are shown are marked in their place."""
COLUMNS_MAX = 12
"""With more findings, the what-if table counts them instead of giving each a column."""


def story(paper: Paper, diagnosis: Diagnosis) -> None:
    """The steps in order; those without a line of their own with the reason why they must be."""
    if not diagnosis.story:
        return
    paper.heading("How it came about")
    keep = _kept(diagnosis, paper.style.full)
    room = column(_where(paper, diagnosis.story[number]) for number in keep)
    boots = len({taken.boot for taken in diagnosis.story}) > 1
    last, boot = -1, None
    for number in keep:
        taken = diagnosis.story[number]
        if number - last > GAP_MIN:
            paper.put(("faint", "⋮"), indent=1)
        if boots and taken.boot != boot:
            paper.put(("strong", f"host boot {taken.boot}"), indent=1)
        _step(paper, taken, room)
        last, boot = number, taken.boot
    if len(keep) < len(diagnosis.story):
        hidden = count(len(diagnosis.story) - len(keep), "more step")
        paper.put(("faint", f"… and {hidden}; -v shows all"), indent=1)


def assignments(paper: Paper, diagnosis: Diagnosis) -> None:
    """Who owned which device from where to where; the substance of a healthy verdict."""
    owned = diagnosis.assignments
    if not owned or (diagnosis.verdict == "fault" and not paper.style.full):
        return
    paper.heading("Assignments")
    shown = owned if paper.style.full else owned[:STEPS_MAX]
    room = column(_start(paper, one) for one in shown)
    for one in shown:
        tone = {"healthy": "good", "fault": "bad"}.get(one.verdict, "doubt")
        mark = ("place", _start(paper, one).ljust(room))
        paper.item(mark, f"{_owned(one)}: ", (tone, one.verdict), indent=1, gap=2)
    if len(shown) < len(owned):
        paper.put(("faint", f"… and {len(owned) - len(shown)} more; -v lists them all"), indent=1)


def whatif(paper: Paper, diagnosis: Diagnosis) -> None:
    """What the same story would have left under every other kernel row and habit."""
    if not diagnosis.whatif or not diagnosis.findings:
        return
    paper.heading("Under other kernels and habits")
    ids = [finding.id for finding in diagnosis.findings]
    names = [assumed.assume for assumed in diagnosis.whatif]
    room = max(len(name) for name in names)
    digits = len(str(len(ids)))
    each = len(ids) <= COLUMNS_MAX and room + 2 + len(ids) * (digits + 1) <= paper.width
    if each:
        numbers = "".join(f"{number:>{digits + 1}}" for number in range(1, len(ids) + 1))
        paper.exact(("faint", f"{'finding':<{room}} {numbers}"), indent=1)
    for assumed in diagnosis.whatif:
        own = assumed.assume == diagnosis.kernel.row
        cells = _cells(assumed, ids, digits) if each else _counted(assumed, len(ids))
        name = ("strong", assumed.assume.ljust(room)) if own else assumed.assume.ljust(room)
        note = "this host" if own else assumed.title
        used = 1 + room + 1 + sum(len(cell[1]) for cell in cells)
        fits = note and used + 3 + len(note) <= paper.width
        paper.exact(name, " ", *cells, ("faint", f"   {note}" if fits else ""), indent=1)
    if each:
        paper.exact(("good", "✓"), " gone   ", ("bad", "✗"), " still there", indent=1)


def recommendation(paper: Paper, diagnosis: Diagnosis) -> None:
    """What to do, best first: what it is, whether it is enough, which deaths it covers."""
    if not diagnosis.recommendation:
        return
    paper.heading("What to do")
    for advice in diagnosis.recommendation:
        _advice(paper, advice)


def _advice(paper: Paper, advice: Recommendation) -> None:
    mark: Piece = ("good", "●") if advice.sufficient else ("doubt", "○")
    enough = "enough for this story" if advice.sufficient else "not enough alone"
    if advice.kind == "recover":
        mark, enough = ("good", "→"), "ends the trouble for now"
    paper.item(mark, ("strong", advice.kind), f": {enough}", indent=1)
    paper.put(advice.text, indent=3)
    covers = f"after {' and '.join(advice.covers)} ends" if advice.covers else ""
    notes = [advice.fix, covers, listed(advice.references)]
    paper.put(("faint", " · ".join(note for note in notes if note)), indent=3)


def _step(paper: Paper, taken: StoryStep, room: int) -> None:
    seen = taken.status == "observed"
    tail: list[Piece] = [("faint", f" ({taken.why.rstrip('.')})")] if taken.why else []
    mark = ("place" if seen else "doubt", _where(paper, taken).ljust(room))
    paper.item(mark, *([step(taken)] if seen else [("doubt", step(taken)), *tail]), indent=1, gap=2)


def _start(paper: Paper, held: AssignmentReport) -> str:
    return paper.place(held.from_line) if held.from_line else "before the log"


def _owned(held: AssignmentReport) -> str:
    """Which device had which owner, and how that ended."""
    owner = "a domain" if held.domid is None else f"dom{held.domid}"
    kind = "" if held.kind == "unknown" else f" ({held.kind})"
    end = {"running": "still running", "unknown": "end unknown"}.get(held.ended_by)
    return f"{held.device} to {owner}{kind}, {end or 'ended by ' + held.ended_by.replace('_', ' ')}"


def _where(paper: Paper, taken: StoryStep) -> str:
    return paper.place(taken.lines[0]) if taken.lines else taken.status


def _kept(diagnosis: Diagnosis, full: bool) -> Sequence[int]:
    """Ordinals of the steps to show: all, all that tell something, or the lives in question."""
    story = diagnosis.story
    if full:
        return range(len(story))
    cited = {number for found in diagnosis.findings for number in found.witness.steps}
    telling = [n for n, taken in enumerate(story) if n in cited or not _is_routine(taken)]
    if len(telling) <= STEPS_MAX:
        return telling
    if not cited:
        return [*telling[:ENDS_MAX], *telling[-ENDS_MAX:]]
    lives = {_life(story[number]) for number in cited if number < len(story)} - {None}
    devices = {found.device for found in diagnosis.findings}
    return [
        n
        for n in telling
        if n in cited or (_life(story[n]) in lives and _concerns(story[n], devices))
    ][:STEPS_MAX]


def _is_routine(taken: StoryStep) -> bool:
    return taken.op in ROUTINE and taken.status == "inferred"


def _concerns(taken: StoryStep, devices: set[str]) -> bool:
    """Whether a step is about one of the devices, or about none in particular."""
    told = taken.args.get("device")
    own = {told} if isinstance(told, str) else set(told) if isinstance(told, Sequence) else set()
    return not own or bool(own & devices)


def _life(taken: StoryStep) -> tuple[int, object] | None:
    """Whose life a step belongs to: host boot and domid; None where no domain is told."""
    domid = taken.args.get("domid")
    return None if domid is None else (taken.boot, domid)


def _cells(assumed: WhatIf, ids: Sequence[str], digits: int) -> list[tuple[str, str]]:
    left, gone = set(assumed.leaves), set(assumed.removes)
    cells = []
    for one in ids:
        sign = ("bad", "✗") if one in left else ("good", "✓") if one in gone else ("faint", "·")
        cells.append((sign[0], sign[1].rjust(digits + 1)))
    return cells


def _counted(assumed: WhatIf, total: int) -> list[tuple[str, str]]:
    gone = len(assumed.removes)
    tone = "good" if gone == total else "bad" if not gone else "doubt"
    return [(tone, f" {gone:>4} of {total} gone")]
