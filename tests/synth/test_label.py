"""What a label promises: its keys, where its truth comes from, and that the judge knows better."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from diagnose.grammar import load
from diagnose.options import Options
from diagnose.pipeline import rules_for
from diagnose.synth.check import check
from diagnose.synth.choices import STORIES, Choices
from diagnose.synth.console import printed
from diagnose.synth.draft import Draft
from diagnose.synth.incident import make
from diagnose.synth.judge import judge
from diagnose.synth.stage import known_faults, play

KEYS = {"cls", "kernel", "banner", "env", "ws", "view", "verdicts", "must", "may", "whatif",
        "ended", "story", "alarming"}
"""What the scoring of labelled incidents reads."""
MUST_KEYS = {"fault", "device", "entries", "pirqs", "domids", "domids_may"}
PLAIN = Choices(story="reboot-clean", view=("full",), level="debug", truncate="none", lose=0.0)


def test_the_keys_of_a_label(tmp_path: Path) -> None:
    for nth in range(20):
        incident = make(3, nth)
        incident.save(tmp_path / incident.name)
        expected = json.loads((tmp_path / incident.name / "expected.json").read_text())
        assert expected.keys() >= KEYS
        assert all(must.keys() >= MUST_KEYS for must in expected["must"])
        may = {(fault, device) for fault, device in expected["may"]}
        assert {(must["fault"], must["device"]) for must in expected["must"]} <= may
        assert not {tuple(each) for each in expected["alike"]} & may


def test_faults_are_called_as_the_rules_call_them() -> None:
    named = {rule.fault for rule in rules_for(Options()) if rule.fault}
    assert set(known_faults()) == named


def test_the_lines_that_show_a_fault_are_messages() -> None:
    catalogue = load()
    for fault in known_faults().values():
        if fault.sign:
            assert fault.shows in " ".join(catalogue.forms(fault.sign)[0].split())


@pytest.mark.parametrize("story", STORIES)
def test_what_is_printed_reads_back_as_what_happened(story: str) -> None:
    """Parsing what was printed gives the emulator's effects again, kind for kind and field for
    field."""
    kind = STORIES[story]
    for seed in range(2):
        draft = Draft(random.Random(seed), kind.rows[seed % len(kind.rows)])
        kind.tell(draft)
        scenario = draft.scenario(story)
        steps = play(scenario.row, scenario.acts, strict=True).steps
        records = [record for record in printed(scenario, steps, random.Random(seed))
                   if record.step is not None]
        effects = [effect for step in steps for effect in step.outcome.effects]
        assert draft.traits & {"quiet-xen", "rate-limit"} or len(records) == len(effects)
        for record in records:
            read = load().parse(record.text.removeprefix("(XEN) "))
            assert read is not None, record.text
            possible = [effect for effect in effects if effect.kind == record.kind]
            assert any(_same(read, (effect.kind, effect.fields)) for effect in possible), read


def _same(read: tuple[str, Mapping[str, Any]], meant: tuple[str, Mapping[str, Any]]) -> bool:
    """Whether they are one line: an address may be told in part."""
    return load().print_line(*read) == load().print_line(*meant)


class TestJudge:
    """A right report passes; each thing that can be wrong with it is told."""

    def report(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        incident = make(2, 0, PLAIN)
        checked = check(incident)
        assert checked.result == "right", checked.differences
        return incident.texts, incident.expected, json.loads(json.dumps(checked.report))

    def test_a_missed_fault(self) -> None:
        texts, expected, report = self.report()
        gone = report["findings"].pop()
        assert f"missed: {gone['fault']} {gone['device']}" in judge(texts, expected, report)

    def test_a_false_accusation(self) -> None:
        texts, expected, report = self.report()
        report["findings"][0]["device"] = "0000:7f:10.0"
        told = judge(texts, expected, report)
        assert f"false: {report['findings'][0]['fault']} 0000:7f:10.0 certain" in told

    def test_what_looks_alike_may_be_likely_but_not_certain(self) -> None:
        texts, expected, report = self.report()
        report["findings"][0]["device"] = "0000:7f:10.0"
        expected["alike"] = [[report["findings"][0]["fault"], "0000:7f:10.0"]]
        assert "false" in {each.partition(":")[0] for each in judge(texts, expected, report)}
        report["findings"][0]["confidence"] = "likely"
        assert "false" not in {each.partition(":")[0] for each in judge(texts, expected, report)}

    @pytest.mark.parametrize(("column", "key", "value"), [
        ("verdict", "verdict", "healthy"), ("whatif", "whatif", []), ("endings", "assignments", []),
    ])
    def test_another_part(self, column: str, key: str, value: object) -> None:
        texts, expected, report = self.report()
        told = judge(texts, expected, {**report, key: value})
        assert column in {each.partition(":")[0] for each in told}

    def test_evidence_that_is_not_there(self) -> None:
        texts, expected, report = self.report()
        for finding in report["findings"]:
            finding["witness"]["lines"] = finding["witness"]["lines"][:0]
        told = {each.partition(":")[0] for each in judge(texts, expected, report)}
        assert {"evidence", "uncited"} <= told
