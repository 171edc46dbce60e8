"""Judges one of many incidents and keeps of it what a row needs.

Whatever goes wrong with one incident is told in its row, and the others are judged all the same.

**Invariant:** an outcome depends on its incident and the options alone, its time excepted.
"""

from __future__ import annotations

import time
from pathlib import Path
from traceback import extract_tb

from msgspec.structs import replace

from diagnose.casefile import read_case
from diagnose.diagnosis import Diagnosis
from diagnose.errors import DiagnoseError
from diagnose.events import LeftOut
from diagnose.grammar import load
from diagnose.incidents import Incident
from diagnose.options import Options
from diagnose.outcome import FindingBrief, FixBrief, KernelBrief, Outcome
from diagnose.pipeline import diagnose, rules_for
from diagnose.reader import from_path


def prepare(options: Options) -> None:
    """Load what the processes that are to judge would else load one by one.

    Raises GrammarError or RuleError if that cannot be used.
    """
    load().sieve.places(b"")
    rules_for(options)


def judge(incident: Incident, options: Options) -> Outcome:
    """The outcome of one incident; an exception is one, too."""
    began = time.perf_counter()
    outcome = _judged(incident, options)
    return replace(outcome, seconds=round(time.perf_counter() - began, 3))


def _judged(incident: Incident, options: Options) -> Outcome:
    blank = _blank(incident)
    if incident.error:
        return replace(blank, error=incident.error)
    try:
        logs = read_case(Path(incident.name)).inputs() if incident.case else incident.paths
        settings = [replace(from_path(path), state=True) for path in incident.settings]
        report = diagnose([*logs, *settings], replace(options, brief=True))
    except DiagnoseError as error:
        return replace(blank, error=str(error))
    except Exception as error:
        # A mistake in this program, or no memory: one incident's misfortune, and not the others'.
        frame = extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        return replace(blank, verdict="broken", error="This is a mistake in diagnose itself: "
                       f"{type(error).__name__} at {place}: {error}. `diagnose log` tells more.")
    return _brief(blank, report)


def killed(incident: Incident) -> Outcome:
    """The outcome of an incident whose process was killed twice, the second time by it alone."""
    return replace(_blank(incident), verdict="broken", error="The process that read it was killed, "
                   "perhaps for lack of memory. `diagnose log` reads it alone.")


def _blank(incident: Incident) -> Outcome:
    """What is known of an incident before it is read."""
    return Outcome(incident.shown, "unreadable", left_out=incident.left_out,
                   inputs=tuple(from_path(path).name for path in incident.paths))


def _brief(blank: Outcome, report: Diagnosis) -> Outcome:
    fix = next((each for each in report.recommendation if each.sufficient), None)
    known = report.kernel.how != "unknown"
    unread = tuple(LeftOut(each.input or "", each.text) for each in report.remarks
                   if each.code == "unreadable-input")
    return replace(
        blank,
        verdict=report.verdict,
        signature=report.signature,
        findings=tuple(FindingBrief(each.fault, each.device, each.confidence, each.domids)
                       for each in report.findings),
        kernel=KernelBrief(report.kernel.row if known else None, report.kernel.how,
                           report.kernel.alternatives),
        fix=FixBrief(fix.fix, fix.kind, fix.text) if fix else None,
        missing=report.missing[0].what if report.missing else None,
        inputs=tuple(each.path for each in report.inputs),
        left_out=blank.left_out + report.left_out + unread,
    )
