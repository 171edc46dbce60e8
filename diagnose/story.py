"""What the replay makes: steps, and hypotheses that are the ends of stories.

A story is a chain of steps shared between all hypotheses that began alike, so that a longer log
costs only its own steps. Costs are lexicographic: contradictions first, then everything else.

**Invariant:** knows acts and effects, no text and no rule.
"""
from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from diagnose.events import Event
from emulator.effects import Effect
from emulator.invariants import Violation
from emulator.kernels import Row
from emulator.life import Act
from emulator.pci import PciAddress
from emulator.state import State

#: Domain ids from here on are reserved by Xen (public/xen.h: DOMID_FIRST_RESERVED, 0x7FF0), so no
#: guest ever has one: they stand for owners whose id no line tells.
UNKNOWN_DOMID_MIN = 0x7FF0
#: A line that a story explains before its turn comes is worth this much while stories compete.
AHEAD = 2


def first_left(mask: int) -> int:
    """The first place that is not marked in a bit mask of places."""
    return (~mask & mask + 1).bit_length() - 1


def known_domid(domid: int | None) -> int | None:
    """The domid, or None where it only stands for an owner that no line names."""
    return None if domid is None or domid >= UNKNOWN_DOMID_MIN else domid


class Step(Struct, frozen=True):
    """One act of a story with the lines that it printed and those it should have printed."""

    parent: Step | None
    act: Act
    observed: bool
    why: str
    boot: int
    lines: tuple[Event, ...]
    unseen: tuple[Effect, ...]
    violations: tuple[Violation, ...]
    at: Event | None          # the line before which an inferred step must have happened
    lost: tuple[Effect, ...] = ()   # the same as `unseen`, where dom0 says that lines are missing

    @property
    def torn(self) -> bool:
        """Whether a guest that went down in order crashed before it was done."""
        return self.act.op == "clean_shutdown" and any(
            event.proves("death_abrupt") for event in self.lines)


class Unexplained(Struct, frozen=True):
    """An observed line that no act of the story prints."""

    parent: Unexplained | None
    event: Event


class Life(Struct, frozen=True, order=True, gc=False):
    """A living PV domain and the boot of the guest's log that is taken to be its own."""

    domid: int
    segment: int
    seen: int                 # bit mask over the segment's events: already explained


class Hypothesis(Struct, frozen=True, gc=False):
    """The end of one story: the machine's state and what it cost to get there.

    `mask` marks spine items from the present one on that are already explained, `xen_mask` those
    of the Xen log beside it, `taken` the guest boots that some life has claimed.
    """

    row: Row
    state: State
    contradictions: int = 0
    cost: int = 0
    boot: int = 0
    mask: int = 0
    xen_mask: int = 0
    taken: int = 0
    lives: tuple[Life, ...] = ()
    lineages: tuple[tuple[str, tuple[PciAddress, ...]], ...] = ()  # guest's log → its last devices
    found: frozenset[tuple[str, object, int]] = frozenset()
    step: Step | None = None
    unexplained: Unexplained | None = None
    history_open: bool = False  # things may have happened before the log begins
    newest: int = 0             # the highest domid that a line of this host boot has told
    unknowns: int = 0           # owners so far whose domid no line tells

    def plus(self, contradictions: int = 0, cost: int = 0) -> Hypothesis:
        """The same story, dearer."""
        if not contradictions and not cost:
            return self
        return replace(self, contradictions=self.contradictions + contradictions,
                       cost=self.cost + cost)

    @property
    def price(self) -> tuple[int, int]:
        """What stories are compared by."""
        return self.contradictions, self.cost

    @property
    def rank(self) -> tuple[int, int]:
        """What stories at one line are kept by: the price, less what they already explain ahead."""
        return self.contradictions, self.cost - AHEAD * self.mask.bit_count()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal keys have equal futures: only the cheaper of two such stories is kept."""
        return (self.row.name, self.boot, self.mask, self.xen_mask, self.taken, self.lives,
                self.lineages,
                self.found, self.state.essence())

    def life(self, domid: int) -> Life | None:
        """The guest log boot claimed by a living domain, if one is."""
        for life in self.lives:
            if life.domid == domid:
                return life
        return None

    def steps(self) -> list[Step]:
        """The story from its beginning."""
        return list(_chain(self.step))[::-1]

    def left_over(self) -> list[Event]:
        """The lines that the story does not explain, in order."""
        found, link = [], self.unexplained
        while link is not None:
            found.append(link.event)
            link = link.parent
        return found[::-1]


def _chain(step: Step | None) -> Iterator[Step]:
    while step is not None:
        yield step
        step = step.parent
