"""The commands `diagnose rules …`: what the program judges by."""

from __future__ import annotations

import typer

rules = typer.Typer(
    name="rules", help="Look at the rules, check them, try them on cases.", no_args_is_help=True
)
