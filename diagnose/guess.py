"""Guess what no line says outright: a starting domain's id, an owner's end, a driver's requests.

Every guess is taken from lines near by and comes with a cost; none is a fact before the whole story
holds.

**Invariant:** names acts, never kinds of lines.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from diagnose.costs import costs
from diagnose.events import Event
from diagnose.spine import Item
from diagnose.story import UNKNOWN_DOMID_MIN, Hypothesis, first_left
from diagnose.timeline import Timeline
from emulator.acts import LINGERS
from emulator.kernels import Row
from emulator.life import EMITS, Act
from emulator.pci import PciAddress

#: igbvf asks for three vectors (transmit, receive, mailbox): the guess where no line counts them.
USUAL_VECTORS = 3
#: More than any network VF of that era has; it bounds the search only, never a reading.
VECTORS_MAX = 40
#: How far from a start the lines that tell its domid may lie, in spine items.
NEIGHBOURHOOD = 14
#: Why a map may fail: an outside cause that Xen is silent about, no vector left, no pirq left.
MAP_FAULTS = ("map_pirq", "map_no_vector", "map_no_pirq")
#: Why one may fail of which neither dom0 nor Xen says a word (msi-xen.c: msi_map_pirq_to_vector()).
SILENT_FAULT = "map_nosupport"
#: Xen fails a map with one of several numbers; dom0's kernel reports them alike (msi-xen.c).
ENOSPC = -28


class Context(Struct, frozen=True):
    """Where a proposal is asked for."""

    timeline: Timeline
    hyp: Hypothesis
    at: int
    strict: bool = False

    @property
    def item(self) -> Item:
        return self.timeline.items[self.at]

    def devices(self) -> list[PciAddress]:
        """The devices of the incident that the line may speak of."""
        told = self.item.device
        return [d for d in self.timeline.devices if told is None or told.agrees(d)]

    def domid_fits(self, domid: int) -> bool:
        """Whether the line may speak of this domain."""
        return self.item.domid is None or self.item.domid == domid


def endings(context: Context, domid: int) -> Iterator[tuple[tuple[Act, ...], int, bool]]:
    """How a living domain may have gone: acts, extra cost, and whether that is rare."""
    state = context.hyp.state
    loaded = [d for d in sorted(state.owned(domid)) if state.loaded(domid, d) is not None]
    clean, destroy = Act("clean_shutdown", domid), Act("destroy", domid)
    unloaded = (*(Act("driver_unload", domid, device) for device in loaded), clean)
    life = context.hyp.life(domid)
    word = context.timeline.segments[life.segment] if life is not None else None
    told = (word.ending if word is not None else "") or context.timeline.told_end(domid)
    if not loaded and word is None and not told:
        yield (Act("teardown", domid),), 0, False
        return
    if told in ("abrupt", "torn"):
        yield (Act("crash", domid),), 0, False
    if told in ("clean", "torn") or (not told and word is None):
        yield (clean,), 0, False
        if loaded:
            yield unloaded, 0, False
    elif not told and word is not None and word.last:
        price = "word_missing" if context.timeline.has_words else "clean_without_word"
        yield (clean,), costs().other[price], False
    if not told:
        yield (destroy,), 0, False
    if loaded and told != "clean":
        final = Act("crash", domid) if told else destroy
        yield (final._replace(fault=(LINGERS, 1, 0)),), 0, True
        if resets_matter(context.hyp.row):
            silent = word is not None and not told
            yield (*(Act("flr", device=device) for device in loaded), final), 0, not silent


def resets_matter(row: Row) -> bool:
    """Whether it makes a difference to dom0's record that a device was reset before."""
    return row.traits.reset_disables


def domids(context: Context, devices: Sequence[PciAddress]) -> Iterator[tuple[int, int]]:
    """Whom a starting domain may be, with the cost of the guess: what lines near its start tell."""
    hyp, told = context.hyp, context.item.domid
    if told is not None and told > hyp.newest and context.item.event.speaker == "dom0":
        yield told, 0
        return
    before, after = (
        [domid for domid in _births(context, step) if domid > hyp.newest] for step in (-1, 1))
    later = [domid for domid in _next_told(context, devices) if domid > hyp.newest]
    both = [domid for domid in before if domid in after]
    near = list(dict.fromkeys([*both, *after, *before]))[:3]
    yield from ((domid, nth) for nth, domid in enumerate(near))
    far = costs().other["far_domid"]
    yield from ((domid, 0 if domid == hyp.newest + 1 else far)
                for domid in dict.fromkeys(later) if domid not in near)
    if not near:
        yield UNKNOWN_DOMID_MIN + hyp.unknowns, costs().other["unknown_domid"]


def _births(context: Context, step: int) -> Iterator[int]:
    """Domids born between this line and dom0's effect before it (-1) or after it (1)."""
    items, at = context.timeline.items, context.at
    found, dead = False, set()
    for place in range(at + step, at + step * NEIGHBOURHOOD, step):
        if not 0 <= place < len(items) or items[place].boot:
            break
        item = items[place]
        alike = item.event.kind == items[at].event.kind and not found
        if item.death is not None:
            dead.add(item.death)
        if item.birth is not None and item.birth not in dead:
            found = True
            yield item.birth
        elif item.effect and item.event.speaker == "dom0" and not alike:
            break


def _next_told(context: Context, devices: Sequence[PciAddress]) -> Iterator[int]:
    """The next domid that a line tells of one of these devices, here and in Xen's own log."""
    items = context.timeline.items
    for place in range(context.at, min(len(items), context.at + 200)):
        item = items[place]
        if item.boot and place > context.at:
            break
        starts = item.event.kind in EMITS["domain_start"]
        if item.effect and item.domid is not None and not starts and (
                item.device is None or any(item.device.agrees(d) for d in devices)):
            yield item.domid
            break
    if context.hyp.boot < len(context.timeline.xen):
        run, mask = context.timeline.xen[context.hyp.boot], context.hyp.xen_mask
        for place in range(first_left(mask), len(run)):
            domid = run[place].fields.get("domid")
            if isinstance(domid, int) and domid > context.hyp.newest and not mask >> place & 1:
                yield domid
                break


#: Lines further apart than so many seconds may be of two acts. It adds a guess, which the lines
#: have to bear out, and takes none away.
AT_ONCE_SECONDS = 0.5


def vector_counts(context: Context, device: PciAddress) -> list[int]:
    """How many entries the driver may have asked for: by this burst, then by others."""
    close, scattered = burst(context, device), burst(context, device, lenient=True)
    hint = context.timeline.entries.get(device)
    found = [n for n in (close, hint, burst(context, device, at_once=True)) if n]
    if close:
        found.append(close - 1)      # the last line may begin a flush that follows at once
    if close and close % 2 == 0:
        found.append(close // 2)
    if close:
        alike = (d for d in context.timeline.devices if d != device and d.devfn == device.devfn)
        found.extend(close - len(context.hyp.state.pairs(other)) for other in alike)
    if scattered:
        found.append(scattered)
    if not found:
        found.extend(context.timeline.flushes[:1])
    if close or not hint:
        found.append(USUAL_VECTORS)
    return [n for n in dict.fromkeys(found) if 0 < n <= VECTORS_MAX][:6]


def burst(context: Context, device: PciAddress, lenient: bool = False,
          at_once: bool = False) -> int:
    """Lines from here on, one an entry, that a load of this device's driver can have printed.

    `lenient`: lines of other devices may stand between them. `at_once`: the clock must not stand
    between them.
    """
    items, count = context.timeline.items, 0
    before: Event | None = None
    mask = context.hyp.mask
    for place in range(context.at, min(len(items), context.at + 48)):
        item = items[place]
        if mask >> (place - context.at) & 1 or not item.effect or item.event.speaker != "dom0":
            continue
        if item.device is None or not item.device.agrees(device):
            if count and (item.device is None or not lenient):
                break
            continue
        if item.event.kind not in EMITS["driver_load"]:
            break
        per_entry = item.domid is not None or "entry_nr" in item.event.fields
        if (count and not per_entry) or (at_once and before and _apart(before, item.event)):
            break
        count, before = count + per_entry, item.event
    return count


def _apart(before: Event, after: Event) -> bool:
    """Whether the clock tells that so much time lies between two lines that no act goes on."""
    one, other = before.stamp, after.stamp
    if one.time is None or other.time is None or one.kind != other.kind:
        return False
    coarse = other.coarse if other.uptime is None else 0.0
    return other.time - one.time > AT_ONCE_SECONDS + coarse
