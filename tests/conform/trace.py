"""Drives the emulator through one recorded scenario and collects where the two part ways."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from emulator.kernels import Hypervisor, Traits, row
from emulator.ledgers import CrashError
from emulator.machine import OPERATIONS, DeviceConfig, Machine, Reply, State
from emulator.pci import PciAddress
from tests.conform import components
from tests.conform.text import log_of

Step = Mapping[str, Any]

VARIANTS: Mapping[str, Traits] = {
    "V0": row("el5").traits,
    "V1": row("el5+1070").traits,
    "V2": row("el5+945+956+1070").traits,
    "V3": row("el5-283").traits,
    "V4": row("el5+prune").traits,
}
_RESULTS = frozenset({"op", "macro", "ret", "value", "vectors", "log", "glog", "state", "crash"})
# These two operations have an argument that is named like a result.
_ARGUMENTS = {"conf_write": ("value",), "fault": ("ret",), "nop": ("ret",)}


class Difference(NamedTuple):
    """One divergence: the step's index (0 = init) and operation, and what differed."""

    scenario: str
    step: int
    operation: str
    what: str
    expected: object
    got: object


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The scenarios of a JSON Lines file, plain or gzipped."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def traits_of(scenario: Mapping[str, Any]) -> Traits:
    """The kernel row and hypervisor of a scenario."""
    xen = Hypervisor(signed_vectors=scenario["xen"].endswith("s"))
    return VARIANTS[scenario["variant"]]._replace(xen=xen)


def boot(scenario: Mapping[str, Any]) -> State:
    """The initial state of a scenario."""
    config = scenario["config"]
    devices = [
        DeviceConfig(address=PciAddress.parse(each["bdf"]), **_without(each, "bdf"))
        for each in config["devices"]
    ]
    return State.boot(
        devices,
        gsi_vectors=config["gsi_vectors"],
        nomsi=config["nomsi"],
        pciback_loaded=False,
    )


def _without(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def arguments(step: Step) -> dict[str, Any]:
    """What the operation of a step is called with."""
    named = _ARGUMENTS.get(step["op"], ())
    given = {key: value for key, value in step.items() if key not in _RESULTS or key in named}
    if step["op"] == "nop":
        return {"ret": given["ret"]}
    if "dev" in given:
        given["dev"] = PciAddress.parse(given["dev"])
    if "devs" in given:
        given["devs"] = tuple(PciAddress.parse(each) for each in given["devs"])
    return given


class Replay:
    """One scenario under way: the machine beside the recorded state."""

    def __init__(self, scenario: Mapping[str, Any]) -> None:
        self.name: str = scenario["id"]
        self.machine = Machine(traits_of(scenario), boot(scenario))
        self.state = self.machine.state
        self.recorded: dict[str, Any] = {}
        self.shown: dict[str, object] = {}
        self.ghosts: dict[str, object] = {}
        self.seen: tuple[object, ...] = ()

    def show(self) -> dict[str, object]:
        """The machine's state as components; parts that did not change are not made anew."""
        state = self.state = self.machine.state
        seen = (state.devices, state.backends, state.domains)
        before = self.seen or (None, None, None)
        if seen[0] is not before[0]:
            self.shown.update(components.of_devices(state, self.ghosts))
        if seen[1] is not before[1]:
            self.shown.update(components.of_backends(state))
        if seen[2] is not before[2]:
            self.shown.update(components.of_domains(state))
        self.shown["free_vectors"] = state.free_vectors
        self.seen = seen
        return self.shown

    def keep_ghost(self, dev: PciAddress) -> None:
        """Remember the node of a device that was just removed; it never changes again."""
        device = self.machine.devices[dev]
        if not device.present and device.node:
            self.ghosts[f"{dev}~{device.life}"] = components.node(device)

    def run(self, index: int, step: Step) -> list[Difference]:
        """Take one step; what differs from the record."""
        operation = step["op"]
        self.machine.effects.clear()
        self.machine.deeds.clear()
        crash: CrashError | None = None
        reply = Reply(0)
        if operation != "init":
            given = arguments(step)
            try:
                reply = OPERATIONS[operation](self.machine, **given)
            except CrashError as error:
                crash = error
            if operation == "device_remove":
                self.keep_ghost(given["dev"])
        printed = [list(line) for line in log_of(self.machine.effects)]
        pairs: list[tuple[str, Any, Any]] = [("log", step["log"], printed)]
        recorded = step.get("crash")
        if recorded is not None or crash is not None:
            wanted = recorded and (recorded["who"], recorded["what"])
            pairs.append(("crash", wanted, crash and (crash.who, crash.what)))
        else:
            pairs += self._results(operation, step, reply)
        return [
            Difference(self.name, index, operation, what, expected, got)
            for what, expected, got in pairs
            if expected != got
        ]

    def _results(self, operation: str, step: Step, reply: Reply) -> list[tuple[str, Any, Any]]:
        """Return values and state: (what, expected, got)."""
        pairs: list[tuple[str, Any, Any]] = []
        if operation != "init":
            pairs.append(("ret", step.get("ret"), reply.ret))
            if operation != "conf_write":
                pairs.append(("value", step.get("value"), reply.value))
            vectors = None if reply.vectors is None else list(reply.vectors)
            pairs.append(("vectors", step.get("vectors"), vectors))
        self.recorded.update(step.get("state", {}))
        shown = self.show()
        pairs += [(name, self.recorded.get(name), shown[name]) for name in sorted(shown)]
        return pairs


def replay(scenario: Mapping[str, Any]) -> list[Difference]:
    """The differences of the first step that has any; [] = the emulator agrees to the end."""
    run = Replay(scenario)
    for index, step in enumerate(scenario["steps"]):
        differences = run.run(index, step)
        if differences:
            return differences
        if "crash" in step:
            break
    return []
