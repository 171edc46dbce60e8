"""PCI addresses as kernels print them: some lines tell all four parts, some only slot and function.

The address is the key of dom0's ledger, so a partial one (`get owner for dev 80`) is kept partial
and compared with `agrees` instead of being completed by a guess.

**Invariant:** knows nothing about devices, only about their names.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TEXT = re.compile(
    r"(?:(?P<segment>[0-9a-f]{4}|\?{4}):)?(?P<bus>[0-9a-f]{2}|\?\?):"
    r"(?P<slot>[0-9a-f]{2})[.:](?P<function>[0-7])",
    re.IGNORECASE,
)

SLOT_MAX = 0x1F
# A PCI bus number has eight bits: numbers above stand for buses that exist and that no line names.
BUS_MAX = 0xFF
FUNCTION_MAX = 7


class PciAddress(NamedTuple):
    """Segment, bus, slot and function of a device; `None` = the line did not tell that part."""

    segment: int | None
    bus: int | None
    slot: int
    function: int

    @property
    def devfn(self) -> int:
        """Slot and function packed as the kernel packs them (linux/pci.h: PCI_DEVFN())."""
        return self.slot << 3 | self.function

    @property
    def is_full(self) -> bool:
        """Whether all four parts are known."""
        return self.segment is not None and self.bus is not None

    @property
    def is_named(self) -> bool:
        """Whether the bus is a real bus number and not one that stands for an unknown bus."""
        return self.bus is not None and self.bus <= BUS_MAX

    @classmethod
    def nameless(cls, nth: int, devfn: int) -> PciAddress:
        """The `nth` device of which only slot and function are ever told, fit to be a key."""
        return cls(0, BUS_MAX + 1 + nth, devfn >> 3 & SLOT_MAX, devfn & FUNCTION_MAX)

    def agrees(self, other: PciAddress) -> bool:
        """Whether both can be the same device: an unknown part agrees with anything."""
        return (
            self.slot == other.slot
            and self.function == other.function
            and (self.bus is None or other.bus is None or self.bus == other.bus)
            and (self.segment is None or other.segment is None or self.segment == other.segment)
        )

    def filled(self, other: PciAddress) -> PciAddress:
        """This address with its unknown parts taken from `other`."""
        return PciAddress(
            other.segment if self.segment is None else self.segment,
            other.bus if self.bus is None else self.bus,
            self.slot,
            self.function,
        )

    @classmethod
    def parse(cls, text: str) -> PciAddress:
        """Read `0000:01:10.0`, `01:10.0` or `01:10:0` (hexadecimal); `??` stands for an unknown
        part.

        Raises ValueError for anything else.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is no PCI address; expected ssss:bb:dd.f or bb:dd.f, as in 0000:01:10.0"
            )
        segment, bus, slot, function = match.groups()
        address = cls(_part(segment), _part(bus), int(slot, 16), int(function, 8))
        if address.slot > SLOT_MAX:
            raise ValueError(f"{text!r} is no PCI address; a bus has slots 00 to 1f")
        return address

    @classmethod
    def from_devfn(cls, devfn: int) -> PciAddress:
        """The partial address in a packed devfn byte (0x80 = slot 10, function 0)."""
        return cls(None, None, devfn >> 3 & SLOT_MAX, devfn & FUNCTION_MAX)

    def __str__(self) -> str:
        """`0000:01:10.0`; a missing segment reads 0000 if the bus is known, a missing bus `??`."""
        if not self.is_named:
            known = self.segment is not None and self.bus is None
            segment = f"{self.segment:04x}" if known else "????"
            return f"{segment}:??:{self.slot:02x}.{self.function:x}"
        return f"{self.segment or 0:04x}:{self.bus or 0:02x}:{self.slot:02x}.{self.function:x}"


def _part(text: str | None) -> int | None:
    return None if text is None or text.startswith("?") else int(text, 16)
