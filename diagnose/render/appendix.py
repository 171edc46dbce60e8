"""What stays open and what was read: suspicions, contradictions, what to collect, kernel, coverage.

**Invariant:** nothing in this part ever changes a verdict, and its headings say so.
"""

from __future__ import annotations

from diagnose.diagnosis import Diagnosis
from diagnose.events import SPEAKERS, Line, Remark
from diagnose.render.evidence import quote
from diagnose.render.paper import Paper, Piece
from diagnose.render.words import count, listed, sentence

DIVERGENCES_MAX = 5
"""Kinds of contradiction shown unless everything is wanted."""

_UNMET = {
    "predicted-unseen": "expected and not seen",
    "observed-unexplained": "seen and not expected",
}
_HOW = {
    "given": "as given; ",
    "banner": "suggested by ",
    "inferred": "judged by behaviour; ",
}
"""How a row was found; what the banner says follows."""
_UNLIKE_BANNER = "banner-behaviour"
"""Code of the remark that banner and behaviour differ; it belongs beside the kernel row."""
_ALWAYS = frozenset({"quoted-passages"})
"""Codes of remarks without which a report cannot be understood."""
_CUT = "search-cut"
"""Code of the remark that better stories may have been missed; it bears on what is only likely."""


def suspicions(paper: Paper, diagnosis: Diagnosis) -> None:
    """Hints too weak for a finding."""
    if not diagnosis.suspicions:
        return
    paper.heading("Suspicions, too weak for a finding")
    for hint in diagnosis.suspicions:
        about: list[Piece] = [("strong", hint.title or hint.fault)]
        about.append(f" · {hint.fault}" if hint.title else "")
        about.append(f" · {hint.device}" if hint.device else "")
        paper.item(("doubt", "?"), *about, indent=1)
        paper.put(hint.why, indent=3)
        quote(paper, hint.lines, len(hint.lines), 5)


def divergences(paper: Paper, diagnosis: Diagnosis) -> None:
    """Where the best story and the log still disagree."""
    if not diagnosis.divergences:
        return
    paper.heading("Not explained by the story")
    alike: dict[tuple[str, ...], list[Line]] = {}
    for one in diagnosis.divergences:
        key = (one.event, _UNMET[one.kind], one.device or "", one.why)
        alike.setdefault(key, []).extend(one.lines)
    groups = list(alike.items())
    shown = groups if paper.style.full else groups[:DIVERGENCES_MAX]
    for (event, unmet, device, why), lines in shown:
        about = f" {unmet} · {device}" if device else f" {unmet}"
        paper.item(("doubt", "!"), ("strong", event), about, indent=1)
        paper.put(sentence(why), indent=3)
        quote(paper, lines, len(lines), 5)
    if len(shown) < len(groups):
        paper.put(("faint", f"… and {len(groups) - len(shown)} more; -v lists them all"), indent=1)


def missing(paper: Paper, diagnosis: Diagnosis) -> None:
    """What to collect, with the command that collects it."""
    if not diagnosis.missing:
        return
    paper.heading("What to collect")
    for want in diagnosis.missing:
        paper.item("•", ("strong", want.what), f": {want.why}" if want.why else "", indent=1)
        if want.command:
            paper.exact(("command", f"$ {want.command}"), indent=5)


def exposure(paper: Paper, diagnosis: Diagnosis) -> None:
    """Known faults of this kernel row that the log does not show."""
    if not diagnosis.exposure:
        return
    paper.heading("Possible here, though not in these logs")
    for risk in diagnosis.exposure:
        fix = f" ({risk.fix})" if risk.fix else ""
        paper.item("•", ("strong", risk.fault), f": {risk.why}", ("faint", fix), indent=1)


def sources(paper: Paper, diagnosis: Diagnosis) -> None:
    """The kernel, the inputs and where every line went."""
    paper.heading("Read")
    _kernel(paper, diagnosis)
    if paper.style.full:
        _inputs(paper, diagnosis)
    _clocks(paper, diagnosis)
    seen = diagnosis.coverage
    kinds = [
        count(seen.events, "event"),
        count(seen.near_misses, "near miss", "near misses"),
        f"{seen.known_noise} known noise",
        f"{seen.unknown} unknown",
        f"{seen.unreadable} unreadable",
    ]
    total = f"{count(seen.lines, 'line')} in {count(len(diagnosis.inputs), 'input')}: "
    _row(paper, "lines", total + ", ".join(kinds))
    for remark in _told(paper, diagnosis):
        parts = (remark.input and paper.name(remark.input), remark.line)
        place = ":".join(str(part) for part in parts if part is not None)
        _row(paper, "remark", (f"{place}: " if place else "") + remark.text)
    tool = diagnosis.tool
    _row(
        paper,
        "report",
        f"{tool.name} {tool.version}, catalogue {tool.catalogue}, signature {diagnosis.signature}",
    )


def _told(paper: Paper, diagnosis: Diagnosis) -> list[Remark]:
    """The remarks to show: all of them, or those that bear on what is shown."""
    remarks = list(dict.fromkeys(diagnosis.remarks))
    if paper.style.full:
        return [remark for remark in remarks if remark.code != _UNLIKE_BANNER]
    likely = any(found.confidence == "likely" for found in diagnosis.findings)
    return [r for r in remarks if r.code in _ALWAYS or (likely and r.code == _CUT)]


def _kernel(paper: Paper, diagnosis: Diagnosis) -> None:
    kernel = diagnosis.kernel
    banner = f"the banner names {kernel.release}" if kernel.release else "no dom0 banner"
    if not diagnosis.modelled:
        found = (("Linux", kernel.parts.dom0), ("Xen", kernel.parts.xen))
        host = listed([f"{name} {release}" for name, release in found if release])
        _row(paper, "kernel", f"no row describes {host or 'this host'}")
    elif kernel.row is None or kernel.how == "unknown":
        _row(paper, "kernel", f"unknown: nothing here tells one kernel row from another; {banner}")
    else:
        banner = f"the banner {kernel.release}" if kernel.how == "banner" else banner
        _row(paper, "kernel", f"{kernel.row}, {_HOW[kernel.how]}{banner}")
        if kernel.alternatives:
            _row(paper, "", f"{listed(kernel.alternatives)} would explain these logs as well")
    for remark in diagnosis.remarks:
        if remark.code == _UNLIKE_BANNER:
            paper.item(" " * 7, ("doubt", remark.text), indent=1)
    if paper.style.full:
        parts = kernel.parts
        guests = {paper.name(name): version for name, version in parts.guests.items()}
        changed = None if parts.pciback == "none" else parts.pciback
        named = {"dom0": parts.dom0, "xen": parts.xen, **guests, "changed on this host:": changed}
        for name, version in named.items():
            if version:
                _row(paper, "", f"{name} {version}")


def _inputs(paper: Paper, diagnosis: Diagnosis) -> None:
    for source in diagnosis.inputs:
        said = f"said by {listed(source.speakers)}" if source.speakers else \
            f"state: {source.state}" if source.state else "nobody recognised"
        packed = "" if source.compression in ("", "none") else f", {source.compression}"
        name = paper.name(source.path)
        path = "" if name == source.path else f" = {source.path}"
        _row(paper, "input", f"{name}{path} ({count(source.lines, 'line')}, {said}{packed})")


CLOCKS_SHOWN_MAX = 4


def _clocks(paper: Paper, diagnosis: Diagnosis) -> None:
    """By how much other clocks differ from dom0's."""
    shown = len(diagnosis.clocks) if paper.style.full else CLOCKS_SHOWN_MAX
    clocks = sorted(diagnosis.clocks, key=lambda clock: SPEAKERS.index(clock.speaker))
    for clock in clocks[:shown]:
        boot = f", boot {clock.boot}" if clock.boot else ""
        _row(paper, "clock", f"{paper.name(clock.input)} ({clock.speaker}{boot}): "
             f"{_apart(*clock.offset_s)} {clock.relative_to}'s, by "
             f"{count(len(clock.anchors), 'line')}")
    more = len(diagnosis.clocks) - shown
    if more > 0:
        _row(paper, "", f"{count(more, 'more clock')}; -v shows all")


def _apart(low: float, high: float) -> str:
    if high < 0:
        return f"{-high:.1f} to {-low:.1f} s behind"
    return f"{low:.1f} to {high:.1f} s ahead of"


def _row(paper: Paper, label: str, text: str) -> None:
    paper.item(("faint", label.ljust(7)), text, indent=1)
