"""The literals of the productions, and how lines are found by them.

**Invariant:** every line that a production reads holds one of its cues; most other lines hold none.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from diagnose.annotation import FOLDABLE, Block, fold
from diagnose.production import HEAD_LETTERS

CUE_LENGTH_MIN = 4
NEAR_LENGTH_MIN = 8
NEAR_WORDS_MIN = 3
TORN_LENGTH_MIN = 12
_WORD = re.compile("[A-Za-z]{2,}")

# A step is a literal ("", folded, raw) or a field (name, suffix, pattern).
Step = tuple[str, str, str]


def _stretches(alternatives: Iterable[Iterable[Step]]) -> list[str]:
    """Parts of literals without a run of blanks: they stand in the raw line as in the folded."""
    return [
        fold(stretch)
        for steps in alternatives
        for field, _, raw in steps
        if not field
        for stretch in re.split(FOLDABLE, raw)
        if stretch
    ]


def longest(alternatives: Sequence[Sequence[Step]]) -> set[str]:
    """The longest literal of each alternative, empty for one that has none."""
    return {max(_stretches([steps]), key=len, default="") for steps in alternatives}


def cues(block: Block, alternatives: Sequence[Sequence[Step]]) -> list[str]:
    """Literals of which every text of the production holds one: the longest of each alternative."""
    found = longest(alternatives)
    if min(map(len, found)) < CUE_LENGTH_MIN:
        raise block.fail(f"has no literal of {CUE_LENGTH_MIN} characters to find its lines by")
    return sorted(found)


def near(alternatives: Sequence[Sequence[Step]]) -> list[str]:
    """Literals that make a line a near miss of the production if nothing accepts it.

    Blanks at its ends do not count to a literal's length. The longest literal counts, and so does
    the beginning; others only from three words on: " of device " in the middle says nothing.
    """
    found = set()
    for steps in alternatives:
        literals = _stretches([steps])
        longest = max(literals, key=len, default="")
        begin = fold(steps[0][2]) if not steps[0][0] else ""
        found |= {
            each
            for each in literals
            if len(each.strip()) >= NEAR_LENGTH_MIN
            and (
                each == longest
                or begin.startswith(each)
                or len(_WORD.findall(each)) >= NEAR_WORDS_MIN
            )
        }
    return sorted(found)


def raw_cues(alternatives: Sequence[Sequence[Step]], near: Iterable[str],
             twice: bool) -> list[str]:
    """Literals of which every line of the production holds one, as bytes stand in a raw line.

    The ends of a line may have been cut off, so that a literal with which a message begins or ends
    counts without the blanks there. Of a message that shows a step of the ledgers (`twice`)
    there are two that do not overlap, if it has any that are long enough, so that one of them is
    whole wherever it is torn in two.
    """
    begins = tuple(fold(steps[0][2]) for steps in alternatives if not steps[0][0])
    found = {each.strip(" ") if any(begin.startswith(each) for begin in begins) else each
             for each in near}
    for steps in alternatives:
        ends = [_stretches([steps[:1]]), _stretches([steps[-1:]])]
        literals = _stretches([steps])
        if ends[0]:
            literals[0] = literals[0].lstrip(" ")
        if ends[1]:
            literals[-1] = literals[-1].rstrip(" ")
        best, *others = sorted(literals, key=len, reverse=True)
        found.add(best)
        second = others[0] if others else ""
        if twice and len(second) >= max(TORN_LENGTH_MIN, len(best) // 2):
            found.add(second)
        elif twice and len(best) >= 2 * TORN_LENGTH_MIN:
            half = len(best) // 2
            found |= {best[:half], best[half:]}
    return sorted(found)


def index(productions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The literals of all productions, and the words by which they are found in a split payload.

    {"literals": [[literal, productions whose cue it is, productions that it makes near]…],
    "words": {word: literals}, "bare": literals, "raw": literals}. A word is one that stands in the
    literal between blanks, so that a payload with the literal has the word; `bare` literals have
    none. Every raw line that a production reads holds one of "raw" (see `sieve`).

    And what is asked of all productions at once, so that most of them are never made: {"fields":
    {kind: names of its fields}, "layers": productions, "anyhost": kinds, "heads": {the letters
    with which it begins: productions}}.
    """
    cue_of: dict[str, list[int]] = {}
    near_of: dict[str, list[int]] = {}
    for number, made in enumerate(productions):
        if "layer" not in made["flags"]:
            for literal in made["cues"]:
                cue_of.setdefault(literal, []).append(number)
            for literal in made["near"]:
                near_of.setdefault(literal, []).append(number)
    literals = sorted(cue_of.keys() | near_of.keys())
    words: dict[str, list[int]] = {}
    bare: list[int] = []
    for number, literal in enumerate(literals):
        inner = max(literal.split(" ")[1:-1], key=len, default="")
        if inner:
            words.setdefault(inner, []).append(number)
        else:
            bare.append(number)
    table = [[each, cue_of.get(each, []), near_of.get(each, [])] for each in literals]
    raw = {literal for made in productions if "layer" not in made["flags"]
           for literal in made["raw_cues"]}
    layers = [nr for nr, made in enumerate(productions) if "layer" in made["flags"]]
    return {
        "literals": table, "words": words, "bare": bare, "raw": _shortest(raw),
        "fields": {made["kind"]: list(made["fields"]) for made in productions},
        "layers": layers,
        "anyhost": [made["kind"] for made in productions
                    if made["texts"].get("scope") == "anyhost"],
        "heads": _heads(productions, layers),
    }


def _heads(productions: Sequence[dict[str, Any]], layers: Sequence[int]) -> dict[str, list[int]]:
    heads: dict[str, list[int]] = {}
    for number, made in enumerate(productions):
        for head in sorted({steps[0][1][:HEAD_LETTERS] for steps in made["alternatives"]}):
            if number not in layers and len(head) == HEAD_LETTERS:
                heads.setdefault(head, []).append(number)
    return heads


def _shortest(literals: Iterable[str]) -> list[str]:
    """Those that hold no other one, which would be found as well."""
    kept: list[str] = []
    for literal in sorted(literals, key=lambda each: (len(each), each)):
        if not any(each in literal for each in kept):
            kept.append(literal)
    return kept
