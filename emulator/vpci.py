"""The virtual bus on which a guest sees its devices (drivers/xen/pciback/vpci.c, 2.6.18-164 on).

**Invariant:** knows slots, not owners.
"""

from __future__ import annotations

from typing import Final

from emulator.errors import ImpossibleError
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress

VPCI_SLOTS: Final = 32


def pciback_add_pci_dev(w: Ledgers, domid: int, address: PciAddress) -> None:
    """Put the device on the domain's virtual bus (pciback_add_pci_dev()).

    Functions of one physical slot share a virtual slot; otherwise the first empty one is taken.
    """
    backend = w.backends[domid]
    slots = list(backend.slots)
    for number, slot in enumerate(slots):
        if slot and slot[0][:3] == address[:3]:
            slots[number] = (*slot, address)
            w.dom0(
                "info",
                "pciback_vpci_assign_func",
                {
                    "device": address,
                    "virtual_slot": number,
                    "virtual_function": address.function,
                },
            )
            break
    else:
        number = next((at for at, slot in enumerate(slots) if not slot), len(slots))
        if number >= VPCI_SLOTS:
            raise ImpossibleError(f"the virtual bus of domain {domid} has {VPCI_SLOTS} slots")
        slots[number : number + 1] = [(address,)]
        w.dom0("info", "pciback_vpci_assign", {"device": address, "virtual_slot": number})
    w.set_backend(domid, backend._replace(slots=tuple(slots)))


def pciback_release_pci_dev(w: Ledgers, domid: int, address: PciAddress) -> None:
    """Take the device off the domain's virtual bus (pciback_release_pci_dev())."""
    backend = w.backends[domid]
    slots = tuple(tuple(each for each in slot if each != address) for slot in backend.slots)
    w.set_backend(domid, backend._replace(slots=slots))
