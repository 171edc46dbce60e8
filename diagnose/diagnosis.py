"""The result: what the program concludes from one incident, key for key the published report.

Every class here is one object of the report `diagnose.report/1`; a field is the key of the same
name, in the same order (`KEYS` lists the few keys that are Python keywords). Addresses are texts
("0000:01:10.0"), pirqs and MSI-X entry numbers are plain numbers, and a list of evidence is a tuple
of :class:`~diagnose.events.Line`. Stages build these values; renderers only read them.

**Invariant:** values only. Nothing here knows how a conclusion was reached or how it is shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from diagnose.events import Coverage, LeftOut, Line, Remark

SCHEMA = "diagnose.report/1"

Verdict = Literal["fault", "healthy", "inconclusive"]
Confidence = Literal["certain", "likely"]
How = Literal["given", "banner", "inferred", "unknown"]
EndedBy = Literal["clean_shutdown", "destroy", "crash", "abrupt", "running", "unknown"]
DomainKind = Literal["pv", "hvm", "unknown"]
StepStatus = Literal["observed", "inferred"]
DivergenceKind = Literal["predicted-unseen", "observed-unexplained"]
FixKind = Literal["upgrade", "backport", "workaround", "recover"]

KEYS: Mapping[str, str] = {"from_line": "from", "to_line": "to"}
"""Field name → key of the report, where the two differ because the key is a Python keyword."""


#: Code of the remark that no kernel row describes the host.
NOT_MODELLED = "not-modelled"


class ToolReport(Struct, frozen=True):
    """Who concluded. `catalogue` is a hash over the grammars, rules, fixes and kernel rows."""

    name: str
    version: str
    catalogue: str


class InputReport(Struct, frozen=True):
    """One input that was read. `bytes` and `lines` count what remains after decompression.

    `part_of` names the log that it is one rotated part of, None where it is a log by itself.
    `state` tells what it is where it is no log ("lspci", "domains" …, see
    docs/grammar-annotations.md), None for a log.
    """

    path: str
    sha256: str
    bytes: int
    lines: int
    speakers: tuple[str, ...]
    compression: str
    part_of: str | None = None
    state: str | None = None


class KernelParts(Struct, frozen=True):
    """The releases of the four programs, as far as known; `guests` maps guest name to release."""

    dom0: str | None = None
    pciback: str | None = None
    xen: str | None = None
    guests: Mapping[str, str] = field(default_factory=dict)


class KernelReport(Struct, frozen=True):
    """The kernel row that the story ran under, how it was found, and the rows that fit as well."""

    row: str | None
    release: str | None
    how: How
    alternatives: tuple[str, ...] = ()
    parts: KernelParts = field(default_factory=KernelParts)


class Witness(Struct, frozen=True):
    """What proves a conclusion: lines of the inputs and steps of the story (ordinals from 0).

    `total` is the number of lines before the list was capped.
    """

    lines: tuple[Line, ...] = ()
    steps: tuple[int, ...] = ()
    total: int = 0


class Rival(Struct, frozen=True):
    """A consistent story that lacks the finding, and what the log would have to hold to decide."""

    story: str
    decided_by: str


class Finding(Struct, frozen=True):
    """One fault of one device in one host boot (`boot` counts from 0 in file order).

    `message` tells what was seen and why it is wrong, `todo` what to do about it, `occurrences` how
    many assignments it befell. `follows` and `fixes` hold ids.
    """

    id: str
    rule: str
    fault: str
    title: str
    severity: str
    confidence: Confidence
    device: str
    candidates: tuple[str, ...]
    domids: tuple[int, ...]
    entries: tuple[int, ...]
    pirqs: tuple[int, ...]
    occurrences: int
    message: str
    proof: tuple[str, ...]
    witness: Witness
    follows: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    rival: Rival | None = None
    boot: int = 0
    todo: str = ""


class HarmlessItem(Struct, frozen=True):
    """Lines that look alarming and are not, with the reason; one per rule, device and host boot."""

    rule: str
    device: str | None
    witness: Witness
    reason: str
    would_be_a_fault_if: str
    title: str = ""
    boot: int = 0


class Suspicion(Struct, frozen=True):
    """What the log hints at too weakly for a finding; it never changes the verdict."""

    fault: str
    device: str | None
    why: str
    lines: tuple[Line, ...]
    rule: str = ""
    title: str = ""
    boot: int = 0


class Divergence(Struct, frozen=True):
    """Where the best story and the log disagree; `event` is the kind of the line in question."""

    kind: DivergenceKind
    event: str
    lines: tuple[Line, ...]
    why: str
    device: str | None = None


class AssignmentReport(Struct, frozen=True):
    """One device given to one domain; `from` and `to` are the first and the last line of that."""

    boot: int
    device: str
    domid: int | None
    kind: DomainKind
    from_line: Line | None
    to_line: Line | None
    ended_by: EndedBy
    verdict: Verdict


class StoryStep(Struct, frozen=True):
    """One thing that was done.

    An inferred step has no line of its own: `why` tells which line would be impossible without it.
    """

    op: str
    args: Mapping[str, object]
    status: StepStatus
    lines: tuple[Line, ...] = ()
    why: str = ""
    boot: int = 0


class WhatIf(Struct, frozen=True):
    """The same story under another kernel row, or with a fix: the ids of findings gone and left."""

    assume: str
    removes: tuple[str, ...]
    leaves: tuple[str, ...]
    title: str = ""


class Recommendation(Struct, frozen=True):
    """A fix for this story. `covers`: the kinds of death it helps with, "clean" and "abrupt"."""

    fix: str
    kind: FixKind
    sufficient: bool
    covers: tuple[str, ...]
    text: str
    references: tuple[str, ...] = ()
    title: str = ""


class Exposure(Struct, frozen=True):
    """A known fault that the kernel row has and that this log does not show."""

    fault: str
    why: str
    fix: str


class Clock(Struct, frozen=True):
    """One input's clock minus dom0's, in seconds, as an interval (low, high).

    dom0's clock is its uptime, or the time of day where its log tells no other. A log that holds
    several boots of its speaker has a clock for each, counted by `boot` from 0.
    """

    input: str
    speaker: str
    relative_to: str
    offset_s: tuple[float, float]
    anchors: tuple[Line, ...] = ()
    boot: int = 0


class Missing(Struct, frozen=True):
    """Something to collect because the log cannot tell, and the command that collects it."""

    what: str
    why: str
    command: str


class Diagnosis(Struct, frozen=True):
    """Everything that is concluded from the logs of one incident of one host."""

    tool: ToolReport
    inputs: tuple[InputReport, ...]
    verdict: Verdict
    kernel: KernelReport
    coverage: Coverage
    findings: tuple[Finding, ...] = ()
    harmless: tuple[HarmlessItem, ...] = ()
    suspicions: tuple[Suspicion, ...] = ()
    divergences: tuple[Divergence, ...] = ()
    assignments: tuple[AssignmentReport, ...] = ()
    story: tuple[StoryStep, ...] = ()
    whatif: tuple[WhatIf, ...] = ()
    recommendation: tuple[Recommendation, ...] = ()
    exposure: tuple[Exposure, ...] = ()
    clocks: tuple[Clock, ...] = ()
    missing: tuple[Missing, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def modelled(self) -> bool:
        """Whether some kernel row describes the host, so that its story could be replayed."""
        return not any(remark.code == NOT_MODELLED for remark in self.remarks)

    @property
    def signature(self) -> str:
        """What kind of incident this is, whatever the host, the bus, the domids and the guests."""
        return signature(self.verdict, self.findings)

    def to_json(self) -> dict[str, object]:
        """The report as plain JSON values, with the keys of `diagnose.report/1`."""
        encoded = encode(self)
        assert isinstance(encoded, dict)
        coverage = encoded.pop("coverage")
        return {
            "schema": SCHEMA,
            **encoded,
            "coverage": coverage,
            "signature": self.signature,
        }


def finding_id(fault: str, device: str, boot: int) -> str:
    """Identity of a finding: twelve hex digits over fault, device and the boot's ordinal."""
    return _digest([fault, device, boot])


def signature(verdict: Verdict, findings: tuple[Finding, ...]) -> str:
    """Hash of the verdict and of what befell each device: fault, confidence, entries.

    Addresses, domids, pirqs and names stay out, and devices are compared as a sorted bag of their
    findings, so renumbering domains, moving devices or renaming hosts changes nothing.
    """
    devices: dict[tuple[int, str], list[list[object]]] = {}
    for finding in findings:
        shape: list[object] = [finding.fault, finding.confidence, list(finding.entries)]
        devices.setdefault((finding.boot, finding.device), []).append(shape)
    return _digest([verdict, *sorted(json.dumps(sorted(s, key=repr)) for s in devices.values())])


def encode(value: object) -> object:
    """Turn result values into what `json.dumps` writes: records into dicts, tuples into lists."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Struct):
        return {KEYS.get(k, k): encode(getattr(value, k)) for k in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(key): encode(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(part) for part in value]
    raise TypeError(f"a report cannot hold a {type(value).__name__}: {value!r}")


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]
