"""Addresses: read, printed and compared, whole and partial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.pci import PciAddress
from emulator.records import DeviceConfig

full = st.builds(
    PciAddress,
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFF),
    st.integers(0, 0x1F),
    st.integers(0, 7),
)


@given(full)
def test_a_full_address_survives_its_text(address: PciAddress) -> None:
    assert PciAddress.parse(str(address)) == address
    assert address.is_full


@given(full)
def test_a_packed_address_agrees_with_every_bus(address: PciAddress) -> None:
    partial = PciAddress.from_devfn(address.devfn)
    assert (partial.bus, partial.devfn) == (None, address.devfn)
    assert partial.agrees(address)
    assert address.agrees(partial)
    assert partial.filled(address) == address


@pytest.mark.parametrize(
    ("text", "parts", "shown"),
    [
        ("0000:01:10.0", (0, 1, 16, 0), "0000:01:10.0"),
        ("01:10.0", (None, 1, 16, 0), "0000:01:10.0"),
        ("0a:1f:7", (None, 10, 31, 7), "0000:0a:1f.7"),
        ("????:??:10.0", (None, None, 16, 0), "????:??:10.0"),
        ("0001:0A:00.1", (1, 10, 0, 1), "0001:0a:00.1"),
    ],
)
def test_each_notation_is_read(text: str, parts: tuple[int | None, ...], shown: str) -> None:
    address = PciAddress.parse(text)
    assert tuple(address) == parts
    assert str(address) == shown


@pytest.mark.parametrize("text", ["", "10.0", "0000:01:20.0", "01:10.8", "01:10.0 ", "x1:10.0"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no PCI address"):
        PciAddress.parse(text)


def test_an_unknown_part_agrees_with_anything_a_known_one_does_not() -> None:
    device = PciAddress.parse("0000:01:10.0")
    assert device.agrees(PciAddress(None, 1, 16, 0))
    assert not device.agrees(PciAddress(1, 1, 16, 0))
    assert not device.agrees(PciAddress(None, 2, 16, 0))
    assert not device.agrees(PciAddress(None, None, 16, 1))


@pytest.mark.parametrize(
    ("address", "is_vf"),
    [("0000:01:10.0", True), ("0000:01:00.0", False), ("0000:00:19.0", False)],
    ids=["a virtual function", "its card", "the chipset's own card"],
)
def test_what_an_address_most_likely_is(address: str, is_vf: bool) -> None:
    usual = DeviceConfig.usual(PciAddress.parse(address))
    assert (usual.is_vf, usual.has_msi) == (is_vf, not is_vf)
