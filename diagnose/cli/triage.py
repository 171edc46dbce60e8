"""The command `diagnose triage`: many incidents, one row each."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from diagnose.cli.shared import INTERRUPTED, FailOn, exit_status, tell
from diagnose.console import complain, passing, style_for, writing
from diagnose.errors import UsageError
from diagnose.options import Options

if TYPE_CHECKING:
    from diagnose.cli.parameters import (
        FailOnOption,
        Incidents,
        Jobs,
        Kernel,
        NoColor,
        Output,
        RowFormat,
        RowsQuiet,
        Width,
    )
    from diagnose.outcome import Outcome, Tally


def triage(
    paths: Incidents,
    kernel: Kernel = None,
    jobs: Jobs = None,
    form: RowFormat = "table",
    output: Output = None,
    fail_on: FailOnOption = "fault",
    width: Width = None,
    no_color: NoColor = False,
    quiet: RowsQuiet = False,
) -> None:
    """Judge many incidents: one row each, then what they have in common.

    Rows are ordered by path, whatever the order of the arguments and the number of processes.
    """
    from diagnose import crew, incidents, triage
    from diagnose.grammar import load
    from diagnose.outcome import Tally
    from diagnose.render.triage import Lines, Table

    if "-" in paths:
        raise UsageError("-: the standard input is one incident; give it to `diagnose log -`.")
    found, remarks = incidents.find(paths)
    options = Options(kernel=kernel)
    jobs = min(jobs or crew.processors(), len(found))
    if jobs > 1:
        triage.prepare(options)
    load()
    style = style_for(None if output else sys.stdout, os.environ, width=width, no_color=no_color,
                      verbosity=-int(quiet))
    names = [incident.shown for incident in found]
    page = Lines() if form == "jsonl" else Table(names, style)
    tally = Tally()
    outcomes = crew.ordered(partial(triage.judge, options=options), found, jobs, triage.killed)
    shown = outcomes if quiet else _with_progress(outcomes, len(found), output)
    with writing(output) as write:
        write(page.head())
        interrupted = not _told(shown, lambda each: write(page.row(each)), tally)
        write(page.summary(tally))
    tell([] if quiet else remarks)
    if interrupted:
        complain("interrupted", f"{tally.total} of {len(found)} incidents were judged")
        raise SystemExit(INTERRUPTED)
    raise SystemExit(_status(tally, fail_on))


def _told(outcomes: Iterable[Outcome], tell_row: Callable[[Outcome], bool], tally: Tally) -> bool:
    """Tell the outcomes as they come, and count them; False if an interrupt came between."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for outcome in outcomes:
            tally.add(outcome)
            if not tell_row(outcome):
                break
    except KeyboardInterrupt:
        return False
    return True


def _with_progress(
    outcomes: Iterable[Outcome], total: int, output: str | None
) -> Iterator[Outcome]:
    """The same outcomes; how many there are so far is shown where their rows are not."""
    wanted = output is not None or not sys.stdout.isatty()
    try:
        for nth, outcome in enumerate(outcomes, 1):
            if wanted:
                passing(f"{nth}/{total}  {outcome.incident}")
            yield outcome
    finally:
        if wanted:
            passing("")


def _status(tally: Tally, fail_on: FailOn) -> int:
    if not tally.read:
        return 2
    worst = next((each for each in ("fault", "inconclusive") if tally.verdicts[each]), "healthy")
    return exit_status(worst, fail_on)
