"""What the commands that show the program's knowledge share: options, style, names to complete."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diagnose.cli.parameters import NoColor, Width
from diagnose.console import emit, style_for

if TYPE_CHECKING:
    from diagnose.render.paper import Paper, Style
    from diagnose.shelf.sheet import Shelf

__all__ = ("AsForm", "Form", "NoColor", "Width")


class Form(StrEnum):
    """How to write what is known."""

    text = "text"
    json = "json"


AsForm = Annotated[Form, typer.Option("--format", help="How to write it.")]


def style(width: int | None, no_color: bool) -> Style:
    """How to write to the standard output."""
    return style_for(sys.stdout, os.environ, width=width, no_color=no_color)


def show(shelf: Shelf, name: str, form: Form, style: Style) -> None:
    """Write one sheet. Raises UsageError for a name that is not on the shelf."""
    from diagnose.shelf.sheet import find, told

    emit(told(shelf, find(shelf, name), form, style))


def show_all(
    shelf: Shelf, write: Callable[[Paper, Any], None], form: Form, style: Style
) -> None:
    """Write the list of all that is on the shelf."""
    from diagnose.shelf.sheet import listing

    emit(listing(shelf, form, style, write))
