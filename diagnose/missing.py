"""What to collect when the logs cannot tell, and the command that collects it.

**Invariant:** looks at what was read, never at what was concluded.
"""
from __future__ import annotations

from collections.abc import Iterator

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
                      "dmesg > dom0.log; xm dmesg > xen.log; cp /var/log/messages* .")
        return
    if not timeline.items:
        yield Missing("the dom0 kernel's log", "it holds every step of dom0's record of vectors",
                      "dmesg > dom0.log; cp /var/log/messages* .")
    elif not timeline.devices:
        yield Missing("a dom0 log that covers the start of a guest with a passed-through device",
                      "no line here concerns such a device", "cp /var/log/messages* .")
    levels = [timeline.rank_shown(name, "dom0") for name in sorted(timeline.spine_inputs)]
    if levels and max(levels) < RANK["info"]:
        yield Missing("dom0's informational messages",
                      "they tell for whom each vector was mapped; this capture shows warnings only",
                      "dmesg > dom0.log")
    if timeline.items and not timeline.starts_at_boot:
        yield Missing("the beginning of dom0's log", "what happened before its first line is open",
                      "cp /var/log/messages* .")
    if not any(speaker == "xen" for _, speaker in timeline.floors):
        yield Missing("Xen's console log", "it shows which calls Xen refused, and for whom",
                      "xm dmesg > xen.log   # best with guest_loglvl=all loglvl=all")
    if not timeline.segments:
        yield Missing("the guest's console log", "it shows whether the guest went down in order",
                      "xm console GUEST | tee guest.log")
