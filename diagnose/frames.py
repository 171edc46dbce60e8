"""The replay as a result: the story step by step, and both ledgers after each step.

Every class is one object of the report `diagnose.replay/1`; keys are those of the fields, as in
:mod:`diagnose.diagnosis`. Domids from `UNTOLD_DOMID_MIN` on stand for domains whose domid no line
tells. Pirqs and MSI-X entry numbers are plain numbers, addresses are texts.

**Invariant:** values only. Nothing here knows how a story was found or how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from diagnose.diagnosis import (
    Finding,
    InputReport,
    KernelReport,
    Missing,
    StoryStep,
    ToolReport,
    encode,
)
from diagnose.events import Line, Remark
from emulator.compare import Standing
from emulator.records import PLACEHOLDER_FIRST

REPLAY_SCHEMA = "diagnose.replay/1"

UNTOLD_DOMID_MIN = PLACEHOLDER_FIRST
"""Domids from here on are names of this program's own: no line tells the domain's real one."""

Entry = tuple[int, int, int, Standing]
"""One pair of dom0's record: pirq, entry_nr, the domid it was attached for, what it is worth."""


class DeviceRecord(Struct, frozen=True):
    """dom0's record of one device. `owner` is the domid that pciback gave it to.

    An item of `entries` is [pirq, entry_nr, domid for which the pair was attached, what it is worth
    now]: live, stale, foreign or lost.
    """

    owner: int | None
    seized: bool
    present: bool
    msix_enabled: bool
    entries: tuple[Entry, ...] = ()


class DomainTable(Struct, frozen=True):
    """Xen's table of one domain: pirq → device; `bound` are the pirqs with an event channel.

    `forced` are pirqs that Xen unbound while the guest was still using them.
    """

    kind: str
    pirqs: Mapping[int, str | None] = field(default_factory=dict)
    bound: tuple[int, ...] = ()
    forced: tuple[int, ...] = ()


class Belief(Struct, frozen=True):
    """What a guest's driver was handed, and which of that it has requested."""

    pirqs: tuple[int, ...]
    requested: tuple[int, ...]


class Ledgers(Struct, frozen=True):
    """Both ledgers at one moment, and what the guests believe: domid → device → vectors."""

    dom0: Mapping[str, DeviceRecord] = field(default_factory=dict)
    xen: Mapping[int, DomainTable] = field(default_factory=dict)
    guests: Mapping[int, Mapping[str, Belief]] = field(default_factory=dict)


class Change(Struct, frozen=True):
    """One row of a ledger that a step changed; `what` is `added`, `removed` or a pair's new state.

    In dom0's ledger the row is a pair of `device` (with `entry_nr`), in Xen's a pirq of `domid`.
    """

    ledger: Literal["dom0", "xen"]
    what: Literal["added", "removed", "live", "stale", "foreign", "lost"]
    domid: int
    pirq: int
    device: str | None = None
    entry_nr: int | None = None


class Parting(Struct, frozen=True):
    """The ledgers disagree in this step (the names are those of the emulator's violations)."""

    name: str
    device: str
    domid: int
    entry_nr: int | None
    pirq: int | None
    from_domid: int | None
    other: str | None
    note: str
    lines: tuple[Line, ...] = ()


class Frame(StoryStep, frozen=True):
    """One step with both ledgers after it; `number` counts the story's steps from 0."""

    number: int = 0
    ledgers: Ledgers = field(default_factory=Ledgers)
    changes: tuple[Change, ...] = ()
    violations: tuple[Parting, ...] = ()


class Moment(Struct, frozen=True):
    """What became of a pair in one step; `domid` is the domain that it was done to or for.

    `what` is `attached`, `released`, a pair's new state or the name of a violation; `lines` are
    those that speak of this very pair, where there are any.
    """

    step: int
    what: str
    domid: int | None = None
    lines: tuple[Line, ...] = ()


class EntryLife(Struct, frozen=True):
    """One pair from its attachment to its release, or to the end of the logs (`ended` None)."""

    pirq: int
    domid: int
    boot: int
    moments: tuple[Moment, ...]
    ended: int | None = None
    state: Standing | None = None


class Watched(Struct, frozen=True):
    """All lives of one MSI-X entry of one device."""

    device: str
    entry_nr: int
    lives: tuple[EntryLife, ...]


class Located(Struct, frozen=True):
    """A line of an input laid on the story: the last step that had happened by then.

    `step` is None where nothing had. `told` says whether the line is one of that step's own; `open`
    are the steps after it that may have happened by then as well.
    """

    input: str
    line: int
    text: str | None
    step: int | None
    told: bool
    open: tuple[int, ...] = ()


class Difference(Struct, frozen=True):
    """A step that goes another way under the assumed row.

    `refusal` says why it cannot happen there. `missing` are the lines printed under the story's own
    row only, `instead` those printed under the assumed one only.
    """

    step: int
    refusal: str
    missing: tuple[str, ...]
    instead: tuple[str, ...]
    ledgers: Ledgers
    parted: bool


class Assumed(Struct, frozen=True):
    """The same story under another kernel row: how it differs, and which findings are gone.

    `arisen` are the faults (name, device, host boot) that the story's own row does not have.
    """

    row: str
    title: str
    differences: tuple[Difference, ...]
    gone: tuple[Finding, ...]
    left: tuple[Finding, ...]
    arisen: tuple[tuple[str, str, int], ...]


class ReplayReport(Struct, frozen=True):
    """The cheapest story of one incident, and the answers to what was asked of it.

    `contradictions` counts what the story and the log hold against each other. `narrowed` is the
    device that the report is limited to.
    """

    tool: ToolReport
    inputs: tuple[InputReport, ...]
    kernel: KernelReport
    contradictions: int
    frames: tuple[Frame, ...]
    narrowed: str | None = None
    at: Located | None = None
    watched: Watched | None = None
    assumed: Assumed | None = None
    missing: tuple[Missing, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The report as plain JSON values, with the keys of `diagnose.replay/1`."""
        encoded = encode(self)
        assert isinstance(encoded, dict)
        return {"schema": REPLAY_SCHEMA, **encoded}
