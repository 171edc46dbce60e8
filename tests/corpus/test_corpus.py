"""The corpus as data: every file in its one form, named after its story; every rule in a case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnose.casefile import format_case, read_case
from diagnose.rules import Rule, load_rules
from emulator.kernels import ROWS
from tests.rules.rows import KINDS

FILES = sorted((Path(__file__).parents[2] / "corpus").glob("*.case"))
RULES = load_rules(event_kinds=KINDS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_form_and_name(path: Path) -> None:
    case = read_case(path)
    assert format_case(case) == path.read_text(encoding="utf-8")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){1,5}", case.slug)
    assert case.kernel in ("unknown", *(row.name for row in ROWS))
    assert (case.verdict == "fault") == bool(case.findings)
    assert case.source
    assert {each.fault for each in case.findings} <= {rule.fault for rule in RULES}
    assert {each.rule for each in case.harmless} <= {rule.id for rule in RULES if rule.harmless}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_its_case(rule: Rule) -> None:
    cases = [read_case(path) for path in FILES]
    fired = {each.fault for case in cases for each in case.findings}
    fired |= {each.rule for case in cases for each in case.harmless}
    assert {rule.id, rule.fault} & fired


def test_a_third_of_the_corpus_is_healthy() -> None:
    verdicts = [read_case(path).verdict for path in FILES]
    assert 3 * verdicts.count("healthy") >= len(verdicts)
