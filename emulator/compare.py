"""Hold dom0's record of a device against Xen's table: which pairs still mean what they say.

**Invariant:** reads one State; needs no log, no deed and no kernel's traits.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from emulator.dom0 import is_own
from emulator.pci import PciAddress
from emulator.records import Pair, present_life
from emulator.state import State

Standing = Literal["live", "stale", "foreign", "lost"]
"""What a pair of dom0's record is worth.

live: attached in the present assignment, and Xen maps the pirq to this device. stale: attached in
an earlier assignment, whose pirqs Xen has forgotten. foreign: Xen maps the pirq, for the domain
that has the device now, to another device. lost: attached in the present assignment, but Xen maps
the pirq no longer.
"""


class Compared(NamedTuple):
    """One pair of dom0's record, what it is worth, and whose interrupt its pirq really is.

    `mapped_to` is the device to which Xen maps the pirq for the present holder; None if it does not
    map it.
    """

    pair: Pair
    standing: Standing
    mapped_to: PciAddress | None


def compared(state: State, device: PciAddress) -> tuple[Compared, ...]:
    """dom0's record of the device, in list order, held against the present holder's table."""
    found = state.devices.get(device)
    if found is None:
        return ()
    domain = state.domains.get(present_life(found)[0])
    table = {} if domain is None else domain.table
    judged = []
    for pair in found.entries:
        mapped = table.get(pair.pirq)
        real = mapped.device if mapped is not None and mapped.vector > 0 else None
        judged.append(Compared(pair, _standing(is_own(found, pair), real, device), real))
    return tuple(judged)


def _standing(own: bool, real: PciAddress | None, device: PciAddress) -> Standing:
    if real is not None and real != device:
        return "foreign"
    if not own:
        return "stale"
    return "lost" if real is None else "live"
