"""The commands `diagnose rules …`: what the rules say.

Other modules of this package may put commands of their own on the group `rules`.
"""

from __future__ import annotations

import typer

from diagnose.cli.app import group
from diagnose.console import emit

rules: typer.Typer = group("rules", "What the rules say: when a log is a fault, and when not.")


@rules.command("list")
def list_rules() -> None:
    """List all rules."""
    from diagnose import grammar
    from diagnose.rules import load_rules

    kinds = {made.kind: made.field_types for made in grammar.load().productions}
    for rule in load_rules(event_kinds=kinds):
        emit(f"{rule.id}  {rule.title}\n")
