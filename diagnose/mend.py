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
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from diagnose.envelope import Envelope, Peeler
from diagnose.grammar import NOTHING, Matched

HELD_LINES_MAX = 3
"""A record goes on at most so many lines after the one in which it begins."""
WRAP_COLUMNS_MIN, WRAP_COLUMNS_MAX = 60, 132
"""Mail programs wrap lines at no less and no more."""
PIECES_MAX = 64
"""More records than these do not stand on one line; the rest of it is read as one."""

MARK_LENGTH_MAX = 2
"""A mark of quotation and the blank behind it."""
XEN_TAG = "(XEN)"
"""No message of another program holds it."""

#: Escape sequences of terminals: colours, cursor movements, titles; and what is left of them.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?|[\x07\x0e\x0f\x1e]")
#: The same where xenconsoled has put a full stop for the escape character
#: (tools/console/daemon/io.c: do_replace_escape()).
_DOTS = re.compile(r"\.\[[0-9;]{0,16}[mK]")
_BREAKS = re.compile("[\0\r\n]+")
_ODD = re.compile("[\0\r\n\x07\x08\x0e\x0f\x1b\x1e]")


def shows_escapes(text: str) -> bool:
    """Whether escapes stand in a line as dots, where nothing but a look at all letters finds them.
    """
    return _DOTS.search(text) is not None


def pieces(payload: str) -> list[str]:
    """The texts that a line holds, without a terminal's escapes; most lines hold one."""
    if ".[" in payload:
        payload = _DOTS.sub("", payload)
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


class Piece(Struct, frozen=True):
    """A record, or what stands of it on a line; `broken`: another's record follows at once."""

    envelope: Envelope
    matched: Matched
    broken: bool


Match = Callable[[Envelope], Matched]


def may_hold_more(envelope: Envelope, matched: Matched) -> bool:
    """Whether another record may begin in the middle of what is left of a line."""
    reading = matched.reading
    whole = reading.production.noise if reading is not None else not matched.cued
    return not whole or XEN_TAG in envelope.payload


def parted(text: str, peeler: Peeler, match: Match) -> Iterator[Piece]:
    """The records of one text, each with what `match` says of it."""
    for _ in range(PIECES_MAX):
        envelope = peeler.peel(text)
        matched = match(envelope)
        at = peeler.inside(envelope.payload) if may_hold_more(envelope, matched) else 0
        if not at:
            yield Piece(envelope, matched, broken=False)
            return
        first = replace(envelope, payload=envelope.payload[:at])
        yield Piece(first, match(replace(first, payload=first.payload.strip(" "))), broken=True)
        text = envelope.payload[at:]
    yield Piece(peeler.peel(text), NOTHING, broken=False)


class Part(Struct, frozen=True):
    """A part of a record: its text and the line where it stands.

    `led`: the line begins with a blank. `blank`: a blank follows on the text. `torn`: another's
    record follows at once. `width`: the line's length in characters. `marked`: the text with what
    was taken for a mark of quotation before it, empty if nothing was.
    """

    text: str
    number: int
    led: bool
    blank: bool
    torn: bool
    width: int
    marked: str = ""


def wrapped(before: Part, after: Part) -> bool:
    """Whether a line may have ended where it did because the next word had no room on it."""
    word = after.text.partition(" ")[0]
    return after.number == before.number + 1 and \
        max(before.width, after.width) <= WRAP_COLUMNS_MAX and \
        before.width + len(word) >= WRAP_COLUMNS_MIN


def goes_on(begun: Envelope, rest: Envelope) -> bool:
    """Whether a text may be the rest of a record, by its envelope: it has none of its own."""
    return rest.outer and bool(rest.payload) and bool(begun.payload)


def joined(parts: list[Part]) -> Iterator[str]:
    """The ways to put a record together, the likeliest first.

    A mail's wrap takes a blank away, unless it stands at the end of the line still; a terminal's
    width takes none, and neither does another writer, whose record stands in between. What looks
    like a mark of quotation may be a letter of the record.
    """
    texts = [parts[0].text]
    for before, part in pairwise(parts):
        adjacent = part.number == before.number + 1 and not before.torn
        betweens = (" ", "") if before.blank or part.led or adjacent else ("", " ")
        texts = [text + between + rest for rest in (part.text, part.marked) if rest
                 for text in texts for between in betweens]
    yield from texts
