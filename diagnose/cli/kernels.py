"""The commands `diagnose kernels …`: the kernel rows."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.app import group, rows
from diagnose.cli.shelves import AsForm, Form, NoColor, Width, show, show_all, style

kernels = group("kernels", "The kernels that are emulated, and how they differ.")


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
