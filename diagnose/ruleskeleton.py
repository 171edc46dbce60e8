"""A rule file to be filled in, made from the tables that rule files are checked against.

Empty texts stand where something has to be said, and the check complains about each of them.

**Invariant:** names every key of the rule's side; what was filled in has no mistake left.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from diagnose.errors import UsageError
from diagnose.rulefile import CLAUSE_KEYS, MESSAGE_KEYS, RULE_KEYS, Key
from diagnose.rules import RULES, Rule
from diagnose.ruleschema import RULE_SCHEMA

_ID = re.compile(r"MSIX(?P<side>[01])\d\d")

_STARTS = {"string": '""', "boolean": "true", "strings": '[""]'}
"""Type of a key → what it is filled with at first."""


def skeleton(name: str, rules: tuple[Rule, ...], folder: Path = RULES) -> str:
    """The text of a file for the rule `name`, to be put into `folder`.

    Raises UsageError for a name that no rule can have or that one of `rules` has already.
    """
    match = _ID.fullmatch(name)
    if match is None:
        raise UsageError(f"No rule can be called {name!r}. "
                         "Fault rules are called MSIX0xx, harmless ones MSIX1xx.")
    side = "harmless" if match["side"] == "1" else "fault"
    taken = {rule.id: rule for rule in rules}
    if name in taken:
        raise UsageError(f"The id {name} is taken by “{taken[name].title}”. "
                         f"The next free one is {_free(name, set(taken))}.")
    schema = os.path.relpath(RULE_SCHEMA, folder)
    return "\n".join([f"#:schema {schema}", *_body(name, side)]) + "\n"


def _free(name: str, taken: set[str]) -> str:
    numbers = (f"{name[:5]}{number:02}" for number in range(1, 100))
    return next((each for each in numbers if each not in taken), "none")


def _body(name: str, side: str) -> Iterator[str]:
    keys = {key: row for key, row in RULE_KEYS.items() if row.needed in ("always", "", side)
            and key not in {"fault", "harmless"} - {side}}
    filled = {"id": f'"{name}"', "severity": '"error"' if side == "fault" else '"note"'}
    for key, row in keys.items():
        if row.type not in ("clauses", "table"):
            yield ""
            yield from _comment(row)
            needed = row.needed in ("always", side) or key == side
            yield f"{'' if needed else '# '}{key} = {filled.get(key, _start(row))}"
    for key, row in keys.items():
        if row.type == "clauses":
            mark = "" if row.needed else "# "
            yield ""
            yield from _comment(row)
            yield f"{mark}[[{key}]]"
            for inner, about in CLAUSE_KEYS.items():
                yield from _comment(about)
                start = '""' if inner == "fact" else '{ domid = "$domid" }'
                yield f"{mark}{inner} = {start}"
    if "message" in keys:
        yield ""
        yield from _comment(keys["message"])
        yield "[message]"
        yield from (f'{part} = ""' for part in MESSAGE_KEYS)


def _start(row: Key) -> str:
    if row.type == "strings" and row.choices:
        return "[" + ", ".join(f'"{word}"' for word in row.choices) + "]"
    return f'"{row.choices[0]}"' if row.choices else _STARTS[row.type]


def _comment(row: Key) -> Iterator[str]:
    choices = f" One of: {', '.join(row.choices)}." if row.choices else ""
    yield f"# {row.about}{choices}"
