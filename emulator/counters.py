"""What is handed out and counted: domids, interrupt vectors, and failures that wait for their turn.

**Invariant:** values only; each function answers a new one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.records import VECTOR_FIRST, VECTOR_LAST

DOMIDS_WINDOW: Final = 0x8000
_WINDOW_MASK: Final = (1 << DOMIDS_WINDOW) - 1


class Domids(NamedTuple):
    """The domids given out so far: the highest, and a bit for each of the 32768 below it.

    Xen gives out no more than these (xen/include/public/xen.h: DOMID_FIRST_RESERVED); where a line
    tells of one beyond, those from below the window count as used.
    """

    highest: int
    recent: int

    def used(self, domid: int) -> bool:
        """Whether the domid can no longer be given to a new domain."""
        behind = self.highest - domid
        if behind < 0:
            return False
        return behind >= DOMIDS_WINDOW or bool(self.recent >> behind & 1)

    def with_used(self, domid: int) -> Domids:
        """The same with one more domid used."""
        ahead = domid - self.highest
        if ahead <= 0:
            return Domids(self.highest, self.recent | 1 << -ahead)
        if ahead >= DOMIDS_WINDOW:
            return Domids(domid, 1)
        return Domids(domid, (self.recent << ahead | 1) & _WINDOW_MASK)


class Fault(NamedTuple):
    """An armed one-shot failure: the `left`-th next event of the kind fails with `ret`."""

    kind: str
    left: int
    ret: int


def next_vector(used: int, last: int) -> int | None:
    """The dynamic vector that Xen hands out after `last` (xen/arch/x86/io_apic.c:
    assign_irq_vector())."""
    vector = last
    while used >> vector & 1:
        vector += 8
        if vector > VECTOR_LAST:
            vector = VECTOR_FIRST + (vector + 1 & 7)
        if vector == last:
            return None
    return vector
