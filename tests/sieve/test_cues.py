"""No line that a production reads is passed over, and both engines pick the same lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose import catalogue, cues
from diagnose.annotation import Block, fold
from diagnose.catalogue import FILES, build, reference
from diagnose.catalogue_file import grammar_directory
from diagnose.grammar import Catalogue, load
from diagnose.sieve import Expressions, Hyperscan, Sieve
from tests.grammar.test_derivation import changed, for_generated

CATALOGUE = load()
RAW = CATALOGUE.raw_cues
ENGINES: dict[str, Sieve] = {"hyperscan": Hyperscan(RAW), "re": Expressions(RAW)}
PREFIXES = ("", "Jun  1 00:31:27 virthost4 kernel: ", "<4>[   12.345678] ", "(XEN) ")
BLOCKS = tuple(block for file in FILES for block in reference(grammar_directory(), file)[1]
               if "layer" not in block.flags)


def lines_of(sieve: Sieve, buffer: bytes, prose: bool) -> set[int]:
    """Where the picked lines begin."""
    return {buffer.rfind(b"\n", 0, place) + 1 for place in sieve.places(buffer, prose)}


def lost(sieve: Sieve, read: Catalogue, texts: Iterator[str]) -> list[str]:
    """The lines that the catalogue reads, or nearly does, and that the sieve passes over."""
    return [line for text in texts for line in (f"{prefix}{text}" for prefix in PREFIXES)
            if (found := read.match(fold(text).strip(" "))).reading is not None or found.near
            if not sieve.places(line.encode())]


def printed(block: Block) -> Iterator[str]:
    """A production's samples, at their full length, without their ends, and with a letter changed.
    """
    for sample in block.samples:
        yield from (sample.text, sample.text.strip())
        yield from (text for text in changed(sample.text) if "  " not in text.strip()
                    or "  " in sample.text.strip())


@pytest.mark.parametrize("engine", ENGINES)
def test_no_line_is_lost(engine: str) -> None:
    for block in BLOCKS:
        assert not lost(ENGINES[engine], CATALOGUE, printed(block))


def test_no_line_that_the_grammar_makes_is_lost() -> None:
    for block in BLOCKS:
        made: list[str] = []
        for_generated(block, 3, made.append)
        assert not lost(ENGINES["hyperscan"], CATALOGUE, iter(made)), block.kind


def test_a_torn_message_is_found_by_its_parts() -> None:
    """One cut, anywhere: a part is picked, if the message has literals on both sides."""
    for kind in ("msix_not_freed", "igb_vfs_enabled", "vpci_passthrough"):
        if kind not in {block.kind for block in BLOCKS}:
            continue
        text = next(block for block in BLOCKS if block.kind == kind).samples[0].text
        for at in range(1, len(text)):
            halves = text[:at].encode(), text[at:].encode()
            assert any(ENGINES["re"].places(half) for half in halves), halves


pieces = st.one_of(
    st.sampled_from([literal.encode() for literal in RAW]),
    st.sampled_from([b"\n", b"\r\n", b"\r", b"\t", b"\x1b[1m", b" ", b"\xc3\xa9", b"\0", b"Jun ",
                     b"a the of", b"<4>"]),
    st.binary(max_size=5),
)


@given(st.lists(pieces, max_size=12).map(b"".join), st.booleans())
def test_the_engines_pick_the_same_lines(buffer: bytes, prose: bool) -> None:
    first, second = (lines_of(sieve, buffer, prose) for sieve in ENGINES.values())
    assert first == second


@given(st.lists(st.sampled_from(["is ", "The ", "of.", "bus ", "than\n", "(a) ", "irq: "]),
                max_size=20).map("".join))
def test_lines_of_three_small_words_are_prose(text: str) -> None:
    lines = {text.count("\n", 0, text.index(line)) for line in text.split("\n") if line}
    wanted = {nth for nth, line in enumerate(text.split("\n"))
              if len(re.findall(r"\b(?:is|the|of|than|a)\b", line.lower())) >= 3}
    for sieve in ENGINES.values():
        places = sieve.places(text.encode(), prose=True)
        assert {text.encode().count(b"\n", 0, place) for place in places} == wanted, lines


# --- Faults in the derivation ----------------------------------------------------------------

DERIVED = cues.raw_cues



def first_only(alternatives: Any, near: Any, twice: bool) -> list[str]:
    """The cue of the first alternative stands for all."""
    return DERIVED(alternatives[:1], [], twice)


def with_fields(alternatives: Any, near: Any, twice: bool) -> list[str]:
    """What a field holds is taken for a literal."""
    return [f"{fold(alternatives[0][0][2])}0"]


def unfolded(alternatives: Any, near: Any, twice: bool) -> list[str]:
    """Blanks at the ends of a message count."""
    return sorted({max((raw for name, _, raw in steps if not name), key=len)
                   for steps in alternatives})


FAULTS: dict[str, Callable[[Any, Any, bool], list[str]]] = {
    "one alternative for all": first_only, "a field for a literal": with_fields,
    "blanks as they are printed": unfolded,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_in_the_derivation_is_caught(
        fault: Callable[[Any, Any, bool], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "raw_cues", fault)
    broken = Expressions(build(grammar_directory())["index"]["raw"])
    assert any(lost(broken, CATALOGUE, printed(block)) for block in BLOCKS)
