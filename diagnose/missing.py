"""What to collect when the logs cannot tell, and the command that collects it.

`WANTED` is a table: each part of `collect.toml` with the question whether this incident lacks it.

**Invariant:** looks at what was read, never at what was concluded; what is there is not asked for.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from diagnose.collect import asked, load_parts
from diagnose.diagnosis import Missing
from diagnose.events import RANK, Parsed
from diagnose.state.banners import running
from diagnose.state.host import dumped
from diagnose.timeline import Timeline
from diagnose.unmodelled import is_later


class _Read(Struct, frozen=True):
    """What was read of one incident, as the questions below are asked of it."""

    parsed: Parsed
    timeline: Timeline
    states: frozenset[str]      # the kinds of facts that state files and dumps tell

    @property
    def nameless(self) -> bool:
        """Whether slot and function are all that is known of some device."""
        return any(not device.is_named for device in self.timeline.devices)

    @property
    def heard(self) -> frozenset[str]:
        """Who speaks in the logs."""
        return frozenset(event.speaker for event in self.parsed.events)

    @property
    def guests(self) -> bool:
        """Whether some line of dom0 or Xen names a guest."""
        return any(item.domid or item.birth for item in self.timeline.items)

    @property
    def ends_told(self) -> bool:
        """Whether anybody tells how a guest ended."""
        return bool(self.timeline.ends) or any(each.ending for each in self.timeline.segments)


def _lacks_boot_line(read: _Read) -> bool:
    return not read.timeline.starts_at_boot and "command_line" not in read.states and not any(
        term.name == "option" for event in read.parsed.events if event.speaker == "dom0"
        for term in event.production.proves)


#: Part → whether it would tell what is open. The first LOGS are logs, which tell most; the rest is
#: asked for where dom0 was heard.
LOGS = 2
WANTED: tuple[tuple[str, Callable[[_Read], bool]], ...] = (
    ("xen-log", lambda read: "xen" not in read.heard),
    ("guest-log", lambda read: not read.timeline.segments),
    ("lspci", lambda read: read.nameless and "device" not in read.states),
    ("modprobe", lambda read: read.nameless and "hidden" not in read.states
     and "device" in read.states),
    ("guests", lambda read: read.nameless and "guest_devices" not in read.states
     and "device" in read.states),
    ("uname", lambda read: running(read.parsed, "dom0") is None),
    ("packages", lambda read: running(read.parsed, "dom0") is None
     and "kernel_package" not in read.states),
    ("xen-info", lambda read: "xen" in read.heard and running(read.parsed, "xen") is None),
    ("debug-keys", lambda read: read.guests and "owner" not in read.states),
    ("domains", lambda read: read.guests and "domain" not in read.states),
    ("toolstack-log", lambda read: read.guests and "toolstack" not in read.heard
     and not read.ends_told),
    ("interrupts", lambda read: bool(read.timeline.natives) and "interrupt" not in read.states),
    ("cmdline", _lacks_boot_line),
)


def missing(parsed: Parsed, timeline: Timeline) -> tuple[Missing, ...]:
    """The parts that this incident lacks, the most telling first."""
    states = frozenset(fact.kind for fact in (*parsed.state, *dumped(parsed.events)))
    return tuple(_missing(_Read(parsed, timeline, states)))


def _missing(read: _Read) -> Iterator[Missing]:
    timeline = read.timeline
    tool = "xl" if is_later(read.parsed) else "xm"
    earlier = asked("messages", "journal") if tool == "xl" else asked("messages")
    if timeline.quoted and not timeline.items:
        names = ", ".join(dict.fromkeys(event.line.input for event in timeline.quoted))
        yield Missing("the logs themselves", f"{names} quotes passages of logs and does not tell "
                      "which of them belong together",
                      "diagnose collect > collect.sh; sh collect.sh")
        return
    if not timeline.items:
        yield _part("dom0-log", f"{asked('dom0-log')}; {earlier}")
    elif not timeline.devices:
        yield Missing("a dom0 log that covers the start of a guest with a passed-through device",
                      "no line here concerns such a device", earlier)
    levels = [timeline.rank_shown(name, "dom0") for name in sorted(timeline.spine_inputs)]
    if levels and max(levels) < RANK["info"]:
        yield Missing("dom0's informational messages",
                      "they tell for whom each vector was mapped; this capture shows warnings only",
                      asked("dom0-log"))
    if timeline.items and not timeline.starts_at_boot:
        yield Missing("the beginning of dom0's log", "what happened before its first line is open",
                      earlier)
    for name, lacks in WANTED if timeline.items else WANTED[:LOGS]:
        if lacks(read):
            yield _part(name, asked(name, tool=tool))


def _part(name: str, command: str) -> Missing:
    """A part of the table, as a whole."""
    part = load_parts()[name]
    return Missing(part.what, part.why, command)
