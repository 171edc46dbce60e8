"""Derived = parsed on what hosts have printed: the corpus, and the logs beside the checkout.

Each reading is lark's, in kind and every field; where nothing reads a line, lark refuses it, too.
"""
from __future__ import annotations

from functools import cache

import pytest
from lark import Lark

from diagnose.annotation import Block, fold
from diagnose.catalogue import FILES, lark_reading, reference
from diagnose.catalogue_file import grammar_directory
from diagnose.envelope import Peeler
from tests.grammar.test_derivation import CATALOGUE, agree, derived_reading
from tests.sieve.test_reading import logs
from tests.thorough import sample

READ_ONE_IN, TRIED_ONE_IN = 2, 40
"""Lark is slow: of all messages so many are read by it, and so many tried on each production."""


@cache
def messages() -> list[str]:
    """Every message that differs, folded and without its envelope."""
    peeler = Peeler(CATALOGUE)
    return sorted({peeler.peel(fold(line)).payload for data in logs().values()
                   for line in data.decode("utf-8", "replace").splitlines()} - {""})


@pytest.fixture(scope="module", params=FILES)
def file(request: pytest.FixtureRequest) -> tuple[Lark, tuple[Block, ...]]:
    return reference(grammar_directory(), request.param)


def test_what_is_read_is_what_lark_reads(file: tuple[Lark, tuple[Block, ...]]) -> None:
    parser, blocks = file
    own = {block.kind: block for block in blocks}
    for payload in sample(messages(), READ_ONE_IN):
        reading = CATALOGUE.match(payload).reading
        if reading is not None and reading.production.kind in own:
            assert agree(parser, own[reading.production.kind], payload)


def test_what_lark_accepts_is_read(file: tuple[Lark, tuple[Block, ...]]) -> None:
    parser, blocks = file
    for payload in sample(messages(), TRIED_ONE_IN):
        for block in blocks:
            found = lark_reading(parser, block.kind, payload)
            assert found == derived_reading(block.kind, payload), (block.kind, payload)
            if found is not None and "layer" not in block.flags:
                assert CATALOGUE.match(payload).reading is not None, payload
