"""A text that quotes logs is told from a log, and its passages from each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.casefile import read_case
from diagnose.parse import parse
from diagnose.pipeline import diagnose
from diagnose.quoting import is_prose
from diagnose.reader import Input, from_bytes

CORPUS = Path(__file__).parents[2] / "corpus"

PROSE = [
    "On domu reboot PCI Virtual Function Fails to intialise in domu.",
    "Removing now the igbvf module in the guest, dom0/Xen log:",
    "I attempted a 'modprobe -r igbvf' to reinit the module.",
]
MESSAGES = [
    "Red Hat Enterprise Linux Server release 5.6 (Tikanga)",
    "virthost4 login: root",
    "Real Time Clock Driver v1.12ac",
    "Adding 2096440k swap on /dev/VolGroup00/LogVol01.  Priority:-1 extents:1 across:2096440k",
    "io scheduler cfq registered (default)",
    "peth0: received packet with  own address as source address",
    "martian source 10.0.0.1 from 10.0.0.2, on dev xenbr0",
    "INFO: task blkback.1.xvda:4711 blocked for more than 120 seconds.",
    "Calibrating delay using timer specific routine.. 5335.77 BogoMIPS (lpj=10671559)",
]


@pytest.mark.parametrize("line", PROSE)
def test_sentences(line: str) -> None:
    assert is_prose(line)


@pytest.mark.parametrize("line", MESSAGES)
def test_messages_of_programs_are_no_prose(line: str) -> None:
    assert not is_prose(line)


STALE = "msix entry 0 for dev 01:10:0 are not freed before acquire again.\n"
ASIDE = "Then I rebooted the host and did it with another guest.\n"
HEADING = "And this is from another host of the same lab:\n"
NOTICE = "Access to this host is for members of the team only.\n"


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        (STALE * 3, ()),
        (STALE * 3 + "\n" + "".join(f"{line}\n" for line in MESSAGES) + STALE, ()),
        (PROSE[0] + "\n" + STALE * 3, ((2, 4),)),
        (STALE + ASIDE + STALE, ((1, 1), (3, 3))),
        (STALE * 20 + ASIDE + STALE, ((1, 20), (22, 22))),
        (STALE * 20 + HEADING + STALE, ((1, 20), (22, 22))),
        (ASIDE + STALE * 20 + HEADING, ()),
        (STALE * 5 + NOTICE * 20 + STALE * 5, ()),
    ],
    ids=["a log", "a console with a login", "one passage", "two", "somebody tells what he did",
         "somebody introduces an excerpt", "words before and after a log", "a notice, repeated"],
)
def test_passages(text: str, passages: tuple[tuple[int, int], ...]) -> None:
    (source,) = parse([from_bytes("x", text.encode())]).sources
    assert source.passages == passages


def report() -> tuple[Input, ...]:
    return tuple(read_case(CORPUS / "rhbz688673-whole-report.case").inputs())


def test_the_report_accuses_nobody_and_says_why() -> None:
    diagnosis = diagnose(report())
    assert (diagnosis.verdict, diagnosis.findings, diagnosis.suspicions) == ("inconclusive", (), ())
    assert [remark.code for remark in diagnosis.remarks] == ["quoted-passages"]
    assert diagnosis.missing
    alarming = {event.line for event in parse(report()).events if event.production.alarming}
    assert alarming == {line for each in diagnosis.divergences for line in each.lines}


def test_a_log_beside_the_report_is_judged_by_itself() -> None:
    case = read_case(CORPUS / "destroy-283.case")
    alone = diagnose(case.inputs())
    together = diagnose([*case.inputs(), *report()])
    assert together.findings == alone.findings
    assert together.story == alone.story
