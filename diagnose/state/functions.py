"""Hold what state files and dumps show of a device against what the story made of it.

`lspci` shows the hardware's MSI-X Enable, the debug key Q how many vectors Xen has for it. Many
things may change either without a word, so only what a line of the device itself tells counts: the
act that last changed it was seen, and every other story as cheap as the best ends alike.

**Invariant:** accuses nobody; a device of which the story does not know is not asked about.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from diagnose.diagnosis import Divergence
from diagnose.events import Event, StateFact
from diagnose.replay import Replay
from diagnose.spine import address
from diagnose.state.when import Moments
from diagnose.story import Step
from diagnose.whatif import runs
from emulator.pci import PciAddress
from emulator.state import State


def differing(shown: Sequence[StateFact], played: Replay,
              moments: Moments) -> Iterator[Divergence]:
    """A divergence for each device of which a state shows something else than the story."""
    best = [story for story in played.stories if story.price == played.best.price]
    for of, said, against in ((_switch, _switches(shown), _switch_against),
                              (_vectors, _counts(shown), _vectors_against)):
        for device, fact in said.items():
            ends = {of(story.state, device) for story in best}
            why = against(fact, ends.pop()) if len(ends) == 1 else ""
            cited = _changed(device, played, of) if why else None
            if cited is not None and moments.later(fact, cited):
                yield Divergence("observed-unexplained", fact.event, (fact.line, cited.line), why)


# --- MSI-X Enable, in hardware ---------------------------------------------------------------


def _switch(state: State, device: PciAddress) -> int | None:
    """1: on, for the driver of a living owner; 0: off; None: on for nobody, or there is no such
    device. What is on for nobody may be reset without a word.
    """
    found = state.devices.get(device)
    if found is None or not found.present:
        return None
    if not found.hw_msix:
        return 0
    used = found.owner is not None and state.alive(found.owner) and \
        state.loaded(found.owner, device)
    return 1 if used else None


def _switches(shown: Sequence[StateFact]) -> Mapping[PciAddress, StateFact]:
    """Device → what the lists show of its MSI-X, where all show the same."""
    return _agreeing((fact for fact in shown if fact.kind == "msix"),
                     lambda fact: fact.fields["switch"])


def _switch_against(fact: StateFact, story: int | None) -> str:
    enabled = fact.fields["switch"] == "+"
    if story is None or enabled == bool(story):
        return ""
    return f"it shows MSI-X {'on' if enabled else 'off'}, and by the story it is " \
           f"{'off since this line' if enabled else 'on since this line, for a guest that runs'}"


# --- Xen's vectors ---------------------------------------------------------------------------


def _vectors(state: State, device: PciAddress) -> int | None:
    """How many Xen has for a living guest's device; None where nobody has it."""
    found = state.devices.get(device)
    if found is None or found.owner is None or not state.alive(found.owner):
        return None
    return sum(each.device == device for each in state.descriptors.values())


def _counts(shown: Sequence[StateFact]) -> Mapping[PciAddress, StateFact]:
    """Device → the row of the last dump of Xen's devices."""
    return {device: fact for fact in shown
            if fact.kind == "owner" and (device := _device(fact)) is not None}


def _vectors_against(fact: StateFact, story: int | None) -> str:
    count = len(str(fact.fields["vectors"]).split())
    if story is None or count == story:
        return ""
    return f"it shows {count} vectors of this device, and by the story Xen has {story} of it " \
           "since this line"


# --- Both ------------------------------------------------------------------------------------


def _changed(device: PciAddress, played: Replay,
             of: Callable[[State, PciAddress], int | None]) -> Event | None:
    """The last line of the device in the act that last changed what `of` tells. None where no line
    tells of that act, and where nothing tells that there was anything before it went.
    """
    before, cited = None, None
    for run in runs(played.best.steps(), played.best.row):
        assert run.outcome is not None, f"a step of the story itself: {run.refusal}"
        after = of(run.outcome.state, device)
        if after != before:
            cited = _last_line(run.step, device) if before or after else None
        before = after
    return cited


def _last_line(step: Step, device: PciAddress) -> Event | None:
    """The last line of a step that is about the device: it names it, or the act is its own."""
    own = step.act.device == device
    return next((event for event in step.lines[::-1] if event.speaker != "guest"
                 and (own if (named := address(event)) is None else named.agrees(device))), None)


def _agreeing(facts: Iterator[StateFact],
              of: Callable[[StateFact], object]) -> Mapping[PciAddress, StateFact]:
    by_device: dict[PciAddress, list[StateFact]] = defaultdict(list)
    for fact in facts:
        device = _device(fact)
        if device is not None:
            by_device[device].append(fact)
    return {device: found[0] for device, found in by_device.items()
            if len({of(fact) for fact in found}) == 1}


def _device(fact: StateFact) -> PciAddress | None:
    """The device of a row in full: a list that shows no segments is of a host that has but one."""
    device = fact.fields.get("device")
    if not isinstance(device, PciAddress) or device.bus is None:
        return None
    return device._replace(segment=device.segment or 0)
