"""The commands `diagnose rules …`: what the rules say, and whether rule files are sound."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli import rules_test
from diagnose.cli.app import group
from diagnose.cli.parameters import Output
from diagnose.cli.shelves import AsForm, Form, NoColor, Width, show, show_all, style
from diagnose.console import emit

rules: typer.Typer = group("rules")


def _ids() -> list[str]:
    from diagnose.shelf.rules import names

    return list(names())


@rules.command("list")
def list_rules(form: AsForm = Form.text, width: Width = None, no_color: NoColor = False) -> None:
    """List all rules: id, side, severity, title."""
    from diagnose.shelf.rules import SHELF, write_list

    show_all(SHELF, write_list, form, style(width, no_color))


@rules.command("show")
def show_rule(
    name: Annotated[str, typer.Argument(metavar="ID", help="A rule.", autocompletion=_ids)],
    form: AsForm = Form.text,
    width: Width = None,
    no_color: NoColor = False,
) -> None:
    """Tell one rule in words: what it requires and cites, what it means, where it fires."""
    from diagnose.shelf.rules import SHELF

    show(SHELF, name, form, style(width, no_color))


@rules.command("lint")
def lint_rules(
    path: Annotated[
        str | None,
        typer.Argument(metavar="[DIR|FILE]", help="A whole set of rules, or one beside ours."),
    ] = None,
    form: AsForm = Form.text,
    width: Width = None,
    no_color: NoColor = False,
) -> None:
    """Check rule files and show every mistake. Status 0: none, 1: some, 2: nothing to read."""
    from diagnose.shelf.lint import linted

    text, sound = linted(path, form, style(width, no_color))
    emit(text)
    raise typer.Exit(0 if sound else 1)


@rules.command("new")
def new_rule(
    name: Annotated[str, typer.Argument(metavar="ID", help="MSIX0xx: a fault; MSIX1xx: harmless.")],
    output: Output = None,
) -> None:
    """Write a rule file to be filled in; `rules lint FILE` tells what is left to say."""
    from diagnose.shelf.lint import begun

    text = begun(name, output)
    if output is None:
        emit(text)


rules.command("test")(rules_test.try_cases)
