"""The command `diagnose explain`: what a name in a report means."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.shelves import AsForm, Form, NoColor, Width, style
from diagnose.console import emit


def _everything() -> list[str]:
    from diagnose.shelf.explain import everything

    return list(everything())


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="A fault, rule, fix, kernel row, message, step or other word of a report.",
            autocompletion=_everything,
        ),
    ] = None,
    form: AsForm = Form.text,
    width: Width = None,
    no_color: NoColor = False,
) -> None:
    """Explain a name: what it is, why it happens, what to do. Without ID: all names."""
    from diagnose.shelf.explain import contents, explained

    how = style(width, no_color)
    emit(contents(form, how) if name is None else explained(name, form, how))
