"""The command `diagnose rules test`: every case diagnosed and held against its expectation."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from diagnose.cli.parameters import Jobs, NoColor, Width
from diagnose.console import emit, style_for, writing

if TYPE_CHECKING:
    from diagnose.outcome import Tried

Cases = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DIR|FILE.case]...",
        help="Cases, and directories that hold some at any depth; this directory unless told.",
    ),
]
Rules = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Judge by the rules in DIR too; one with a built-in rule's id takes its place.",
    ),
]
Update = Annotated[
    bool,
    typer.Option("--update", help="Write golden reports anew where every header is right."),
]
Junit = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write the results to FILE as JUnit XML, too.")
]
Pattern = Annotated[
    str,
    typer.Option("-k", metavar="PATTERN", help="Only cases whose name holds this; * ? [ match."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only what is not as expected.")]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Times, whole differences, rules that no case tries."),
]


def try_cases(
    paths: Cases = None,
    rules: Rules = None,
    update: Update = False,
    junit: Junit = None,
    jobs: Jobs = None,
    pattern: Pattern = "",
    width: Width = None,
    no_color: NoColor = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Try every case: diagnose its logs, compare with its headers and its golden report.

    Status 0: all are as expected; 1: some are not; 2: some cannot be tried, or there is none.
    """
    from diagnose import casecheck, crew
    from diagnose.options import Options
    from diagnose.pipeline import rules_for
    from diagnose.render import cases
    from diagnose.render import junit as xml

    options = Options(rules=rules)
    known = rules_for(options)
    files = casecheck.find_cases(paths or ["."], pattern)
    verbosity = int(verbose) - int(quiet)
    style = style_for(sys.stdout, os.environ, width=width, no_color=no_color, verbosity=verbosity)
    work = partial(casecheck.attempt, options=options, update=update)
    tried: list[Tried] = []
    with writing() as write:
        for each in crew.ordered(work, files, jobs or crew.processors(), casecheck.killed):
            tried.append(each)
            write(cases.case(each, style))
        write(cases.summary(tried, style))
        if verbose:
            never, always = casecheck.coverage(tried, [rule.id for rule in known])
            write(cases.coverage(never, always, len(known), style))
    if junit:
        emit(xml.cases(tried), junit)
    raise typer.Exit(_status(tried))


def _status(tried: Sequence[Tried]) -> int:
    if any(each.state == "unreadable" for each in tried):
        return 2
    return 0 if all(each.good for each in tried) else 1
