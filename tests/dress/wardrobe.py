"""The envelopes in which logs of Linux kernels and of Xen reach whoever has to read them.

Each dressing turns the messages of one speaker, with their times, into the lines of a file. The
formats are those of the programs that write them; comments name the function or the document.

**Invariant:** a dressing adds stamps, names and lines of its own; of a message nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby, pairwise
from types import MappingProxyType

from tests.dress.streams import XEN, XEN_BANNER, Told

Dressing = Callable[[Sequence[Told]], list[str]]
Line = Callable[[Told], str]

HOST = "virthost4"
BOOT = "5f3c1c2e9a7d4f0b8e6d1a2b3c4d5e6f"
MACHINE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
#: `level_names` of util-linux, sys-utils/dmesg.c.
DMESG_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")


def per_line(form: Line) -> Dressing:
    """A dressing that puts every message into a line of its own."""
    return lambda told: [form(each) for each in told]


# --- printk, as consoles, /proc/kmsg and dmesg show it ---------------------------------------


def bare(told: Told) -> str:
    """A kernel without CONFIG_PRINTK_TIME; `dmesg -t`; `journalctl -o cat`."""
    return told.text


def printk(told: Told) -> str:
    """`print_time()` of kernel/printk/printk.c."""
    return f"[{told.micros:>12}] {told.text}"


def caller(told: Told) -> str:
    """`print_caller()`, CONFIG_PRINTK_CALLER: a thread, or a processor for an interrupt."""
    who = "C0" if len(told.text) % 3 == 0 else f"T{1 + len(told.text) * 37}"
    return f"[{told.micros:>12}][{who:>6}] {told.text}"


def priority(inner: Line, facility: int = 0) -> Line:
    """`print_syslog()`: the level, and whose message it is, eightfold."""
    return lambda told: f"<{8 * facility + told.level}>{inner(told)}"


def ctime(told: Told) -> str:
    """`dmesg -T`: asctime(3)."""
    return f"[{told.wall:%a %b} {told.wall.day:2} {told.wall:%H:%M:%S %Y}] {told.text}"


def dmesg_iso(told: Told) -> str:
    """`dmesg --time-format iso`."""
    return f"{told.wall:%Y-%m-%dT%H:%M:%S,%f}+00:00 {told.text}"


def reltime(told: Sequence[Told]) -> list[str]:
    """`dmesg -e`: a new minute is told, then seconds since the line before."""
    lines, before = [], None
    for each in told:
        if before is None or f"{before.wall:%j%H%M}" != f"{each.wall:%j%H%M}":
            stamp = f"[{each.wall:%b}{each.wall.day:2} {each.wall:%H:%M}]"
        else:
            stamp = f"[{(each.wall - before.wall).total_seconds():>+11.6f}]"
        lines.append(f"{stamp} {each.text}")
        before = each
    return lines


def delta(told: Sequence[Told]) -> list[str]:
    """`dmesg -d`, and `journalctl -o short-delta` but for the name of the host."""
    gaps = [0.0, *((b.wall - a.wall).total_seconds() for a, b in pairwise(told))]
    return [f"[{each.micros:>12} <{gap:12.6f}>] {each.text}" for each, gap in zip(told, gaps)]


def decoded(inner: Line) -> Line:
    """`dmesg -x`: facility and level in words."""
    return lambda told: f"{'kern':<6}:{DMESG_LEVELS[told.level]:<6}: {inner(told)}"


def netconsole(told: Told) -> str:
    """`msg_print_ext_header()`: netconsole's extended form, and what /dev/kmsg gives."""
    return f"{told.level},{416 + round(told.uptime)},{round(told.uptime * 1e6)},-;{told.text}"


def kmsg(told: Sequence[Told]) -> list[str]:
    """The same with the dictionary that drivers add, `msg_print_ext_body()`."""
    return [line for each in told for line in (
        netconsole(each), *((" SUBSYSTEM=pci", " DEVICE=+pci:0000:01:10.0")
                            if each.text.startswith("pciback") else ()))]


# --- Daemons ---------------------------------------------------------------------------------


def syslog(inner: Line = bare, tag: str = "kernel: ", day: str = "2") -> Line:
    """RFC 3164, section 4.1; sysklogd, rsyslog's traditional file format, journalctl's `short`."""
    return lambda told: (f"{told.wall:%b} {told.wall.day:{day}} {told.wall:%H:%M:%S} {HOST} "
                         f"{tag}{inner(told)}")


def rfc5424(meta: str = "-", mark: str = "", inner: Line = bare) -> Line:
    """RFC 5424, section 6; the mark is the one that its section 6.4 puts before UTF-8."""
    return lambda told: (
        f"<{told.level}>1 {told.wall + timedelta(hours=2):%Y-%m-%dT%H:%M:%S.%f}+02:00 {HOST} "
        f"kernel - - {meta} {mark}{inner(told)}")


def rsyslog_iso(inner: Line = bare) -> Line:
    """rsyslog's RSYSLOG_FileFormat."""
    return lambda told: (f"{told.wall + timedelta(hours=2):%Y-%m-%dT%H:%M:%S.%f}+02:00 {HOST} "
                         f"kernel: {inner(told)}")


def repeated(notice: Callable[[Told, int], str]) -> Dressing:
    """A daemon that tells how often a message came again, in place of the message."""
    def dress(told: Sequence[Told]) -> list[str]:
        lines = []
        for _, same in groupby(told, lambda each: each.text):
            first, *rest = same
            lines.append(syslog()(first))
            if rest:
                lines.append(notice(rest[-1], len(rest)))
        return lines
    return dress


def sysklogd_notice(told: Told, count: int) -> str:
    """sysklogd, `logerror()`'s neighbour `fprintlog()`."""
    return syslog(lambda _: f"last message repeated {count} times", tag="")(told)


def rsyslog_notice(told: Told, count: int) -> str:
    """rsyslog's $RepeatedMsgReduction since version 7."""
    return syslog(lambda _: f"message repeated {count} times: [ {told.text}]")(told)


# --- journalctl, `output_*()` of systemd's src/shared/logs-show.c ----------------------------


def journal(stamp: Callable[[Told], str], host: str = f"{HOST} ") -> Dressing:
    """The one-line modes, under the head that they have had in one of three wordings."""
    def dress(told: Sequence[Told]) -> list[str]:
        head = f"-- Logs begin at {told[0].wall:%a %Y-%m-%d %H:%M:%S} UTC, end at " \
               f"{told[-1].wall:%a %Y-%m-%d %H:%M:%S} UTC. --" if told else "-- No entries --"
        return [head, *(f"{stamp(each)} {host}kernel: {each.text}" for each in told)]
    return dress


def journal_fields(told: Told) -> dict[str, object]:
    """The fields that systemd-journald keeps of a line of the kernel."""
    wall, own = round(told.wall.timestamp() * 1e6), round(told.uptime * 1e6)
    return {
        "__CURSOR": f"s=9e8d;i={own:x};b={BOOT};m={own:x};t={wall:x};x=1",
        "__REALTIME_TIMESTAMP": str(wall), "__MONOTONIC_TIMESTAMP": str(own), "_BOOT_ID": BOOT,
        "_SOURCE_MONOTONIC_TIMESTAMP": str(own), "_TRANSPORT": "kernel",
        "PRIORITY": str(told.level), "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": "kernel",
        "_MACHINE_ID": MACHINE, "_HOSTNAME": HOST, "MESSAGE": told.text,
    }


def journal_json(told: Told) -> str:
    """`-o json`; a message with bytes that are not printable is an array of numbers."""
    fields = journal_fields(told)
    if len(told.text) % 3 == 0:
        fields["MESSAGE"] = list(told.text.encode())
    return json.dumps(fields, separators=(",", ":"))


def journal_pretty(told: Sequence[Told]) -> list[str]:
    """`-o json-pretty`: an object over many lines."""
    return [line for each in told
            for line in json.dumps(journal_fields(each), indent="\t").splitlines()]


def journal_export(told: Sequence[Told]) -> list[str]:
    """`-o export`: systemd's Journal Export Formats, one field a line."""
    return [line for each in told
            for line in (*(f"{name}={text}" for name, text in journal_fields(each).items()), "")]


def journal_verbose(told: Sequence[Told]) -> list[str]:
    """`-o verbose`: a stamp with the cursor, then the fields, indented."""
    return [line for each in told for line in _verbose(each)]


def _verbose(told: Told) -> Iterator[str]:
    fields = journal_fields(told)
    yield f"{told.wall:%a %Y-%m-%d %H:%M:%S.%f} UTC [{fields['__CURSOR']}]"
    yield from (f"    {name}={text}" for name, text in fields.items() if name[:2] != "__")


# --- Whoever keeps a console -----------------------------------------------------------------


def stamped(inner: Line) -> Line:
    """xenconsoled --timestamp, `write_with_timestamp()` of tools/console/daemon/io.c."""
    return lambda told: f"[{told.wall:%Y-%m-%d %H:%M:%S}] {inner(told)}"


KERNEL: Mapping[str, Dressing] = MappingProxyType({
    "bare": per_line(bare),
    "printk": per_line(printk),
    "printk-caller": per_line(caller),
    "priority": per_line(priority(bare)),
    "priority-printk": per_line(priority(printk)),
    "priority-caller": per_line(priority(caller)),
    "priority-facility": per_line(priority(printk, facility=1)),
    "dmesg-ctime": per_line(ctime),
    "dmesg-iso": per_line(dmesg_iso),
    "dmesg-reltime": reltime,
    "dmesg-delta": delta,
    "dmesg-decoded": per_line(decoded(printk)),
    "dmesg-decoded-ctime": per_line(decoded(ctime)),
    "netconsole-extended": per_line(netconsole),
    "kmsg-dictionary": kmsg,
    "syslog": per_line(syslog()),
    "syslog-printk": per_line(syslog(printk)),
    "syslog-no-blank": per_line(syslog(printk, tag="kernel:")),
    "syslog-no-blank-bare": per_line(syslog(tag="kernel:")),
    "syslog-priority": per_line(priority(syslog())),
    "syslog-priority-printk": per_line(priority(syslog(printk))),
    "syslog-inner-priority": per_line(syslog(priority(printk))),
    "syslog-repeated": repeated(sysklogd_notice),
    "rsyslog-repeated": repeated(rsyslog_notice),
    "rfc5424": per_line(rfc5424()),
    "rfc5424-data": per_line(rfc5424('[meta sequenceId="1"][origin ip="192.0.2.1"]')),
    "rfc5424-mark": per_line(rfc5424(mark="\ufeff")),
    "rfc5424-printk": per_line(rfc5424(inner=printk)),
    "rsyslog-iso": per_line(rsyslog_iso()),
    "rsyslog-iso-printk": per_line(rsyslog_iso(printk)),
    "journal-short": journal(lambda told: f"{told.wall:%b %d %H:%M:%S}"),
    "journal-no-hostname": journal(lambda told: f"{told.wall:%b %d %H:%M:%S}", host=""),
    "journal-short-precise": journal(lambda told: f"{told.wall:%b %d %H:%M:%S.%f}"),
    "journal-short-iso": journal(lambda told: f"{told.wall:%Y-%m-%dT%H:%M:%S}+0000"),
    "journal-short-iso-new": journal(lambda told: f"{told.wall:%Y-%m-%dT%H:%M:%S}+00:00"),
    "journal-short-iso-precise": journal(lambda told: f"{told.wall:%Y-%m-%dT%H:%M:%S.%f}+0000"),
    "journal-short-full": journal(lambda told: f"{told.wall:%a %Y-%m-%d %H:%M:%S} UTC"),
    "journal-short-monotonic": journal(lambda told: f"[{told.micros:>12}]"),
    "journal-short-unix": journal(lambda told: f"{told.wall.timestamp():.6f}"),
    "journal-json": per_line(journal_json),
    "journal-json-pretty": journal_pretty,
    "journal-export": journal_export,
    "journal-verbose": journal_verbose,
    "stamped": per_line(stamped(bare)),
    "stamped-printk": per_line(stamped(printk)),
    "stamped-priority": per_line(stamped(priority(printk))),
})
"""What may stand around the messages of a Linux kernel, dom0's or a guest's."""


def tag(told: Told) -> str:
    """The hypervisor's tag, which old ones did not put before their banner."""
    return told.text if told.text.startswith(XEN_BANNER) else f"(XEN) {told.text}"


def xen(stamp: Line) -> Line:
    """Xen's `console_timestamps`, `printk_start_of_line()` of xen/drivers/char/console.c."""
    return lambda told: f"(XEN) {stamp(told)}{told.text.lstrip()}"


XEN_DATE = xen(lambda told: f"[{told.wall:%Y-%m-%d %H:%M:%S}] ")
XEN_DATE_MS = xen(lambda told: f"[{told.wall:%Y-%m-%d %H:%M:%S.%f}"[:-3] + "] ")
XEN_BOOT = xen(lambda told: f"[{told.micros:>12}] ")
XEN_RAW = xen(lambda told: f"[{round(told.uptime * 2_394_230_000):016x}] ")

HYPERVISOR: Mapping[str, Dressing] = MappingProxyType({
    "xen-tag": per_line(tag),
    "xen-tag-banner": per_line(xen(lambda told: "")),
    "xen-date": per_line(XEN_DATE),
    "xen-date-ms": per_line(XEN_DATE_MS),
    "xen-boot": per_line(XEN_BOOT),
    "xen-raw": per_line(XEN_RAW),
    "stamped-xen-tag": per_line(stamped(tag)),
    "stamped-xen-boot": per_line(stamped(XEN_BOOT)),
    "stamped-xen-date": per_line(stamped(XEN_DATE)),
})
"""What may stand around the messages of Xen."""

THROUGH_XEN: Mapping[str, Dressing] = MappingProxyType({
    "xen-guest": per_line(lambda told: f"(d5) {told.text}"),
    "xen-guest-boot": per_line(lambda told: f"(d5) [{told.micros:>12}] {told.text}"),
    "xen-guest-date": per_line(lambda told: f"(d5) [{told.wall:%Y-%m-%d %H:%M:%S}] {told.text}"),
    "xen-guest-printk": per_line(lambda told: f"(d5) {printk(told)}"),
    "xen-domu": per_line(lambda told: f"(domU) {told.text}"),
})
"""What Xen's console puts before the lines of a guest: `guest_printk()`."""


def both(kernel: Line, hypervisor: Line) -> Dressing:
    """One serial line with the kernel's lines and the hypervisor's in the order of their times."""
    return per_line(lambda told: (hypervisor if told.speaker == XEN else kernel)(told))


ONE_CONSOLE: Mapping[str, Dressing] = MappingProxyType({
    "bare": both(bare, tag),
    "printk": both(printk, tag),
    "printk, xen-boot": both(printk, XEN_BOOT),
    "printk, xen-date-ms": both(printk, XEN_DATE_MS),
    "printk, xen-raw": both(printk, XEN_RAW),
    "caller, xen-boot": both(caller, XEN_BOOT),
    "priority, tag": both(priority(printk), tag),
    "stamped": both(stamped(bare), stamped(tag)),
    "stamped-printk, stamped-xen-boot": both(stamped(printk), stamped(XEN_BOOT)),
})
"""What may stand around the lines of dom0 and of Xen that share a serial line."""
