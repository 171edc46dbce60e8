"""The envelopes in which logs of Linux kernels and of Xen reach whoever has to read them.

Each dressing turns the messages of one speaker, with their times, into the lines of a file. The
formats are those of the programs that write them; comments name the function or the document.

**Invariant:** a dressing adds stamps, names and lines of its own; of a message nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from types import MappingProxyType

from tests.dress.journal import JOURNAL
from tests.dress.streams import XEN, XEN_BANNER, Told
from tests.dress.thread import HOST, Dressing, Line, gaps, per_line

#: `level_names` of util-linux, sys-utils/dmesg.c.
DMESG_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")


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


def dmesg_caller(told: Told) -> str:
    """The same by `dmesg` since util-linux 2.40, which sets it apart (`print_record()`)."""
    return f"[{told.micros:>12}] [{f'T{1 + len(told.text) * 37}':>8}] {told.text}"


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
    """`dmesg -d`."""
    return [f"[{each.micros:>12} <{gap:12.6f}>] {each.text}"
            for each, gap in zip(told, gaps(told))]


def delta_alone(stamp: str) -> Dressing:
    """`dmesg --time-format delta`, and with a date before it `dmesg -d -T`."""
    def dress(told: Sequence[Told]) -> list[str]:
        return [f"[{each.wall.strftime(stamp)}<{gap:12.6f}>] {each.text}"
                for each, gap in zip(told, gaps(told))]
    return dress


def decoded(inner: Line) -> Line:
    """`dmesg -x`: facility and level in words."""
    return lambda told: f"{'kern':<6}:{DMESG_LEVELS[told.level]:<6}: {inner(told)}"


def netconsole(release: str = "", more: str = "") -> Line:
    """netconsole's extended form, and what /dev/kmsg gives.

    `msg_print_ext_header()`; `msg_print_ext_body()` escapes what is no plain letter. The release
    stands before it with CONFIG_NETCONSOLE_PREPEND_RELEASE (Documentation/networking/
    netconsole.rst), `,caller=T1` behind it with CONFIG_PRINTK_CALLER.
    """
    def dress(told: Told) -> str:
        text = "".join(f"\\x{ord(c):02x}" if c < " " or c > "~" or c == "\\" else c
                       for c in told.text)
        serial, own = 416 + round(told.uptime), round(told.uptime * 1e6)
        return f"{release}{told.level},{serial},{own},-{more};{text}"
    return dress


def kmsg(told: Sequence[Told]) -> list[str]:
    """The same with the dictionary that drivers add."""
    return [line for each in told for line in (
        netconsole()(each), *((" SUBSYSTEM=pci", " DEVICE=+pci:0000:01:10.0")
                            if each.text.startswith("pciback") else ()))]


# --- Daemons ---------------------------------------------------------------------------------


def syslog(inner: Line = bare, tag: str = "kernel: ", day: str = "2") -> Line:
    """RFC 3164, section 4.1; sysklogd, rsyslog's traditional file format, journalctl's `short`."""
    return lambda told: shown(f"{told.wall:%b} {told.wall.day:{day}} {told.wall:%H:%M:%S} {HOST} "
                              f"{tag}{inner(told)}", "^I")


def shown(line: str, mark: str) -> str:
    """The line with tabs as a daemon shows them: `^I` of sysklogd, `#011` of rsyslog."""
    return line.replace("\t", mark)


def rfc5424(meta: str = "-", mark: str = "", inner: Line = bare) -> Line:
    """RFC 5424, section 6; the mark is the one that its section 6.4 puts before UTF-8."""
    return lambda told: (
        f"<{told.level}>1 {told.wall + timedelta(hours=2):%Y-%m-%dT%H:%M:%S.%f}+02:00 {HOST} "
        f"kernel - - {meta} {mark}{inner(told)}")


def rsyslog_iso(inner: Line = bare) -> Line:
    """rsyslog's RSYSLOG_FileFormat."""
    return lambda told: shown(
        f"{told.wall + timedelta(hours=2):%Y-%m-%dT%H:%M:%S.%f}+02:00 {HOST} "
        f"kernel: {inner(told)}", "#011")


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


# --- Whoever keeps a console -----------------------------------------------------------------


def stamped(inner: Line, zone: str = "") -> Line:
    """xenconsoled --timestamp, `write_with_timestamp()` of tools/console/daemon/io.c.

    XCP-ng keeps Xen's console so, in /var/log/xen/hypervisor.log. XenServer's test harness tells
    the zone (xen-devel, 2019-07-05, "Watchdog timer detects that CPU2 is stuck").
    """
    return lambda told: f"[{told.wall:%Y-%m-%d %H:%M:%S}{zone}] {inner(told)}"


def opened(inner: Line) -> Dressing:
    """The same from the beginning: `create_hv_log()`, `create_console_log()`."""
    return lambda told: [f"[{told[0].wall:%Y-%m-%d %H:%M:%S}] Logfile Opened" if told else "",
                         *(stamped(inner)(each) for each in told)]


def conserver(inner: Line) -> Line:
    """xCAT's console log, which parts its stamp from the line by nothing (xcat-core, pull 845)."""
    return lambda told: f"[{told.wall:%a %b %d %H:%M:%S %Y}]{inner(told)}"


def sympathy(inner: Line) -> Line:
    """The serial logs of Xen's osstest: no host, no program, microseconds."""
    return lambda told: f"{told.wall:%b %d %H:%M:%S.%f} {inner(told)}"


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
    "dmesg-delta-alone": delta_alone(""),
    "dmesg-ctime-delta": delta_alone("%a %b %e %H:%M:%S %Y "),
    "dmesg-caller": per_line(dmesg_caller),
    "netconsole-extended": per_line(netconsole()),
    "netconsole-caller": per_line(netconsole(more=",caller=T1")),
    "netconsole-release": per_line(netconsole(release="6.4.0,")),
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
    **JOURNAL,
    "stamped": per_line(stamped(bare)),
    "stamped-printk": per_line(stamped(printk)),
    "stamped-priority": per_line(stamped(priority(printk))),
    "stamped-opened": opened(bare),
    "conserver-printk": per_line(conserver(printk)),
    "sympathy-printk": per_line(sympathy(printk)),
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



def early(first: Line, later: Line) -> Dressing:
    """Until its clock runs, Xen falls back to the next simpler stamp (`printk_start_of_line()`)."""
    return lambda told: [(first if nth < 3 else later)(each) for nth, each in enumerate(told)]


HYPERVISOR: Mapping[str, Dressing] = MappingProxyType({
    "xen-tag": per_line(tag),
    "xen-tag-banner": per_line(xen(lambda told: "")),
    "xen-date": per_line(XEN_DATE),
    "xen-date-ms": per_line(XEN_DATE_MS),
    "xen-boot": per_line(XEN_BOOT),
    "xen-raw": per_line(XEN_RAW),
    "xen-boot-early": early(XEN_RAW, XEN_BOOT),
    "xen-date-early": early(XEN_BOOT, XEN_DATE),
    "stamped-xen-tag": per_line(stamped(tag)),
    "stamped-xen-boot": per_line(stamped(XEN_BOOT)),
    "stamped-xen-date": per_line(stamped(XEN_DATE)),
    "stamped-opened": opened(XEN_BOOT),
    "stamped-utc": per_line(stamped(XEN_BOOT, " UTC")),
    "sympathy-xen-tag": per_line(sympathy(tag)),
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
    "sympathy": both(sympathy(printk), sympathy(XEN_BOOT)),
    "stamped-utc": both(stamped(printk, " UTC"), stamped(XEN_BOOT, " UTC")),
    "conserver": both(conserver(printk), conserver(XEN_BOOT)),
    "stamped-printk, stamped-xen-boot": both(stamped(printk), stamped(XEN_BOOT)),
})
"""What may stand around the lines of dom0 and of Xen that share a serial line."""
