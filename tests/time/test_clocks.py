"""How far the clocks of logs are apart, from what both tell: made logs, and recorded ones."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from diagnose.anchors import Pair
from diagnose.clocks import Told, _marzullo, clocks
from diagnose.events import Event
from diagnose.parse import parse
from diagnose.pipeline import diagnose
from diagnose.reader import from_bytes
from diagnose.times import Clocked
from diagnose.weave import ordered

XENLAB = Path(__file__).parents[3] / "shared" / "xenlab"
RECORDED = sorted(XENLAB.glob("*/case.yaml"))
WIDEST, OFF = 2.0, 0.6
"""Seconds: of an interval of Xen's clock, and by how much it may miss what was measured."""

DOM0 = """\
[    0.000000] Linux version 6.1.0-50-amd64 (debian@debian) (gcc-12) #1 SMP
[   15.788854] pci 0000:01:10.0: [8086:10ca] type 00 class 0x020000
[   15.812281] pci 0000:01:10.2: [8086:10ca] type 00 class 0x020000
"""


def measured(**files: str) -> dict[tuple[str, str, int], tuple[float, float]]:
    """The interval of each clock by input, speaker and boot."""
    inputs = [from_bytes(name, text.encode()) for name, text in files.items()]
    reports = clocks(ordered(parse(inputs))).reports
    return {(clock.input, clock.speaker, clock.boot): clock.offset_s for clock in reports}


def xen_at(*times: float) -> str:
    return "".join(f"(XEN) [{time:12.6f}] PCI add virtual function 0000:01:10.{2 * nth}\n"
                   for nth, time in enumerate(times))


def test_two_logs_of_one_boot() -> None:
    low, high = measured(dom0=DOM0, xen=xen_at(19.741, 19.765))["xen", "xen", 0]
    assert low <= 3.953 <= high
    assert high - low < WIDEST


def test_a_line_of_another_moment_is_outvoted() -> None:
    dom0 = DOM0 + "[   15.900000] pci 0000:01:10.4: [8086:10ca] type 00 class 0x020000\n"
    low, high = measured(dom0=dom0, xen=xen_at(19.741, 19.765, 500.0))["xen", "xen", 0]
    assert low <= 3.953 <= high


def test_two_moments_with_one_line_each_tell_nothing() -> None:
    assert measured(dom0=DOM0, xen=xen_at(19.741, 500.0)) == {}


def test_the_speakers_of_one_console_have_clocks_of_their_own() -> None:
    console = DOM0 + xen_at(19.741, 19.765)
    assert list(measured(console=console)) == [("console", "xen", 0)]


def test_a_log_without_stamps_has_no_clock() -> None:
    bare = "(XEN) PCI add virtual function 0000:01:10.0\n"
    assert measured(dom0=DOM0, xen=bare) == {}


@given(shift=st.floats(-1e6, 1e6))
def test_a_shifted_clock_is_as_far_apart(shift: float) -> None:
    base = 2e6
    at_rest = measured(dom0=DOM0, xen=xen_at(base, base + 0.0234))["xen", "xen", 0]
    shifted = measured(dom0=DOM0, xen=xen_at(base + shift, base + shift + 0.0234))["xen", "xen", 0]
    assert [end - shift for end in shifted] == pytest.approx(at_rest, abs=0.01)


def pair() -> Pair:
    event: Event = parse([from_bytes("x", DOM0.encode())]).events[0]
    line = Clocked(event, 0, 0.0)
    return Pair(line, Clocked(event, 0, 0.0), (0.0, 0.0))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), min_size=1, max_size=8))
def test_the_majority_is_that_of_a_count_at_every_point(spans: Sequence[tuple[int, int]]) -> None:
    told = [Told(pair(), low, low + length) for low, length in spans]
    counts = {point: sum(each.low <= point <= each.high for each in told)
              for half in range(90) for point in [half / 2]}
    most = max(counts.values())
    found = _marzullo(told)
    if found is not None:
        assert len(found.pairs) == most
        assert all(counts[point] == most for point in counts if found.low <= point <= found.high)
        assert all(found.low <= point <= found.high for point, n in counts.items() if n == most)


def at_hand(name: str) -> Path:
    """The folder of a recording."""
    folder = XENLAB / name
    if not folder.is_dir():
        pytest.skip("the recordings are not at hand")
    return folder


NAMES = [path.parent.name for path in RECORDED] or ["none"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("names", [
    ("dom0.log", "xen.log"), ("serial.log",), ("dom0.log", "xenconsoled-hypervisor.log"),
], ids=" ".join)
def test_xens_clock_on_real_hosts(name: str, names: tuple[str, ...]) -> None:
    folder = at_hand(name)
    true = yaml.safe_load((folder / "case.yaml").read_text())["clocks"]["xen_minus_dom0_s"]
    report = diagnose([folder / each for each in names])
    found = [clock.offset_s for clock in report.clocks if clock.speaker == "xen"]
    assert len(found) == 1
    low, high = found[0]
    assert high - low <= WIDEST
    assert low <= true["max"] + OFF
    assert high >= true["min"] - OFF


@pytest.mark.parametrize("name", NAMES)
def test_a_real_host_of_today_is_neither_accused_nor_acquitted(name: str) -> None:
    folder = at_hand(name)
    logs = sorted(each for each in folder.glob("*.log")
                  if each.name != "steps.log" and "-up." not in each.name)
    truth = yaml.safe_load((folder / "case.yaml").read_text())
    report = diagnose(logs)
    assert (report.verdict, report.findings, report.suspicions) == ("inconclusive", (), ())
    assert report.kernel.row is None
    assert report.kernel.parts.xen is not None
    given = {assignment.domid for assignment in report.assignments}
    assert given == set(truth["domain_ids_with_pci_in_order"])
    done = (folder / "steps.log").read_text()
    assert all(assignment.device in done for assignment in report.assignments)
    speakers = {Path(source.path).name: source.speakers for source in report.inputs}
    assert speakers["dom0.log"] == ("dom0",)
    assert speakers["xen.log"] == ("xen",)
    assert all(said == ("guest",) for name, said in speakers.items()
               if name.startswith("guest-") and said)
