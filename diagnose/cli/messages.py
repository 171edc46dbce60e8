"""The commands `diagnose messages …`: the catalogue of messages."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.app import group
from diagnose.cli.shelves import AsForm, Form, NoColor, Width, style
from diagnose.console import emit

messages = group("messages")


def _ids() -> list[str]:
    from diagnose.shelf.messages import names

    return list(names())


def _speakers() -> list[str]:
    from diagnose.shelf.messages import SPEAKERS

    return list(SPEAKERS)


def _terms() -> list[str]:
    from diagnose.shelf.messages import proof_terms

    return list(proof_terms())


@messages.command("list")
def list_messages(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD...]", help="Words to find in id, text or meaning."),
    ] = None,
    speaker: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who prints it: dom0, xen, guest, toolstack, or linux for any Linux kernel.",
            autocompletion=_speakers,
        ),
    ] = None,
    alarming: Annotated[
        bool, typer.Option("--alarming", help="Only what a report has to account for.")
    ] = False,
    proves: Annotated[
        str | None,
        typer.Option(metavar="TERM", help="Only what proves TERM.", autocompletion=_terms),
    ] = None,
    noise: Annotated[
        bool | None, typer.Option("--noise/--no-noise", help="Only known noise, or none of it.")
    ] = None,
    form: AsForm = Form.text,
    width: Width = None,
    no_color: NoColor = False,
) -> None:
    """List messages: id, who prints it, ! if it is alarming, level, text."""
    from diagnose.shelf.messages import chosen, listed

    found = chosen(words or (), speaker, alarming, proves, noise)
    emit(listed(found, form, style(width, no_color)))


@messages.command("show")
def show_message(
    name: Annotated[
        str, typer.Argument(metavar="ID|LINE", help="A message's id, or a line of a log.",
                            autocompletion=_ids),
    ],
    form: AsForm = Form.text,
    width: Width = None,
    no_color: NoColor = False,
) -> None:
    """Show all about one message, or about the one that reads a line of a log."""
    from diagnose.shelf.messages import shown

    emit(shown(name, form, style(width, no_color)))
