"""The report for people: the verdict in a sentence, then why, then what to do.

Sections stand in the order in which a person asks: what is wrong, what proves it, how did it come
about, what can be ignored, what would have helped, what to do, what remains open.

**Invariant:** the order of sections is the table `SECTIONS`; nothing here decides what is true.
"""

from __future__ import annotations

from collections.abc import Callable

from diagnose.diagnosis import Diagnosis
from diagnose.render import account, appendix, evidence
from diagnose.render.paper import Paper, Piece, Style
from diagnose.render.words import count, subject, title

Section = Callable[[Paper, Diagnosis], None]

_BADGES = {"fault": "bad badge", "healthy": "good badge", "inconclusive": "doubt badge"}


def render(diagnosis: Diagnosis, style: Style) -> str:
    """The report as text, ending with a line feed."""
    paper = Paper(style, (source.path for source in diagnosis.inputs))
    for section in SHORT if style.short else SECTIONS:
        section(paper, diagnosis)
    return paper.text()


def headline(paper: Paper, diagnosis: Diagnosis) -> None:
    """The verdict and, in a sentence or two, what it means here."""
    badge = (_BADGES[diagnosis.verdict], f" {diagnosis.verdict.upper()} ")
    lead = {"fault": _fault, "healthy": _healthy, "inconclusive": _open}[diagnosis.verdict]
    paper.item(badge, *lead(paper, diagnosis))
    fix = next((advice for advice in diagnosis.recommendation if advice.sufficient), None)
    if fix is not None and diagnosis.findings:
        paper.item(("good", " → "), ("strong", fix.text), indent=len(badge[1]) - 3)


def _fault(paper: Paper, diagnosis: Diagnosis) -> list[Piece]:
    root = diagnosis.findings[0]
    others = {found.device for found in diagnosis.findings} - {root.device}
    pieces: list[Piece] = [("strong", title(root.title)), ": ", ", ".join(subject(root))]
    if others:
        pieces.append(f", and {count(len(others), 'more device')}")
    if root.witness.lines:
        pieces += ["; since ", ("place", paper.place(root.witness.lines[0]))]
    pieces.append(".")
    effects = sum(1 for found in diagnosis.findings if found.follows)
    if effects:
        pieces.append(f" {count(effects, 'more finding follows', 'more findings follow')} from it.")
    return pieces


def _healthy(paper: Paper, diagnosis: Diagnosis) -> list[Piece]:
    good = [one for one in diagnosis.assignments if one.verdict == "healthy"]
    devices = {one.device for one in good}
    return [
        ("strong", "The two ledgers agree"),
        f": {count(len(good), 'complete assignment')} of {count(len(devices), 'device')}, "
        "every line explained, no vector left behind.",
    ]


def _open(paper: Paper, diagnosis: Diagnosis) -> list[Piece]:
    if not diagnosis.modelled:
        return [("strong", "This host's bookkeeping is not known"), ": its logs are read and laid "
                "out in time, and it is neither accused nor acquitted."]
    pieces: list[Piece] = [("strong", "These logs cannot tell")]
    if diagnosis.missing:
        pieces.append(f"; what they lack most is {diagnosis.missing[0].what.rstrip('.')}")
    return [*pieces, "."]


SECTIONS: tuple[Section, ...] = (
    headline,
    evidence.overview,
    evidence.findings,
    account.story,
    evidence.harmless,
    account.assignments,
    account.whatif,
    account.recommendation,
    appendix.suspicions,
    appendix.divergences,
    appendix.missing,
    appendix.exposure,
    appendix.sources,
)
"""The report, top to bottom."""

SHORT: tuple[Section, ...] = (headline, evidence.overview)
"""What is left of it when little is wanted."""
