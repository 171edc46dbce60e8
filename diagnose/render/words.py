"""Small words: numbers, ranges and the steps of a story as people say them.

**Invariant:** the only names here are those of the report's closed vocabularies; no rule, fix or
message is known by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from diagnose.diagnosis import Finding, StoryStep
from diagnose.frames import UNTOLD_DOMID_MIN

LIST_MAX = 8
"""How many items of a list are named before the rest is only counted."""

COLUMN_MAX = 28
"""A wider text makes no column wider."""

_OPS: Mapping[str, str] = {
    "host_boot": "the host boots",
    "seize": "pciback takes {device}",
    "release": "pciback lets {device} go",
    "domain_start": "{dom} starts with {device}{kind}",
    "driver_load": "{dom} loads its driver for {device}{entries}{mode}",
    "ifup": "{dom} brings {device} up",
    "ifdown": "{dom} takes {device} down",
    "driver_unload": "{dom} unloads its driver for {device}",
    "clean_shutdown": "{dom} shuts down {how}",
    "crash": "{dom} crashes",
    "destroy": "{dom} is destroyed",
    "kexec": "{dom} boots a new kernel by kexec",
    "teardown": "{dom} ends, nobody knows how",
    "vf_destroy": "the function {device} is removed",
    "pf_reload": "the physical function's driver is reloaded",
    "flr": "{device} is reset",
}
"""Story op → what it says; an op that is missing here is shown by its name."""


_MODES: Mapping[str, str] = {
    "msi": ": a single MSI vector",
    "intx": ": the legacy interrupt",
}


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 line`, `2 lines`; give the plural where it is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(items: Sequence[str], most: int = LIST_MAX) -> str:
    """Items with commas, the tail only counted when there are too many."""
    if len(items) <= most:
        return ", ".join(items)
    return ", ".join(items[: most - 1]) + f" and {len(items) - most + 1} more"


def ranges(numbers: Iterable[int]) -> str:
    """Sorted numbers with runs of three and more drawn together: `0–2, 5`."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts: list[str] = []
    for run in runs:
        parts += [f"{run[0]}–{run[-1]}"] if len(run) > 2 else [str(number) for number in run]
    return listed(parts)


def numbered(one: str, many: str, numbers: Sequence[int]) -> str:
    """`entry 0`, `entries 0–2`."""
    return f"{one if len(numbers) == 1 else many} {ranges(numbers)}"


def domains(domids: Sequence[int], most: int = LIST_MAX) -> str:
    """`dom1, dom2`; Xen's own way to write a domid."""
    return listed([f"dom{domid}" for domid in domids], most)


def subject(finding: Finding) -> list[str]:
    """Whom a finding is about: device, domains, entries, pirqs, each where known."""
    parts = [finding.device]
    if finding.candidates:
        parts[0] += f" (one of {listed(finding.candidates, 4)})"
    if finding.domids:
        parts.append(domains(finding.domids))
    if finding.entries:
        parts.append(numbered("entry", "entries", finding.entries))
    if finding.pirqs:
        parts.append(numbered("pirq", "pirqs", finding.pirqs))
    return parts


def domain_name(domid: int) -> str:
    """`dom1`; one whose domid no line tells has a question mark and a number of its own."""
    if domid < UNTOLD_DOMID_MIN:
        return f"dom{domid}"
    return f"dom?{domid - UNTOLD_DOMID_MIN + 1}"


def sentence(text: str) -> str:
    """`text` begun like a sentence and ended like one; names such as dom0 and 0000:01:10.0 stay."""
    text = text.strip()
    if text.split(" ", 1)[0].replace("-", "").isalpha():
        text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "!", "?")) else text + "."


def title(text: str) -> str:
    """A sentence without its full stop, to stand above something."""
    return sentence(text).rstrip(".")


def column(texts: Iterable[str]) -> int:
    """Width of a column that holds these texts, long ones not counted: they get their own line."""
    return max((len(text) for text in texts if len(text) <= COLUMN_MAX), default=0)


def step(taken: StoryStep) -> str:
    """One step of the story as a clause without a full stop."""
    args = taken.args
    entries = args.get("entries")
    known = {
        "dom": f"dom{args['domid']}" if args.get("domid") is not None else "a domain",
        "device": _devices(args.get("device", args.get("devices"))),
        "kind": " as an HVM guest" if args.get("kind") == "hvm" else "",
        "entries": f": MSI-X {_entries(entries)}" if entries else "",
        "how": "and crashes on the way" if args.get("torn") else "cleanly",
        "mode": _MODES.get(str(args.get("mode")), ""),
    }
    template = _OPS.get(taken.op)
    if template is None:
        return " ".join([taken.op, *(f"{key}={value}" for key, value in args.items())])
    return template.format(**known)


def _entries(entry_numbers: object) -> str:
    if isinstance(entry_numbers, (list, tuple)):
        return numbered("entry", "entries", entry_numbers)
    return f"entries {entry_numbers}"


def _devices(device: object) -> str:
    if device is None:
        return "a device"
    if isinstance(device, (list, tuple)):
        return listed([str(one) for one in device], 4)
    return str(device)
