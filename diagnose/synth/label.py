"""What happened in a made-up incident, and what a reader of its lines can know.

Truth comes from the emulator's violations. `may` holds every fault that happened; `must` those of
them that can be known, by one principle:

    A fault can be known if its logs are there and whole: the line that shows it is in them (where
    it has one), and of all lines that they would hold from the start of the life that left the pair
    to the step in which the fault shows, none was lost or cut off. A kexec that no line announces
    counts as a lost line, because it looks like a death and a birth. From a cause on of which
    nobody takes notice, such as a lack of memory to record a pair, nothing can be known.

Which logs are there is the view's business. A view that hides lines by their level, or begins
in mid-life, leaves some faults unknowable whatever stands in the rest; `in_view` says which, and
`is_named` which are nobody's because no line that is left names their device. Of all else the
diagnosis may abstain; it may never accuse of what is not in `may`. Where the beginning of a life
may not be told, a domain's own pairs look like another's: these faults are `alike`, and may be
called likely, but not certain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from diagnose.synth.draft import Scenario
from diagnose.synth.ending import ended, silent_kexecs, unnoticed
from diagnose.synth.keep import Keeping, Kept
from diagnose.synth.record import Record
from diagnose.synth.shows import (
    LEAVES,
    OWN,
    PARTIAL,
    SHARES,
    TAKES,
    began,
    in_view,
    is_forcing_told,
    is_named,
    shown_later,
)
from diagnose.synth.stage import (
    Played,
    Step,
    alarming,
    by_violation,
    facts,
    faults,
    known_faults,
    play,
)
from emulator.invariants import Violation
from emulator.kernels import ROWS, Row
from emulator.life import Act
from emulator.pci import PciAddress

Key = tuple[int, str, PciAddress]
"""Boot of the host, fault, device."""


class Told(Struct):
    """What is true of one fault of one device in one boot of the host.

    `known` and `open` are the violations that can be known and those that cannot; `domids` may be
    named besides.
    """

    known: list[Violation] = field(default_factory=list)
    open: list[Violation] = field(default_factory=list)
    domids: set[int] = field(default_factory=set)

    def numbers(self, name: str) -> list[int]:
        """The values of a field of all violations, if all of them can be known; else none."""
        known, rest = ({number for each in part if (number := getattr(each, name)) is not None}
                       for part in (self.known, self.open))
        return sorted(known) if rest <= known else []


def label(scenario: Scenario, keeping: Keeping, played: Played, kept: Kept,
          texts: Mapping[str, str]) -> dict[str, Any]:
    """The content of expected.json."""
    steps = played.steps
    told = _told(steps, keeping, kept)
    must = [_finding(key, each) for key, each in sorted(told.items(), key=str) if each.known]
    keys = {(fault, device) for _, fault, device in told}
    may = sorted([fault, str(device)] for fault, device in keys)
    alike = _alike(steps, keeping, keys)
    whole = "\n".join(texts.values())
    view = _view(steps, keeping, kept)
    return {
        "cls": _class(scenario),
        "kind": scenario.kind,
        "kernel": scenario.row,
        "banner": keeping.banner,
        "env": keeping.env,
        "ws": keeping.space,
        "view": view,
        "level": keeping.level,
        "lose": keeping.lose,
        "verdicts": _verdicts(played, view, bool(must), bool(may or alike), kept.records),
        "must": must,
        "may": may,
        "alike": alike,
        **_whatif(scenario, keys, () if "one-guest" in view else ROWS),
        "ended": ended(scenario, keeping, steps, kept.records),
        "story": [_told_act(act) for act in scenario.acts],
        "host_died": None if played.killed_by is None else _told_act(played.killed_by),
        "alarming": [each for each in alarming() if each in whole],
        "notes": sorted(scenario.traits),
    }


def _view(steps: Sequence[Step], keeping: Keeping, kept: Kept) -> list[str]:
    """What is missing; `untold` is what was never written: the story can be told in other ways."""
    untold = unnoticed(steps) or silent_kexecs(steps, kept.records)
    return [*(each for each in keeping.view if each != "full"), "untold"] if untold else (
        keeping.view)


def _class(scenario: Scenario) -> str:
    """The kind of life, as the scoring of labelled incidents tells lives apart."""
    ops = {act.op for act in scenario.acts}
    if "host_boot" in ops:
        return "host-reboot"
    return "flr-1070" if "flr" in ops else scenario.kind


def _finding(key: Key, each: Told) -> dict[str, Any]:
    boot, fault, device = key
    vectors = known_faults()[fault].vectors
    return {
        "fault": fault,
        "device": str(device),
        "boot": boot,
        "domids": sorted({violation.domid for violation in each.known}),
        "domids_may": sorted({violation.domid for violation in each.open} | each.domids),
        "entries": each.numbers("entry_nr") if vectors else [],
        "pirqs": each.numbers("pirq") if vectors else [],
    }


def _told(steps: Sequence[Step], keeping: Keeping, kept: Kept) -> dict[Key, Told]:
    """Every fault that happened, with what can be known of it."""
    told: dict[Key, Told] = defaultdict(Told)
    beside: dict[Key, set[int]] = defaultdict(set)
    shown = {(record.step, record.kind) for record in kept.records if record.step is not None}
    later = shown_later(steps, is_forcing_told(steps, kept.records))
    holes = _holes(steps, kept)
    puzzling = min(unnoticed(steps), default=len(steps))
    for fact in facts(steps):
        step, fault, violation = fact
        each = told[step.boot, fault.name, violation.device]
        seen: int | None = step.number
        if violation.name == LEAVES:
            each.domids.add(violation.domid)
            seen = later.get((step.number, violation.device))
        elif fault.sign and (step.number, fault.sign) not in shown:
            seen = None
        if violation.name in (TAKES, SHARES) and violation.other is not None:
            beside[step.boot, fault.name, violation.other].add(violation.domid)
        begin = began(fact, steps)
        known = (seen is not None and seen < puzzling and in_view(fact, keeping)
                 and is_named(fact, steps, keeping, shown)
                 and not any(begin <= hole <= seen for hole in holes))
        (each.known if known else each.open).append(violation)
    for key in told.keys() & beside.keys():
        told[key].domids |= beside[key]
    return told


def _holes(steps: Sequence[Step], kept: Kept) -> set[int]:
    """The numbers of steps of which a line is not there, or was never written."""
    return {record.during for record in kept.lost} | silent_kexecs(steps, kept.records)


def _alike(steps: Sequence[Step], keeping: Keeping, keys: set[tuple[str, PciAddress]],
           ) -> list[list[str]]:
    """Faults that did not happen, but look as if where a life's beginning may not be shown."""
    if not PARTIAL & set(keeping.view):
        return []
    lasting = [fault.name for fault in known_faults().values() if fault.lasting]
    own = {each.device for step in steps for each in step.violations if each.name == OWN}
    return sorted([fault, str(device)] for device in own for fault in lasting
                  if (fault, device) not in keys)


ORDINARY = frozenset({
    "host_boot", "seize", "domain_start", "driver_load", "ifup", "ifdown", "driver_unload",
    "clean_shutdown", "crash", "destroy", "kexec",
})
"""Acts after which a whole log has to be called healthy if nothing is wrong."""


def _verdicts(played: Played, view: Sequence[str], must: bool, may: bool,
              records: Sequence[Record]) -> list[str]:
    if must:
        return ["fault"]
    if may:
        return ["fault", "healthy", "inconclusive"]
    acts = [step.act for step in played.steps]
    if not any(record.step is not None for record in records):
        return ["inconclusive"]
    if (list(view) == ["full"] and any(act.op == "driver_load" and act.domid for act in acts)
            and all(act.op in ORDINARY for act in acts) and not played.killed_by):
        return ["healthy"]
    return ["healthy", "inconclusive"]


def _whatif(scenario: Scenario, keys: Iterable[tuple[str, PciAddress]], rows: Sequence[Row],
            ) -> dict[str, Any]:
    """What each of the rows would have left; none where guests' logs are not there, because how
    those guests ended is not told.

    `whatif_open`: what only a teardown without a later line, or a silent reset of a function (flr)
    decides.
    """
    own = set(keys)
    left_behind = by_violation()[LEAVES].name
    left: dict[str, list[list[str]]] = {}
    unclear = []
    loud = [act for act in scenario.acts if act.op != "flr"]
    for row in rows:
        played, without = play(row.name, scenario.acts), play(row.name, loud)
        if played.killed_by or without.killed_by:
            continue
        true = faults(played.steps) & own
        left[row.name] = sorted([fault, str(device)] for fault, device in true)
        shown = {device for _, device in shown_later(played.steps)}
        unclear += [[row.name, fault, str(device)] for fault, device in own
                    if (fault == left_behind and (fault, device) in true and device not in shown)
                    or ((fault, device) in true) != ((fault, device) in faults(without.steps))]
    return {"whatif": left, "whatif_open": sorted(unclear)}


def _told_act(act: Act) -> list[Any]:
    told: list[Any] = [act.op]
    if act.domid is not None:
        told.append(act.domid)
    if act.op == "domain_start":
        told += [act.kind, [str(device) for device in act.devices]]
    elif act.device is not None:
        told.append(str(act.device))
    elif act.devices:
        told.append([str(device) for device in act.devices])
    if act.op == "driver_load":
        told += [act.nvec, act.mode]
    if act.fault is not None:
        told.append(list(act.fault))
    return told
