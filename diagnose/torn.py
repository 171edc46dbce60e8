"""Where the cheapest story contradicts the log, and which stretches of it hold all the same.

A lookup or a load that the story leaves unexplained, and an end that should have printed lines and
did not, may be a life or an unload of which it knows nothing. What it claims of lives on both sides
is a guess then. A complaint left over is not: it complains of the same. Where dom0 says itself that
lines are missing there is a hole, and a hole may hold as much.

**Invariant:** looks at one story and the lines in order; names no fault and no kind of line.
"""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from diagnose.enact import ENDS
from diagnose.engine import Match
from diagnose.facts import Fact
from diagnose.proof import attach_step
from diagnose.replay import Replay
from diagnose.story import Step
from emulator.pci import PciAddress


class Torn:
    """The places in the order of lines at which the best story of a replay is contradicted."""

    def __init__(self, replay: Replay) -> None:
        items = replay.timeline.items
        self._places = {id(item.event): nth for nth, item in enumerate(items)}
        self._steps = replay.best.steps()
        self._numbers = {id(step): nth for nth, step in enumerate(self._steps)}
        left = [self._places[id(event)] for event in replay.best.left_over()
                if id(event) in self._places]
        self._left = sorted(place for place in left
                            if items[place].effect and not items[place].alarming)
        self._holes = [place for place, item in enumerate(items)
                       if item.event.speaker == "dom0" and item.event.proves("gap")]
        self._items = items

    def spares(self, found: Match) -> bool:
        """Whether at least one of the facts is told without a contradiction in between.

        That is, from the load that attached the pair to the line that shows what became of it.
        """
        return any(self._whole(fact, found.confirmed) for fact in found.facts)

    def holed(self, found: Match) -> bool:
        """Whether lines are missing, as the log says, on the way to every one of the facts."""
        return bool(self._holes) and all(
            fact.fields.get("pirq") is not None and
            self._hole_in(self._stretch(fact, found.confirmed)) for fact in found.facts)

    def leaves_open(self, found: Match) -> bool:
        """Whether a fault that printed nothing, and that nothing confirms, is followed by lines of
        its device of which the story knows nothing, or lines are missing on the way to it."""
        if found.confirmed or not found.rule.confirmed_by or not isinstance(
                found.device, PciAddress):
            return False
        if self.holed(found):
            return True
        last = max((place for fact in found.facts if fact.step is not None
                    for place in self._of(self._steps[fact.step])), default=0)
        behind = self._left_between(last + 1, len(self._items))
        return any(device is not None and device.agrees(found.device) for device in behind)

    def _whole(self, fact: Fact, confirmed: Sequence[Fact]) -> bool:
        device = fact.fields.get("record") or fact.fields.get("device")
        if fact.step is None or not isinstance(device, PciAddress):
            return True
        if fact.lines and not _tells(self._steps[fact.step], device):
            return False
        if fact.fields.get("pirq") is None:
            return _tells(self._steps[fact.step], device)
        if fact.fields.get("other") is not None and not self._told_together(fact.step, device):
            return False
        stretch = self._stretch(fact, confirmed)
        left = self._left_between(*self._ends_of(stretch))
        return not any(other is None or other.agrees(device) for other in left) and not any(
            step.unseen and step.act.op in ENDS and _concerns(step, device) for step in stretch
            ) and not self._hole_in(stretch)

    def _stretch(self, fact: Fact, confirmed: Sequence[Fact]) -> Sequence[Step]:
        """The steps from the load that attached the pair to the one that shows what became of it.

        Of a fact without a step, none.
        """
        if fact.step is None:
            return ()
        first = attach_step(fact, self._steps)
        later = [each.step for each in confirmed if each.step is not None
                 and each.step >= fact.step]
        last = min(later, default=fact.step)
        begin = 0 if first is None else self._numbers[id(first)]
        return self._steps[begin:last + 1]

    def _ends_of(self, stretch: Sequence[Step]) -> tuple[int, int]:
        """The places of the first line of these steps and of the last."""
        places = [place for step in stretch for place in self._of(step)]
        return min(places, default=0), max(places, default=0)

    def _hole_in(self, stretch: Sequence[Step]) -> bool:
        """Whether dom0 left out lines between these steps, or lines of one of them.

        A step at the end of a story that no line pins may have come after everything.
        """
        low, high = self._ends_of(stretch)
        if not stretch or not self._of(stretch[-1]):
            high = len(self._items)
        return any(step.lost for step in stretch) or \
            bisect_left(self._holes, low) < bisect_right(self._holes, high)

    def _left_between(self, low: int, high: int) -> Iterator[PciAddress | None]:
        """The devices, or none, that the lines left over from `low` to `high` name."""
        for nth in range(bisect_left(self._left, low), bisect_right(self._left, high)):
            yield self._items[self._left[nth]].device

    def _told_together(self, before: int, device: PciAddress) -> bool:
        """Whether lines show the start of the domain with that device, and so what else it has."""
        starts = [step for step in self._steps[:before]
                  if step.act.op == "domain_start" and device in step.act.devices]
        return not starts or bool(starts[-1].lines)

    def _of(self, step: Step) -> list[int]:
        """Places of the step's lines in the order; of an inferred step, before which it was."""
        events = step.lines or ((step.at,) if step.at is not None else ())
        return [self._places[id(event)] for event in events if id(event) in self._places]


def _tells(step: Step, device: PciAddress) -> bool:
    """Whether one of the step's lines names the device."""
    named = (event.fields.get("device") for event in step.lines)
    return any(isinstance(each, PciAddress) and each.agrees(device) for each in named)


def _concerns(step: Step, device: PciAddress) -> bool:
    """Whether the act is done to the device, or to a domain with all that it has."""
    devices = step.act.devices or ((step.act.device,) if step.act.device is not None else ())
    return not devices or device in devices
