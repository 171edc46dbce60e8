"""What a command takes: its words and options, as far as reading them needs no judgement.

**Invariant:** reads a command line as typer does, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("usages.json")


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What follows on an option, and the parameter that it sets.

    `flag` is set if nothing follows; `many` if each time counts, and not one alone. A whole number
    is no less than `least` and no more than `most`.
    """

    name: str
    flag: bool | None = None
    many: bool = False
    number: bool = False
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()

    def value(self, text: str) -> str | int | None:
        """What a text stands for; None if typer has to look at it."""
        if self.choices:
            return text if text in self.choices else None
        if not self.number:
            return text
        if not (text.isascii() and text.isdecimal()) or len(text) > NUMBER_LENGTH_MAX:
            return None
        number = int(text)
        fits = (self.least is None or number >= self.least) and (
            self.most is None or number <= self.most)
        return number if fits else None


NUMBER_LENGTH_MAX = 9
"""Longer numbers are a mistake, which is typer's to tell."""


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The options of a command; the parameter that takes its word, or all its words: `many`."""

    options: dict[str, Option]
    words: str = ""
    many: bool = False

    def given(self, arguments: Sequence[str]) -> dict[str, object] | None:
        """Parameter → value of all that is given; None if typer has to look at it."""
        words, values, lists = list[str](), dict[str, object](), dict[str, list[object]]()
        rest = iter(arguments)
        for argument in rest:
            if not argument.startswith("-") or argument == "-":
                words.append(argument)
                continue
            name, sign, text = argument.partition("=")
            option = self.options.get(name)
            if option is None or option.name in values or (sign and not name.startswith("--")):
                return None
            value: object = option.flag
            if value is None:
                text = text if sign else next(rest, "-")
                value = None if text.startswith("-") else option.value(text)
            elif sign:
                value = None
            if value is None:
                return None
            if option.many:
                lists.setdefault(option.name, []).append(value)
            else:
                values[option.name] = value
        if not (words if self.many else len(words) == bool(self.words)):
            return None
        if self.words:
            values[self.words] = words if self.many else words[0]
        return values | lists


@cache
def usages() -> dict[str, Usage]:
    """Command → what it takes, for those that take nothing else."""
    return msgspec.json.decode(FILE.read_bytes(), type=dict[str, Usage])
