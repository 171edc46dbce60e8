"""Prints the logs of a case from what really ran: a recorded trace, or a story on the emulator.

`python -m tests.corpus.traced 'trace c16/V0'` writes the sections of a case. A case's header
`source` ends with the same words, and a test holds the case against what is printed here:

    trace c16/V0
    hazard abrupt-end on el5+1070
    story on el5: seize A; domain_start 1 A; driver_load 1 A 3

**Invariant:** a line of a kernel's bookkeeping comes from the run; what stands around it (banners,
births, a guest's last words) proves nothing about the two ledgers.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from diagnose.grammar import load, print_line
from diagnose.hazards import load_hazards, read_act
from diagnose.synth.console import own_driver
from diagnose.synth.draft import ENDS
from diagnose.synth.words import words
from emulator.kernels import Traits, row
from emulator.life import Act, perform
from emulator.records import GSI_VECTORS, MSIX
from emulator.state import State
from tests.conform.reading import read

TRACES = Path(__file__).parents[1] / "emulator" / "scenarios.jsonl.gz"
RUN = re.compile(r"trace (?P<trace>\S+)|hazard (?P<hazard>\S+) on (?P<on>\S+)"
                 r"|story on (?P<row>\S+): (?P<acts>.+)")
STAND_IN = "setup_irq: irq handler mismatch"
"""The recording's own text in place of a guest's line; no kernel prints it."""
SYSLOG = re.compile(r"\w{3} [ \d]\d [\d:]{8} \S+ (kernel: )?")
REPEATED = re.compile(r"last message repeated (\d+) times")
SUPPRESSED = re.compile(r"printk: (\d+) messages suppressed\.")
OFFLINE = "hvm.c:524:d{domid} DOM{domid}/VCPU1: going offline."
"""Xen's word of an HVM guest that shuts down; of PV guests it says nothing."""
LAST_WORDS = (*words().last_words, words().very_last_words[0])
CATALOGUE = load()


class Line(NamedTuple):
    """One line; `speaker` is dom0, xen or dom<N>, `around` a line that no bookkeeping printed."""

    speaker: str
    text: str
    around: bool = False


def run(words: str) -> list[Line]:
    """Every line of the run that these words name. Raises ValueError if they name none."""
    named = RUN.fullmatch(words)
    if named is None:
        raise ValueError(f"{words!r} names no run; write {RUN.pattern}")
    if named["trace"]:
        return list(of_trace(trace(named["trace"])))
    if named["hazard"]:
        hazard = next(each for each in load_hazards() if each.id == named["hazard"])
        return list(of_story(_traits(named["on"], hazard.guest_shutdown), hazard.acts,
                             hazard.gsi_vectors))
    acts = [read_act(each) for each in named["acts"].split("; ")]
    return list(of_story(_traits(named["row"]), acts))


def _traits(name: str, guest_shutdown: int = 0) -> Traits:
    """The row's traits, with guests whose driver goes down in this way."""
    return row(name).traits._replace(guest_shutdown=guest_shutdown)


def trace(name: str) -> Mapping[str, Any]:
    """The recorded scenario of that id. Raises ValueError if there is none."""
    for scenario in read(TRACES):
        if scenario["id"] == name:
            return scenario
    raise ValueError(f"no trace is called {name!r}")


def of_trace(scenario: Mapping[str, Any]) -> Iterator[Line]:
    """What dom0, Xen and the guests printed while the scenario was recorded."""
    hvm: set[int] = set()
    for step in scenario["steps"]:
        operation, domid = step["op"], step.get("dom", 0)
        if step.get("kind") == "hvm":
            hvm.add(domid)
        if operation == "domain_create":
            yield _birth(domid)
        elif operation == "fe_state":
            yield from _spoken(domid, LAST_WORDS)
        elif operation == "xen_domain_kill" and domid in hvm:
            yield _offline(domid)
        yield from _recorded(step["log"])
        if operation == "fe_connect":
            yield from _boot(domid)
        yield from _recorded(step.get("glog", ()))


def _recorded(entries: Iterable[tuple[str, str, str]]) -> Iterator[Line]:
    return (_line(speaker, part) for speaker, _, text in entries if text != STAND_IN
            for part in text.split("\n"))


def of_story(traits: Traits, acts: Iterable[Act],
             gsi_vectors: int = GSI_VECTORS) -> Iterator[Line]:
    """What is printed when the acts happen under kernels with these traits.

    Raises Impossible for an act that cannot happen there, and Crash if the host dies of it.
    """
    state = State.boot(gsi_vectors=gsi_vectors)
    for act in acts:
        domid = act.domid or 0
        outcome = perform(traits, state, act)
        if act.op == "domain_start":
            yield _birth(domid)
        elif act.op in ENDS and state.domains[domid].kind == "hvm":
            yield _offline(domid)
        yield from _spoken(domid, {"clean_shutdown": LAST_WORDS, "crash": (words().panic,),
                                   "kexec": (words().kexec,)}.get(act.op, ()))
        for effect in outcome.effects:
            speaker = effect.speaker if effect.speaker != "guest" else f"dom{effect.domid}"
            yield _line(speaker, print_line(effect.kind, effect.fields))
        if act.kind == "pv" and act.op in ("domain_start", "kexec"):
            yield from _boot(domid)
        elif act.op == "driver_load" and not domid and act.device and act.mode == MSIX:
            yield Line("dom0", own_driver(act.device, act.nvec), around=True)
        state = outcome.state


def _line(speaker: str, text: str) -> Line:
    return Line(speaker, f"(XEN) {text}" if speaker == "xen" else text)


def _birth(domid: int) -> Line:
    return Line("dom0", f"tap tap-{domid}-51712: 2 getting info", around=True)


def _offline(domid: int) -> Line:
    return _line("xen", OFFLINE.format(domid=domid))._replace(around=True)


def _boot(domid: int) -> Iterator[Line]:
    yield Line("dom0", "blktap: ring-ref 9, event-channel 18, protocol 1 (x86_64-abi)", around=True)
    yield from _spoken(domid, words().guest_boot)


def _spoken(domid: int, texts: Iterable[str]) -> Iterator[Line]:
    return (Line(f"dom{domid}", text, around=True) for text in texts)


def banners(build: int) -> list[Line]:
    """dom0's and Xen's first words, which name the kernel's build."""
    return [Line("dom0", words().linux.format(build=build), around=True),
            *(Line("xen", text.format(build=build), around=True) for text in words().xen)]


# --- The logs of a case --------------------------------------------------------------------------

HOST = {
    "dom0.log": ("dom0",), "messages": ("dom0",), "xen.log": ("xen",),
    "console.log": ("dom0", "xen"),
    "all-consoles.log": ("dom0", "xen", *(f"dom{domid}" for domid in range(1, 10))),
}


def speakers(log: str) -> tuple[str, ...]:
    """Whose lines a log of that name holds; empty for a toolstack's."""
    guest = re.fullmatch(r"guest(\d+)\.log", log)
    return (f"dom{guest[1]}",) if guest else HOST.get(log, ())


def sections(lines: Sequence[Line], *, console: bool, guests: bool) -> dict[str, list[str]]:
    """Log → its lines; `console`: dom0 and Xen share one."""
    found: dict[str, list[str]] = {}
    for line in lines:
        log = ("console.log" if console else f"{line.speaker}.log") if line.speaker in (
            "dom0", "xen") else f"guest{line.speaker[3:]}.log"
        if guests or not log.startswith("guest"):
            found.setdefault(log, []).append(line.text)
    return found


def plain(lines: Iterable[str]) -> list[str]:
    """The lines as their kernels wrote them: without syslog's envelope, repeats written out."""
    found: list[str] = []
    for line in lines:
        text = SYSLOG.sub("", line).replace("#011", "\t")
        repeated = REPEATED.fullmatch(text)
        found += found[-1:] * int(repeated[1]) if repeated else [text]
    return found


def suppressed(lines: Iterable[str]) -> int:
    """How many lines the notices of a log say are not there."""
    return sum(int(told[1]) for line in lines if (told := SUPPRESSED.search(line)))


def heard(lines: Iterable[str]) -> list[str]:
    """The lines that a kernel's bookkeeping printed; without banners, births and the like."""
    return [line for line in lines if (reading := CATALOGUE.parse(line.removeprefix("(XEN) ")))
            and any(term.name == "effect" for term in CATALOGUE.production(reading[0]).proves)]


def main() -> None:
    """Write the sections of a case to standard output."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.traced", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a trace, a hazard or a story")
    parser.add_argument("--console", action="store_true", help="dom0 and Xen in one log")
    parser.add_argument("--guests", action="store_true", help="the guests' logs as well")
    parser.add_argument("--banner", type=int, metavar="BUILD", help="begin with the banners")
    given = parser.parse_args()
    lines = [*(banners(given.banner) if given.banner else ()), *run(given.run)]
    for log, texts in sections(lines, console=given.console, guests=given.guests).items():
        print(f"-- {log} --", *texts, sep="\n")


if __name__ == "__main__":
    main()
