"""The result values: their JSON, their identity, and the schema that is published for them."""

from __future__ import annotations

import json
from collections.abc import Callable

import jsonschema
import pytest
from msgspec.structs import replace

from diagnose.diagnosis import SCHEMA, Diagnosis, encode, finding_id
from diagnose.render import render
from diagnose.render.paper import Style
from diagnose.schema import FILE, TRIAGE_FILE, published, report_schema, triage_schema
from tests.face.sample import CAUSE, FAULT, HEALTHY, OTHER, SAMPLES, STATE
from tests.face.snapshot import FOLDER, UPDATE

TOP = (
    "schema tool inputs verdict kernel findings harmless suspicions divergences assignments story "
    "whatif recommendation exposure clocks missing left_out remarks coverage signature"
).split()
FINDING = (
    "id rule fault title severity confidence device candidates domids entries pirqs occurrences "
    "message proof witness follows fixes rival"
).split()


def test_the_report_has_the_keys_of_the_contract_in_its_order() -> None:
    report = json.loads(render(FAULT, "json", Style()))
    assert list(report) == TOP
    assert report["schema"] == SCHEMA
    assert list(report["findings"][0])[: len(FINDING)] == FINDING
    assert set(report["findings"][0]["witness"]) == {"lines", "steps", "total"}
    first = report["assignments"][0]
    assert first["from"] == {"input": "dom0.log", "line": 18, "text": first["from"]["text"]}
    assert first["to"]["line"] == 33
    assert report["clocks"][0]["offset_s"] == [236.1, 239.8]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_published_schema_accepts_the_report(name: str) -> None:
    report = json.loads(render(SAMPLES[name], "json", Style()))
    jsonschema.Draft202012Validator(published()).validate(report)


@pytest.mark.parametrize(("file", "derived"), [
    (FILE, report_schema), (TRIAGE_FILE, triage_schema)], ids=["report", "triage"])
def test_the_published_schema_is_what_the_classes_say(
    file: str, derived: Callable[[], dict[str, object]]
) -> None:
    path = FOLDER.parents[2] / "diagnose" / file
    if UPDATE:
        path.write_text(json.dumps(derived(), indent=2) + "\n", encoding="utf-8")
    assert published(file) == derived(), "make update writes the schema anew"


@pytest.mark.parametrize("key", ["verdict", "findings", "signature", "coverage"])
def test_the_schema_refuses_a_report_without_a_key(key: str) -> None:
    report = FAULT.to_json()
    del report[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(json.dumps(report)), published())


def test_the_schema_refuses_words_outside_the_vocabulary() -> None:
    report = json.loads(render(FAULT, "json", Style()))
    report["verdict"] = "maybe"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, published())


def test_json_is_printable_ascii_whatever_the_log_holds() -> None:
    evil = "\x1b[2J \x7f \x9b \u202e \udcff"
    line = replace(CAUSE.witness.lines[0], text=evil)
    finding = replace(CAUSE, witness=replace(CAUSE.witness, lines=(line,)))
    shown = render(replace(FAULT, findings=(finding,)), "json", Style())
    assert shown.isascii()
    assert shown.replace("\n", "").isprintable()
    assert json.loads(shown)["findings"][0]["witness"]["lines"][0]["text"] == evil


def test_an_unknown_value_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="set"):
        encode({"entries": {1, 2}})


def test_the_identity_of_a_finding_is_fault_device_and_boot() -> None:
    one = finding_id("stale-vector", "0000:01:10.0", 0)
    assert one == finding_id("stale-vector", "0000:01:10.0", 0)
    assert len(one) == 12
    assert int(one, 16) >= 0
    others = {
        finding_id("missing-prune", "0000:01:10.0", 0),
        finding_id("stale-vector", "0000:01:10.1", 0),
        finding_id("stale-vector", "0000:01:10.0", 1),
    }
    assert one not in others
    assert len(others) == 3


def moved(diagnosis: Diagnosis, device: str, domid: int) -> Diagnosis:
    """The same findings on another device and with all domids shifted."""
    findings = tuple(
        replace(f, device=device, domids=tuple(d + domid for d in f.domids), id=f"{n}")
        for n, f in enumerate(diagnosis.findings)
    )
    return replace(diagnosis, findings=findings)


def test_the_signature_survives_renumbering() -> None:
    assert moved(FAULT, "0000:7f:10.0", 40).signature == FAULT.signature
    renamed = tuple(replace(i, path=f"other-{i.path}") for i in FAULT.inputs)
    assert replace(FAULT, inputs=renamed).signature == FAULT.signature


def test_the_signature_does_not_depend_on_which_device_comes_first() -> None:
    second = replace(STATE, device=OTHER, entries=(0,))
    forth = replace(FAULT, findings=(CAUSE, second))
    back = replace(FAULT, findings=(second, CAUSE))
    assert forth.signature == back.signature


def test_the_signature_tells_different_incidents_apart() -> None:
    variants = [
        FAULT,
        HEALTHY,
        replace(FAULT, findings=FAULT.findings[:2]),
        replace(FAULT, findings=(replace(CAUSE, confidence="likely"), *FAULT.findings[1:])),
        replace(FAULT, findings=(replace(CAUSE, entries=(0,)), *FAULT.findings[1:])),
        replace(FAULT, findings=(replace(CAUSE, device=OTHER), *FAULT.findings[1:])),
    ]
    assert len({one.signature for one in variants}) == len(variants)
