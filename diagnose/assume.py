"""The same story under another kernel row: where it parts from what happened, and what is spared.

**Invariant:** both runs are the emulator's; the log has no part in the comparison.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from diagnose.diagnosis import Finding
from diagnose.frames import Assumed, Difference
from diagnose.grammar import print_line
from diagnose.judge import fault_keys
from diagnose.ledger import ledgers_about, ledgers_of
from diagnose.rules import Rule
from diagnose.story import Step, known_domid
from diagnose.whatif import Run, rerun, runs
from emulator.effects import Effect
from emulator.kernels import Row
from emulator.pci import PciAddress
from emulator.state import State


def assume(row: Row, own: Row, steps: Sequence[Step], rules: Sequence[Rule],
           findings: Sequence[Finding]) -> Assumed:
    """Run a story of the row `own` under `row`, and hold its findings against what is left."""
    left = fault_keys(rules, rerun(steps, row))
    keys = {(f.fault, f.device, f.boot): f for f in findings}
    arisen = left - fault_keys(rules, steps) - keys.keys()
    return Assumed(
        row.name, row.title, tuple(_differences(steps, own, row)),
        tuple(found for key, found in keys.items() if key not in left),
        tuple(found for key, found in keys.items() if key in left),
        tuple(sorted(arisen, key=lambda key: (key[2], key[1], key[0]))))


def assumed_about(found: Assumed, device: PciAddress) -> Assumed:
    """What of it concerns one device."""
    def meant(name: str) -> bool:
        return "?" in name or device.agrees(PciAddress.parse(name))

    return replace(
        found,
        differences=tuple(replace(each, ledgers=ledgers_about(each.ledgers, device))
                          for each in found.differences),
        gone=tuple(finding for finding in found.gone if meant(finding.device)),
        left=tuple(finding for finding in found.left if meant(finding.device)),
        arisen=tuple(key for key in found.arisen if meant(key[1])))


def _differences(steps: Sequence[Step], own: Row, row: Row) -> Iterator[Difference]:
    state = State.boot()
    for number, (here, there) in enumerate(zip(runs(steps, own), runs(steps, row), strict=True)):
        state = there.outcome.state if there.outcome is not None else state
        ledgers = ledgers_of(state)
        printed, instead = _printed(here), _printed(there)
        same = here.outcome is not None and ledgers == ledgers_of(here.outcome.state)
        if there.refusal or printed != instead or not same:
            yield Difference(number, there.refusal, _without(printed, instead),
                             _without(instead, printed), ledgers, not same)


def _printed(run: Run) -> tuple[str, ...]:
    """What an act prints, each line after the name of who prints it."""
    effects = run.outcome.effects if run.outcome is not None else ()
    return tuple(f"{_voice(effect)}: {print_line(effect.kind, effect.fields)}"
                 for effect in effects)


def _voice(effect: Effect) -> str:
    if effect.speaker != "guest":
        return effect.speaker
    domid = known_domid(effect.domid)
    return "guest" if domid is None else f"dom{domid}"


def _without(lines: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """The lines that the others lack, in order; one that stands there more often counts so."""
    spare = Counter(others)
    kept = []
    for line in lines:
        if spare[line]:
            spare[line] -= 1
        else:
            kept.append(line)
    return tuple(kept)
