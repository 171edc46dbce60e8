"""Field types: what a terminal's suffix says about reading and printing its text.

One table. `_DEC` reads decimal numbers, `_HEX` hexadecimal ones (a digit after either is the
printk's padding, `_UHEX` has upper-case digits), `_STR` text. The suffixes of addresses read one
`PciAddress` in each of the notations that dom0, Xen, pciback and xend print.

**Invariant:** reading and printing are inverse, but for the width of blanks, for every text that
the terminals accept.
"""
from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from emulator.pci import PciAddress

_ADDRESS = re.compile(r"(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")
_UNSIGNED_32 = 0xFFFFFFFF


class FieldType(Struct, frozen=True):
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


def _read_parts(text: str) -> PciAddress:
    bus, slot, function = text.replace(".", ":").split(":")
    return PciAddress(None, int(bus, 16), int(slot, 16), int(function))


def _read_devfn(text: str) -> PciAddress:
    return PciAddress.from_devfn(int(text, 16))


def _read_bus_devfn(text: str) -> PciAddress:
    bus, devfn = text.split(":")
    return _read_devfn(devfn)._replace(bus=int(bus, 16))


def _read_packed(text: str) -> PciAddress:
    return _read_devfn(text[2:])._replace(bus=int(text[:2], 16))


def _write_seg(value: object) -> str:
    device = _address(value)
    if device.segment is None:
        raise ValueError(f"{device} has no segment, and the message prints one")
    return f"{device.segment:04x}:{_bus(device):02x}:{device.slot:02x}.{device.function:x}"


def _read_segment_parts(text: str) -> PciAddress:
    segment, rest = text.split(":", 1)
    return _read_parts(rest)._replace(segment=int(segment, 16))


def _write_segment_parts(value: object) -> str:
    device = _address(value)
    if device.segment is None:
        raise ValueError(f"{device} has no segment, and the message prints one")
    return f"{device.segment:x}:{_bus(device):x}:{device.slot:x}.{device.function:x}"


def _read_addresses(text: str) -> tuple[PciAddress, ...]:
    return tuple(map(PciAddress.parse, _ADDRESS.findall(text)))


def _write_addresses(value: object) -> str:
    if not isinstance(value, tuple):
        raise ValueError(f"{value!r} is no tuple of PciAddress; the field's suffix asks for one")
    return "".join(f"({_write_seg(each) if _address(each).segment is not None else _dot(each)})"
                   for each in value)


def _write_as(form: str) -> Callable[[object], str]:
    """A printer of bus, slot, function and devfn in one notation."""

    def write(value: object) -> str:
        device = _address(value)
        return form.format(bus=_bus(device), slot=device.slot, function=device.function,
                           devfn=device.devfn)

    return write


def _write_hex(form: str) -> Callable[[object], str]:
    return lambda value: format(_unsigned(value), form)


def _write_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text; the field's suffix asks for it")
    return value


_dot = _write_as("{bus:02x}:{slot:02x}.{function}")

_TYPES = (
    FieldType("DEC", int, lambda value: f"{_number(value)}", "number, decimal"),
    FieldType("DEC3", int, lambda value: f"{_number(value):3d}", "number, decimal, 3 columns wide"),
    FieldType("DEC4", int, lambda value: f"{_number(value):4d}", "number, decimal, 4 columns wide"),
    FieldType("HEX", _read_hex, _write_hex("x"), "number, hexadecimal"),
    FieldType("HEX2", _read_hex, _write_hex("02x"), "number, 2 hex digits"),
    FieldType("HEX3", _read_hex, _write_hex("03x"), "number, 3 hex digits"),
    FieldType("HEX4", _read_hex, _write_hex("04x"), "number, 4 hex digits"),
    FieldType("HEX8", _read_hex, _write_hex("08x"), "number, 8 hex digits"),
    FieldType("HEX16", _read_hex, _write_hex("016x"), "number, 16 hex digits"),
    FieldType("UHEX", _read_hex, _write_hex("X"), "number, hexadecimal in upper case"),
    FieldType("STR", str, _write_text, "text"),
    FieldType("SEG", _read_seg, _write_seg, "address, as in 0000:01:10.0"),
    FieldType("DOT", _read_parts, _dot,
              "address, as in 01:10.0"),
    FieldType("COLON", _read_parts, _write_as("{bus:02x}:{slot:02x}:{function}"),
              "address, as in 01:10:0"),
    FieldType("XDOT", _read_parts, _write_as("{bus:x}:{slot:x}.{function}"),
              "address, not padded, as in 1:10.0"),
    FieldType("XSEG", _read_segment_parts, _write_segment_parts,
              "address, not padded, as in 0:1:10.0"),
    FieldType("XCOLON", _read_parts, _write_as("{bus:x}:{slot:x}:{function}"),
              "address, not padded, as in 1:10:0"),
    FieldType("XDEVFN", _read_bus_devfn, _write_as("{bus:x}:{devfn:x}"),
              "address, slot and function packed, as in 1:80"),
    FieldType("BDF", _read_packed, _write_as("{bus:02x}{devfn:02x}"),
              "address in one number, as in 0180"),
    FieldType("DEVFN", _read_devfn, lambda value: f"{_address(value).devfn:x}",
              "address without bus, packed, as in 80"),
    FieldType("BDFS", _read_addresses, _write_addresses,
              "addresses, as in (01:10.0)(0000:01:10.1)"),
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
