"""Derived = parsed: the regular expressions and cues say what lark's own parser says.

Held against lark on every sample, on strings that Hypothesis generates from the grammars, and on
samples with one letter changed. Lark is slow and Hypothesis slower, so the examples are few; the
grammars are plain enough for that.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.lark import from_lark
from lark import Lark

from diagnose.annotation import Block, fold
from diagnose.catalogue import FILES, STATE_FILES, lark_reading, reference
from diagnose.catalogue_file import grammar_directory
from diagnose.grammar import Catalogue, load
from tests.grammar.kinds import KINDS

CATALOGUE = load()
EXAMPLES = 6
STEP = 4


@pytest.fixture(scope="module", params=(*FILES, *STATE_FILES))
def file(request: pytest.FixtureRequest) -> tuple[Lark, tuple[Block, ...]]:
    return reference(grammar_directory(), request.param)


def catalogue_of(kind: str) -> Catalogue:
    """That which has the kind; layers are in that of logs and are no messages."""
    return KINDS.get(kind, CATALOGUE)


def derived_reading(kind: str, payload: str) -> dict[str, str] | None:
    match = re.fullmatch(catalogue_of(kind).pattern(kind), payload)
    if match is None:
        return None
    return {name: text for name, text in match.groupdict().items() if text is not None}


def agree(parser: Lark, block: Block, text: str) -> bool:
    """Both readings are one; tells whether it is a reading at all."""
    payload = fold(text).strip(" ")
    derived = derived_reading(block.kind, payload)
    assert derived == lark_reading(parser, block.kind, payload), repr(payload)
    if derived is not None and "layer" not in block.flags:
        reading = catalogue_of(block.kind).match(payload).reading
        assert reading is not None, f"no cue finds {payload!r}"
    return derived is not None


def test_on_samples(file: tuple[Lark, tuple[Block, ...]]) -> None:
    parser, blocks = file
    for block in blocks:
        for sample in block.samples:
            assert agree(parser, block, sample.text)


def alone(block: Block) -> Lark:
    """A grammar of this production only: Hypothesis goes through all that a grammar holds."""
    words = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", re.sub(r'"(?:\\.|[^"\\])*"', "", block.body)))
    imports = "".join(f"%import .common.{word}\n" for word in sorted(words))
    path = grammar_directory() / block.file
    return Lark(
        f"{imports}{block.kind}: {block.body}\n",
        parser="lalr",
        start=block.kind,
        source_path=str(path),
        import_paths=[str(path.parent)],
    )


def for_generated(block: Block, examples: int, check: Callable[[str], object]) -> None:
    """Run the check on strings that Hypothesis makes of one production, always the same ones."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(from_lark(alone(block)))
    def holds(text: str) -> None:
        check(text)

    holds()


def test_on_generated_strings(file: tuple[Lark, tuple[Block, ...]]) -> None:
    parser, blocks = file
    for block in blocks:
        for_generated(block, EXAMPLES, partial(agree, parser, block))


def test_on_samples_with_a_letter_changed(file: tuple[Lark, tuple[Block, ...]]) -> None:
    parser, blocks = file
    for block in blocks:
        for text in changed(fold(block.samples[0].text).strip(" ")):
            agree(parser, block, text)


def changed(text: str) -> Iterator[str]:
    for at in range(0, len(text), STEP):
        yield text[:at] + text[at + 1 :]
        yield f"{text[:at]}0{text[at:]}"
        yield f"{text[:at]}x{text[at + 1 :]}"
    yield f"{text} "
    yield f"{text}!"
    yield ""


def test_printed_fields_are_the_text_that_was_read(file: tuple[Lark, tuple[Block, ...]]) -> None:
    """Beyond samples: what the grammar generates, read and printed, is the same but for blanks."""
    _, blocks = file
    for block in blocks:
        if not {"layer", "unprintable", "noise"} & block.flags:
            for_generated(block, 3, partial(prints_again, block.kind))


def prints_again(kind: str, text: str) -> None:
    payload = fold(text).strip(" ")
    reading = KINDS[kind].read(payload)
    if reading is not None and reading.production.kind == kind:
        assert fold(KINDS[kind].print_line(kind, reading.fields)).strip(" ") == payload
