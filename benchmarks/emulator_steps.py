"""How many steps of recorded traces the emulator takes a second, and what keeping its states costs.

    python -m benchmarks.emulator_steps [--rounds N] [--output FILE] [TRACES]

Every contender takes the same steps, those of the traces in a file, and runs once in each round, in
turn.  Reading, preparing arguments, comparing and printing text are not timed.  The peers keep what
a trace shows of the state (no drivers, assignments and descriptors, which makes them lighter) as
plain dictionaries and lists, copied or pickled as a whole after each step.  That plain state is
made beforehand, since a mutable model would have it at hand.  No test looks at these numbers.
"""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import machine
from benchmarks.page import asker, existing, positive, publish
from emulator.kernels import Traits, row
from emulator.ledgers import Ledgers
from emulator.life import Act, perform
from emulator.pci import PciAddress
from emulator.state import State
from tests.conform import components
from tests.conform import operations as conform
from tests.conform.reading import UnreadableError, arguments, read
from tests.conform.trace import boot, traits_of

ROOT = Path(__file__).resolve().parents[1]
TRACES = ROOT / "tests" / "emulator" / "random.jsonl.gz"
ROUNDS = 21
DEVICES = tuple(PciAddress.parse(text) for text in ("0000:01:10.0", "0000:05:11.0"))
GUESTS = 500


class Prepared(NamedTuple):
    """A trace ready to be run: nothing has to be read or parsed any more."""

    traits: Traits
    begin: State
    steps: tuple[tuple[str, Mapping[str, Any]], ...]
    plain: tuple[object, ...]


Keep = Callable[[Ledgers, object], object]


@dataclass
class Contender:
    """What is kept after each step, and the steps taken in a processor second, by round."""

    name: str
    keep: Keep | None
    rates: list[float] = field(default_factory=list)

    def median(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.rates)

    def run(self, traces: Sequence[Prepared]) -> float:
        """Take all steps; processor seconds."""
        keep = self.keep
        started = time.process_time()
        for traits, begin, steps, plains in traces:
            ledgers = Ledgers(traits, begin)
            kept = []
            for (operation, given), whole in zip(steps, plains):
                conform.perform(ledgers, operation, given)
                if keep is not None:
                    kept.append(keep(ledgers, whole))
        return time.process_time() - started


def prepared(path: Path) -> list[Prepared]:
    """The traces of a file, without those steps in which the hypervisor dies."""
    found = []
    for scenario in read(path):
        steps = itertools.takewhile(lambda step: "crash" not in step, scenario["steps"][1:])
        ready = tuple((step["op"], arguments(step)) for step in steps)
        ledgers = Ledgers(traits_of(scenario), boot(scenario))
        plains = []
        for operation, given in ready:
            conform.perform(ledgers, operation, given)
            plains.append(plain(ledgers.snapshot()))
        found.append(Prepared(ledgers.traits, boot(scenario), ready, tuple(plains)))
    return found


def plain(state: State) -> dict[str, object]:
    """The state as plain values: all components of a trace, with nothing shared."""
    return {
        "msi_dev_list": components.nodes(state),
        **components.of_devices(state),
        **components.of_backends(state),
        **components.of_domains(state),
        "free_vectors": state.free_vectors,
        "vectors": (state.vectors_used, state.vector_last),
        "guests": {
            domid: [[str(part) for part in pair] for pair in guest.known]
            for domid, guest in state.guests.items()
        },
    }


def contenders() -> list[Contender]:
    """What is compared, in the order in which it is run and told."""
    return [
        Contender("emulator, every state kept", lambda ledgers, _: ledgers.snapshot()),
        Contender("emulator, no state kept", None),
        Contender("plain state, pickled whole", lambda _, whole: pickle.dumps(whole)),
        Contender("plain state, copy.deepcopy", lambda _, whole: copy.deepcopy(whole)),
    ]


def measure(traces: Sequence[Prepared], rounds: int) -> list[Contender]:
    """All contenders with their rates.  The first round warms up and is not counted."""
    every = contenders()
    steps = sum(len(trace.steps) for trace in traces)
    for number in range(rounds + 1):
        for contender in every:
            gc.collect()
            spent = contender.run(traces)
            if number:
                contender.rates.append(steps / spent)
    return every


class Kept(NamedTuple):
    """Bytes that keeping one more state takes, in a story of that many guests."""

    guests: int
    states: int
    shared: float
    whole: float


def story(guests: int) -> list[State]:
    """The states of guests with two devices, one after the other, under the shipped kernel."""
    state = State.boot()
    states = []
    for act in acts(guests):
        state = perform(row("el5").traits, state, act).state
        states.append(state)
    return states


def acts(guests: int) -> Iterable[Act]:
    """Seize both devices; then each guest starts, loads its drivers and goes."""
    for device in DEVICES:
        yield Act("seize", device=device)
    for domid in range(1, guests + 1):
        yield Act("domain_start", domid, devices=DEVICES)
        for op in ("driver_load", "ifup"):
            for device in DEVICES:
                yield Act(op, domid, device, nvec=3)
        yield Act("clean_shutdown", domid)


def weighed(guests: int) -> Kept:
    """What the states of a story weigh, kept as they are and as whole copies."""
    story(guests)  # whatever is made once and kept is made by now, and weighs on neither
    shared, states = _traced(lambda: story(guests))
    whole, _ = _traced(lambda: [copy.deepcopy(plain(state)) for state in states])
    return Kept(guests, len(states), shared / len(states), whole / len(states))


def _traced(make: Callable[[], list[Any]]) -> tuple[int, list[Any]]:
    """The bytes that a result holds, and the result."""
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held, made


def told(
    traces: Sequence[Prepared], source: str, measured: Sequence[Contender], kept: Sequence[Kept]
) -> str:
    """The results as a page of Markdown."""
    first = measured[0].median()
    steps = sum(len(trace.steps) for trace in traces)
    return "\n".join([
        "# What a step of the emulator costs, and a state that is kept",
        "",
        "Written by `benchmarks/emulator_steps.py`: medians of rounds in each of which every",
        "contender takes the same steps once, in turn. *CPU* is the processor time of the process;",
        "reading, parsing, comparing and printing are not in it, nor is the making of the plain",
        "state that the peers copy.",
        "",
        f"- input: {len(traces)} recorded traces, {steps:,} steps ({source}), "
        f"{len(measured[0].rates)} rounds",
        *(f"- {fact}" for fact in machine()),
        "",
        "| contender | steps a CPU second | in the best round | times the first |",
        "|---|---:|---:|---:|",
        *(f"| {each.name} | {each.median():,.0f} | {max(each.rates):,.0f} "
          f"| {each.median() / first:.2f} |" for each in measured),
        "",
        "What keeping one more state holds, by `tracemalloc`, over stories of guests with two",
        "devices. A kept state shares with its neighbours whatever did not change between them.",
        "",
        "| guests | states | bytes a kept state | bytes a whole copy | ratio |",
        "|---:|---:|---:|---:|---:|",
        *(f"| {each.guests:,} | {each.states:,} | {each.shared:,.0f} | {each.whole:,.0f} "
          f"| {each.whole / each.shared:.1f} |" for each in kept),
        "",
    ])


def main() -> None:
    """Measure and show the page."""
    parser = asker(__doc__)
    parser.add_argument("--rounds", type=positive, default=ROUNDS, metavar="N")
    parser.add_argument("traces", nargs="?", type=existing, default=TRACES)
    given = parser.parse_args()
    try:
        traces = prepared(given.traces)
    except UnreadableError as error:
        parser.error(str(error))
    measured = measure(traces, given.rounds)
    kept = [weighed(guests) for guests in (GUESTS // 10, GUESTS, GUESTS * 10)]
    page = told(traces, given.traces.name, measured, kept)
    publish(page, given.output)


if __name__ == "__main__":
    main()
