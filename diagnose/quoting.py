"""Tell a log from a text that quotes logs: a bug report, a mail, a page of a forum.

A text is known by its prose: lines without an envelope that no production reads and that use the
small words of English. Where more than a fifth of the lines are such, each counted once however
often it comes, the lines that were read stand in *passages* with prose between them, and nothing
tells that two passages are of one host or of one time. One line is enough where somebody speaks of
himself in it, or where it introduces the lines that follow: no program does either.

**Invariant:** looks at the shape of a file; what a line says about a host is not asked here.
"""
from __future__ import annotations

import re

from msgspec import Struct, field

#: Share of prose among the lines that are not blank, above which a file is a text. Serial captures
#: with login banners stay below a hundredth, bug reports and mails have a third and more.
PROSE_SHARE = 0.2
#: So many small words make a line prose: kernels print one or two in a message now and then.
SMALL_WORDS_MIN = 3
#: Words of somebody who tells what he did; shells have variables called i.
TELLERS = frozenset("I We we My my Our our".split())
#: What a shell puts before a command.
PROMPTS = frozenset("#$+")
SMALL_WORDS = frozenset(
    "a an the this that these those it its is are was were be been being am do does did has have "
    "had i you he she we they me my your his her our their to of in on at by for with from into "
    "and or but not no so if as than then when which who what how there here can could should "
    "would will may might must about after before because also only just while".split()
)

Passages = tuple[tuple[int, int], ...]
_DIGITS = re.compile(r"\d+")


class _Passages(Struct):
    """Stretches of lines that were read, between lines that part them."""

    _spans: list[list[int]] = field(default_factory=list)
    _open: bool = False

    def take(self, number: int) -> None:
        if self._open:
            self._spans[-1][1] = number
        else:
            self._spans.append([number, number])
            self._open = True

    def close(self) -> None:
        self._open = False

    def spans(self) -> Passages:
        return tuple((first, last) for first, last in self._spans)


class Shape(Struct):
    """What the lines of one input have looked like so far; line numbers count from 1."""

    filled: int = 0
    _prose: set[int] = field(default_factory=set)
    _parted: _Passages = field(default_factory=_Passages)
    _told: _Passages = field(default_factory=_Passages)
    _introduces: bool = False

    def see(self, number: int, text: str, read: bool, layered: bool) -> None:
        """Take one line that is not blank; `read`: some production has to do with it."""
        self.filled += 1
        if read:
            if self._introduces:
                self._told.close()
            self._parted.take(number)
            self._told.take(number)
        prose = not read and not layered and is_prose(text)
        self._introduces = prose and text.rstrip().endswith(":")
        if prose:
            self._prose.add(hash(_DIGITS.sub("0", text)))
            self._parted.close()
            if not TELLERS.isdisjoint(_bare(text)):
                self._told.close()

    @property
    def passages(self) -> Passages:
        """First and last line of each passage of a text; empty for a log."""
        if len(self._prose) > self.filled * PROSE_SHARE:
            return self._parted.spans()
        told = self._told.spans()
        return told if len(told) > 1 else ()


def is_prose(text: str) -> bool:
    """Whether a line reads like a sentence of English and not like a message of a program.

    Programs put a name and a colon before what they say.
    """
    words = text.split()
    if len(words) < SMALL_WORDS_MIN or words[0].endswith(":") or words[0] in PROMPTS:
        return False
    return sum(word in SMALL_WORDS for word in _words(text)) >= SMALL_WORDS_MIN


def _words(text: str) -> list[str]:
    return [word.lower() for word in _bare(text)]


def _bare(text: str) -> list[str]:
    return [word.strip(".,;:!?()\"'*") for word in text.split()]
