"""Drives the emulator through one recorded scenario and collects where the two part ways."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from emulator.errors import CrashError
from emulator.kernels import Hypervisor, Traits, row
from emulator.ledgers import Ledgers
from emulator.pci import PciAddress
from emulator.records import DeviceConfig
from emulator.state import State
from tests.conform import components
from tests.conform.operations import Reply, perform
from tests.conform.parting import Words
from tests.conform.reading import DEVICE, HYPERVISORS, VARIANTS, Step, arguments
from tests.conform.text import log_of

ORDER: Final = "order of msi_dev_list"
"""A component of its own: objects compare equal whatever the order of their keys."""

NONE: Final = Words("none")


class Difference(NamedTuple):
    """One divergence: the step's index (0 = init) and operation, and what differed."""

    scenario: str
    step: int
    operation: str
    what: str
    expected: object
    got: object


def traits_of(scenario: Mapping[str, Any]) -> Traits:
    """The kernel row and hypervisor of a scenario."""
    xen = Hypervisor(signed_vectors=HYPERVISORS[scenario["xen"]])
    return row(VARIANTS[scenario["variant"]]).traits._replace(xen=xen)


def boot(scenario: Mapping[str, Any]) -> State:
    """The initial state of a scenario."""
    config = scenario["config"]
    devices = [
        DeviceConfig(PciAddress.parse(each["bdf"]), **{name: each[name] for name in DEVICE
                                                       if name != "bdf"})
        for each in config["devices"]
    ]
    return State.boot(
        devices,
        gsi_vectors=config["gsi_vectors"],
        nomsi=config["nomsi"],
        pciback_loaded=False,
    )


class Replay:
    """One scenario under way: the ledgers beside the recorded state."""

    def __init__(self, scenario: Mapping[str, Any]) -> None:
        self.name: str = scenario["id"]
        self.ledgers = Ledgers(traits_of(scenario), boot(scenario))
        self.state = self.ledgers.snapshot()
        self.recorded: dict[str, Any] = {}
        self.shown: dict[str, object] = {}
        self.ghosts: dict[str, object] = {}
        self.nodes: list[str] = []
        self.seen: tuple[object, ...] = ()

    def show(self) -> dict[str, object]:
        """The ledgers' state as components; parts that did not change are not made anew."""
        state = self.state = self.ledgers.snapshot()
        seen = (state.devices, state.backends, state.domains)
        before = self.seen or (None, None, None)
        if seen[0] is not before[0]:
            self.shown.update(components.of_devices(state))
            self.show_nodes({**self.ghosts, **components.nodes(state)})
        if seen[1] is not before[1]:
            self.shown.update(components.of_backends(state))
        if seen[2] is not before[2]:
            self.shown.update(components.of_domains(state))
        self.shown["free_vectors"] = state.free_vectors
        self.seen = seen
        return self.shown

    def keep_ghost(self, dev: PciAddress) -> None:
        """Remember the node of a device that was just removed; it never changes again."""
        device = self.ledgers.devices[dev]
        if not device.present and device.node:
            ghost = f"{dev}~{device.life}"
            self.ghosts[ghost] = components.node(device)
            self.nodes = [ghost if name == str(dev) else name for name in self.nodes]

    def show_nodes(self, nodes: Mapping[str, object]) -> None:
        """Show dom0's list, and the order in which its nodes came to be (a State keeps none).

        No step makes more than one: of several devices only those with MSI on are asked of the
        list (pciback_reset_device()), and these have a node already.  So a new one is the last.
        """
        self.nodes += [name for name in nodes if name not in self.nodes]
        self.shown["msi_dev_list"] = nodes
        self.shown[ORDER] = self.nodes

    def run(self, index: int, step: Step) -> list[Difference]:
        """Take one step; what differs from the record.

        An exception that no crash of the hypervisor explains is a difference like any other.
        """
        try:
            pairs = self._compared(step)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            told = Words(f"{Path(place.filename).name}:{place.lineno}: {error!r}")
            pairs = [("exception", NONE, told)]
        return [
            Difference(self.name, index, step["op"], what, expected, got)
            for what, expected, got in pairs
            if expected != got
        ]

    def _compared(self, step: Step) -> list[tuple[str, Any, Any]]:
        """All that is compared after the step: (what, expected, got)."""
        self.ledgers.effects.clear()
        self.ledgers.deeds.clear()
        crash: CrashError | None = None
        reply: Reply | None = None
        if step["op"] != "init":
            given = arguments(step)
            try:
                reply = perform(self.ledgers, step["op"], given)
            except CrashError as error:
                crash = error
            if step["op"] == "device_remove":
                self.keep_ghost(given["dev"])
        printed = [list(line) for line in log_of(self.ledgers.effects)]
        pairs: list[tuple[str, Any, Any]] = [("log", step["log"], printed)]
        recorded = step.get("crash")
        if recorded is not None or crash is not None:
            wanted = NONE if recorded is None else _death(recorded["who"], recorded["what"])
            got = NONE if crash is None else _death(crash.who, crash.what)
            return [*pairs, ("crash", wanted, got)]
        state = step.get("state", {})
        self.recorded.update(state)
        if isinstance(state.get("msi_dev_list"), dict):
            self.recorded[ORDER] = list(state["msi_dev_list"])
        shown = self.show()
        names = sorted(shown.keys() | self.recorded.keys())
        states = [(name, self.recorded.get(name), shown.get(name)) for name in names]
        return [*pairs, *_results(step, reply), *states]


def _death(who: str, what: str) -> Words:
    return Words(f"{what} in {who}")


def _results(step: Step, reply: Reply | None) -> list[tuple[str, Any, Any]]:
    """What the operation returned; only the initial state is returned by none."""
    if reply is None:
        return []
    vectors = None if reply.vectors is None else list(reply.vectors)
    pairs = [("ret", step.get("ret"), reply.ret), ("vectors", step.get("vectors"), vectors)]
    if step["op"] != "conf_write":
        pairs.append(("value", step.get("value"), reply.value))
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
