"""The lives of one MSI-X entry: who it was attached for, what made it stale, whom it was served to.

**Invariant:** read from frames alone; what a ledger does not show is not told.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from diagnose.errors import UsageError
from diagnose.frames import EntryLife, Frame, Moment, Watched
from emulator.compare import Standing
from emulator.pci import PciAddress

LISTED_MAX = 16
"""So many names are offered to somebody who named none of them."""


def watch(wanted: str, frames: Sequence[Frame]) -> Watched:
    """What became of `DEVICE/ENTRY`, say `01:10.0/0`. Raises UsageError if there never was one."""
    device, entry_nr = _read(wanted, frames)
    lives: list[EntryLife] = []
    present: dict[tuple[int, int], list[Moment]] = {}
    standing: dict[tuple[int, int], Standing] = {}
    born: dict[tuple[int, int], int] = {}
    for frame in frames:
        record = frame.ledgers.dom0.get(device)
        now = {(pirq, domid): state for pirq, nr, domid, state in (record.entries if record else ())
               if nr == entry_nr}
        for pair in now.keys() - present.keys():
            present[pair], born[pair] = [Moment(frame.number, "attached", pair[1])], frame.boot
            standing[pair] = "live"
        for pair, moments in list(present.items()):
            moments += _done(frame, device, entry_nr, pair[0])
            if pair not in now:
                gone = present.pop(pair)
                gone.append(Moment(frame.number, "released"))
                lives.append(EntryLife(*pair, born[pair], tuple(gone), frame.number))
            elif now[pair] != standing[pair]:
                moments.append(Moment(frame.number, now[pair], pair[1]))
                standing[pair] = now[pair]
    lives += [EntryLife(*pair, born[pair], tuple(moments), None, standing[pair])
              for pair, moments in present.items()]
    return Watched(device, entry_nr, tuple(lives))


def _done(frame: Frame, device: str, entry_nr: int, pirq: int) -> Iterable[Moment]:
    """What the step did with the pair that made the ledgers disagree."""
    for broken in frame.violations:
        concerned = device in (broken.device, broken.other)
        if concerned and (broken.entry_nr, broken.pirq) == (entry_nr, pirq):
            yield Moment(frame.number, broken.name, broken.domid, broken.lines)


def _read(wanted: str, frames: Sequence[Frame]) -> tuple[str, int]:
    """The device and the entry number that are meant."""
    name, _, digits = wanted.rpartition("/")
    known = _known(frames)
    if not name or not digits.isdecimal():
        raise UsageError(f"--watch {wanted!r} is no entry of a device; write --watch DEVICE/ENTRY, "
                         "say --watch 0000:01:10.0/0.")
    try:
        address = PciAddress.parse(name)
    except ValueError as error:
        raise UsageError(f"--watch {wanted!r}: {error}.") from error
    meant = [device for device in known if address.agrees(PciAddress.parse(device))]
    if len(meant) != 1:
        said = "may be several devices" if meant else "is no device with vectors on record"
        raise UsageError(f"--watch {wanted!r}: {name} {said}. {_offer(meant or list(known))}")
    entries = known[meant[0]]
    if int(digits) not in entries:
        told = ", ".join(map(str, entries[:LISTED_MAX]))
        more = f" and {len(entries) - LISTED_MAX} more" if len(entries) > LISTED_MAX else ""
        raise UsageError(f"--watch {wanted!r}: {meant[0]} never had an entry {digits} on record; "
                         f"it had {told}{more}.")
    return meant[0], int(digits)


def _offer(devices: Sequence[str]) -> str:
    if not devices:
        return "This story puts no vector on record."
    more = f" and {len(devices) - LISTED_MAX} more" if len(devices) > LISTED_MAX else ""
    return f"On record are {', '.join(devices[:LISTED_MAX])}{more}."


def _known(frames: Sequence[Frame]) -> Mapping[str, list[int]]:
    """Device → the entry numbers that dom0 ever had on record for it."""
    found: dict[str, dict[int, None]] = {}
    for frame in frames:
        for device, record in frame.ledgers.dom0.items():
            for _, entry_nr, _, _ in record.entries:
                found.setdefault(device, {})[entry_nr] = None
    return {device: sorted(entry_nrs) for device, entry_nrs in sorted(found.items())}

