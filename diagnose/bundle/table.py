"""What a member is, by its path: the table `members.toml`.

**Invariant:** paths decide here and nothing else; the content of what is read decides who speaks.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import Struct

from diagnose import tables

MIB = 1 << 20
PARTS_MAX, LENGTH_MAX = 12, 512
"""So much of the end of a path is held against the table; names may be of any length."""


class Role(Struct, frozen=True):
    """What is done with a member: `why` it is skipped, or empty; how many bytes are read of it;
    whether it is read only if it is a `state` file.
    """

    why: str
    speaker: str | None
    cap: int
    state: bool = False


class _Row(Struct, frozen=True):
    pattern: re.Pattern[str]
    role: Role


def role_of(path: str) -> Role:
    """The role of a member with that path, slashes between its parts."""
    rows, unknown = _table()
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    name = "/" + "/".join(parts[-PARTS_MAX:])[-LENGTH_MAX:]
    return next((row.role for row in rows if row.pattern.match(name)), unknown)


@cache
def _table() -> tuple[tuple[_Row, ...], Role]:
    told = tables.own("bundle/members.toml")
    cap = told["unknown_cap_mib"] * MIB
    return tuple(_row(row, cap) for row in told["row"]), Role("", None, cap)


def _row(row: Mapping[str, Any], cap: int) -> _Row:
    either = "|".join(fnmatch.translate(path) for path in row["paths"])
    why = row["why"] if row["role"] == "skip" else ""
    role = Role(why, row.get("speaker"), row.get("cap_mib", cap // MIB) * MIB,
                row["role"] == "state")
    return _Row(re.compile(f"(?:.*/)(?:{either})", re.DOTALL), role)
