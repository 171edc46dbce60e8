"""Field types: what a terminal's suffix says about reading and printing its text.

One table. `_DEC` reads decimal numbers, `_HEX`, `_HEX2`, `_HEX4` hexadecimal ones (the
digit is the printk's padding), `_STR` text. `_SEG`, `_DOT`, `_COLON` and `_DEVFN` read one
`PciAddress` in the four notations that dom0, Xen and pciback print.

**Invariant:** reading and printing are inverse for every text that the terminals accept.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from emulator.pci import PciAddress

_UNSIGNED_32 = 0xFFFFFFFF


class FieldType(NamedTuple):
    """`read` turns matched text into a value, `write` turns the value into the same text."""

    name: str
    read: Callable[[str], object]
    write: Callable[[object], str]
    meaning: str


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is no number; the field's suffix asks for one")
    return value


def _address(value: object) -> PciAddress:
    if not isinstance(value, PciAddress):
        raise ValueError(f"{value!r} is no PciAddress; the field's suffix asks for one")
    return value


def _bus(device: PciAddress) -> int:
    if device.bus is None:
        raise ValueError(f"{device} has no bus, and the message prints one")
    return device.bus


def _unsigned(value: object) -> int:
    # The kernel prints negative status words with %x, as 32-bit two's complement.
    number = _number(value)
    return number & _UNSIGNED_32 if number < 0 else number


def _read_hex(text: str) -> int:
    return int(text, 16)


def _read_seg(text: str) -> PciAddress:
    return PciAddress(int(text[:4], 16), int(text[5:7], 16), int(text[8:10], 16), int(text[11]))


def _read_short(text: str) -> PciAddress:
    return PciAddress(None, int(text[:2], 16), int(text[3:5], 16), int(text[6]))


def _read_devfn(text: str) -> PciAddress:
    return PciAddress.from_devfn(int(text, 16))


def _write_seg(value: object) -> str:
    device = _address(value)
    if device.segment is None:
        raise ValueError(f"{device} has no segment, and the message prints one")
    return f"{device.segment:04x}:{_bus(device):02x}:{device.slot:02x}.{device.function:x}"


def _write_dot(value: object) -> str:
    device = _address(value)
    return f"{_bus(device):02x}:{device.slot:02x}.{device.function:x}"


def _write_colon(value: object) -> str:
    device = _address(value)
    return f"{_bus(device):02x}:{device.slot:02x}:{device.function:x}"


def _write_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text; the field's suffix asks for it")
    return value


_TYPES = (
    FieldType("DEC", int, lambda value: f"{_number(value)}", "number, decimal"),
    FieldType("HEX", _read_hex, lambda value: f"{_unsigned(value):x}", "number, hexadecimal"),
    FieldType("HEX2", _read_hex, lambda value: f"{_unsigned(value):02x}", "number, 2 hex digits"),
    FieldType("HEX4", _read_hex, lambda value: f"{_unsigned(value):04x}", "number, 4 hex digits"),
    FieldType("STR", str, _write_text, "text"),
    FieldType("SEG", _read_seg, _write_seg, "address, as in 0000:01:10.0"),
    FieldType("DOT", _read_short, _write_dot, "address, as in 01:10.0"),
    FieldType("COLON", _read_short, _write_colon, "address, as in 01:10:0"),
    FieldType(
        "DEVFN",
        _read_devfn,
        lambda value: f"{_address(value).devfn:x}",
        "slot and function packed, hexadecimal, as in 80",
    ),
)

FIELD_TYPES: dict[str, FieldType] = {kind.name: kind for kind in _TYPES}
"""All suffixes by name."""


def split_terminal(name: str) -> tuple[str, str]:
    """Field name and suffix of a terminal: `ENTRY_NR_DEC` → ("entry_nr", "DEC").

    Raises ValueError if the terminal does not end in a known suffix.
    """
    stem, _, suffix = name.rpartition("_")
    if not stem or suffix not in FIELD_TYPES:
        known = " ".join(f"_{one}" for one in FIELD_TYPES)
        raise ValueError(f"terminal {name} ends in no known suffix; there are: {known}")
    return stem.lower(), suffix
