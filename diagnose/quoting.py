"""Tell a log from a text that quotes logs: a bug report, a mail, a page of a forum.

A text is known by its prose: lines without an envelope that no production reads and that use the
small words of English. Where more than a fifth of the lines are such, the lines that were read
stand in *passages* with prose between them, and nothing tells that two passages are of one host or
of one time.

**Invariant:** looks at the shape of a file; what a line says about a host is not asked here.
"""
from __future__ import annotations

from dataclasses import dataclass, field

#: Share of prose among the lines that are not blank, above which a file is a text. Serial captures
#: with login banners stay below a hundredth, bug reports and mails have a third and more.
PROSE_SHARE = 0.2
#: So many small words make a line prose: kernels print one in a message now and then.
SMALL_WORDS_MIN = 2
SMALL_WORDS = frozenset(
    "a an the this that these those it its is are was were be been being am do does did has have "
    "had i you he she we they me my your his her our their to of in on at by for with from into "
    "and or but not no so if as than then when which who what how there here can could should "
    "would will may might must about after before because also only just while".split()
)

Passages = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Shape:
    """What the lines of one input have looked like so far; line numbers count from 1."""

    prose: int = 0
    filled: int = 0
    _passages: list[list[int]] = field(default_factory=list)
    _open: bool = False

    def see(self, number: int, text: str, read: bool, layered: bool) -> None:
        """Take one line that is not blank; `read`: some production has to do with it."""
        self.filled += 1
        if read:
            if self._open:
                self._passages[-1][1] = number
            else:
                self._passages.append([number, number])
                self._open = True
        elif not layered and is_prose(text):
            self.prose += 1
            self._open = False

    @property
    def passages(self) -> Passages:
        """First and last line of each passage of a text; empty for a log."""
        if self.prose <= self.filled * PROSE_SHARE:
            return ()
        return tuple((first, last) for first, last in self._passages)


def is_prose(text: str) -> bool:
    """Whether a line reads like a sentence of English and not like a message of a program."""
    small = 0
    for word in text.split():
        small += word.strip(".,;:!?()\"'*").lower() in SMALL_WORDS
        if small == SMALL_WORDS_MIN:
            return True
    return False
