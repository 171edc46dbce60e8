"""Give a device of which a log tells slot and function alone the bus that state files leave it.

**Invariant:** an address is filled in only where all that is known leaves a single candidate.
"""
from __future__ import annotations

from collections import defaultdict

from msgspec.structs import replace

from diagnose.events import Event, Parsed
from diagnose.spine import address
from diagnose.state.host import devices, dumped
from emulator.pci import PciAddress


def addressed(parsed: Parsed) -> Parsed:
    """The same with nameless devices named, as far as the state of the host tells."""
    known = devices((*parsed.state, *dumped(parsed.events)))
    if not known:
        return parsed
    known |= {device._replace(segment=device.segment or 0) for event in parsed.events
              if event.speaker != "guest" and (device := address(event)) is not None
              and device.is_named}
    by_devfn: dict[int, list[PciAddress]] = defaultdict(list)
    for device in known:
        by_devfn[device.devfn].append(device)
    only = {devfn: found[0] for devfn, found in by_devfn.items() if len(found) == 1}
    return replace(parsed, events=tuple(_named(event, only) for event in parsed.events))


def _named(event: Event, only: dict[int, PciAddress]) -> Event:
    device = event.fields.get("device")
    if event.speaker == "guest" or not isinstance(device, PciAddress) or device.bus is not None \
            or device.devfn not in only:
        return event
    return replace(event, fields={**event.fields, "device": only[device.devfn]})
