"""Every word of a closed vocabulary is described, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from diagnose import annotation, diagnosis
from diagnose.errors import RuleError
from diagnose.facts import TRACE_FACTS
from diagnose.fixes import FIX_KINDS
from diagnose.glossary import GLOSSARY, Word, load_glossary
from diagnose.rulefile import RULE_KEYS
from diagnose.rules import load_rules
from emulator.life import ACTS
from tests.rules.rows import KINDS

ROOT = Path(__file__).parents[2]
WORDS = load_glossary()


def named(*groups: str) -> set[str]:
    return {word.name for word in WORDS if word.group in groups}


VOCABULARIES: list[tuple[set[str], set[str]]] = [
    (named("verdict") | {"fault"}, set(get_args(diagnosis.Verdict))),
    (named("confidence"), {*get_args(diagnosis.Confidence), "suspicion"}),
    (named("severity"), set(RULE_KEYS["severity"].choices)),
    (named("kind of fix"), {*FIX_KINDS, "known"}),
    (named("step"), set(ACTS)),
    (named("status of a step"), set(get_args(diagnosis.StepStatus))),
    (named("end of an assignment"), set(get_args(diagnosis.EndedBy)) - set(ACTS)),
    (named("divergence"), set(get_args(diagnosis.DivergenceKind))),
    (named("fact"), set(TRACE_FACTS)),
    (named("proof"), set(annotation.TERMS) - set(ACTS)),
]


def test_every_fault_of_a_rule_is_described() -> None:
    faults = {rule.fault for rule in load_rules(event_kinds=KINDS)} - {None}
    assert named("fault") == faults


@pytest.mark.parametrize(("described", "used"), VOCABULARIES)
def test_every_word_of_a_vocabulary_is_described(described: set[str], used: set[str]) -> None:
    assert described == used


def test_remarks_that_are_described_exist() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "diagnose").rglob("*.py"))
    assert named("remark") <= set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source))


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_each_word_is_told_in_sentences(word: Word) -> None:
    for text in (word.what, word.why, word.todo):
        assert not text or (text.endswith(".") and len(text.split()) >= 3)
    assert word.group != "fault" or (word.why and word.todo)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "pirq"', 'name = "domid"', "'domid' stands here twice"),
        ('name = "pirq"', 'nam = "pirq"', "'name'"),
        ('name = "pirq"\ngroup = "word"', 'name = "pirq"\ngroup = "wrd"', "'word'"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = GLOSSARY.read_text(encoding="utf-8")
    assert text.count(old) == 1
    bad = tmp_path / "bad.toml"
    bad.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError, match=rf"bad.toml:\d+: .*{said}"):
        load_glossary(bad)
