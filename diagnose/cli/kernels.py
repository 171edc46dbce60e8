"""The commands `diagnose kernels …`: the kernel rows."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.app import group
from diagnose.cli.parameters import rows
from diagnose.cli.shelves import AsForm, Form, NoColor, Width, show, show_all, style

LENGTH, LENGTH_MAX = 5, 9
"""Acts of the longest stories that are tried unless told, and at all."""

kernels = group("kernels")


@kernels.command("list")
def list_kernels(
    form: AsForm = Form.text, width: Width = None, no_color: NoColor = False
) -> None:
    """List the kernel rows: name, what had to be changed for it, title."""
    from diagnose.shelf.kernels import SHELF, write_list

    show_all(SHELF, write_list, form, style(width, no_color))


@kernels.command("show")
def show_kernel(
    row: Annotated[
        str, typer.Argument(metavar="ROW", help="A kernel row.", autocompletion=rows)
    ],
    form: AsForm = Form.text,
    width: Width = None,
    no_color: NoColor = False,
) -> None:
    """Show one kernel row: builds, traits with their sources, distance from banners."""
    from diagnose.shelf.kernels import SHELF

    show(SHELF, row, form, style(width, no_color))


@kernels.command("search")
def search_kernels(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ROW]...", help="Kernel rows; all unless told.",
                       autocompletion=rows),
    ] = None,
    length: Annotated[
        int, typer.Option(min=1, max=LENGTH_MAX, help="Acts of the longest stories to try.")
    ] = LENGTH,
    update: Annotated[
        bool, typer.Option("--update", help="Keep what was found, for `kernels show` and reports.")
    ] = False,
    width: Width = None,
    no_color: NoColor = False,
) -> None:
    """Try every story up to a length on kernel rows, and show the shortest ways into each fault.

    Each further act takes four times as long: 5 acts a few seconds a row, 7 acts a minute.
    """
    from diagnose.console import emit, passing
    from diagnose.options import Options
    from diagnose.pipeline import rules_for
    from diagnose.reach import keep, search
    from diagnose.shelf.kernels import SHELF, search_told
    from diagnose.shelf.sheet import find
    from emulator.kernels import row

    wanted = [row(find(SHELF, name)) for name in names or rows()]
    accusing = [rule for rule in rules_for(Options()) if not rule.harmless]
    found = []
    for each in wanted:
        passing(f"trying every story of up to {length} acts on {each.name}")
        found.append(search(each, accusing, length))
        passing("")
        emit(search_told(found[-1], style(width, no_color)))
    if update:
        keep(found)
