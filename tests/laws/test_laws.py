"""The laws that hold for every diagnosis, tried on every case of the corpus.

A law is a sentence about two runs of the same program, or about one report and the lines that it
was made from; none of these tests knows what is wrong in any case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from diagnose import diagnose
from diagnose.casefile import read_case
from diagnose.diagnosis import Diagnosis
from diagnose.events import Line
from diagnose.parse import parse
from diagnose.timeline import assemble
from diagnose.weave import ordered, weave
from diagnose.witness import alarming_events
from tests.thorough import sample

CASES = sorted((Path(__file__).parents[2] / "corpus").glob("*.case"))
Logs = dict[str, str]


def logs_of(path: Path) -> Logs:
    """The logs of a case by name."""
    return dict(read_case(path).logs)


def run(logs: Logs, directory: Path) -> Diagnosis:
    """Diagnose these logs under these names."""
    directory.mkdir(exist_ok=True)
    for name, text in logs.items():
        (directory / name).write_text(text, encoding="utf-8", newline="")
    return diagnose([directory / name for name in logs])


def without_inputs(report: Diagnosis, directory: Path) -> str:
    """The report as JSON, with the names of its inputs relative to their directory."""
    content = report.to_json()
    del content["inputs"]
    return json.dumps(content).replace(f"{directory}/", "")


def cited(report: Diagnosis) -> list[Line]:
    """Every line that the report holds up as evidence of anything."""
    lines = [line for finding in report.findings for line in finding.witness.lines]
    lines += [line for item in report.harmless for line in item.witness.lines]
    lines += [line for suspicion in report.suspicions for line in suspicion.lines]
    return lines + [line for divergence in report.divergences for line in divergence.lines]


def in_lines(change: Callable[[str], str], logs: Logs) -> Logs:
    """The logs with every line changed."""
    return {name: "\n".join(change(line) for line in text.split("\n"))
            for name, text in logs.items()}


def higher_domids(line: str) -> str:
    """The line with 40 added to every domid that it tells, in the radix in which it tells it."""
    line = re.sub(r"(\bget )([0-9a-f]+)( ?)$",
                  lambda m: f"{m[1]}{int(m[2], 16) + 40:x}{m[3]}", line)
    for before in (r"\bdom", r"\bDOM", r"\bvif", r"\btap-", r"\bpci-", r"\bvbd-", r"\.c:\d+:d",
                   r"\bid=", r"domid=", r"^\(d"):
        line = re.sub(rf"({before})([1-9]\d*)", lambda m: f"{m[1]}{int(m[2]) + 40}", line)
    return line


def other_buses(line: str) -> str:
    """The line with every bus moved; slot and function stay."""
    def moved(match: re.Match[str]) -> str:
        return f"{match[1]}{int(match[2], 16) ^ 0x20:02x}{match[3]}"
    return re.sub(r"(\b(?:0000:)?)([0-9a-f]{2})(:1[0-9a-f][.:][0-7]\b)", moved, line)


def other_host(line: str) -> str:
    """The line as another host of another name would have written it."""
    return re.sub(r"^(\w{3} +\d+ [\d:]+ )(\S+ )", r"\1else\2", line)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_same_input_gives_the_same_report(path: Path, tmp_path: Path) -> None:
    logs = logs_of(path)
    first, second = tmp_path / "a", tmp_path / "b"
    assert without_inputs(run(logs, first), first) == without_inputs(run(logs, second), second)


@pytest.mark.parametrize("change", [higher_domids, other_buses, other_host],
                         ids=lambda change: change.__name__)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_renumbering_changes_no_verdict(
    path: Path, change: Callable[[str], str], tmp_path: Path
) -> None:
    logs = logs_of(path)
    as_it_was = run(logs, tmp_path / "a")
    renumbered = run(in_lines(change, logs), tmp_path / "b")
    assert (renumbered.verdict, renumbered.signature) == (as_it_was.verdict, as_it_was.signature)


def test_a_renumbering_renumbers() -> None:
    assert higher_domids("get owner for dev 80 get c ") == "get owner for dev 80 get 34 "
    assert higher_domids("(XEN) irq.c:934: dom2: pirq 255 not mapped") == \
        "(XEN) irq.c:934: dom42: pirq 255 not mapped"
    assert other_buses("msix entry 0 for dev 01:10:0 are") == "msix entry 0 for dev 21:10:0 are"
    assert other_host("Jun  1 00:31:27 virthost4 kernel: x") == \
        "Jun  1 00:31:27 elsevirthost4 kernel: x"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_line_that_is_cited_stands_there(path: Path, tmp_path: Path) -> None:
    logs = logs_of(path)
    report = run(logs, tmp_path)
    for line in cited(report):
        assert logs[Path(line.input).name].split("\n")[line.line - 1] == line.text
    assert all(finding.witness.lines for finding in report.findings)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_alarming_line_is_accounted_for(path: Path, tmp_path: Path) -> None:
    report = run(logs_of(path), tmp_path)
    told = set(cited(report))
    timeline = assemble(weave(ordered(parse([str(tmp_path / name) for name in logs_of(path)]))))
    assert [e.line for _, e in alarming_events(timeline) if e.line not in told] == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_line_is_counted_once(path: Path, tmp_path: Path) -> None:
    coverage = run(logs_of(path), tmp_path).coverage
    assert coverage.lines == (coverage.events + coverage.near_misses + coverage.known_noise
                              + coverage.unknown + coverage.unreadable)


def test_an_empty_log_is_inconclusive_not_healthy(tmp_path: Path) -> None:
    assert run({"dom0.log": ""}, tmp_path).verdict == "inconclusive"


HEALTHY = [path for path in CASES if read_case(path).verdict == "healthy"]


def spine_of(logs: Logs) -> tuple[str, list[str]]:
    """The log that holds dom0's lines, and these."""
    name = next(each for each in ("dom0.log", *logs) if each in logs)
    return name, logs[name].split("\n")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_lines_that_prove_nothing_part_nothing(path: Path, tmp_path: Path) -> None:
    """Many lines of a trace may stand between two that belong together."""
    logs = logs_of(path)
    name, lines = spine_of(logs)
    trace = ["blkback: ring-ref 8, event-channel 9, protocol 1 (x86_64-abi)"] * 30
    parted = [each for line in lines
              for each in (*(trace if "get owner" in line or "Enabling" in line else ()), line)]
    as_it_was = run(logs, tmp_path / "a")
    traced = run({**logs, name: "\n".join(parted)}, tmp_path / "b")
    assert (traced.verdict, traced.signature) == (as_it_was.verdict, as_it_was.signature)


@pytest.mark.parametrize("path", sample(HEALTHY, 2), ids=lambda path: path.stem)
def test_a_log_cut_at_its_head_accuses_nobody_new(path: Path, tmp_path: Path) -> None:
    """Whatever the first lines of a healthy host are, what is left of them is no fault."""
    logs = logs_of(path)
    name, lines = spine_of(logs)
    for nth, cut in enumerate(range(5, len(lines) - 5, max(len(lines) // 6, 1))):
        report = run({**logs, name: "\n".join(lines[cut:])}, tmp_path / str(nth))
        assert report.verdict != "fault", (cut, [(f.fault, f.device) for f in report.findings])


NOTICES = {"silent": [], "xen": ["(XEN) printk: 4 messages suppressed."],
           "dom0": ["printk: 4 messages suppressed."],
           "console": ["** 4 printk messages dropped **"]}


@pytest.mark.parametrize(("path", "notice"), sample(
    [pytest.param(path, notice, id=f"{path.stem}-{who}")
     for path in HEALTHY for who, notice in NOTICES.items()], 7, 1))
def test_a_hole_in_a_log_accuses_nobody(path: Path, notice: list[str], tmp_path: Path) -> None:
    """Lost lines make a host's story unclear, not guilty, whether somebody tells of them or not."""
    logs = logs_of(path)
    name, lines = spine_of(logs)
    for nth, hole in enumerate(range(3, len(lines) - 8, max(len(lines) // 7, 1))):
        report = run({**logs, name: "\n".join([*lines[:hole], *notice, *lines[hole + 4:]])},
                     tmp_path / str(nth))
        assert report.verdict != "fault", (hole, [(f.fault, f.device) for f in report.findings])


def test_what_pciback_lets_go_had_perhaps_no_owner(tmp_path: Path) -> None:
    """A device that is first told of as it is released need not have had an owner at all."""
    logs = logs_of(next(path for path in CASES if path.stem == "way-not-seized-el5"))
    name, lines = spine_of(logs)
    released = next(nth for nth, line in enumerate(lines) if "PCI remove device" in line)
    report = run({**logs, name: "\n".join(lines[released - 3:])}, tmp_path / "a")
    assert {each.fault for each in report.findings} == {"device-busy"}


GIVING_UP = [
    "pcifront pci-0: pciback not responding!!!",
    "enable msix get err ffffffff",
    "get ffffffff from pci_frontend_enable_msix",
]


@pytest.mark.parametrize("said", [GIVING_UP[:1], GIVING_UP], ids=["one line", "the whole of it"])
@pytest.mark.parametrize("path", sample(CASES, 4), ids=lambda path: path.stem)
def test_a_strangers_log_accuses_nobody_new(path: Path, said: list[str], tmp_path: Path) -> None:
    """Some guest that waited in vain for some device makes no device guilty."""
    logs = logs_of(path)
    alone = run(logs, tmp_path / "a")
    beside = run({**logs, "stranger.log": "\n".join([*said, ""])}, tmp_path / "b")
    faults = {(each.fault, each.device) for each in alone.findings}
    assert {(each.fault, each.device) for each in beside.findings} <= faults


@pytest.mark.parametrize(
    ("lost", "excuses"),
    [((), {"MSIX102", "MSIX116"}), (("enable msix get err", "get ffffffff"), set())],
    ids=["the whole of it", "one line"],
)
def test_a_guest_gives_up_waiting_for_vectors_in_more_than_one_line(
    lost: tuple[str, ...], excuses: set[str], tmp_path: Path
) -> None:
    """pcifront complains of any operation in the same words; that line alone excuses nothing."""
    logs = logs_of(next(path for path in CASES if path.stem == "answered-late-el5"))
    said = logs["guest1.log"].splitlines(keepends=True)
    logs["guest1.log"] = "".join(line for line in said if not (lost and line.startswith(lost)))
    assert {each.rule for each in run(logs, tmp_path / "a").harmless} == excuses
