"""The commands `diagnose fixes …`: what can be done."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.app import group
from diagnose.cli.shelves import AsForm, Form, NoColor, Width, show, show_all, style

fixes = group("fixes")


def _ids() -> list[str]:
    from diagnose.shelf.fixes import names

    return list(names())


@fixes.command("list")
def list_fixes(form: AsForm = Form.text, width: Width = None, no_color: NoColor = False) -> None:
    """List all fixes: id, kind, title. A known fix cannot be tried and is never recommended."""
    from diagnose.shelf.fixes import SHELF, write_list

    show_all(SHELF, write_list, form, style(width, no_color))


@fixes.command("show")
def show_fix(
    name: Annotated[str, typer.Argument(metavar="ID", help="A fix.", autocompletion=_ids)],
    form: AsForm = Form.text,
    width: Width = None,
    no_color: NoColor = False,
) -> None:
    """Show one fix: what to do, what it changes, where it is, references."""
    from diagnose.shelf.fixes import SHELF

    show(SHELF, name, form, style(width, no_color))
