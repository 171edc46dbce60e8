"""What a label promises: its keys, where its truth comes from, and that the judge knows better."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.grammar import load
from diagnose.options import Options
from diagnose.pipeline import rules_for
from diagnose.synth.check import check
from diagnose.synth.choices import STORIES, Choices
from diagnose.synth.console import printed
from diagnose.synth.draft import Draft
from diagnose.synth.incident import make
from diagnose.synth.judge import judge
from diagnose.synth.stage import faults, known_faults, play
from emulator.life import Act
from emulator.pci import PciAddress

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


def _act(op: str, *told: Any) -> Act:
    """An act of a label's story, as it was told to the machine."""
    rest = list(told)
    fault = tuple(rest.pop()) if rest and _is_cause(rest[-1]) else None
    domid = rest.pop(0) if rest and isinstance(rest[0], int) else None
    if op == "domain_start":
        kind, devices = rest
        return Act(op, domid, None, tuple(map(PciAddress.parse, devices)), kind, fault=fault)
    if op == "driver_load":
        device, nvec, mode = rest
        return Act(op, domid, PciAddress.parse(device), nvec=nvec, mode=mode, fault=fault)
    if rest and isinstance(rest[0], list):
        return Act(op, domid, devices=tuple(map(PciAddress.parse, rest[0])), fault=fault)
    return Act(op, domid, PciAddress.parse(rest[0]) if rest else None, fault=fault)


def _is_cause(told: object) -> bool:
    return isinstance(told, list) and len(told) == 3 and isinstance(told[1], int)


@pytest.mark.parametrize("nth", [*range(12), 26, 30, 74])
def test_a_story_that_is_told_again_comes_to_what_the_label_says(nth: int) -> None:
    """Nothing is left out of it, and nothing is in `may` but what happens."""
    expected = json.loads(json.dumps(make(1, nth).expected))
    played = play(expected["kernel"], [_act(*told) for told in expected["story"]], strict=True)
    assert {(fault, str(device)) for fault, device in faults(played.steps)} == {
        (fault, device) for fault, device in expected["may"]}
    assert (played.killed_by is None) == (expected["host_died"] is None)


@pytest.mark.parametrize(("wanted", "other", "known"), [
    ({"fault": "stale-irq"}, {}, True),
    ({"fault": "stale-irq"}, {"view": ("no-guest",)}, False),
    ({"fault": "stale-irq"}, {"level": "warning"}, False),
    ({"story": "stale-plus-fresh", "row": "el5+1070", "fault": "map-failure"}, {}, True),
    ({"story": "stale-plus-fresh", "row": "el5+1070", "fault": "map-failure"},
     {"level": "warning", "view": ("no-guest",)}, False),
    ({"story": "map-failure"}, {}, True),
])
def test_what_a_view_shows_to_nobody_need_not_be_found(
    wanted: Mapping[str, Any], other: Mapping[str, Any], known: bool
) -> None:
    """The same stories: a line that shows a fault is hidden, or names no device."""
    whole = replace(PLAIN, **{"story": None, "interleave": False, **wanted})
    fault = whole.fault or whole.story
    for nth in range(4):
        expected = make(9, nth, replace(whole, **other)).expected
        assert fault in {each for each, _ in expected["may"]}
        assert (fault in {each["fault"] for each in expected["must"]}) == known


@pytest.mark.parametrize("cause", ["attach_nomem", "ioremap_null"])
def test_what_nobody_noticed_may_stay_inconclusive(cause: str) -> None:
    """Whole logs of a healthy host, but in one act dom0 failed and no line says so."""
    incidents = (make(5, nth, replace(PLAIN, story="free")).expected for nth in range(200))
    silent = [each for each in incidents if f"'{cause}'" in str(each["story"])]
    assert silent
    assert all("inconclusive" in each["verdicts"] for each in silent if not each["must"])


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
