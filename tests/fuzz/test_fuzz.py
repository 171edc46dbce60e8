"""No input gives anything but a report or a clean error: bytes at random, and damaged known ones.

The laws are those that `make fuzz` tries for longer and with more cunning.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import laws
from tests.fuzz.seeds import archives, cases, samples, states
from tests.fuzz.survived import SURVIVED, Survived
from tests.thorough import THOROUGH

CASES, STATES, ARCHIVES = tuple(cases()), tuple(states()), tuple(archives())
LINES = tuple(b"".join(samples()).splitlines(keepends=True))
CONTROL = b"\0\r\n\x07\x08\x1b\x7f\x80\xff"

Law = Callable[[bytes], None]
LAWS: dict[str, Law] = {
    "reader": laws.reader, "bundle": laws.bundle, "envelopes": laws.envelopes,
    "grammars": laws.grammars, "log": laws.log,
}


def trying(examples: int) -> settings:
    """So many examples, always the same, or twenty times as many where the run is thorough."""
    return settings(max_examples=examples * (20 if THOROUGH else 1), deadline=None,
                    derandomize=not THOROUGH, suppress_health_check=list(HealthCheck))


@st.composite
def flipped(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds with a few bytes changed, and perhaps cut."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for place in draw(st.lists(st.integers(0, max(len(data) - 1, 0)), max_size=8)):
        data[place:place + 1] = draw(st.sampled_from(
            [bytes([draw(st.integers(0, 255))]), b"", CONTROL]))
    return bytes(data[:draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@st.composite
def disordered(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Lines of two seeds, shuffled, cut, doubled and braided, with odd bytes between them."""
    lines = [line for seed in draw(st.lists(st.sampled_from(seeds), min_size=1, max_size=2))
             for line in seed.splitlines(keepends=True)]
    picked = draw(st.lists(st.sampled_from(lines), max_size=40))
    change = st.sampled_from([
        lambda line: line, lambda line: line * 2, lambda line: line[:len(line) // 2],
        lambda line: line.rstrip(b"\n"), lambda line: CONTROL + line, lambda line: line[7:]])
    return b"".join(draw(change)(line) for line in picked)


@pytest.mark.parametrize("name", LAWS)
@trying(15)
@given(data=st.binary(max_size=2000))
def test_any_bytes(name: str, data: bytes) -> None:
    LAWS[name](data)


@pytest.mark.parametrize("seeds", [CASES, STATES, ARCHIVES], ids=["logs", "states", "archives"])
@trying(25)
@given(data=st.data())
def test_known_things_with_bytes_changed(seeds: Sequence[bytes], data: st.DataObject) -> None:
    laws.log(data.draw(flipped(seeds)))


@trying(30)
@given(data=disordered(CASES))
def test_logs_out_of_order(data: bytes) -> None:
    laws.log(data)


@trying(40)
@given(data=disordered([*STATES, b"".join(LINES)]))
def test_lines_of_everybody(data: bytes) -> None:
    laws.log(data)
    laws.grammars(data)


@trying(60)
@given(data=flipped(ARCHIVES))
def test_damaged_archives(data: bytes) -> None:
    laws.bundle(data)
    laws.reader(data)


@trying(60)
@given(data=flipped(LINES))
def test_damaged_lines(data: bytes) -> None:
    laws.envelopes(data)
    laws.grammars(data)


@pytest.mark.parametrize("found", SURVIVED, ids=lambda found: found.what)
def test_what_once_broke_a_law(found: Survived) -> None:
    LAWS[found.law](found.data())
