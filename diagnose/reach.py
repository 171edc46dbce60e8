"""The shortest ways into each fault on a kernel row, found by trying every story up to a length.

`reach.toml` keeps what a search has found, for it takes minutes; each way is explained by a hazard
of the table, whose story does the same and more.

**Invariant:** a way is only written down after the emulator has gone it and the rules have accused.
"""
from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from msgspec.structs import replace

from diagnose.errors import UsageError
from diagnose.hazards import Hazard, load_hazards, outcome, read_act, tell_act
from diagnose.rulefile import Key, RuleFile, Table
from diagnose.rules import Rule
from emulator.invariants import violations
from emulator.kernels import ROWS, Row
from emulator.life import Act

if TYPE_CHECKING:
    from emulator.search import Reached

REACH = Path(__file__).parent / "reach.toml"

BETWEEN = " | "
DIES = "dies"
HEAD = """\
# The shortest ways into each fault (or into a dead host) on each kernel row, with the hazard that
# explains them, as a search over every story of so many acts has found them. A is a virtual
# function and P a card, both seized; drivers ask for one entry or two; two guests run at a time.
# `diagnose kernels search --length 7 --update` writes this file.
"""

_FILE_KEYS: Mapping[str, Key] = {"row": Key("clauses", "always", "One table for each kernel row.")}
_ROW_KEYS: Mapping[str, Key] = {
    "name": Key("string", "always", "The kernel row."),
    "length": Key("integer", "always", "Acts of the longest stories that were tried."),
    "states": Key("integer", "always", "States of the host that differ in what can follow."),
    "tries": Key("integer", "always", "Acts that were tried in them."),
    "ways": Key("strings", "always", "Fault (or dies), hazard that explains it, acts."),
}


class Way(Struct, frozen=True):
    """The shortest story that leads to a fault (empty: the host dies) as this hazard explains it.

    `hazard` is empty where no hazard of the table explains it; `acts` are worded as there.
    """

    fault: str
    hazard: str
    acts: tuple[str, ...]


class Reach(Struct, frozen=True):
    """What a search over a kernel row has found: every story of up to `length` acts was tried."""

    row: str
    length: int
    states: int
    tries: int
    ways: tuple[Way, ...]


# --- Searching


def search(row: Row, rules: Sequence[Rule], length: int) -> Reach:
    """Try every story of up to `length` acts; the ways come shortest first."""
    from emulator.search import explore

    states, tries, first, jury = 1, 0, _Firsts(), _Jury(row, rules)
    for reached in explore(row.traits, length):
        states += reached.new
        tries += 1
        first.look_at(reached)
    ways: dict[tuple[str, str], Way] = {}
    means: dict[str, list[frozenset[str]]] = defaultdict(list)
    for acts in first.stories():
        sorts = frozenset(map(sort_of, acts))
        for fault in jury.newly(acts):
            if not any(known <= sorts for known in means[fault]):
                means[fault].append(sorts)
                named = fault, jury.explaining(fault, acts)
                ways.setdefault(named, Way(*named, tuple(map(tell_act, acts))))
    return Reach(row.name, length, states, tries, tuple(ways.values()))


class _Firsts:
    """The first stories in which the ledgers part or the host dies, each by means of its own.

    A story is left out if an earlier one comes to the same with acts of the same sorts or fewer.
    """

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[frozenset[str], tuple[Act, ...]]]] = defaultdict(list)

    def look_at(self, reached: Reached) -> None:
        """Keep the story if it comes to something, and by new means."""
        came = {reached.dies} if reached.outcome is None else {
            each.name for each in violations(reached.outcome.deeds)}
        if not came:
            return
        acts = reached.way.acts()
        sorts = frozenset(map(sort_of, acts))
        for name in came:
            if not any(known <= sorts for known, _ in self._found[name]):
                self._found[name].append((sorts, acts))

    def stories(self) -> list[tuple[Act, ...]]:
        """All that were kept, the shortest first."""
        return sorted((acts for each in self._found.values() for _, acts in each), key=len)


_TAKEN_AWAY = ("release", "vf_destroy", "pf_reload")


def sort_of(act: Act) -> str:
    """What is done, and by whom, whatever its numbers.

    However pciback loses a device, by an unbinding or with the device itself, is one sort.
    """
    op = "taken away" if act.op in _TAKEN_AWAY else act.op
    return " ".join([op, *(["dom0"] if act.domid == 0 else []), act.kind])


class _Jury:
    """What the rules say of stories on one row, and which hazard explains them."""

    def __init__(self, row: Row, rules: Sequence[Rule]) -> None:
        self._row = row
        self._rules = rules
        self._means: dict[tuple[str, str], frozenset[str] | None] = {}

    def newly(self, acts: Sequence[Act]) -> list[str]:
        """The faults to which the last act leads; empty string: the host dies of it."""
        before, after = self._said(_story(acts[:-1])), self._said(_story(acts))
        return sorted(after - before)

    def explaining(self, fault: str, acts: Sequence[Act]) -> str:
        """The first hazard of the table that leads there by acts of these sorts, and others.

        If none does, one whose story lacks only sorts by which another hazard leads to another
        fault of the same story.
        """
        sorts = frozenset(map(sort_of, acts))
        known = [(each.id, means) for each in load_hazards()
                 if (means := self._means_of(each, fault)) is not None]
        others = [means for other in self._said(_story(acts)) - {fault} for each in load_hazards()
                  if (means := self._means_of(each, other)) is not None]
        fitting = [name for name, means in known if sorts <= means]
        fitting += [name for name, means in known if any(sorts <= means | each for each in others)]
        return next(iter(fitting), "")

    def _means_of(self, hazard: Hazard, fault: str) -> frozenset[str] | None:
        """The sorts of acts with which the hazard's story gets to the fault; None: never."""
        key = hazard.id, fault
        if key not in self._means:
            ends = (end for end in range(1, len(hazard.acts) + 1)
                    if fault in self._said(replace(hazard, acts=hazard.acts[:end])))
            end = next(ends, None)
            self._means[key] = None if end is None else frozenset(map(sort_of, hazard.acts[:end]))
        return self._means[key]

    def _said(self, hazard: Hazard) -> set[str]:
        result = outcome(hazard, self._row, self._rules)
        return {*result.faults, *([""] if result.dies else ())}


def _story(acts: Sequence[Act]) -> Hazard:
    """A story of the search as a hazard."""
    return Hazard("", "", _from_boot(acts), (), "", ())


def _from_boot(acts: Sequence[Act]) -> tuple[Act, ...]:
    """The acts of a story of the search, and before them those that seize both devices."""
    from emulator.search import DEVICES

    return (*(Act("seize", device=device) for device in DEVICES), *acts)


def story(way: Way) -> tuple[Act, ...]:
    """All that is done on the way, from the host's boot on."""
    return _from_boot([read_act(each) for each in way.acts])


# --- What was found before


@cache
def load_reach(path: Path = REACH) -> Mapping[str, Reach]:
    """What is known of each row by name. Raises RuleError with file and line."""
    file = RuleFile(path)
    file.check(file.content, _FILE_KEYS)
    found = [_reach(file, nr, table)
             for nr, table in enumerate(cast("list[Table]", file.content["row"]))]
    return {reach.row: reach for reach in found}


def _reach(file: RuleFile, nr: int, table: Table) -> Reach:
    file.check(table, _ROW_KEYS, ("row", nr))
    ways = []
    for told in cast("list[str]", table["ways"]):
        parts = told.split(BETWEEN)
        if len(parts) != len(Way.__struct_fields__):
            file.fail(("row", nr, "ways"), f"{told!r} is no way: it needs a fault (or {DIES!r}), a "
                      f"hazard and acts, with {BETWEEN!r} between.")
        fault, hazard, acts = parts
        ways.append(Way("" if fault == DIES else fault, hazard, tuple(acts.split("; "))))
    return Reach(str(table["name"]), cast("int", table["length"]), cast("int", table["states"]),
                 cast("int", table["tries"]), tuple(ways))


def keep(found: Sequence[Reach], path: Path = REACH) -> None:
    """Write what was found into the table, in place of what it told of these rows.

    Raises UsageError if the table knows longer stories of one of them, or cannot be written.
    """
    known = load_reach(path)
    for reach in found:
        if reach.row in known and known[reach.row].length > reach.length:
            raise UsageError(f"Of {reach.row} stories of {known[reach.row].length} acts are known "
                             f"already; {reach.length} would forget some. Give --length.")
    rows = {**known, **{reach.row: reach for reach in found}}
    order = [row.name for row in ROWS]
    try:
        path.write_text(dump(sorted(rows.values(), key=lambda each: order.index(each.row))),
                        "utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    load_reach.cache_clear()


def dump(found: Sequence[Reach]) -> str:
    """The text of `reach.toml`."""
    tables = []
    for reach in found:
        ways = [f"    {json.dumps(BETWEEN.join((way.fault or DIES, way.hazard, told_acts(way))))},"
                for way in reach.ways]
        tables.append("\n".join([
            "[[row]]", f"name = {json.dumps(reach.row)}", f"length = {reach.length}",
            f"states = {reach.states}", f"tries = {reach.tries}", "ways = [", *ways, "]", ""]))
    return "\n".join([HEAD, *tables])


def told_acts(way: Way) -> str:
    """The acts of a way in one line."""
    return "; ".join(way.acts)
