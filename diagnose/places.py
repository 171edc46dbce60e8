"""Where a user's files of this program lie (XDG base directory specification).

**Invariant:** names places; reads and makes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def settled(variable: str, otherwise: str, environ: Mapping[str, str]) -> str | None:
    """This program's directory below the one that a variable names, or below one in the home.

    None for a user without a home, as in a container that runs under any number.
    """
    base = environ.get(variable, "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), otherwise)
    return os.path.join(base, "diagnose") if os.path.isabs(base) else None


def cache() -> str | None:
    """Where that lies which is made anew if it is lost."""
    return settled("XDG_CACHE_HOME", ".cache", os.environ)


def configuration(environ: Mapping[str, str]) -> str | None:
    """The configuration file, if nobody names another one."""
    folder = settled("XDG_CONFIG_HOME", ".config", environ)
    return None if folder is None else os.path.join(folder, "config.toml")
