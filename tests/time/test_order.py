"""Lines that stand twice or out of turn, in one file and in two."""
from __future__ import annotations

from collections.abc import Sequence

import pytest

from diagnose.events import Parsed
from diagnose.parse import parse
from diagnose.reader import from_bytes
from diagnose.weave import ordered, weave

BOOT = ("Linux version 2.6.18-274.el5xen (mockbuild@host) (gcc version 4.1.2 20080704) "
        "#1 SMP Fri Jul 8 17:45:44 EDT 2011")


def owner(domid: int) -> str:
    return f"get owner for dev 80 get {domid}"


def printk(*lines: tuple[float, str]) -> list[str]:
    return [f"[{time:12.6f}] {text}" for time, text in lines]


def wall(*lines: tuple[str, str]) -> list[str]:
    return [f"{clock} host kernel: {text}" for clock, text in lines]


def woven(**files: Sequence[str]) -> Parsed:
    inputs = [from_bytes(name, "\n".join([*lines, ""]).encode()) for name, lines in files.items()]
    return weave(ordered(parse(inputs)))


def read(parsed: Parsed) -> list[object]:
    """What the lines say in the order in which they are read: domids, and boots."""
    return [event.fields.get("domid", "boot") for event in parsed.events]


def codes(parsed: Parsed) -> set[str]:
    return {remark.code for remark in parsed.remarks}


PLAIN = printk((0, BOOT), (10, owner(1)), (20, owner(2)), (30, owner(3)), (40, owner(4)))


@pytest.mark.parametrize(
    ("lines", "order", "told"),
    [
        (PLAIN, ["boot", 1, 2, 3, 4], set()),
        (PLAIN[:3] + PLAIN[1:], ["boot", 1, 2, 3, 4], {"doubled"}),
        (PLAIN + PLAIN, ["boot", 1, 2, 3, 4], {"doubled"}),
        (PLAIN[:1] + PLAIN[3:] + PLAIN[1:3], ["boot", 1, 2, 3, 4], {"out-of-order"}),
        (PLAIN + printk((0, BOOT), (5, owner(5))), ["boot", 1, 2, 3, 4, "boot", 5], set()),
        (printk((10, owner(1)), (10, owner(1)), (10, owner(1))), [1, 1, 1], set()),
    ],
    ids=["in order", "a stretch twice", "all twice", "a stretch moved", "a reboot",
         "a line three times"],
)
def test_stamps_of_the_kernel(lines: list[str], order: list[object], told: set[str]) -> None:
    parsed = woven(log=lines)
    assert (read(parsed), codes(parsed)) == (order, told)


@pytest.mark.parametrize(
    ("clocks", "order", "told"),
    [
        (("Jun  1 10:00:00", "Jun  1 10:00:20", "Jun  1 10:00:10"), [1, 3, 2], {"out-of-order"}),
        (("Oct 30 02:58:00", "Oct 30 02:59:30", "Oct 30 02:00:10"), [1, 2, 3], {"clock-set-back"}),
        (("Dec 31 23:59:58", "Dec 31 23:59:59", "Jan  1 00:00:01"), [1, 2, 3], set()),
        (("Jun  1 10:00:00", "Jun  1 10:00:02", "Jun  1 10:00:01"), [1, 2, 3], set()),
    ],
    ids=["a line moved", "winter time", "new year", "a second late"],
)
def test_times_of_day(clocks: Sequence[str], order: list[object], told: set[str]) -> None:
    parsed = woven(log=wall(*((clock, owner(nth)) for nth, clock in enumerate(clocks, 1))))
    assert (read(parsed), codes(parsed)) == (order, told)


def test_a_clock_that_is_set_at_boot_moves_nothing() -> None:
    parsed = woven(log=wall(("Jun  1 17:00:00", BOOT), ("Jun  1 17:00:20", owner(1)),
                            ("Jun  1 12:00:30", owner(2)), ("Jun  1 12:00:50", owner(3))))
    assert (read(parsed), codes(parsed)) == (["boot", 1, 2, 3], {"clock-set-back"})


def test_the_ring_buffer_behind_the_console_is_read_once() -> None:
    console = [*PLAIN, *(f"(XEN) {line}" for line in printk(
        (2, "PCI add device 01:10.0"), (3, "PCI add device 01:10.2")))]
    parsed = woven(serial=[*console, *console[-2:]])
    assert len(parsed.events) == len(console)
    assert codes(parsed) == {"doubled"}


@pytest.mark.parametrize("second", [PLAIN[2:], PLAIN[:4], PLAIN[1:4]],
                         ids=["its end", "its head", "its middle"])
def test_two_files_of_one_boot(second: list[str]) -> None:
    parsed = woven(console=PLAIN, dmesg=second)
    assert (read(parsed), codes(parsed)) == (["boot", 1, 2, 3, 4], {"copies"})


def test_a_file_that_goes_on_where_the_other_ends() -> None:
    parsed = woven(dmesg=PLAIN[2:], console=PLAIN[:4])
    assert read(parsed) == ["boot", 1, 2, 3, 4]


def test_two_boots_are_no_copies() -> None:
    again = printk((0, BOOT), (11, owner(1)), (21, owner(2)))
    parsed = woven(first=PLAIN, second=again)
    assert read(parsed) == ["boot", 1, 2, 3, 4, "boot", 1, 2]
    assert codes(parsed) == set()


def test_without_stamps_a_long_run_is_a_copy() -> None:
    syslog = wall(*((f"Jun  1 10:00:{nth:02}", owner(nth)) for nth in range(1, 9)))
    parsed = woven(messages=syslog, dmesg=[owner(nth) for nth in range(3, 9)])
    assert (read(parsed), codes(parsed)) == ([*range(1, 9)], {"copies"})


LATENCY = "PCI: Setting latency timer of device 0000:01:10.0 to 64"


def test_a_ring_buffer_shows_levels_that_a_syslog_does_not_keep() -> None:
    """What only one of them has stands where it has it."""
    syslog = wall(*((f"Jun  1 10:00:{nth:02}", owner(nth)) for nth in range(1, 9)))
    ring = [*(owner(nth) for nth in range(3, 6)), LATENCY, *(owner(nth) for nth in range(6, 10))]
    parsed = woven(messages=syslog, dmesg=ring)
    assert [event.fields.get("domid", "latency") for event in parsed.events] == \
        [1, 2, 3, 4, 5, "latency", 6, 7, 8, 9]
    assert codes(parsed) == {"copies"}


@pytest.mark.parametrize(("late", "copies"), [
    ([0, 1, 1, 2, 0, 3, 0, 0], True), ([0, 0, 0, 0, 900, 900, 900, 900], False)],
    ids=["a slow syslog", "another pace"])
def test_clocks_of_two_kinds_have_to_keep_pace(late: list[int], copies: bool) -> None:
    syslog = wall(*((f"Jun  1 10:{(10 + nth + by) // 60:02}:{(10 + nth + by) % 60:02}", owner(nth))
                    for nth, by in enumerate(late)))
    ring = printk(*((40.0 + nth, owner(nth)) for nth in range(len(late))))
    parsed = woven(messages=syslog, dmesg=ring)
    assert codes(parsed) == ({"copies"} if copies else set())
    assert len(parsed.events) == (8 if copies else 16)


def test_a_new_year_between_two_files() -> None:
    newer = wall(("Jan  1 00:00:10", owner(3)), ("Jan  1 00:00:20", owner(4)))
    older = wall(("Dec 31 23:59:10", owner(1)), ("Dec 31 23:59:20", owner(2)))
    assert read(woven(messages=newer, rotated=older)) == [1, 2, 3, 4]


def test_boots_that_begin_at_one_stamp_are_no_reprints() -> None:
    """A kernel of el5 starts its clock far from zero, and lets it stand for a while."""
    start = 17_179_569.184
    def boot(domid: int, after: float) -> list[str]:
        return printk((start, BOOT), (start, "Kernel command line: ro"),
                      (start + after, owner(domid)))

    parsed = woven(log=[*boot(1, 61.5), *boot(2, 63.25)])
    assert [event.kind for event in parsed.events] == \
        2 * ["linux_version", "kernel_command_line", "dom0_get_owner"]
    assert codes(parsed) == set()


def test_without_stamps_a_short_run_is_none() -> None:
    syslog = wall(*((f"Jun  1 10:00:{nth:02}", owner(nth)) for nth in range(1, 9)))
    parsed = woven(messages=syslog, dmesg=[owner(7), owner(8)])
    assert len(parsed.events) == 10


def test_boots_in_the_order_of_their_times_of_day() -> None:
    """The newer log before the older one, as `cat messages messages.1` gives it."""
    def boot(hour: int, domid: int) -> list[str]:
        return [f"Jun  1 {hour}:00:0{nth} host kernel: {line}"
                for nth, line in enumerate(printk((0, BOOT), (9.5, owner(domid))))]

    assert read(woven(log=[*boot(15, 2), *boot(12, 1)])) == ["boot", 1, "boot", 2]
    assert read(woven(newer=boot(15, 2), older=boot(12, 1))) == ["boot", 1, "boot", 2]
    assert read(woven(log=[*boot(12, 1), *boot(15, 2)])) == ["boot", 1, "boot", 2]
