"""What the words of a report mean: `glossary.toml` in, checked `Word` values out.

Faults, verdicts, steps of a story, terms that a line proves: names of the closed vocabularies that
explain themselves nowhere else.

**Invariant:** one name, one meaning; that every name of a vocabulary is here is a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import cast

from msgspec import Struct

from diagnose.rulefile import Key, RuleFile, Table

GLOSSARY = Path(__file__).parent / "glossary.toml"

GROUPS = (
    "fault", "verdict", "confidence", "severity", "kind of fix", "step", "status of a step",
    "end of an assignment", "divergence", "coverage", "word", "fact", "proof", "remark",
)
"""What a name is, in the order in which they are listed."""

_FILE_KEYS: Mapping[str, Key] = MappingProxyType({
    "term": Key("clauses", "always", "One table for each name."),
})
_TERM_KEYS: Mapping[str, Key] = MappingProxyType({
    "name": Key("string", "always", "The name as it stands in reports and rules."),
    "group": Key("string", "always", "What it is the name of.", GROUPS),
    "what": Key("string", "always", "What it is."),
    "why": Key("string", "", "How it comes about."),
    "todo": Key("string", "", "What to do about it."),
})


class Word(Struct, frozen=True):
    """One name and its meaning; `why` and `todo` are empty where there is nothing to say."""

    name: str
    group: str
    what: str
    why: str = ""
    todo: str = ""


@cache
def load_glossary(path: Path = GLOSSARY) -> tuple[Word, ...]:
    """All names, by group and then as they stand in the file. Raises RuleError with its line."""
    file = RuleFile(path)
    file.check(file.content, _FILE_KEYS)
    words: dict[str, Word] = {}
    for nr, table in enumerate(cast("list[Table]", file.content["term"])):
        file.check(table, _TERM_KEYS, ("term", nr))
        word = Word(**{name: " ".join(str(text).split()) for name, text in table.items()})
        if word.name in words:
            file.fail(("term", nr, "name"), f"The name {word.name!r} stands here twice. Keep one.")
        words[word.name] = word
    return tuple(sorted(words.values(), key=lambda word: GROUPS.index(word.group)))
