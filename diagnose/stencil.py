"""Know a line again: the same envelope, and around the same message, at another time.

The lines of a log wear few envelopes, and say the same things over and over. A *stencil* is one
expression for all the layers of such an envelope, in the order in which they were peeled once. With
each layer it looks whether one that is tried before would have fitted too, so that what it reads of
a line is what peeling it would bring.

**Invariant:** what a stencil peels is what the peeler would; a line is known again only if peeling
and reading it would tell the same, but for its time.
"""
from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence

from msgspec import Struct

from diagnose.envelope import (
    CLOCK_FIELDS,
    LAYERS_MAX,
    NAMED,
    SHOWN,
    Envelope,
    Peeler,
    Worn,
    flatten,
)
from diagnose.events import NO_STAMP, Stamp
from diagnose.grammar import REMEMBERED_LENGTH_MAX, REMEMBERED_MAX
from diagnose.spoken import Said
from diagnose.stamps import NO_WALL, TIME_FIELDS, clocks_of

STENCILS_MAX = 128
"""Envelopes that are learnt; the others are peeled each time."""
#: Fields that are others in each line and that nobody asks for.
PASSING_FIELDS = frozenset(("elapsed", "sequence", "tsc"))
#: Fields that count from the line before.
RELATIVE_FIELDS = frozenset(("delta", "month_day"))
#: How a layer's pattern ends: with a payload that may be missing, or that may not.
_OPTIONAL, _REQUIRED = "(?>(?P<payload>(?>[^\n]+))|)", "(?P<payload>(?>[^\n]+))"


class Stencil:
    """One envelope; `known` has what was said in it, by all that does not tell the time.

    Raises ValueError for layers that one expression cannot read.
    """

    def __init__(self, worn: Sequence[Worn]) -> None:
        parts, told, fields = [], dict[str, int](), 0
        rest = _OPTIONAL
        if any(each.layer.unpack for each in worn):
            raise ValueError("its payload is opened otherwise")
        for each in worn:
            head, rest = _parted(each.layer.pattern)
            tried = "|".join(NAMED.sub("(?:", layer.pattern) for layer in each.tried)
            parts.append(f"(?={re.escape(each.letter)})")
            parts.append(f"(?!(?:{tried})\\Z)" if tried else "")
            parts.append(f"{NAMED.sub('(', head)} ?")
            names = NAMED.findall(head)
            if told and not CLOCK_FIELDS.isdisjoint(names):
                told = {name: nr for name, nr in told.items() if name not in CLOCK_FIELDS}
            told |= {name: nr for nr, name in enumerate(names, fields + 1)}
            fields += len(names)
        if not RELATIVE_FIELDS.isdisjoint(told):
            raise ValueError("its time depends on the line before")
        payload = "([^\n]*)" if rest is _OPTIONAL else "([^\n]+)"
        self._told, self._payload = tuple(told.items()), fields + 1
        #: The whole of a flat line in this envelope; its group `marks` tell it from others.
        self.fullmatch = re.compile("".join(parts) + payload).fullmatch
        self.marks = (*(nr for name, nr in told.items()
                        if name not in TIME_FIELDS and name not in PASSING_FIELDS), fields + 1)
        self.known: dict[Hashable, Said] = {}
        self.layers = tuple(each.layer.kind for each in worn)
        self._speaker = next((each.layer.speaker for each in reversed(worn)
                              if each.layer.speaker is not None), None)
        self._outer = all(each.layer.outer for each in worn)
        self._hosted = any(each.layer.hosted or each.layer.speaker is not None for each in worn)
        uptime, self._units, self._wall = clocks_of(told)
        self._uptime = told.get(uptime, 0)
        self._times = tuple((name, nr) for name, nr in told.items() if name in TIME_FIELDS)

    def envelope(self, match: re.Match[str], peeler: Peeler) -> Envelope | None:
        """The envelope of a line in it, None if the line wears more of them."""
        payload = match[self._payload]
        if len(self.layers) < LAYERS_MAX and not peeler.bare(payload, self._hosted):
            return None
        return Envelope(payload, self.layers, {name: match[nr] for name, nr in self._told},
                        self._speaker, self._outer)

    def when(self, match: re.Match[str], said: Said) -> Stamp:
        """When a line in this envelope was printed, that says this."""
        wall, coarse = NO_WALL if self._wall is None else \
            self._wall({name: match[nr] for name, nr in self._times})
        return Stamp(float(match[self._uptime]) / self._units if self._uptime else None,
                     wall, coarse, said.host, said.priority)


def _parted(pattern: str) -> tuple[str, str]:
    """A layer's pattern without its payload's, and that."""
    for rest in (_OPTIONAL, _REQUIRED):
        if pattern.endswith(rest):
            return pattern.removesuffix(rest), rest
    raise ValueError("its payload does not stand at its end")


class _Met(Struct, frozen=True):
    """The stencil that fits a text, and what it reads of it; `flat` is the text as it is read."""

    text: str
    flat: str
    stencil: Stencil | None = None
    match: re.Match[str] | None = None


_NOTHING_MET = _Met("", "")


class Memory:
    """What lines have said, under the envelopes that they wore."""

    def __init__(self, peeler: Peeler) -> None:
        self._peeler = peeler
        self._bare: dict[Hashable, Said] = {}
        self._stencils: dict[str, list[Stencil]] = {}    # by first letter, the last met first
        self._without: set[tuple[str, ...]] = set()      # layers of which no stencil can be made
        self._made = 0
        self._met = _NOTHING_MET                         # the text that was looked at last

    def recall(self, text: str) -> tuple[Said, Stamp] | None:
        """What a line says, and when, if that was learnt; nothing but printable ASCII is."""
        if not (text.isascii() and text.isprintable()):
            return None
        flat, met = text, None
        while "  " in flat:
            flat = flat.replace("  ", " ")
        flat = flat.strip(" ")
        known = self._bare.get(flat)
        if known is not None:
            return known, NO_STAMP
        stencils = self._stencils.get(flat[:1], [])
        for stencil in stencils:
            match = stencil.fullmatch(flat)
            if match is not None:
                known = stencil.known.get(match.group(*stencil.marks))
                if known is not None:
                    _first(stencils, stencil)
                    # Nobody asks when noise was made.
                    return known, NO_STAMP if known.production.noise else stencil.when(match, known)
                met = met or _Met(text, flat, stencil, match)
        self._met = met or _NOTHING_MET
        return None

    def run(self, text: str, at: int) -> Iterator[tuple[int, int, Said, Stamp]]:
        """The lines from `at` in a text on, up to the first that is not known again.

        For each where it begins and ends, what it says, and when.
        """
        recall = self.recall
        while (end := text.find("\n", at)) >= 0:
            known = recall(text[at:end])
            if known is None:
                return
            yield at, end, *known
            at = end + 1

    def peel(self, text: str) -> Envelope:
        """What the peeler makes of a text; its envelope is learnt, if it can be.

        A text of anything but printable ASCII, or with a tab however it is shown, has no stencil.
        """
        met, self._met = self._met, _NOTHING_MET
        if not (text.isascii() and text.isprintable()) or any(mark in text for mark in SHOWN):
            return self._peeler.peel(text)
        if met.text is text and met.stencil is not None and met.match is not None:
            peeled = met.stencil.envelope(met.match, self._peeler)
            if peeled is not None:
                self._met = met
                return peeled
        return self._peeled(text, flatten(text))

    def _peeled(self, text: str, flat: str) -> Envelope:
        self._met = _Met(text, flat)
        stencils = self._stencils.setdefault(flat[:1], [])
        for stencil in stencils:
            match = stencil.fullmatch(flat)
            peeled = None if match is None else stencil.envelope(match, self._peeler)
            if peeled is not None:
                _first(stencils, stencil)
                self._met = _Met(text, flat, stencil, match)
                return peeled
        envelope = self._peeler.peel(flat)
        made = self._stencil(envelope, flat)
        if made is not None:
            stencils.insert(0, made)
            self._met = _Met(text, flat, made, made.fullmatch(flat))
        return envelope

    def _stencil(self, envelope: Envelope, flat: str) -> Stencil | None:
        """A new one for this envelope of a text, None if it is to be peeled each time."""
        layers = envelope.layers
        if not layers or layers in self._without or self._made >= STENCILS_MAX:
            return None
        worn = self._peeler.worn(flat)
        if tuple(each.layer.kind for each in worn) != layers:   # the last one could not be opened
            return None
        self._made += 1
        try:
            return Stencil(worn)
        except ValueError:
            self._without.add(layers)
            return None

    def learn(self, text: str, envelope: Envelope, said: Said) -> None:
        """Keep what the text says that was peeled last, whatever its time, if that can be told."""
        met = self._met
        if met.text is not text or len(text) > REMEMBERED_LENGTH_MAX:
            return
        if not envelope.layers:
            _keep(self._bare, met.flat, said)
        elif met.stencil is not None and met.match is not None:
            _keep(met.stencil.known, met.match.group(*met.stencil.marks), said)


def _first(stencils: list[Stencil], met: Stencil) -> None:
    if met is not stencils[0]:
        stencils.remove(met)
        stencils.insert(0, met)


def _keep(known: dict[Hashable, Said], key: Hashable, said: Said) -> None:
    if len(known) >= REMEMBERED_MAX:
        known.clear()
    known[key] = said
