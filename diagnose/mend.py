"""Put together what stands torn in a log, and part what ran together.

A line may hold several records: behind a carriage return, behind the NUL bytes of a lost block, and
where the beginning of an envelope stands in the middle of it, because two wrote to one console. A
record may go on in a later line that has no envelope of its own: a mail has wrapped it, or another
writer's record stood in between.

**Invariant:** nothing is put together unless the whole is a message and its beginning was none.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from diagnose.envelope import Envelope, Peeler
from diagnose.grammar import Reading

HELD_LINES_MAX = 3
"""A record goes on at most so many lines after the one in which it begins."""
PIECES_MAX = 64
"""More records than these do not stand on one line; the rest of it is read as one."""

#: Escape sequences of terminals: colours, cursor movements, titles; and what is left of them.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?|[\x07\x0e\x0f]")
_BREAKS = re.compile("[\0\r\n]+")
_ODD = re.compile("[\0\r\n\x07\x08\x0e\x0f\x1b]")


def pieces(payload: str) -> list[str]:
    """The texts that a line holds, without a terminal's escapes; most lines hold one."""
    if payload.isprintable() or _ODD.search(payload) is None:
        return [payload]
    shown = _ESCAPES.sub("", payload)
    return [each for each in _BREAKS.split(_overwritten(shown)) if each.strip()]


def _overwritten(text: str) -> str:
    """The text as a terminal leaves it: a backspace takes the character before it."""
    if "\b" not in text:
        return text
    left: list[str] = []
    for letter in text:
        if letter == "\b":
            del left[-1:]
        else:
            left.append(letter)
    return "".join(left)


class Piece(NamedTuple):
    """A record, or what stands of it on a line; `broken`: another's record follows at once."""

    envelope: Envelope
    reading: Reading | None
    near: bool
    broken: bool


Match = Callable[[Envelope], tuple[Reading | None, bool]]


def parted(text: str, peeler: Peeler, match: Match) -> Iterator[Piece]:
    """The records of one text, each with what `match` says of it.

    A text that is a message is one record, whatever stands in it, unless it holds Xen's tag.
    """
    for _ in range(PIECES_MAX):
        envelope = peeler.peel(text)
        reading, near = match(envelope)
        at = peeler.inside(envelope.payload) if reading is None or "(XEN)" in envelope.payload \
            else 0
        if not at:
            yield Piece(envelope, reading, near, broken=False)
            return
        first = envelope._replace(payload=envelope.payload[:at].strip(" "))
        yield Piece(first, *match(first), broken=True)
        text = envelope.payload[at:]
    yield Piece(peeler.peel(text), None, False, broken=False)


def goes_on(begun: Envelope, rest: Envelope) -> bool:
    """Whether a text may be the rest of a record, by its envelope: it has none of its own."""
    return rest.outer and len(rest.payload) > 0 and bool(begun.payload)


def joined(parts: list[str]) -> Iterator[str]:
    """The ways to put a record together: a wrap takes a blank away, another writer does not."""
    first, *others = parts
    texts = [first]
    for part in others:
        texts = [text + between + part for text in texts for between in (" ", "")]
    yield from texts
