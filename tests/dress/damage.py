"""What happens to a log on its way: on a terminal, in a mail, on a page, on a dying disk.

A damage changes the lines of a file that has been dressed. `DAMAGES` leave every message to be
found in it, `DISORDERS` every message somewhere; after `LOSSES` something is missing.

**Invariant:** the changes are chosen by the generator that is handed in, and by nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import NamedTuple

from tests.dress.streams import CONSOLE, DOM0

Change = Callable[[list[str], Random], list[str]]

ANY = ((DOM0, "bare"), (DOM0, "printk"), (DOM0, "syslog"), (CONSOLE, "printk, xen-boot"))
STAMPED = ((DOM0, "printk"), (DOM0, "syslog-printk"), (DOM0, "rsyslog-iso"))
#: Stamps by which two lines of one text are told apart, and their order from that of the file.
FINE = ((DOM0, "printk"), (DOM0, "rsyslog-iso"), (DOM0, "journal-short-iso-precise"))
ON_CONSOLE = ((CONSOLE, "printk, xen-boot"), (CONSOLE, "bare"))

WRAP = 76
ESC = "\x1b"


#: Incidents of which a record is broken where its beginning is a message by itself ("exit in" of
#: "exit in-list"), or its rest is ("0: port 3…" of "xenbr0: …") or looks like a stamp ("Jul  8…").
AMBIGUOUS = frozenset((
    "rhbz688673-c45-owners-in-turn", "v-033-fixed-mixed", "reset-then-unbound-prune",
))


class Damage(NamedTuple):
    """A change, and the (role, dressing) pairs of the logs that it can befall.

    Of the incidents that it `spoils` not all messages are left to be found.
    """

    change: Change
    of: tuple[tuple[str, str], ...]
    spoils: frozenset[str] = frozenset()


def each(change: Callable[[str], str]) -> Change:
    """Every line changed in the same way."""
    return lambda lines, rng: [change(line) for line in lines]


def now_and_then(change: Callable[[str, Random], list[str]], share: float = 0.3) -> Change:
    """A share of the lines changed, each into one line or more."""
    return lambda lines, rng: [part for line in lines
                               for part in (change(line, rng) if rng.random() < share else [line])]


# --- Terminals and serial lines --------------------------------------------------------------


def coloured(line: str) -> str:
    """`dmesg --color=always`: the stamp green, the subsystem brown."""
    return re.sub(r"^(\[.*?\] )?([\w .]+: )?(.*)$",
                  rf"{ESC}[32m\1{ESC}[0m{ESC}[33m\2{ESC}[0m\3", line)


def coloured_at_blanks(line: str, rng: Random) -> list[str]:
    """Somebody's search, or a pager, that marks a word."""
    blanks = [match.end() for match in re.finditer(" ", line)]
    at = rng.choice(blanks or [0])
    word = re.match(r"\S*", line[at:])
    end = at + (word.end() if word else 0)
    return [f"{line[:at]}{ESC}[01;31m{ESC}[K{line[at:end]}{ESC}[m{ESC}[K{line[end:]}"]


def login(line: str, rng: Random) -> list[str]:
    """A getty waits on the same line, or a shell does."""
    return [rng.choice(("debian login: ", "[root@virthost4 ~]# ", "virthost4 login: ")) + line]


def own_login(line: str, rng: Random) -> list[str]:
    """A getty that greets between two records."""
    return ["", "CentOS release 5.6 (Final)", "Kernel 2.6.18-274.el5xen on an x86_64", "",
            "virthost4 login: ", line]


FOREIGN = "(XEN) mtrr: type mismatch for e0000000,10000000 old: write-back new: write-combining"


def broken_into(line: str, rng: Random) -> list[str]:
    """The hypervisor says a whole line where the kernel is in the middle of one."""
    if line.startswith("(XEN)") or len(line) < 30:
        return [line]
    at = rng.randint(20, len(line) - 5)
    return [line[:at] + FOREIGN, line[at:]]


def parted(line: str, rng: Random) -> list[str]:
    """The same, by a writer that begins a line of its own; where free text ends cannot be told."""
    if line.startswith("(XEN)") or len(line) < 30 or "ersion " in line or "command line" in line:
        return [line]
    at = rng.randint(20, len(line) - 5)
    return [line[:at], FOREIGN, line[at:]]


# --- Mails, forums and trackers --------------------------------------------------------------


def wrapped(line: str) -> list[str]:
    """The line as a mail program breaks it."""
    parts = []
    while len(line) > WRAP and (at := line.rfind(" ", 30, WRAP)) > 0:
        parts.append(line[:at])
        line = line[at + 1:]
    return [*parts, line]


def fence(first: str, last: str) -> Change:
    """The marks that a page wants around what is not prose."""
    return lambda lines, rng: [first, *lines, last]


def no_break(line: str, rng: Random) -> list[str]:
    """A tracker or a word processor that will not have two blanks, or any, at an end of a line."""
    return [line.replace(" ", rng.choice(("\u00a0", " \u00a0", "\u00a0 ")), rng.choice((1, 3, -1)))]


# --- Files -----------------------------------------------------------------------------------


def joined(lines: list[str], rng: Random) -> list[str]:
    """A line end is lost now and then."""
    made = lines[:1]
    for line in lines[1:]:
        if rng.random() < 0.2:
            made[-1] += rng.choice(("", " ")) + line
        else:
            made.append(line)
    return made


def chunk(lines: list[str], rng: Random) -> tuple[int, int]:
    """Where a stretch of a few lines begins and ends."""
    length = max(1, len(lines) // 4)
    at = rng.randint(0, len(lines) - length)
    return at, at + length


def doubled(lines: list[str], rng: Random) -> list[str]:
    """A stretch is written twice, as by two readers of one ring buffer."""
    first, last = chunk(lines, rng)
    return lines[:last] + lines[first:]


def swapped(lines: list[str], rng: Random) -> list[str]:
    """A stretch has come before the one that it followed."""
    first, last = chunk(lines, rng)
    return lines[first:last] + lines[:first] + lines[last:]


DAMAGES: Mapping[str, Damage] = MappingProxyType({
    "cr": Damage(each(lambda line: f"{line}\r"), ANY),
    "cr-cr": Damage(each(lambda line: f"{line}\r\r"), ANY),
    "cr-before": Damage(each(lambda line: f"\r{line}"), ANY),
    "blanks-behind": Damage(each(lambda line: f"{line}   \t "), ANY),
    "colour-around": Damage(each(lambda line: f"{ESC}[0;1;39m{line}{ESC}[0m"), ANY),
    "colour-dmesg": Damage(each(coloured), ((DOM0, "printk"), (DOM0, "bare"))),
    "colour-at-blanks": Damage(now_and_then(coloured_at_blanks), ANY),
    # A xenconsoled that writes ESC as a full stop: `do_replace_escape()`.
    "colour-dots": Damage(each(lambda line: f"{line[:22]}.[0;1;39m{line[22:]}.[0m"),
                          ((DOM0, "stamped"), (DOM0, "stamped-printk"))),
    "erase-line": Damage(each(lambda line: f"{ESC}[2K\r{line}{ESC}[K"), ANY),
    "nul-between": Damage(now_and_then(lambda line, rng: ["\0" * rng.randint(1, 700), line]), ANY),
    "nul-before": Damage(now_and_then(lambda line, rng: ["\0" * rng.randint(1, 700) + line]), ANY),
    "login-before": Damage(now_and_then(login), (*ON_CONSOLE, (DOM0, "printk"))),
    "login-between": Damage(now_and_then(own_login), (*ON_CONSOLE, (DOM0, "printk"))),
    "broken-into": Damage(now_and_then(broken_into), ON_CONSOLE, AMBIGUOUS),
    "parted": Damage(now_and_then(parted), ON_CONSOLE, AMBIGUOUS),
    "quoted": Damage(each(lambda line: f"> {line}"), ANY),
    "quoted-twice": Damage(each(lambda line: f">> {line}"), ANY),
    "quoted-apart": Damage(each(lambda line: f"> > {line}"), ANY),
    "quoted-bar": Damage(each(lambda line: f"| {line}"), ANY),
    "indented": Damage(each(lambda line: f"    {line}"), ANY),
    "indented-tab": Damage(each(lambda line: f"\t{line}"), ANY),
    "fence": Damage(fence("```", "```"), ANY),
    "fence-named": Damage(fence("~~~text", "~~~"), ANY),
    "fence-noformat": Damage(fence("{noformat}", "{noformat}"), ANY),
    "fence-pre": Damage(fence("<pre>", "</pre>"), ANY),
    "wrapped": Damage(lambda lines, rng: [p for line in lines for p in wrapped(line)], STAMPED),
    "wrapped-quoted": Damage(
        lambda lines, rng: [f"> {p}" for line in lines for p in wrapped(line)], STAMPED),
    "no-break": Damage(now_and_then(no_break), ANY),
    "tabs": Damage(each(lambda line: line.replace("  ", "\t")), ANY),
    "joined": Damage(joined, STAMPED),
    "long-line": Damage(now_and_then(lambda line, rng: ["x" * 70_000, line], 0.05), ANY),
    "byte-order-mark": Damage(lambda lines, rng: ["\ufeff" + lines[0], *lines[1:]], ANY),
})
"""What may happen to a log of which all that it says is still there, once and in order."""

DISORDERS: Mapping[str, Damage] = MappingProxyType({
    "doubled": Damage(doubled, FINE),
    "swapped": Damage(swapped, FINE),
})
"""What may happen to a log whose stamps tell what came when, and so how often."""


def cut_first(lines: list[str], rng: Random) -> list[str]:
    """The first line begins in its middle, as a ring buffer's does."""
    return [lines[0][rng.randint(1, len(lines[0])):], *lines[1:]]


def cut_last(lines: list[str], rng: Random) -> list[str]:
    """The last line breaks off."""
    return [*lines[:-1], lines[-1][:rng.randint(1, len(lines[-1]))]]


def broken_bytes(line: str, rng: Random) -> list[str]:
    """A few bytes are no UTF-8: bits that a serial line has turned."""
    at = rng.randrange(max(1, len(line)))
    return [line[:at] + rng.choice(("\udcff", "\udcc3", "\udc80\udcfe")) + line[at + 1:]]


def lost(lines: list[str], rng: Random) -> list[str]:
    """A stretch is gone."""
    first, last = chunk(lines, rng)
    return lines[:first] + lines[last:]


def dropped(notice: str) -> Change:
    """A stretch is gone, and somebody says so."""
    def change(lines: list[str], rng: Random) -> list[str]:
        first, last = chunk(lines, rng)
        return [*lines[:first], notice.format(last - first), *lines[last:]]
    return change


def suppressed(lines: list[str], rng: Random) -> list[str]:
    """Xen's lines of a stretch are gone, those of others are not: its own rate limit."""
    first, last = chunk(lines, rng)
    mine = [line for line in lines[first:last] if line.startswith("(XEN)")]
    rest = [line for line in lines[first:last] if line not in mine]
    notice = [f"(XEN) printk: {len(mine)} messages suppressed."] if mine else []
    return [*lines[:first], *rest, *notice, *lines[last:]]


def blanked(lines: list[str], rng: Random) -> list[str]:
    """A block of the file was never written: it reads as NUL bytes, and not from line to line."""
    text = "\n".join(lines)
    at = rng.randrange(max(1, len(text)))
    return (text[:at] + "\0" * min(512, len(text) - at) + text[at + 512:]).split("\n")


LOSSES: Mapping[str, Damage] = MappingProxyType({
    "cut-first": Damage(cut_first, ANY),
    "cut-last": Damage(cut_last, ANY),
    "broken-bytes": Damage(now_and_then(broken_bytes, 0.1), ANY),
    "lost": Damage(lost, ANY),
    "lost-block": Damage(blanked, ANY),
    "dropped-printk": Damage(dropped("** {} printk messages dropped **"), ((DOM0, "printk"),)),
    "dropped-imklog": Damage(dropped("Nov 24 13:49:03 virthost4 rsyslogd: imuxsock lost {} "
                                     "messages from pid 912 due to rate-limiting"),
                             ((DOM0, "syslog"),)),
    "dropped-journal": Damage(dropped("Nov 24 13:49:03 virthost4 systemd-journald[412]: Missed {} "
                                      "kernel messages"), ((DOM0, "journal-short"),)),
    "dropped-callbacks": Damage(dropped("[    9.812345] xen_pcibk_enable_msix: {} callbacks "
                                        "suppressed"), ((DOM0, "printk"),)),
    "dropped-xen": Damage(suppressed, ON_CONSOLE),
    # More than the notice tells: it counts Xen's lines, and dom0's are gone with them.
    "dropped-with-xen": Damage(dropped("(XEN) printk: {} messages suppressed."), ON_CONSOLE),
})
"""What may happen to a log that has lost something by it."""
