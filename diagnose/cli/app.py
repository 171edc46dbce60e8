"""The application: which commands there are, and what belongs to none of them.

Half of a small diagnosis is the start of the interpreter, so a command's module is imported when
somebody calls the command. Until then its name and one line about it are all that is known.

**Invariant:** nothing that only one command needs is imported here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from diagnose import __version__

COMMANDS: Mapping[str, str] = {
    "log": "Diagnose one incident of one host from its logs.",
    "triage": "Judge many incidents: one row each, then what they have in common.",
    "replay": "Tell the story of one incident step by step, and draw dom0's and Xen's ledgers.",
    "line": "Show how a line is read: envelope, time, speaker, message and fields, or where it"
            " broke.",
    "explain": "Explain a name: what it is, why it happens, what to do.",
    "collect": "Print a shell script that gathers on a Xen host what a diagnosis needs.",
    "synth": "Make up incidents with labels: logs as a host keeps them, and what is to be found in"
             " them.",
    "messages": "The messages that are known: text, speaker, meaning, sample.",
    "rules": "What the rules say: when a log is a fault, and when not.",
    "fixes": "The fixes that are known, and what each changes.",
    "kernels": "The kernels that are emulated, and how they differ.",
}
"""Name of a command or a group → the first sentence of its help.

The module of that name in this package holds it under the same name.
"""

PARAMETERS: Mapping[str, str] = {"format": "form"}
"""Key of the configuration → the parameter of commands that it presets, if named otherwise."""


class Commands(TyperGroup):
    """All commands: a name and a line for each, and the whole of one that is called."""

    def __init__(self, **settings: Any) -> None:
        """The settings are typer's."""
        super().__init__(**settings)
        for name, about in COMMANDS.items():
            self.add_command(TyperCommand(name, help=about))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments call, made ready to run."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            command = whole(name)
            self.add_command(command, name)
        return name, command, rest


def whole(name: str) -> Any:
    """The command or the group of a name that is in `COMMANDS`, with its options."""
    made = getattr(import_module(f"diagnose.cli.{name}"), name)
    if not isinstance(made, typer.Typer):
        # The module of a command does not import what stands in its annotations: see `calls`.
        from diagnose.cli import parameters

        known = vars(parameters) | made.__globals__
        made.__annotations__ = get_type_hints(made, known, include_extras=True)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(made)
        made = single
    return typer.main.get_command(made)


def group(name: str) -> typer.Typer:
    """An application for the commands of one subject, with the manners of the whole."""
    return typer.Typer(
        name=name,
        help=COMMANDS[name],
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
    )


app = typer.Typer(
    name="diagnose",
    cls=Commands,
    help="Finds out from logs why a device that Xen passes through lost its MSI-X interrupts.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"diagnose {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
]
Config = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        envvar="DIAGNOSE_CONFIG",
        help="How to show reports; by default ~/.config/diagnose/config.toml.",
    ),
]


@app.callback()
def diagnose(context: typer.Context, version: Version = False, config: Config = None) -> None:
    """Holds what belongs to no command; its help text is the application's."""
    from diagnose.config import load

    context.default_map = _defaults(context.command, load(config, os.environ))


def _defaults(command: object, settings: Mapping[str, object]) -> dict[str, Any]:
    """What the configuration sets, for each command below `command` by its parameters' names.

    The command that was called is whole by now; of the others nobody asks.
    """
    if isinstance(command, TyperGroup):
        return {name: _defaults(each, settings) for name, each in command.commands.items()}
    return {PARAMETERS.get(key, key): value for key, value in settings.items()}
