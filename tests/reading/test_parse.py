"""From inputs to events: every line counted once, repetitions, the same file twice, storms."""
from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diagnose.errors import InputError
from diagnose.events import Event, Parsed
from diagnose.grammar import load
from diagnose.hearing import NEAR_MISSES_MAX
from diagnose.mend import HELD_LINES_MAX
from diagnose.parse import parse
from diagnose.reader import from_bytes
from diagnose.spoken import REPEATS_MAX
from diagnose.unpack import PACKERS
from emulator.pci import PciAddress

FLAGSHIP = "msix entry 0 for dev 01:10:0 are \t\t\t\t       not freed before acquire again."
SYSLOG = "Jun  1 00:31:27 virthost4 kernel: "


def read(*lines: str) -> Parsed:
    return parse([from_bytes("log", ("\n".join(lines) + "\n").encode())])


def codes(parsed: Parsed) -> list[str]:
    return [remark.code for remark in parsed.remarks]


def test_one_line_from_end_to_end() -> None:
    (event,) = read("noise", SYSLOG + FLAGSHIP).events
    assert (event.kind, event.speaker, event.level) == ("msix_entry_not_freed", "dom0", "warning")
    assert event.fields == {"entry_nr": 0, "device": PciAddress(None, 1, 0x10, 0)}
    assert (event.line.input, event.line.line, event.line.text) == ("log", 2, SYSLOG + FLAGSHIP)
    assert event.stamp.host == "virthost4"
    assert event.proves("effect")


def test_every_line_is_in_one_class() -> None:
    coverage = read(
        FLAGSHIP,                                        # event
        FLAGSHIP[:40],                                   # near miss
        "NET: Registered protocol family 31",            # noise
        "",                                              # a blank line says nothing either
        "who knows",                                     # unknown
        "\1\2\3\4",                                   # unreadable
    ).coverage
    assert (coverage.lines, coverage.events, coverage.near_misses) == (6, 1, 1)
    assert (coverage.known_noise, coverage.unknown, coverage.unreadable) == (2, 1, 1)


LINES = st.one_of(
    st.text(max_size=60),
    st.sampled_from([s for p in load().productions for s in p.samples]),
    st.sampled_from([SYSLOG, "(XEN) ", "<4>", "[    1.000000] "]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(LINES, max_size=3).map("".join), max_size=8), st.binary(max_size=20))
def test_the_classes_always_add_up(lines: list[str], odd: bytes) -> None:
    data = "\n".join(lines).encode(errors="replace") + odd
    # What only looks packed is damaged, and its bytes are those that come of it.
    assume(not data.startswith(tuple(packer.magic for packer in PACKERS)))
    parsed = parse([from_bytes("log", data)])
    coverage = parsed.coverage
    counted = (coverage.events, coverage.near_misses, coverage.known_noise, coverage.unknown,
               coverage.unreadable)
    assert coverage.lines == sum(counted)
    assert coverage.bytes == len(data)
    assert parse([from_bytes("log", data)]) == parsed


# --- Near misses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "column"),
    [
        ("msix entry 0 for dev 0000:01:10.0 are not freed before acquire again.",
         "msix_entry_not_freed", 21),
        ("msix entry 0 for dev 01:10:0 are not fr", "msix_entry_not_freed", 39),
        ("unmap irq FF failed", "unmap_irq_failed", 10),
        ("(XEN) irq.c:934: dom2: pirq ff not mapped", "xen_pirq_not_mapped", 22),
        ("Failed to obtain physical IRQ", "failed_obtain_pirq", 29),
    ],
)
def test_a_near_miss_tells_where_it_broke(text: str, kind: str, column: int) -> None:
    parsed = read(text)
    assert parsed.events == ()
    (near,) = parsed.near_misses
    assert (near.kind, near.column, near.line.line) == (kind, column, 1)


def test_a_storm_of_near_misses_is_counted_and_not_kept() -> None:
    parsed = read(*["unmap irq FF failed"] * 500)
    assert parsed.coverage.near_misses == 500
    assert len(parsed.near_misses) == NEAR_MISSES_MAX


# --- Repetitions -----------------------------------------------------------------------------


def numbered(events: tuple[Event, ...]) -> list[tuple[str, int, int]]:
    return [(event.kind, event.line.line, event.nth) for event in events]


@pytest.mark.parametrize("notice", [
    "Jun  1 00:31:28 virthost4 kernel: last message repeated 2 times",
    "Jun  1 00:31:28 virthost4 last message repeated 2 times",
])
def test_a_notice_repeats_the_hosts_last_line(notice: str) -> None:
    parsed = read(SYSLOG + "unmap irq ff failed", notice, SYSLOG + "map irq failed")
    assert numbered(parsed.events) == [
        ("unmap_irq_failed", 1, 0),
        ("unmap_irq_failed", 2, 1),
        ("unmap_irq_failed", 2, 2),
        ("map_irq_failed", 3, 0),
    ]
    assert parsed.events[1].line.text == notice
    assert parsed.events[1].fields == {"pirq": 255}
    assert parsed.events[1].stamp.time == (parsed.events[0].stamp.time or 0) + 1
    assert (parsed.coverage.lines, parsed.coverage.events) == (3, 3)


def test_a_notice_after_noise_repeats_noise() -> None:
    parsed = read(SYSLOG + "map irq failed", SYSLOG + "usb 2-1: new device",
                  SYSLOG + "last message repeated 3 times")
    assert numbered(parsed.events) == [("map_irq_failed", 1, 0)]


def test_a_notice_is_of_its_own_host() -> None:
    other = SYSLOG.replace("virthost4", "virthost5")
    parsed = read(SYSLOG + "map irq failed", other + "no owner",
                  SYSLOG + "last message repeated 1 times")
    assert [event.kind for event in parsed.events] == [
        "map_irq_failed", "pciback_no_owner", "map_irq_failed"]
    assert parsed.sources[0].hosts == ("virthost4", "virthost5")


def test_a_notice_of_a_storm_is_cut_and_told() -> None:
    parsed = read(SYSLOG + "map irq failed", SYSLOG + "last message repeated 4000000000 times")
    assert len(parsed.events) == REPEATS_MAX + 1
    assert codes(parsed) == ["repeats-limit"]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("between", range(HELD_LINES_MAX + 2))
def test_what_reads_as_a_message_may_be_the_beginning_of_one(between: int, again: bool) -> None:
    """Also where it was read before; so many records of another writer have broken into it."""
    begin, others = f"{SYSLOG}xen-pciback pci-1-0: fe state", [f"{SYSLOG}bnx2: eth3: using MSI"]
    heard = [begin, *others * (HELD_LINES_MAX + 1)] if again else []
    parsed = read(*heard, begin, *others * between, "changed 1")
    whole = between < HELD_LINES_MAX
    assert [event.kind for event in parsed.events] == ["xen_pciback_trace"] * again + [
        "xen_pciback_front_state" if whole else "xen_pciback_trace"]
    assert parsed.coverage.unknown == (not whole)


@pytest.mark.parametrize("before", [
    [], [f"{SYSLOG}pciback pci-1-0: 22 Error reading backend state"],
    ["usb 2-1: new low speed USB dev"], ["usb 2-1: new low speed USB dev"] * 9])
def test_another_record_in_the_middle_of_noise_is_read(before: list[str]) -> None:
    """Whatever stands before, and whether the noise was read before or not."""
    line = "usb 2-1: new low speed USB dev(XEN) d5: MSI pirq 57 not mapped"
    event = read(*before, line).events[-1]
    assert (event.kind, event.speaker) == ("xen_msi_not_mapped", "xen")
    assert read(*before, line, line).events[-1].line.line == len(before) + 2


def test_gaps_are_told() -> None:
    parsed = read("(XEN) printk: 7 messages suppressed.", "** 12 printk messages dropped ** x")
    assert [(event.speaker, event.proves("gap")) for event in parsed.events] == [
        ("xen", True), ("dom0", True)]


# --- Inputs ----------------------------------------------------------------------------------


def test_the_same_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "dom0.log"
    path.write_text(FLAGSHIP + "\n")
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "copy.gz").write_bytes(gzip.compress(path.read_bytes()))
    parsed = parse([str(path), str(path), str(tmp_path / "link"), str(tmp_path / "copy.gz")])
    assert len(parsed.sources) == len(parsed.events) == 1
    assert codes(parsed) == ["read-twice"] * 3
    for remark in parsed.remarks:
        assert remark.text.startswith("It is given again as ")


def test_two_empty_files_are_two(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"")
    parsed = parse([str(tmp_path / "a"), str(tmp_path / "b")])
    assert (len(parsed.sources), parsed.coverage.lines, codes(parsed)) == (2, 0, [])


def test_a_missing_file_among_others_is_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "dom0.log"
    path.write_text(FLAGSHIP + "\n")
    parsed = parse([str(tmp_path / "missing"), str(path)])
    assert len(parsed.events) == 1
    assert codes(parsed) == ["unreadable-input"]
    assert parsed.remarks[0].text.startswith("It cannot be read (")


def test_nothing_that_can_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing"):
        parse([str(tmp_path / "missing")])
    assert parse([]).sources == ()


def test_plain_and_packed_are_the_same(tmp_path: Path) -> None:
    data = (SYSLOG + FLAGSHIP + "\nwho knows\n").encode()
    plain = parse([from_bytes("log", data)])
    packed = parse([from_bytes("log", gzip.compress(data))])
    assert packed.events == plain.events
    assert packed.coverage == plain.coverage
    assert packed.sources[0].sha256 == plain.sources[0].sha256


def test_floors_are_the_least_levels_shown() -> None:
    assert read("PCI: Enabling device 0000:01:10.0 (0000 -> 0002)", FLAGSHIP).sources[0].floors == {
        "dom0": "default"}
    assert read(FLAGSHIP, "get owner for dev 80 get 1 ").sources[0].floors == {"dom0": "info"}
    assert read("<7>who knows", FLAGSHIP).sources[0].floors == {"dom0": "debug"}
    assert read("(XEN) PCI add device 01:10.0", FLAGSHIP).sources[0].floors == {
        "dom0": "warning", "xen": "debug"}


def test_a_priority_is_the_lines_own_level() -> None:
    (event,) = read("<6>" + FLAGSHIP).events
    assert event.level == "info"


def test_guests_that_print_the_same_are_no_copies() -> None:
    """Without stamps two boots of one guest look alike; a copy of dom0's log does too."""
    guest = b"pcifront pci-0: Installing PCI frontend\nFailed to obtain physical IRQ 255\n"
    dom0 = b"get owner for dev 80 get 2 \nunmap irq ff failed\n"
    parsed = parse([from_bytes("g1", guest), from_bytes("g2", guest),
                    from_bytes("messages", dom0), from_bytes("messages.bak", dom0)])
    assert [source.name for source in parsed.sources] == ["g1", "g2", "messages"]
    assert codes(parsed) == ["read-twice"]
