"""One production of the catalogue, made of derived data, and ready to read a payload.

**Invariant:** a regular expression is compiled when the first line comes that may need it.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from diagnose.events import Production, Term
from diagnose.values import FIELD_TYPES

HEAD_LETTERS = 6
"""By so many letters the beginning of a message is known where the rest of it is not there."""


class Rule:
    """One production ready for use; the regular expression waits for its first line."""

    __slots__ = (
        "_regex", "alternatives", "head", "pattern", "place", "production", "readers", "tail",
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.production = _production(data)
        self.pattern: str = data["regex"]
        self.alternatives: list[list[list[str]]] = data["alternatives"]
        self.place = f"{data['grammar']}:{data['line']}"
        self.head: str = data["head"]
        self.tail: str = data["tail"]
        self._regex: re.Pattern[str] | None = None
        self.readers: tuple[tuple[str, Callable[[str], object]], ...] = ()

    @property
    def regex(self) -> re.Pattern[str]:
        if self._regex is None:
            self._regex = re.compile(self.pattern)
            types = self.production.field_types
            self.readers = tuple(
                (name, FIELD_TYPES[types[name]].read) for name in self._regex.groupindex
            )
        return self._regex

    def read(self, payload: str) -> dict[str, object] | None:
        match = self.regex.fullmatch(payload)
        if match is None:
            return None
        return {
            name: read(text)
            for (name, read), text in zip(self.readers, match.groups())
            if text is not None
        }


def _production(data: Mapping[str, Any]) -> Production:
    texts, flags = data["texts"], data["flags"]
    return Production(
        kind=data["kind"],
        file=data["file"],
        provenance=texts["source"],
        versions=texts["versions"],
        era=data["era"],
        level=texts.get("level"),
        proves=tuple(
            Term(name, tuple(args), tuple((key, text) for key, text in when))
            for name, args, when in data["proves"]
        ),
        noise="noise" in flags,
        alarming="alarming" in flags,
        generic="generic" in flags,
        unprintable="unprintable" in flags,
        scope=texts.get("scope", ""),
        hint=texts.get("hint", ""),
        outer="outer" in flags,
        inner="inner" in flags,
        unpack=texts.get("unpack", ""),
        head="head" in flags,
        state=texts.get("state", ""),
        about=texts.get("about", ""),
        todo=texts.get("todo", ""),
        near_miss=texts.get("near", ""),
        samples=tuple(data["samples"]),
        field_types=data["fields"],
    )
