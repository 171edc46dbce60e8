"""State files joined with logs: they name, they stand in, they contradict; they never accuse."""
from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from diagnose.casefile import read_case
from diagnose.diagnosis import Diagnosis
from diagnose.pipeline import diagnose
from diagnose.reader import from_bytes
from diagnose.timeline import assemble
from tests.state.test_files import EL5, read

CORPUS = Path(__file__).parents[2] / "corpus"
HEALTHY, NAMELESS = "clean-reboot-283", "rhbz688673-c45-destroy-alone"
LIST = "Name  ID Mem(MiB) VCPUs State   Time(s)\nDomain-0 0 1024 4 r-----    266.2\n"
UNAME = "Linux xen1 2.6.18-308.el5xen #1 SMP Fri Jan 27 17:21:15 EST 2012 x86_64 GNU/Linux\n"
LSPCI = "00:00.0 Host bridge: Intel\n01:10.0 Ethernet controller: Intel 82576 Virtual Function\n"


@cache
def logs(slug: str) -> dict[str, str]:
    return dict(read_case(CORPUS / f"{slug}.case").logs)


def told(slug: str, without: str = "\0", **state: str) -> Diagnosis:
    """The diagnosis of a case's logs, less lines with a word, and of state files beside them."""
    kept = {name: "".join(line for line in text.splitlines(keepends=True) if without not in line)
            for name, text in logs(slug).items()}
    return diagnose([from_bytes(name, text.encode()) for name, text in {**kept, **state}.items()])


def dump(*rows: str) -> str:
    return "".join(f"(XEN) {row}\n" for row in ("==== PCI devices ====", *rows))


def test_inputs_say_what_a_state_file_is() -> None:
    report = told(HEALTHY, uname=UNAME, list=LIST + ALIVE)
    assert {source.path: source.state for source in report.inputs if source.state} == {
        "uname": "uname", "list": "domains"}
    assert (report.verdict, report.remarks) == ("healthy", ())


# --- Addresses -------------------------------------------------------------------------------


NAMING = {
    "lspci": (LSPCI, True),
    "a guest's configuration": ("name = 'g'\npci = [ '01:10.0' ]\n", True),
    "what pciback hides": ("alias eth0 igb\noptions pciback hide=(01:10.0)\n", True),
    "two candidates": (LSPCI + "02:10.0 Ethernet controller: Intel\n", False),
    "another driver's": (LSPCI + "\tKernel driver in use: igbvf\n", False),
    "no candidate": ("00:00.0 Host bridge: Intel\n", False),
}


@pytest.mark.parametrize(("text", "named"), NAMING.values(), ids=NAMING)
def test_a_bare_devfn_is_named_where_one_candidate_is_left(text: str, named: bool) -> None:
    before, after = told(NAMELESS), told(NAMELESS, state=text)
    assert {each.device for each in before.assignments} == {"????:??:10.0"}
    assert {each.device for each in after.assignments} == {
        "0000:01:10.0" if named else "????:??:10.0"}
    assert after.verdict == before.verdict
    assert [f.fault for f in after.findings] == [f.fault for f in before.findings]


# --- Releases --------------------------------------------------------------------------------


def test_a_state_file_stands_in_for_a_banner() -> None:
    bare = told(HEALTHY, without="version")
    assert (bare.kernel.release, bare.kernel.parts.xen) == (None, None)
    report = told(HEALTHY, without="version", uname=UNAME, info=EL5["info"])
    assert report.kernel.release == "2.6.18-308.el5xen"
    assert report.kernel.how == "banner"
    assert report.kernel.parts.xen == "3.1.2-164.el5"


def test_a_banner_wins_and_a_file_that_tells_otherwise_is_a_remark() -> None:
    report = told(HEALTHY, info=EL5["info"])
    assert report.kernel.release == "2.6.18-308.el5xen"
    assert [remark.code for remark in report.remarks] == ["other-release", "other-release"]
    assert report.verdict == "healthy"


def test_a_host_beyond_the_rows_is_told_by_uname_alone() -> None:
    report = told(HEALTHY, without="version", uname="Linux h 6.1.0-50-amd64 #1 SMP Debian\n")
    assert (report.verdict, report.kernel.row) == ("inconclusive", None)


# --- Contradictions --------------------------------------------------------------------------

ENDED, ALIVE = "g1 1 512 1 -b---- 1.0\n", "g1 2 512 1 -b---- 1.0\n"
MSIX = "\tCapabilities: [70] MSI-X: Enable{} Mask- TabSize=3\n"
BOUND = "   Vec 80 IRQ255: type=PCI-MSI         status=00000010 in-flight=0 " \
    "domain-list={}:255(----),"
SHOWN = {
    "a list with the guest that ended": ({"list": LIST + ENDED + ALIVE}, True),
    "a list without the guest that runs": ({"list": LIST}, True),
    "a list of one guest": ({"list": LIST.replace("Domain-0 0", "other 7")}, False),
    "its MSI-X off": ({"lspci": LSPCI + MSIX.format("-")}, True),
    "its MSI-X on": ({"lspci": LSPCI + MSIX.format("+")}, False),
    "two lists that differ": ({"lspci": LSPCI + MSIX.format("-") + LSPCI + MSIX.format("+")},
                              False),
    "no vectors of its device": ({"dump": dump("01:10.0 - dom 0   - MSIs < >")}, True),
    "a dump with its device": ({"dump": dump("01:10.0 - dom 1   - MSIs < 80 >")}, True),
    "a dump with its pirq": ({"dump": dump(BOUND.format(1))}, True),
    "a list with the guest that runs": ({"list": LIST + ALIVE}, False),
    "a list where it is dying": ({"list": LIST + ALIVE + ENDED.replace("-b----", "---s-d")}, False),
    "a dump of the one that runs": ({"dump": dump(BOUND.format(2))}, False),
    "a dump of dom0": ({"dump": dump("01:10.0 - dom 0   - MSIs < 80 88 96 >", BOUND.format(0))},
                       False),
}


@pytest.mark.parametrize(("state", "contradicts"), SHOWN.values(), ids=SHOWN)
def test_what_contradicts_the_end_keeps_a_host_from_being_healthy(
    state: dict[str, str], contradicts: bool,
) -> None:
    report = told(HEALTHY, **state)
    assert report.findings == ()
    assert report.verdict == ("inconclusive" if contradicts else "healthy")
    (name,) = state
    assert all(name in [line.input for line in each.lines] and len(each.lines) == 2
               for each in report.divergences)
    assert bool(report.divergences) == contradicts


def test_a_dump_from_before_the_end_contradicts_nothing() -> None:
    text = logs(HEALTHY)["dom0.log"]
    at = text.index("PCI: 0000:01:10.0: cleaning up MSI-X entry 0")
    early = text[:at] + dump("01:10.0 - dom 1   - MSIs < 80 >") + text[at:]
    assert told(HEALTHY, **{"dom0.log": early}).verdict == "healthy"


def test_a_faulty_host_stays_so_whatever_a_list_shows() -> None:
    before = told("destroy-283")
    after = told("destroy-283", list=LIST + ENDED, lspci=LSPCI + MSIX.format("-"))
    assert [f.id for f in before.findings] == [f.id for f in after.findings]


# --- Names -----------------------------------------------------------------------------------


def test_a_list_names_domains() -> None:
    assert assemble(read(LIST + ALIVE)).names == {2: "g1"}


def test_a_pirq_that_the_story_calls_stale_and_a_dump_shows_bound() -> None:
    """The findings stand on the logs, and the report says what speaks against them."""
    before, after = (told("clean-reboot-el5", **state)
                     for state in ({}, {"dump": dump(BOUND.format(2))}))
    assert "stale-vector" in [f.fault for f in after.findings]
    assert [f.id for f in after.findings] == [f.id for f in before.findings]
    (divergence,) = after.divergences
    assert "pirq 255" in divergence.why
    assert divergence.lines[0].input == "dump"
