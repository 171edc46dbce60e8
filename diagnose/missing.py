"""What to collect when the logs cannot tell, and the command that collects it.

**Invariant:** looks at what was read, never at what was concluded.
"""
from __future__ import annotations

from collections.abc import Iterator

from diagnose.collect import asked, load_parts
from diagnose.diagnosis import Missing
from diagnose.events import RANK
from diagnose.timeline import Timeline


def missing(timeline: Timeline) -> tuple[Missing, ...]:
    """The parts that this incident lacks."""
    return tuple(_missing(timeline))


def _missing(timeline: Timeline) -> Iterator[Missing]:
    if timeline.quoted and not timeline.items:
        names = ", ".join(dict.fromkeys(event.line.input for event in timeline.quoted))
        yield Missing("the logs themselves", f"{names} quotes passages of logs and does not tell "
                      "which of them belong together",
                      "diagnose collect > collect.sh; sh collect.sh")
        return
    if not timeline.items:
        yield _part("dom0-log", asked("dom0-log", "messages"))
    elif not timeline.devices:
        yield Missing("a dom0 log that covers the start of a guest with a passed-through device",
                      "no line here concerns such a device", asked("messages"))
    levels = [timeline.rank_shown(name, "dom0") for name in sorted(timeline.spine_inputs)]
    if levels and max(levels) < RANK["info"]:
        yield Missing("dom0's informational messages",
                      "they tell for whom each vector was mapped; this capture shows warnings only",
                      asked("dom0-log"))
    if timeline.items and not timeline.starts_at_boot:
        yield Missing("the beginning of dom0's log", "what happened before its first line is open",
                      asked("messages"))
    if not any(speaker == "xen" for _, speaker in timeline.floors):
        yield _part("xen-log")
    if not timeline.segments:
        yield _part("guest-log")


def _part(name: str, command: str = "") -> Missing:
    """A part of the table, as a whole."""
    part = load_parts()[name]
    return Missing(part.what, part.why, command or part.ask)
