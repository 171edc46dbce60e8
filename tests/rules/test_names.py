"""The rules name what the grammars have, and the test vocabulary is a true part of it."""

from __future__ import annotations

from diagnose.grammar import load
from diagnose.rules import load_rules
from tests.rules.rows import KINDS

GRAMMAR = {each.kind: tuple(each.field_types) for each in load().productions}


def test_the_rules_load_with_the_real_grammar() -> None:
    assert load_rules(event_kinds=GRAMMAR) == load_rules(event_kinds=KINDS)


def test_the_test_vocabulary_is_part_of_the_grammar() -> None:
    for kind, fields in KINDS.items():
        assert set(fields) <= set(GRAMMAR[kind]), kind


def test_every_event_that_a_rule_names_looks_alarming() -> None:
    alarming = {each.kind for each in load().productions if each.alarming}
    told = {"xm_already_assigned_el5"}  # an answer of xm: cited with a finding, never excused
    for rule in load_rules(event_kinds=GRAMMAR):
        for clause in (*rule.requires, *rule.unless, *rule.cites):
            events = set(clause.facts) & GRAMMAR.keys()
            assert events <= alarming | told, rule.id
