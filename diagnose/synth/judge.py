"""Holds a report against the labels of a made-up incident, and tells every difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diagnose.synth.draft import ABRUPT
from diagnose.synth.stage import known_faults

CITING = ("findings", "harmless", "divergences", "suspicions")
ALARMS_MAX = 200
ABRUPT_TOLD = (*ABRUPT, "abrupt")
Report = Mapping[str, Any]


def judge(texts: Mapping[str, str], expected: Report, report: Report) -> list[str]:
    """Every difference, as 'column: what'; empty if the report is right."""
    findings = [each for each in report["findings"] if each.get("fault")]
    full = expected["view"] == ["full"]
    told = [*_faults(expected, findings)]
    if report["verdict"] not in expected["verdicts"]:
        told.append(f"verdict: {report['verdict']}, not {'/'.join(expected['verdicts'])}")
    told += _details(expected, findings, full)
    kernel = report["kernel"]
    if full and expected["must"] and expected["cls"] != "flr-1070" and \
            expected["kernel"] not in (kernel["row"], *kernel["alternatives"]):
        told.append(f"detail: row {kernel['row']}, not {expected['kernel']}")
    told += _evidence(texts, report)
    told += _uncited(texts, expected, report)
    if full and expected["must"]:
        told += _whatif(expected, report, findings)
    if full:
        told += _endings(expected, report)
    return told


def _key(each: Report) -> tuple[str, str]:
    return each["fault"], each["device"]


def happened(expected: Report) -> set[tuple[str, str]]:
    """(fault, device) of everything that a report may accuse of."""
    return {(fault, device) for fault, device in expected["may"]} | {
        _key(each) for each in expected["must"]}


def _faults(expected: Report, findings: Sequence[Report]) -> Iterator[str]:
    keys = [_key(each) for each in findings]
    may = happened(expected)
    alike = {tuple(each) for each in expected.get("alike", ())}
    for must in expected["must"]:
        if _key(must) not in keys:
            yield f"missed: {must['fault']} {must['device']}"
    for key, each in zip(keys, findings):
        guessed = key in alike and each["confidence"] == "likely"
        if key not in may and not guessed:
            yield f"false: {key[0]} {key[1]} {each['confidence']}"
    if expected["cls"] != "host-reboot" and len(keys) != len(set(keys)):
        yield "false: a finding twice"


def _details(expected: Report, findings: Sequence[Report], full: bool) -> Iterator[str]:
    for must in expected["must"]:
        found = [each for each in findings if _key(each) == _key(must)]
        wrong = [_detail(must, each, full) for each in found]
        if wrong and all(wrong):
            yield f"detail: {must['fault']} {must['device']} {wrong[0]}"


def _detail(must: Report, found: Report, full: bool) -> str:
    fault = must["fault"]
    if fault == "stale-vector" and must["entries"] and \
            sorted(found["entries"]) != must["entries"]:
        return f"entries {found['entries']}, not {must['entries']}"
    domids, right = set(found["domids"]), set(must["domids"])
    if full and not right <= domids <= right | set(must["domids_may"]):
        return f"domids {sorted(domids)}, not {must['domids']} (+{must['domids_may']})"
    if full and fault in ("stale-vector", "unmap-failure") and must["pirqs"] and \
            sorted(found["pirqs"]) != must["pirqs"]:
        return f"pirqs {found['pirqs']}, not {must['pirqs']}"
    return ""


def _cited(items: Sequence[Report]) -> Iterator[tuple[str, int, str]]:
    for item in items:
        witness = item.get("witness") or {}
        for line in witness.get("lines") or item.get("lines") or ():
            yield line["input"].rsplit("/", 1)[-1], line["line"], line["text"]


def _fold(text: str) -> str:
    return " ".join(text.replace("#011", " ").replace("^I", " ").split())


def _evidence(texts: Mapping[str, str], report: Report) -> Iterator[str]:
    lines = {name: text.rstrip("\n").split("\n") for name, text in texts.items()}
    for item in (*report["findings"], *report["harmless"]):
        cited = list(_cited([item]))
        name = item.get("fault") or item["rule"]
        if not cited:
            yield f"evidence: {name} cites nothing"
        for place, number, text in cited:
            if not 1 <= number <= len(lines[place]) or \
                    _fold(text) != _fold(lines[place][number - 1]):
                yield f"evidence: {name} cites what is not at {place}:{number}"
        fault = known_faults().get(name)
        there = fault and fault.shows and any(fault.shows in text for text in texts.values())
        if fault and there and not any(fault.shows in text for _, _, text in cited):
            yield f"evidence: {name} without '{fault.shows}'"


def _uncited(texts: Mapping[str, str], expected: Report, report: Report) -> Iterator[str]:
    cited = {(place, number) for part in CITING for place, number, _ in _cited(report[part])}
    alarms = [
        (name, number, text)
        for name, whole in sorted(texts.items())
        for number, text in enumerate(whole.split("\n"), 1)
        if any(each in text for each in expected["alarming"])
    ]
    if len(alarms) <= ALARMS_MAX:
        for name, number, text in alarms:
            if (name, number) not in cited:
                yield f"uncited: {name}:{number} {text.strip()[-60:]}"


def _whatif(expected: Report, report: Report, findings: Sequence[Report]) -> Iterator[str]:
    told = {each["assume"]: each for each in report["whatif"]}
    names = {each["id"]: _key(each) for each in findings}
    must = {_key(each) for each in expected["must"]}
    unclear = {tuple(each) for each in expected["whatif_open"]}
    for row, left in expected["whatif"].items():
        if row == expected["kernel"]:
            continue
        if row not in told:
            yield f"whatif: {row} absent"
            continue
        true = {tuple(each) for each in left}
        leaves = {names.get(each) for each in told[row]["leaves"]}
        removes = {names.get(each) for each in told[row]["removes"]}
        for key in sorted(must & set(names.values())):
            if not known_faults()[key[0]].lasting or (row, *key) in unclear:
                continue
            twice = key in leaves and key in removes    # in two boots of the host
            if (key in leaves) != (key in true) or (key in removes) == (key in leaves) != twice:
                said = "leaves" if key in leaves else "removes" if key in removes else "-"
                yield f"whatif: {row} {said} {key[0]} {key[1]}, which it " + (
                    "leaves" if key in true else "removes")


def _endings(expected: Report, report: Report) -> Iterator[str]:
    ends: dict[int, str] = {}
    for each in report["assignments"]:
        ends.setdefault(each["domid"], each["ended_by"])
    for domid, how in expected["ended"]:
        got = ends.get(domid)
        if (got in ABRUPT_TOLD) != (how in ABRUPT) or how == "clean_shutdown" != got:
            yield f"endings: domain {domid} {got}, not {how}"
