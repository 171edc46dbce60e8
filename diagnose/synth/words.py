"""What is written around the lines of the bookkeeping: `words.toml`, read once.

**Invariant:** no text of a line, and no kind of a message, stands in the code of this package.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

WORDS = Path(__file__).parent / "words.toml"


class Words(Struct, frozen=True):
    """The file's tables, which it explains itself."""

    dom0_noise: Sequence[str]
    xen_noise: Sequence[str]
    linux: str
    xen: Sequence[str]
    guest_build: int
    guest: Sequence[str]
    stranger: Sequence[str]
    last_words: Sequence[str]
    very_last_words: Sequence[str]
    panic: str
    kexec: str
    around: Mapping[str, str]
    xend: Mapping[str, str]
    own: Mapping[str, Any]

    @property
    def guest_boot(self) -> tuple[str, ...]:
        """What a guest with passthrough prints when it boots."""
        return (self.linux.format(build=self.guest_build), *self.guest)

    @property
    def stranger_boot(self) -> tuple[str, ...]:
        """What another guest prints when it boots."""
        return (self.linux.format(build=self.guest_build), *self.stranger)


@cache
def words() -> Words:
    """The words of this installation."""
    return Words(**tomllib.loads(WORDS.read_text(encoding="utf-8")))


def around(line: str, **values: object) -> str:
    """A line around an act, by its name in the table, with its values."""
    return words().around[line].format(**values)
