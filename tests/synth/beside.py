"""Lines beside a story: xend's, dom0's own devices', strange guests'; two acts' lines at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from diagnose.grammar import print_line
from emulator.pci import PciAddress
from tests.synth.draft import Scenario
from tests.synth.stage import Step

if TYPE_CHECKING:
    from tests.synth.console import Record

BORN = "XendDomainInfo.initDomain: {domid} 256"
GONE = "Domain has shutdown: name={name} id={domid} reason={reason}."
CRASHED = "Domain has crashed: name={name} id={domid}."
DESTROYED = "XendDomainInfo.destroy: domid={domid}"
OWN = (PciAddress(0, 2, 0, 0), PciAddress(0, 0, 0x19, 0), PciAddress(0, 6, 0, 1))
STRANGER = (
    "Linux version 2.6.18-238.el5xen (mockbuild@x86-002.build.bos.redhat.com) (gcc version "
    "4.1.2 20080704 (Red Hat 4.1.2-51)) #1 SMP Fri Jul 8 17:45:44 EDT 2011",
    "Kernel command line: ro root=/dev/VolGroup00/LogVol00 console=xvc0",
    "netfront: Initialising virtual ethernet driver.",
    "EXT3-fs: mounted filesystem with ordered data mode.",
)


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
    name = scenario.names.get((step.boot, act.domid), "guest")
    fields = {"domid": act.domid, "name": name}
    if act.op == "domain_start":
        born = Told("DEBUG", BORN.format(**fields))
        return [born, Told("DEBUG", DESTROYED.format(**fields))] if refused else [born]
    destroyed = Told("DEBUG", DESTROYED.format(**fields))
    reason = ("reboot", "poweroff")[act.domid % 2]
    return {
        "clean_shutdown": [Told("INFO", GONE.format(reason=reason, **fields)), destroyed],
        "crash": [Told("INFO", CRASHED.format(**fields)), destroyed],
        "destroy": [destroyed],
    }.get(act.op, [])


def xend_line(time: float, level: str, text: str) -> str:
    """A line with xend's envelope."""
    moment = datetime(2011, 6, 1) + timedelta(seconds=time - 17_180_000.0)
    return f"[{moment:%Y-%m-%d %H:%M:%S} xend.XendDomainInfo 3456] {level} " \
           f"(XendDomainInfo:1175) {text}"


def own_device(rng: random.Random) -> list[Told]:
    """dom0 brings up, takes down or probes a device of its own."""
    device = rng.choice(OWN)
    nobody = [Told("warning", print_line("pciback_no_owner", {}))] * rng.choice((1, 3, 5))
    routed = Told("info", f"ACPI: PCI Interrupt {device}[A] -> GSI 16 (level, low) -> IRQ 16")
    enabled = Told("warning", print_line(
        "pci_enabling_device", {"device": device, "old_command": 0, "new_command": 3}))
    timed = Told("debug", print_line("pci_latency_timer", {"device": device, "latency": 64}))
    gone = Told("info", f"ACPI: PCI interrupt for device {device} disabled")
    return rng.choice((
        [enabled, routed, timed, *nobody], nobody, [*nobody, gone], [routed, timed], [enabled],
    ))


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
