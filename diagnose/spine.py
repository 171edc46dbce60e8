"""What the lines in order say by themselves: items, the devices on the path, bursts of vectors.

**Invariant:** knows what a line proves, never what it is called.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from diagnose.events import Event
from emulator.life import EMITS
from emulator.pci import PciAddress

EFFECT_KINDS = frozenset(kind for kinds in EMITS.values() for kind in kinds)


class Item(Struct, frozen=True):
    """One event of the spine with what it proves; `device` and `domid` are those it names."""

    event: Event
    effect: bool
    alarming: bool
    optional: bool          # any host prints this kind, whether it passes devices through or not
    device: PciAddress | None
    domid: int | None
    birth: int | None
    death: int | None
    boot: bool


def address(event: Event) -> PciAddress | None:
    """The device that the line names, possibly in part."""
    device = event.fields.get("device")
    return device if isinstance(device, PciAddress) else None


def number(event: Event, field: str) -> int | None:
    """A field of the line as a number, None if it has none of that name."""
    value = event.fields.get(field)
    return value if isinstance(value, int) else None


def proved(event: Event, name: str) -> int | None:
    """The domid that the event proves to be born, alive or dead, if it does."""
    for term in event.proofs():
        if term.name == name and term.args:
            return number(event, term.args[0])
    return None


def item_of(event: Event) -> Item:
    """What one event means to the search."""
    return Item(
        event=event,
        effect=event.proves("effect") and event.kind in EFFECT_KINDS,
        alarming=event.production.alarming,
        optional=event.production.scope == "anyhost",
        device=address(event),
        domid=number(event, "domid"),
        birth=proved(event, "birth"),
        death=proved(event, "death"),
        boot=event.proves("host_boot"),
    )


def passed_through(items: Sequence[Item], beside: Iterable[Event]) -> tuple[PciAddress, ...]:
    """Full addresses on the passthrough path, by the slot that guests see, then by appearance.

    A line that any host prints does not put a device there by itself; one of the path does, also if
    it gives the device's slot and function only. Where no line names a bus for those, the device
    stays nameless. See `_likely` for devices that no line of the path names.
    """
    seen: dict[PciAddress, bool] = {}
    partial: dict[int, None] = {}
    for item in items:
        if item.effect and item.device is not None:
            if item.device.is_full:
                seen[item.device] = seen.get(item.device, False) or not item.optional
            else:
                partial[item.device.devfn] = None
    for event in beside:
        device = address(event)
        if device is not None and device.is_full and event.production.scope != "anyhost":
            seen[device] = True
    for devfn in partial:
        alike = [device for device in seen if device.devfn == devfn]
        if not any(seen[device] for device in alike):
            seen.update(dict.fromkeys(alike or [PciAddress.nameless(len(seen), devfn)], True))
    seen.update(dict.fromkeys(_likely(items, {d for d, on_path in seen.items() if on_path}), True))
    slots = {item.device: slot for item in reversed(items) if item.device is not None
             and (slot := number(item.event, "virtual_slot")) is not None}
    return tuple(sorted((device for device, on_path in seen.items() if on_path),
                        key=lambda device: slots.get(device, 0)))


def _likely(items: Sequence[Item], sure: set[PciAddress]) -> Iterator[PciAddress]:
    """Devices of which only such lines tell as any host prints, and that seem to be passed through.

    A device that only dom0 uses is enabled once, so the same line twice within a host boot hints at
    passthrough, and so does a line of the path that follows at once and names no device. Where
    other devices are known to be passed through, all its lines have to be like theirs in all but
    the address: dom0's own cards decode other resources than virtual functions do.
    """
    told: dict[tuple[PciAddress, str], int] = defaultdict(int)
    lines: dict[PciAddress, set[tuple[object, ...]]] = defaultdict(set)
    hinted: dict[PciAddress, None] = {}
    latest: PciAddress | None = None
    for item in (item for item in items if item.boot or item.event.speaker == "dom0"):
        if item.boot:
            told.clear()
        if not item.effect:
            continue
        if item.device is not None and item.device.is_full:
            told[item.device, item.event.kind] += 1
            lines[item.device].add(_but_address(item.event))
            if told[item.device, item.event.kind] > 1:
                hinted[item.device] = None
            latest = item.device
        elif item.device is None:
            if latest is not None and not item.optional:
                hinted[latest] = None
            latest = None
    alike = {line for device in sure for line in lines[device]}
    yield from (device for device in hinted if device not in sure
                and (not sure or lines[device] <= alike))


def _but_address(event: Event) -> tuple[object, ...]:
    """What a line says, without the device that it names."""
    return (event.kind, *sorted((name, value) for name, value in event.fields.items()
                                if name != "device" and isinstance(value, int)))


def bursts(items: tuple[Item, ...], devices: tuple[PciAddress, ...]) -> dict[PciAddress, int]:
    """How many MSI-X entries each device's driver asks for, as far as bursts of lines tell.

    Lines with an entry number tell it; without any, the shortest run of lines that tell of one
    entry each and follow at once on lines with the device's full address, if it is odd: an even one
    may be a load and an unload.
    """
    most: dict[PciAddress, int] = {}
    least: dict[PciAddress, int] = {}
    current: PciAddress | None = None
    run = 0
    for item in (item for item in items if item.effect and item.event.speaker == "dom0"):
        device, entry_nr = item.device, number(item.event, "entry_nr")
        if device is not None and entry_nr is not None and device in devices:
            most[device] = max(most.get(device, 0), entry_nr + 1)
        if current is not None and device is not None and not device.is_full and \
                device.agrees(current):
            run += 1
            continue
        if current is not None and run:
            least[current] = min(least.get(current, run), run)
        current, run = device if device in devices and item.optional else None, 0
    if current is not None and run:
        least[current] = min(least.get(current, run), run)
    return {**{device: run for device, run in least.items() if run % 2}, **most}


def flushes(items: tuple[Item, ...], devices: int) -> tuple[int, ...]:
    """Lengths of runs of dom0 lines that name a pirq and no entry, whole and shared by device."""
    runs: dict[int, None] = {}
    length = 0
    for item in items:
        if not item.effect or item.event.speaker != "dom0" or item.domid is not None:
            continue
        if "pirq" in item.event.fields and "entry_nr" not in item.event.fields:
            length += 1
            continue
        if length:
            runs.update(dict.fromkeys((length // devices or 1, length)))
        length = 0
    if length:
        runs.update(dict.fromkeys((length // devices or 1, length)))
    return tuple(runs)[:3]
