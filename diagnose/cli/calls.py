"""Answer a command line without typer, whose import takes longer than many a diagnosis.

Typer's declarations stay the only source. What follows from them is written down beside this file:
in `usages.json` what commands take, and in `pages` what is printed for `--help`. Whatever needs
judgement, and every mistake, is left to typer.

**Invariant:** what is called or printed here is what typer would call or print.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module

HELP = ("--help", "-h")
PAGE_COLUMNS = 80
"""Pages of help are the same on all terminals of so many columns or more."""
ASKED = ("DIAGNOSE_CONFIG", "_DIAGNOSE_COMPLETE")
"""Variables of the environment that typer looks at."""
PAGES = os.path.join(os.path.dirname(__file__), "pages")


def answered(arguments: Sequence[str]) -> bool:
    """Run a command line to its end if it needs no typer; otherwise nothing is done.

    Raises what the command raises, which ends with SystemExit where it has a status to tell.
    """
    if not arguments or any(os.environ.get(name) for name in ASKED) or _configured():
        return False
    *command, last = arguments
    if last in HELP and len(command) <= 1:
        return _helped(*command)
    return _called(*arguments)


def _configured() -> bool:
    """Whether there may be a configuration: it presets options."""
    from diagnose.places import configuration

    path = configuration(os.environ)
    if path is None:
        return False
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:     # told where it is read
        return True
    return True


def _helped(command: str = "diagnose") -> bool:
    from diagnose.console import columns, emit

    path = os.path.join(PAGES, f"{command}.txt")
    if not command.isalpha() or not os.path.exists(path) or columns() < PAGE_COLUMNS:
        return False
    with open(path, encoding="utf-8") as page:
        emit(page.read())
    return True


def _called(command: str, *arguments: str) -> bool:
    if command.startswith("-"):
        return False
    from diagnose.cli.usage import usages

    usage = usages().get(command)
    given = None if usage is None else usage.given(arguments)
    if given is None:
        return False
    getattr(import_module(f"diagnose.cli.{command}"), command)(**given)
    return True
