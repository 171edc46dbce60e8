"""The command `diagnose synth`: incidents that are made up, with labels, to try the program on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from diagnose.cli.parameters import Jobs, NoColor, Width
from diagnose.cli.shared import INTERRUPTED
from diagnose.console import complain, emit, style_for, writing
from diagnose.errors import DiagnoseError, UsageError

if TYPE_CHECKING:
    from diagnose.synth.made import Order
    from diagnose.synth.table import Table


def _names(what: str) -> Callable[[], list[str]]:
    """Completes the values of a choice."""

    def names() -> list[str]:
        from diagnose.synth.choices import NAMES

        return list(NAMES[what])

    return names


Out = Annotated[
    str | None,
    typer.Argument(metavar="[OUT]", help="A new or empty directory; one folder an incident."),
]
Count = Annotated[int, typer.Option("--count", "-n", min=1, metavar="N", help="How many.")]
Seed = Annotated[int, typer.Option(metavar="S", help="Same seed and choices, same bytes.")]
First = Annotated[int, typer.Option(min=0, metavar="N", help="The number of the first one.")]
List = Annotated[
    bool, typer.Option("--list", help="List the kinds of stories, whatever is chosen, and end.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Diagnose what was made; 1 if anything is not as labelled.")
]
Story = Annotated[
    str | None,
    typer.Option(metavar="KIND", help="What happens; see --list.",
                 autocompletion=_names("story")),
]
Row = Annotated[
    str | None,
    typer.Option(metavar="ROW", help="The kernel row below it.", autocompletion=_names("row")),
]
Fault = Annotated[
    str | None,
    typer.Option(metavar="FAULT", help="Only incidents in which this happens.",
                 autocompletion=_names("fault")),
]
Guests = Annotated[
    int | None, typer.Option(metavar="N", help="A free story with so many guests.")
]
Lives = Annotated[
    int | None, typer.Option(metavar="N", help="A free story with so many lives of each guest.")
]
Envelope = Annotated[
    str | None,
    typer.Option(metavar="plain|syslog|printk|prio|mixed", help="What stands before dom0's lines.",
                 autocompletion=_names("envelope")),
]
Level = Annotated[
    str | None,
    typer.Option(metavar="LEVEL", help="The lowest level that dom0's log keeps.",
                 autocompletion=_names("level")),
]
Lose = Annotated[
    float | None, typer.Option(metavar="SHARE", help="The chance of each line to be lost, 0 to 1.")
]
Truncate = Annotated[
    str | None,
    typer.Option(metavar="none|head|tail|both", help="Which ends of the logs are cut off.",
                 autocompletion=_names("truncate")),
]
View = Annotated[
    list[str] | None,
    typer.Option(metavar="full|no-xen|no-guest|one-guest", help="Which logs are there at all.",
                 autocompletion=_names("view")),
]
Interleave = Annotated[
    bool | None,
    typer.Option("--interleave/--no-interleave",
                 help="dom0 and Xen on one console, loads by two guests braided."),
]
Noise = Annotated[
    bool | None, typer.Option("--noise/--no-noise", help="Lines that have nothing to do with it.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No rows but those of differences.")
]


def synth(
    out: Out = None,
    count: Count = 10,
    seed: Seed = 0,
    first: First = 0,
    show: List = False,
    story: Story = None,
    row: Row = None,
    fault: Fault = None,
    guests: Guests = None,
    lives: Lives = None,
    envelope: Envelope = None,
    level: Level = None,
    lose: Lose = None,
    truncate: Truncate = None,
    view: View = None,
    interleave: Interleave = None,
    noise: Noise = None,
    check: Check = False,
    jobs: Jobs = None,
    width: Width = None,
    no_color: NoColor = False,
    quiet: Quiet = False,
) -> None:
    """Make up incidents with labels: logs as a host keeps them, and what is to be found in them.

    Each choice that is left open is drawn. Without OUT nothing is kept, which goes with --check.
    """
    from diagnose.synth.choices import Choices
    from diagnose.synth.made import Order, prepare
    from diagnose.synth.table import Table, stories

    style = style_for(sys.stdout, os.environ, width=width, no_color=no_color,
                      verbosity=-int(quiet))
    if show and (out is not None or check):
        raise UsageError("--list makes nothing up; leave OUT and --check out.")
    if show:
        emit(stories(style))
        return
    choices = Choices(story, row, fault, guests, lives, envelope, level, lose, truncate,
                      tuple(view or ()), interleave, noise)
    order = Order(seed, choices, out, check)
    prepare(order)
    numbers = range(first, first + count)
    raise typer.Exit(_told(order, numbers, jobs, Table(style, checked=check)))


def _told(order: Order, numbers: range, jobs: int | None, table: Table) -> int:
    """The exit status of all; an end that comes too early tells how many there are."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return _run(order, numbers, jobs, table)
    except DiagnoseError:
        _tell_written("remark", order, len(numbers))
        raise
    except KeyboardInterrupt:
        _tell_written("interrupted", order, len(numbers))
        return INTERRUPTED


def _tell_written(what: str, order: Order, count: int) -> None:
    """Say how much is there of what was to be."""
    from diagnose.synth.made import written

    if order.folder is not None:
        there = written(order.folder)
        complain(what, f"{there} of {count} incidents were written below {order.folder}")


def _run(order: Order, numbers: range, jobs: int | None, table: Table) -> int:
    """Make, check and tell the incidents; the exit status."""
    from diagnose import crew
    from diagnose.grammar import load
    from diagnose.synth.check import Summary
    from diagnose.synth.made import killed, made

    load()  # once, and not in every process again
    summary, files = Summary(), 0
    each_by = jobs or (crew.processors() if order.checked else 1)
    with writing() as write:
        for one in crew.ordered(partial(made, order), numbers, each_by, partial(killed, order)):
            write(table.row(one) if files else table.head() + table.row(one))
            summary.results[one.result] += 1
            files += one.files
        write(table.summary(summary.total, files, order.folder))
        if order.checked:
            write(table.checks(summary))
    return int(order.checked and not summary.good)
