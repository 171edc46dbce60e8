"""Lines beside a story: xend's, dom0's own devices', strange guests'; two acts' lines at once."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from diagnose.grammar import print_line
from diagnose.synth.draft import Scenario
from diagnose.synth.record import Record
from diagnose.synth.stage import Step
from diagnose.synth.words import words
from emulator.pci import PciAddress

XEND: Mapping[str, tuple[tuple[str, str], ...]] = {
    "domain_start": (("DEBUG", "born"),),
    "clean_shutdown": (("INFO", "gone"), ("DEBUG", "destroyed")),
    "crash": (("INFO", "crashed"), ("DEBUG", "destroyed")),
    "destroy": (("DEBUG", "destroyed"),),
}
"""Act → the lines of xend.log about it: level and name of a text."""


class Told(NamedTuple):
    """A line and its severity."""

    level: str
    text: str


def xend(scenario: Scenario, step: Step) -> list[Told]:
    """What xend.log tells of an act: births, and how domains went."""
    act = step.act
    if act.domid is None:
        return []
    refused = any(deed.kind == "assign_refused" for deed in step.outcome.deeds)
    texts = words().xend
    fields = {
        "domid": act.domid,
        "name": scenario.names.get((step.boot, act.domid), "guest"),
        "reason": ("reboot", "poweroff")[act.domid % 2],
    }
    told = XEND.get(act.op, ()) + XEND["destroy"] * (refused and act.op == "domain_start")
    return [Told(level, texts[each].format(**fields)) for level, each in told]


def xend_line(moment: datetime, level: str, text: str) -> str:
    """A line with xend's envelope."""
    return f"[{moment:%Y-%m-%d %H:%M:%S} xend.XendDomainInfo 3456] {level} " \
           f"(XendDomainInfo:1175) {text}"


def own_device(rng: random.Random) -> list[Told]:
    """dom0 brings up, takes down or probes a device of its own."""
    own = words().own
    device = PciAddress.parse(rng.choice(own["devices"]))
    return [_of_own(own["lines"][name], device) for name in rng.choice(own["orders"]).split()]


def _of_own(line: Mapping[str, Any], device: PciAddress) -> Told:
    if "text" in line:
        return Told(line["level"], line["text"].format(device=device))
    fields = {**line["fields"], **({"device": device} if line["fields"] else {})}
    return Told(line["level"], print_line(line["kind"], fields))


def braid(records: list[Record], steps: Sequence[Step], rng: random.Random) -> list[Record]:
    """Lines of dom0 of two loads that follow each other, mixed; the times stay in order."""
    for one, two in pairwise(steps):
        if one.act.op == two.act.op == "driver_load" and one.act.domid != two.act.domid:
            places = [nth for nth, record in enumerate(records) if record.speaker == "dom0"
                      and record.step in (one.number, two.number)]
            queues = [[records[nth] for nth in places if records[nth].step == step.number]
                      for step in (one, two)]
            for nth in places:
                full = [queue for queue in queues if queue]
                records[nth] = rng.choice(full).pop(0)._replace(time=records[nth].time)
    return records
