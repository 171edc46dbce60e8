"""The configuration file: how reports are shown, said once instead of with every command.

`$XDG_CONFIG_HOME/diagnose/config.toml`, or the file named by --config or DIAGNOSE_CONFIG. There are
keys for how something is shown and for nothing else, so that a report and an exit status depend on
the logs and the command line alone.

**Invariant:** the table of keys is closed; no key changes what is concluded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from diagnose.errors import RuleError, UsageError
from diagnose.places import configuration
from diagnose.render.measures import WIDTH_MIN
from diagnose.rulefile import Key, RuleFile

KEYS: Mapping[str, Key] = MappingProxyType({
    "format": Key("string", "", "How to write a report.", ("text", "json")),
    "no_color": Key("boolean", "", "Whether to do without colours on every terminal."),
    "width": Key("integer", "", f"Columns of a text, {WIDTH_MIN} or more."),
})


def load(named: str | None, environ: Mapping[str, str]) -> Mapping[str, object]:
    """Key → value of the file `named`, or of the one in its default place; empty without a file.

    Raises UsageError for a file that cannot be read, and with file and line for a mistake in it.
    """
    place = named or configuration(environ)
    if place is None:
        return {}
    path = Path(place)
    try:
        file = RuleFile(path)
        file.check(file.content, KEYS)
        width = file.content.get("width", WIDTH_MIN)
        if isinstance(width, int) and width < WIDTH_MIN:
            file.fail(("width",), f"The width {width} is too small. Give {WIDTH_MIN} or more.")
    except (FileNotFoundError, NotADirectoryError) as error:
        if named:
            raise UsageError(f"{path}: there is no such configuration file. Check --config and "
                             "DIAGNOSE_CONFIG.") from error
        return {}
    except OSError as error:
        raise UsageError(f"{path}: the configuration cannot be read: {error.strerror}.") from error
    except RuleError as error:
        raise UsageError(f"{path}:{error.line}: {error.what}") from error
    return file.content
