"""Reads trace files: JSON Lines, plain or gzipped, told apart by what they hold and not by name.

**Invariant:** what comes out can be replayed: every key is there and every operation is known.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from emulator.pci import PciAddress
from tests.conform.operations import ARGUMENTS, FAULTS

Scenario = dict[str, Any]
Step = Mapping[str, Any]

VARIANTS: Final = {
    "V0": "el5",
    "V1": "el5+1070",
    "V2": "el5+945+956+1070",
    "V3": "el5-283",
    "V4": "el5+prune",
}
"""The kernel row behind each variant's name."""
HYPERVISORS: Final = {"3.4.4": False, "3.4.4s": True}
"""Whether a negative vector is kept in a signed variable."""

SCENARIO: Final = {"id": str, "variant": str, "xen": str, "config": dict, "steps": list}
CONFIG: Final = {"devices": list, "gsi_vectors": int, "nomsi": bool}
DEVICE: Final = {
    "bdf": str, "msix_entries": int, "has_msi": bool, "has_exp": bool, "is_vf": bool, "irq": int,
    "no_msi": bool, "no_bar": bool,
}  # fmt: skip
STEP: Final = {"op": str, "log": list}
CRASH: Final = {"who": str, "what": str}

GZIP_MAGIC: Final = b"\x1f\x8b"


class UnreadableError(ValueError):
    """Something that is no trace; the text says where (file and line) and what."""


def read(path: Path) -> Iterator[Scenario]:
    """The scenarios of a file.  Raises UnreadableError at the first line that holds none."""
    for each in scan(path):
        if isinstance(each, UnreadableError):
            raise each
        yield each


def scan(path: Path) -> Iterator[Scenario | UnreadableError]:
    """The scenario of each line, or what is wrong with it; the lines after it are still read."""
    number = 0
    try:
        with path.open("rb") as raw:
            for number, line in enumerate(_lines(raw), 1):
                if line.strip():
                    try:
                        yield _scenario(line)
                    except UnreadableError as error:
                        yield UnreadableError(f"{path}:{number}: {error}")
    except OSError as error:
        # gzip.BadGzipFile is one of these, and has no errno.
        place = f"{path}:{number + 1}" if error.errno is None else f"{path}"
        yield UnreadableError(f"{place}: {error.strerror or error}")
    except EOFError:
        yield UnreadableError(f"{path}:{number + 1}: the gzip data end in the middle")
    except zlib.error as error:
        yield UnreadableError(f"{path}:{number + 1}: the gzip data are damaged: {error}")


def _lines(raw: BufferedReader) -> Iterator[bytes]:
    # A pipe cannot be read twice: it is looked into only.
    if raw.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
        with gzip.open(raw) as unpacked:
            yield from unpacked
    else:
        yield from raw


def _scenario(line: bytes) -> Scenario:
    try:
        scenario: Scenario = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not JSON: {error}") from None
    _require(scenario, SCENARIO, "the scenario")
    for key, known in (("variant", VARIANTS), ("xen", HYPERVISORS)):
        if scenario[key] not in known:
            names = ", ".join(known)
            raise UnreadableError(f"unknown {key} {scenario[key]!r}; known are {names}")
    _require(scenario["config"], CONFIG, "config")
    for device in scenario["config"]["devices"]:
        _require(device, DEVICE, "a device of config")
        _address(device["bdf"])
    for index, step in enumerate(scenario["steps"]):
        _require_step(step, f"step {index}")
    return scenario


def _require(value: object, keys: Mapping[str, type], what: str) -> None:
    if not isinstance(value, dict):
        raise UnreadableError(f"{what} is no object")
    for key, kind in keys.items():
        if key not in value:
            raise UnreadableError(f"{what} has no key {key!r}")
        if not isinstance(value[key], kind):
            raise UnreadableError(f"{key!r} of {what} is no {kind.__name__}")


def _require_step(step: object, what: str) -> None:
    _require(step, STEP, what)
    assert isinstance(step, dict)
    operation = step["op"]
    if "crash" in step:
        _require(step["crash"], CRASH, f"'crash' of {what}")
    elif not isinstance(step.get("state", {}), dict):
        raise UnreadableError(f"'state' of {what} is no dict")
    if operation == "init":
        return
    if operation not in ARGUMENTS:
        raise UnreadableError(f"{what} has the unknown op {operation!r}")
    for name, needed in ARGUMENTS[operation].items():
        if needed and name not in step:
            raise UnreadableError(f"{what}, {operation}, has no key {name!r}")
    if operation == "fault" and step["kind"] not in FAULTS:
        kinds = ", ".join(FAULTS)
        raise UnreadableError(f"{what} has the unknown kind {step['kind']!r}; known are {kinds}")
    if not isinstance(step.get("devs", []), list):
        raise UnreadableError(f"'devs' of {what} is no list")
    arguments(step)


def arguments(step: Step) -> dict[str, Any]:
    """What the operation of a step is called with.  Raises UnreadableError for what is no address.

    Keys that the operation does not take are results or remarks.
    """
    given = {name: step[name] for name in ARGUMENTS[step["op"]] if name in step}
    if "dev" in given:
        given["dev"] = _address(str(given["dev"]))
    if "devs" in given:
        given["devs"] = tuple(_address(str(each)) for each in given["devs"])
    return given


@lru_cache(maxsize=256)
def _address(text: str) -> PciAddress:
    try:
        return PciAddress.parse(text)
    except ValueError as error:
        raise UnreadableError(str(error)) from None
