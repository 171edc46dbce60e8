"""The logs that are measured hold what is said of them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from benchmarks import logs
from diagnose import diagnose
from diagnose.grammar import load

SEED = 11
SIZE = 400_000
SORTER = logs.Sorter(load())


@pytest.fixture(scope="module")
def made_of() -> logs.Ingredients:
    return logs.ingredients(SEED)


def written(made_of: logs.Ingredients, share: float, seed: int = SEED) -> list[str]:
    return list(logs.written(made_of, share, SIZE, seed))


@pytest.mark.parametrize("share", [0.01, 0.1, 1.0])
def test_so_many_lines_are_relevant_as_were_asked_for(
    share: float, made_of: logs.Ingredients
) -> None:
    lines = written(made_of, share)
    kinds = [SORTER.judged(line.rstrip("\n")) for line in lines]
    assert None not in kinds
    relevant = sum(map(bool, kinds)) - len(made_of.incident)
    assert relevant / (len(lines) - len(made_of.incident)) == pytest.approx(share, rel=0.3)
    assert SIZE <= sum(map(len, lines)) < SIZE + 1000


def test_the_same_seed_makes_the_same_log_and_another_one_another() -> None:
    made = [written(logs.ingredients(seed), 0.1, seed) for seed in (SEED, SEED, SEED + 1)]
    assert made[0] == made[1]
    assert made[0] != made[2]


@pytest.mark.parametrize("share", logs.SHARES)
def test_what_lies_in_a_log_is_found(
    share: float, made_of: logs.Ingredients, tmp_path: Path
) -> None:
    log, alone = tmp_path / "made.log", tmp_path / "alone.log"
    log.write_text("".join(written(made_of, share)), encoding="ascii")
    alone.write_text("".join(logs.alone(made_of)), encoding="ascii")
    found, expected = diagnose([log]), diagnose([alone])
    assert expected.verdict == "fault"
    assert ([(each.fault, each.device) for each in found.findings]
            == [(each.fault, each.device) for each in expected.findings])


def test_the_corpus_alone_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(logs, "LAB", tmp_path)
    made_of = logs.ingredients(SEED)
    assert "not there" in made_of.told
    kinds = {SORTER.judged(line.rstrip("\n")) for line in written(made_of, 0.5)}
    assert len(kinds) > len(made_of.incident)
    assert None not in kinds


def test_a_storm_is_one_message_and_its_counterpart_is_as_many(made_of: logs.Ingredients) -> None:
    message = SORTER.stormy(made_of.pools["dom0"].relevant, Random(SEED))
    lines = {distinct: list(logs.storm(message, 500, distinct)) for distinct in (False, True)}
    assert list(map(len, lines[False])) == list(map(len, lines[True]))
    payloads = {distinct: {line.partition("] ")[2] for line in lines[distinct]}
                for distinct in lines}
    assert {distinct: len(texts) for distinct, texts in payloads.items()} == {False: 1, True: 500}
    assert {SORTER.judged(line.rstrip("\n")) for both in lines.values() for line in both} == {
        SORTER.judged(lines[False][0].rstrip("\n"))}


def test_what_is_there_already_is_not_made_again(
    made_of: logs.Ingredients, tmp_path: Path
) -> None:
    first = logs.Shelf(tmp_path, made_of, SEED).keep("a.log", lambda: ["one\n"])
    again = logs.Shelf(tmp_path, made_of, SEED).keep("a.log", lambda: ["another\n"])
    assert first == again
    assert Path(again).read_text() == "one\n"
    assert logs.Shelf(tmp_path, made_of, SEED + 1).keep("a.log", lambda: ["third\n"]) != first
