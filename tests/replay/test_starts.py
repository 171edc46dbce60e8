"""A guest that is given several devices at once is started once."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose import diagnose
from diagnose.grammar import print_line
from emulator.kernels import row
from emulator.life import Act, perform
from emulator.pci import PciAddress
from emulator.state import State

PAIRS = {
    "of one slot": ("0000:01:10.0", "0000:01:10.2"),
    "of two slots of a bus": ("0000:01:10.0", "0000:01:11.2"),
    "of two buses": ("0000:01:10.0", "0000:05:10.0"),
}


def printed(devices: tuple[PciAddress, ...]) -> str:
    """dom0's log of two guests, one after the other, with all the devices."""
    acts = [Act("seize", device=device) for device in devices]
    for domid in (1, 2):
        acts.append(Act("domain_start", domid, devices=devices))
        acts += [Act("driver_load", domid, device, nvec=3) for device in devices]
        acts.append(Act("clean_shutdown", domid))
    state, lines = State.boot(), ["Linux version 2.6.18-300.el5xen (mockbuild@build)"]
    for act in acts:
        outcome = perform(row("el5-283").traits, state, act)
        state = outcome.state
        lines += [print_line(each.kind, each.fields) for each in outcome.effects
                  if each.speaker == "dom0"]
    return "\n".join([*lines, ""])


@pytest.mark.parametrize("functions", PAIRS.values(), ids=PAIRS)
def test_functions_are_given_together(functions: tuple[str, str], tmp_path: Path) -> None:
    log = tmp_path / "dom0.log"
    log.write_text(printed(tuple(PciAddress.parse(each) for each in functions)), encoding="utf-8")
    report = diagnose([log])
    assert (report.verdict, report.divergences) == ("healthy", ())
    assert sum(step.op == "domain_start" for step in report.story) == 2
