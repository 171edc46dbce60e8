"""How the owners of devices ended, as far as any line tells, and what no line tells.

**Invariant:** an end is told only if a line of the logs could not stand there without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diagnose.synth.draft import ABRUPT, Scenario
from diagnose.synth.keep import Keeping
from diagnose.synth.record import ANNOUNCED, Record
from diagnose.synth.stage import Step
from diagnose.synth.words import words
from emulator.pci import PciAddress

UNNOTICED = frozenset({"attach_nomem", "ioremap_null", "unmap_pirq"})
"""Causes from outside (`emulator.acts.FAULTS`) of which neither dom0 nor Xen prints a line."""


def unnoticed(steps: Sequence[Step]) -> set[int]:
    """The numbers of steps that met with a cause of which nobody takes notice."""
    return {step.number for step in steps
            if step.act.fault is not None and step.act.fault[0] in UNNOTICED}


def silent_kexecs(steps: Sequence[Step], records: Sequence[Record]) -> set[int]:
    """The numbers of steps in which a guest starts another kernel and no line says so."""
    announced = {record.during for record in records if record.kind == ANNOUNCED}
    return {step.number for step in steps if step.act.op == "kexec"} - announced


def ended(scenario: Scenario, keeping: Keeping, steps: Sequence[Step], records: Sequence[Record],
          ) -> list[list[Any]]:
    """(domid, how) of PV owners whose end shows.

    Logs of several boots of several guests do not tell which boot was which domain.
    """
    if keeping.style == "one" and len(set(scenario.names.values())) > 1:
        return []
    released = {step.act.device for step in steps if step.act.op == "release"}
    ends = []
    for step in steps:
        act = step.act
        if act.op not in ("clean_shutdown", *ABRUPT) or step.boot or act.domid is None:
            continue
        start = next(s.act for s in steps if s.act.op == "domain_start" and s.act.domid == act.domid
                     and s.boot == step.boot)
        if start.kind != "pv" or not start.devices or released & set(start.devices):
            continue
        if "one-guest" in keeping.missing and not any(
                record.guest == (step.boot, act.domid) for record in records):
            continue
        if _is_shown(step, steps, start.devices, records):
            ends.append([act.domid, act.op])
    return ends


def _is_shown(step: Step, steps: Sequence[Step], devices: Sequence[PciAddress],
              records: Sequence[Record]) -> bool:
    domid = step.act.domid
    if any(record.step == step.number for record in records):
        return True
    said = [record.text for record in records if record.guest == (step.boot, domid)]
    if said and said[-1] in (*words().very_last_words, words().panic):
        return True
    return any(
        later.number > step.number and later.boot == step.boot and later.act.op == "domain_start"
        and set(devices) & set(later.act.devices)
        and not any(deed.kind == "assign_refused" for deed in later.outcome.deeds)
        for later in steps
    )
