"""Paths in, the story retold: the other way out of the pipeline, step by step with both ledgers.

**Invariant:** concludes nothing; what is wrong is the diagnosis's to say.
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from diagnose import conclude
from diagnose.assume import assume, assumed_about
from diagnose.frames import ReplayReport
from diagnose.ledger import frames, narrowed
from diagnose.locate import locate
from diagnose.missing import missing
from diagnose.options import Options, Question
from diagnose.pipeline import (
    input_reports,
    kernel_report,
    replay_remarks,
    rules_for,
    seen,
    tool_report,
)
from diagnose.reader import Input
from diagnose.unmodelled import wanted
from diagnose.watch import watch
from emulator.kernels import row
from emulator.pci import PciAddress


def retold(paths: Sequence[str | Path | Input], options: Options | None = None,
           question: Question | None = None) -> ReplayReport:
    """The cheapest story of the same logs step by step, with both ledgers after each step.

    Raises what `diagnose` raises, and UsageError where the question names what the logs lack.
    """
    options, question = options or Options(), question or Question()
    found = seen(paths, options)
    rules = rules_for(options)
    steps, story = found.played.best.steps(), found.played.best
    told = frames(steps, story.row)
    ask = question if steps else Question()
    other = None
    if ask.assume is not None:
        made = conclude.conclude(rules, found.played)
        other = assume(row(ask.assume), story.row, steps, rules, made.findings)
    lacking = () if steps else missing(found.parsed, found.timeline) if found.beyond is None else \
        (wanted(found.beyond),)
    report = ReplayReport(
        tool=tool_report(rules), inputs=input_reports(found.parsed),
        kernel=kernel_report(found, options),
        contradictions=story.contradictions, frames=told,
        at=None if ask.at is None else locate(ask.at, found.parsed, found.timeline, steps),
        watched=None if ask.watch is None else watch(ask.watch, told),
        assumed=other, missing=lacking,
        remarks=(*found.parsed.remarks, *replay_remarks(found.played)))
    return report if options.device is None else _about(report, options.device)


def _about(report: ReplayReport, device: str) -> ReplayReport:
    wanted = PciAddress.parse(device)
    return replace(report, narrowed=device, frames=narrowed(report.frames, wanted),
                   assumed=None if report.assumed is None else
                   assumed_about(report.assumed, wanted))
