"""One door to every shelf: whatever name stands in a report, a rule or a log, this explains it.

**Invariant:** a name is looked for on the shelves in the order of `SHELVES`, and on no other.
"""

from __future__ import annotations

from diagnose.errors import UsageError
from diagnose.render.paper import Paper, Style
from diagnose.shelf import facts, fixes, kernels, messages, rules, traits, words
from diagnose.shelf.sheet import Shelf, as_json, columns, spelling, suggestion, told

SHELVES: tuple[Shelf, ...] = (
    *words.SHELVES, rules.SHELF, fixes.SHELF, kernels.SHELF, messages.SHELF, facts.SHELF,
    traits.SHELF,
)

MANY = 40
"""So many names are not listed one by one."""


def explained(name: str, form: str, style: Style) -> str:
    """The sheet of what bears this name; for a whole line of a log, of its message.

    Raises UsageError with the nearest names if nothing does.
    """
    for shelf in SHELVES:
        known = {spelling(one): one for one in shelf.names()}
        if spelling(name) in known:
            return told(shelf, known[spelling(name)], form, style)
    if any(letter.isspace() for letter in name.strip()):
        return messages.shown(name, form, style)
    raise UsageError(f"Nothing is called {name!r}. {suggestion(name, everything())}")


def everything() -> tuple[str, ...]:
    """All names that can be explained."""
    return tuple(one for shelf in SHELVES for one in shelf.names())


def contents(form: str, style: Style) -> str:
    """All that can be explained, by what it is."""
    held = {shelf.noun: shelf.names() for shelf in SHELVES}
    if form == "json":
        return as_json(held)
    paper = Paper(style)
    columns(paper, [((("heading", noun),), _some(names)) for noun, names in held.items()])
    return paper.text()


def _some(names: tuple[str, ...]) -> str:
    """The names, or how many there are and what one looks like."""
    if len(names) <= MANY:
        return ", ".join(names)
    return f"{len(names)} of them, such as {names[0]}; `messages list` shows all"
