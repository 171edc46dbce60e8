"""Names of members, made fit to be shown and to be put in order.

**Invariant:** a shown name is one line of printable characters.
"""

from __future__ import annotations

import re

from diagnose.bundle.caps import NAME_LENGTH_MAX

_DIGITS = re.compile(r"(\d+)")


def shown(name: str) -> str:
    """The name with everything escaped that is no printable character, without a leading `./`."""
    name = name[:NAME_LENGTH_MAX]
    while name.startswith("./"):
        name = name[2:]
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def natural(name: str) -> tuple[tuple[int, str, int], ...]:
    """A key that puts names in order as people count: `log.2` before `log.10`."""
    return tuple((1, "", int(part[:18])) if part.isdecimal() and part.isascii() else (0, part, 0)
                 for part in _DIGITS.split(name) if part)
