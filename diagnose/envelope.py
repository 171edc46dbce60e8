"""Take the envelope off a line: stamps, host, program and tag first, then the message, folded.

The layers are productions of grammars/envelope.lark. They are peeled off from the left until none
fits, so that every combination works: syslog around printk around Xen's tag.

**Invariant:** never fails; a line without an envelope is its own message.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType

from msgspec import Struct

from diagnose.annotation import fold
from diagnose.grammar import REMEMBERED_LENGTH_MAX, REMEMBERED_MAX, Catalogue
from diagnose.journal import ENTRY, UNPACKERS
from diagnose.production import Rule

LAYERS_MAX = 12
"""No line wears more, quotations of quotations among them; a line of nothing but layers ends here.
"""

NAMED = re.compile(r"\(\?P<([a-z_0-9]+)>")
SHOWN = ("^I", "#011", "\\x09")
_MARKS = ("\t", "  ", *SHOWN)
#: A terminal that begins with a choice of words.
_WORDS = re.compile(r"\(\?:([A-Za-z][^()|]*(?:\|[A-Za-z][^()|]*)*)\)")
_TABS = re.compile(r"\^I|#011|\\x09|\t")
#: Blanks of mails and pages, and marks of no width, which come along when text is copied.
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_NO_WIDTH = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")


class Envelope(Struct, frozen=True):
    """A line without its envelope: `payload` is folded and cut.

    `layers` are the kinds of its layers from the outside in; `told` has the texts of all their
    fields, and where two layers tell the same, the inner one's. `speaker` is whose layer it wears,
    None where no layer is one speaker's own. `outer` tells that no layer is a program's own, only
    what is put before every line.
    """

    payload: str
    layers: tuple[str, ...] = ()
    told: Mapping[str, str] = MappingProxyType({})
    speaker: str | None = None
    outer: bool = True


def flatten(text: str) -> str:
    """A line as the grammars read it: tabs however they are shown, and runs, become one blank."""
    if text.isascii() and text.isprintable() and not any(mark in text for mark in SHOWN):
        return " ".join(text.split()) if "  " in text else text.strip(" ")
    if not text.isascii():
        text = _NO_WIDTH.sub("", _BLANKS.sub(" ", text))
    for mark in _MARKS:
        if mark in text:
            return fold(_TABS.sub(" ", text)).strip(" ")
    return text.strip(" ")


#: What one layer tells of the time of day is never completed by another.
CLOCK_FIELDS = frozenset(("month", "day", "year", "date", "clock", "comma_clock", "zone", "unix")
                          + ("month_day", "minute"))


class Layer:
    """A layer's production as the peeling of many lines needs it; `hosted`: it tells a host.

    Its expression is compiled when the first text comes that has all its literals.
    """

    def __init__(self, rule: Rule) -> None:
        made = rule.production
        self.kind, self.pattern = made.kind, rule.pattern
        self.hosted, self.outer, self.unpack = "host" in made.field_types, made.outer, made.unpack
        self.speaker = next((term.args[0] for term in made.proves), None)
        self._literals = tuple(sorted(set.intersection(*(
            {text for name, text, _ in steps if not name and text != " "}
            for steps in rule.alternatives)), key=len, reverse=True))

    @cached_property
    def _fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        return re.compile(self.pattern).fullmatch

    def read(self, text: str) -> dict[str, str] | None:
        """The fields of a text that begins with this layer, None if it does not."""
        for literal in self._literals:
            if literal not in text:
                return None
        match = self._fullmatch(text)
        return None if match is None else match.groupdict()


class Worn(Struct, frozen=True):
    """One layer of a line: those that were tried before it in vain, and the letter it begins with.
    """

    layer: Layer
    tried: tuple[Layer, ...]
    letter: str


class Peeler:
    """Peels envelopes off lines with the layers of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        begins = [(Layer(rule), _first_letters(rule)) for rule in catalogue.layers]
        self._entries = frozenset(layer.kind for layer, _ in begins if layer.unpack == ENTRY)
        # No host stands inside a host's envelope or behind Xen's tag: `Dom0 kernel: …` is Xen's.
        self._begins = (begins, [each for each in begins if not each[0].hosted])
        self._by_letter: tuple[dict[str, tuple[Layer, ...]], ...] = {}, {}
        self._bare: tuple[set[str], set[str]] = set(), set()    # known to begin with no layer
        inner = [rule for rule in catalogue.layers if rule.production.inner]
        letters = re.escape("".join(sorted(set("".join(map(_first_letters, inner))))))
        starts = "|".join("".join(re.escape(text) if not name else f"(?>{pattern})"
                                  for name, text, pattern in steps if name != "payload")
                          for rule in inner for steps in rule.alternatives[:1])
        self._starts = re.compile(f"(?=[{letters}])(?:{starts})")

    def peel(self, text: str) -> Envelope:
        """Split a raw line (no line end) into its layers and its message."""
        whole = payload = flatten(text)
        layers: list[str] = []
        told: dict[str, str] = {}
        speaker: str | None = None
        outer, hosted = True, False
        while len(layers) < LAYERS_MAX:
            found = self._outermost(payload, hosted)
            if found is None:
                break
            layer, fields = found
            payload = (fields.pop("payload") or "").strip(" ")
            if layer.unpack:
                opened = UNPACKERS[layer.unpack](payload)
                if opened is None:
                    return Envelope(whole, tuple(layers), told, speaker, outer)
                payload = flatten(opened.payload)
                fields.update(opened.told)
            if told and not CLOCK_FIELDS.isdisjoint(fields):
                told = {name: text for name, text in told.items() if name not in CLOCK_FIELDS}
            told.update(fields)
            layers.append(layer.kind)
            outer = outer and layer.outer
            speaker = layer.speaker or speaker
            hosted = hosted or speaker is not None or "host" in told
        return Envelope(payload, tuple(layers), told, speaker, outer) if layers else \
            Envelope(payload)

    def worn(self, text: str) -> list[Worn]:
        """The layers of a folded line from the outside in."""
        found: list[Worn] = []
        hosted = False
        while len(found) < LAYERS_MAX and (outermost := self._outermost(text, hosted)) is not None:
            layer, fields = outermost
            tried = self._tried(text[:1], hosted)
            found.append(Worn(layer, tried[:tried.index(layer)], text[:1]))
            text = (fields["payload"] or "").strip(" ")
            hosted = hosted or layer.hosted or layer.speaker is not None
        return found

    def bare(self, text: str, hosted: bool) -> bool:
        """Whether a folded text begins with no layer; `hosted`: a host's, or a speaker's, is off.
        """
        return self._outermost(text, hosted) is None

    def _outermost(self, text: str, hosted: bool) -> tuple[Layer, dict[str, str]] | None:
        bare = self._bare[hosted]
        if text in bare:
            return None
        for layer in self._tried(text[:1], hosted):
            fields = layer.read(text)
            if fields is not None:
                return layer, fields
        if len(text) <= REMEMBERED_LENGTH_MAX:
            if len(bare) >= REMEMBERED_MAX:
                bare.clear()
            bare.add(text)
        return None

    def _tried(self, letter: str, hosted: bool) -> tuple[Layer, ...]:
        """The layers that are tried on a text that begins with this letter, in order."""
        known = self._by_letter[hosted].get(letter)
        if known is None:
            known = tuple(layer for layer, letters in self._begins[hosted]
                          if not letters or (letter and letter in letters))
            self._by_letter[hosted][letter] = known
        return known

    def spread(self, envelope: Envelope) -> bool:
        """Whether it is an entry of the journal, where letters stand as escapes."""
        return not self._entries.isdisjoint(envelope.layers)

    def inside(self, text: str) -> int:
        """Where in the middle of a text another record begins, 0 if none does."""
        match = self._starts.search(text, 1)
        return 0 if match is None else match.start()


def _first_letters(rule: Rule) -> str:
    """The letters with which the layer's texts can begin, empty if that is not plain to see."""
    letters = ""
    for steps in rule.alternatives:
        name, text, pattern = steps[0]
        words = _WORDS.match(pattern)
        if not name:
            letters += text[0]
        elif words is not None:
            letters += "".join(word[0] for word in words[1].split("|"))
        elif pattern.startswith("[0-9]"):
            letters += "0123456789"
        else:
            return ""
    return letters
