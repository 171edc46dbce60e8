"""Tell a story in the report's words: its steps, and who held which device from when to when.

**Invariant:** reads a story, decides nothing about faults.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from diagnose.diagnosis import AssignmentReport, DomainKind, EndedBy, StoryStep, Verdict
from diagnose.enact import ENDS
from diagnose.events import Line
from diagnose.story import Step, known_domid
from diagnose.witness import unique
from emulator.life import Act
from emulator.pci import PciAddress
from emulator.records import MSIX

_ENDED_BY: Mapping[str, EndedBy] = {
    "clean_shutdown": "clean_shutdown", "destroy": "destroy", "crash": "crash",
    "host_boot": "abrupt", "teardown": "unknown", "release": "unknown",
}


class Hold(Struct):
    """One device held by one domain, as the story has it."""

    boot: int
    device: PciAddress
    domid: int
    started: Step
    active: bool = False              # the guest's driver enabled MSI-X, so the domain is PV
    ended_by: EndedBy = "running"
    troubled: bool = False            # some violation other than a harmless one befell it
    lines: tuple[Line, ...] = ()
    refused: bool = False

    @property
    def start_seen(self) -> bool:
        return self.started.observed

    @property
    def over(self) -> bool:
        return self.ended_by != "running"


def holds(steps: Sequence[Step], troubled: Mapping[int, set[PciAddress]]) -> list[Hold]:
    """All assignments of a story. `troubled`: step → devices with a fault in it."""
    found: list[Hold] = []
    open_: dict[PciAddress, Hold] = {}
    for nth, step in enumerate(steps):
        act = step.act
        if act.op == "domain_start" and act.domid is not None:
            refused = {v.device for v in step.violations}
            for device in act.devices:
                hold = Hold(step.boot, device, act.domid, step, refused=device in refused)
                if hold.refused:
                    continue
                found.append(hold)
                open_[device] = hold
        for device in _touched(act, open_):
            hold = open_[device]
            hold.lines += tuple(event.line for event in step.lines)
            hold.active = hold.active or act.op == "driver_load"
            hold.troubled = hold.troubled or device in troubled.get(nth, ())
            if act.op in _ENDED_BY:
                hold.ended_by = "crash" if step.torn else _ENDED_BY[act.op]
                del open_[device]
    return found


def _touched(act: Act, open_: Mapping[PciAddress, Hold]) -> list[PciAddress]:
    """The held devices that an act concerns."""
    if act.op == "host_boot":
        return list(open_)
    if act.device is not None:
        return [act.device] if act.device in open_ else []
    if act.op in ENDS or act.op == "kexec":
        return [device for device, hold in open_.items() if hold.domid == act.domid]
    return [device for device in act.devices if device in open_]


def assignment_reports(found: Sequence[Hold], hvm: frozenset[int],
                       pv: frozenset[int] = frozenset()) -> tuple[AssignmentReport, ...]:
    """The holds as reported; `hvm` and `pv` are domids that some line tells to be so."""
    reports = []
    for hold in found:
        lines = unique(hold.lines)
        kind: DomainKind = "pv" if hold.active or hold.domid in pv else \
            "hvm" if hold.domid in hvm else "unknown"
        ended: EndedBy = hold.ended_by if kind == "pv" or not hold.over else "unknown"
        verdict: Verdict = "fault" if hold.troubled else \
            "healthy" if hold.active or (hold.start_seen and hold.over) else "inconclusive"
        reports.append(AssignmentReport(
            hold.boot, str(hold.device), known_domid(hold.domid), kind,
            lines[0] if lines else None, lines[-1] if lines else None, ended, verdict))
    return tuple(reports)


def story_steps(steps: Sequence[Step]) -> tuple[StoryStep, ...]:
    """The story's steps with their lines, or with the reason why they must have happened."""
    return tuple(
        StoryStep(step.act.op, _told_arguments(step), "observed" if step.observed else "inferred",
                  unique(event.line for event in step.lines), "" if step.observed else _why(step),
                  step.boot)
        for step in steps)


def _told_arguments(step: Step) -> dict[str, object]:
    return {**_arguments(step.act), **({"torn": True} if step.torn else {})}


def _arguments(act: Act) -> dict[str, object]:
    arguments: dict[str, object] = {}
    if act.device is not None:
        arguments["device"] = str(act.device)
    if act.devices:
        arguments["device"] = [str(device) for device in act.devices]
    if act.domid is not None:
        arguments["domid"] = known_domid(act.domid)
    if act.op == "driver_load":
        arguments["entries"] = list(range(act.nvec)) if act.mode == MSIX else []
        if act.mode != MSIX:
            arguments["mode"] = act.mode
    return arguments


def _why(step: Step) -> str:
    if step.why:
        return step.why
    if step.at is None:
        return "no line of its own; the logs end before anything depends on it"
    place = f"{step.at.line.input}:{step.at.line.line}"
    return f"without it {place} could not have been printed"
