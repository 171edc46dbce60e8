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
UNAME = "Linux virthost4 2.6.18-308.el5xen #1 SMP Fri Jan 27 17:21:15 EST 2012 x86_64 GNU/Linux\n"
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


# --- Boot parameters -------------------------------------------------------------------------

PV = "xen_major              : 3\nxen_commandline        : {}\n"


def harmless(report: Diagnosis) -> list[tuple[str, str]]:
    return [(each.rule, line.input) for each in report.harmless for line in each.witness.lines]


def test_xm_info_stands_in_for_xen_s_boot_line() -> None:
    """As the line itself would: the same rule speaks, and cites the file. A boot line wins."""
    slug = "iommu-pv-el5"
    assert harmless(told(slug)) == [("MSIX113", "xen.log")]
    assert harmless(told(slug, without="Command line")) == []
    info = PV.format("iommu=pv")
    assert harmless(told(slug, without="Command line", info=info)) == [("MSIX113", "info")]
    assert harmless(told(slug, info=info)) == [("MSIX113", "xen.log")]


@pytest.mark.parametrize(("words", "muted"), [
    ("loglvl=all guest_loglvl=none", True), ("guest_loglvl=error", True),
    ("guest_loglvl=none/warning", False), ("loglvl=none", False), ("guest_loglvl=all", False)])
def test_what_xen_keeps_from_its_log_may_be_unseen(words: str, muted: bool) -> None:
    """Its warning about a pirq that is not mapped, which the replay else waits for."""
    assert assemble(read(PV.format(words))).muted == muted
    assert assemble(read(f"(XEN) Command line: /xen.gz {words}\n")).muted == muted


# --- Installed kernels -----------------------------------------------------------------------

ONE = "setup-2.5.58-7.el5\nkernel-xen-2.6.18-308.el5\nkernel-xen-devel-2.6.18-164.el5\n"
INSTALLED = {
    "one, and nothing else": ({"rpms": ONE}, "version", "2.6.18-308.el5xen", ["installed-release"]),
    "with its architecture": ({"rpms": ONE.replace("308.el5\n", "308.el5.x86_64\n")},
                              "version", "2.6.18-308.el5xen", ["installed-release"]),
    "several": ({"rpms": ONE + "kernel-xen-2.6.18-164.el5\n"}, "version", None, []),
    "uname beside it": ({"rpms": ONE.replace("308", "164"), "uname": UNAME}, "version",
                        "2.6.18-308.el5xen", []),
    "a banner": ({"rpms": ONE.replace("308", "164")}, "\0", "2.6.18-308.el5xen", []),
}


@pytest.mark.parametrize(("state", "without", "release", "remarks"), INSTALLED.values(),
                         ids=INSTALLED)
def test_the_only_kernel_that_is_installed_stands_in(
    state: dict[str, str], without: str, release: str | None, remarks: list[str],
) -> None:
    report = told(HEALTHY, without=without, **state)
    assert report.kernel.release == release
    assert [each.code for each in report.remarks] == remarks
    assert report.verdict == "healthy"


# --- MSI-X Enable ----------------------------------------------------------------------------


@pytest.mark.parametrize(("slug", "switch", "cited"), [
    ("rhbz688673-c15-reboot-and-rmmod", "+", "unmap irq fd failed"),    # its driver let go
    ("rhbz688673-c15-reboot-and-rmmod", "-", None),
    ("rhbz688673-c8-reload-heals", "-", "get owner for dev 80 get 2 "),     # and was loaded anew
    ("rhbz688673-c8-reload-heals", "+", None),
    ("rhbz688673-c45-destroy-alone", "+", "get owner for dev 80 get c "),   # dom0 let go for it
    ("rhbz688673-c45-destroy-alone", "-", None),
    ("crash-el5", "+", None),
])
def test_what_lspci_shows_of_a_device_that_the_story_knows(
    slug: str, switch: str, cited: str | None,
) -> None:
    before, after = told(slug, lspci=LSPCI), told(slug, lspci=LSPCI + MSIX.format(switch))
    new = [each for each in after.divergences if each not in before.divergences]
    assert [each.lines[1].text for each in new] == ([] if cited is None else [cited])
    assert all(each.lines[0].input == "lspci" for each in new)
    assert [f.id for f in after.findings] == [f.id for f in before.findings]
    assert after.verdict == before.verdict


def test_a_host_that_no_row_describes_has_no_story_to_contradict() -> None:
    modern = "Linux h 6.1.0-50-amd64 #1 SMP Debian\n"
    report = told(HEALTHY, without="version", uname=modern, list=LIST,
                  lspci=LSPCI + MSIX.format("-"))
    assert report.divergences == ()


# --- Several boots ---------------------------------------------------------------------------

ONCE = logs(HEALTHY)["dom0.log"]
DOM1 = dump("01:10.0 - dom 1   - MSIs < 80 >")
SHOWN_AGAIN = {
    # dom1 has ended and dom2 runs in either boot.
    "a list, made as the logs were": ({"list": LIST + ENDED + ALIVE}, True),
    "a list that fits the last boot": ({"list": LIST + ALIVE}, False),
    "a dump of nobody knows which boot": ({"dump": DOM1}, False),
    "a dump at the end": ({"dom0.log": ONCE + ONCE + DOM1}, True),
    "a dump in the first boot": ({"dom0.log": ONCE + DOM1 + ONCE}, False),
}


@pytest.mark.parametrize(("state", "contradicts"), SHOWN_AGAIN.values(), ids=SHOWN_AGAIN)
def test_a_state_is_held_against_the_boot_in_which_it_was_seen(
    state: dict[str, str], contradicts: bool,
) -> None:
    files = {"dom0.log": ONCE + ONCE, **state}
    report = diagnose([from_bytes(name, text.encode()) for name, text in files.items()])
    assert {each.boot for each in report.assignments} == {0, 1}
    assert bool(report.divergences) == contradicts
    assert report.findings == ()


# --- Ends that a tool tells ------------------------------------------------------------------


def test_nobody_is_acquitted_by_a_story_that_lacks_a_told_end() -> None:
    """Without the line of the next start, nothing but xend.log tells that the guest crashed."""
    whole = told("crash-el5")
    assert whole.verdict == "fault"
    assert not [each for each in whole.divergences if "still runs" in each.why]
    own = dict(logs("crash-el5"))
    before, start, after = own["messages"].rpartition("pciback: vpci: 0000:01:10.0: assign")
    assert start
    own["messages"] = before[:before.rindex("\n") + 1] + after.partition("\n")[2]
    report = diagnose([from_bytes(name, text.encode()) for name, text in own.items()])
    assert report.verdict == "inconclusive"
    assert [each.lines[0].input for each in report.divergences
            if "still runs" in each.why] == ["xend.log"]


# --- Other hosts -----------------------------------------------------------------------------


def test_a_state_file_of_another_host_is_left_aside() -> None:
    laptop = "Linux desk.example.com 6.1.0-50-amd64 #1 SMP PREEMPT_DYNAMIC Debian x86_64\n"
    report = told("crash-el5", uname=laptop)
    assert report.verdict == "fault"
    assert [each.code for each in report.remarks if each.code.startswith("other")] == [
        "other-host"]
