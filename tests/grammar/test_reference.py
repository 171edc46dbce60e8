"""Every message of the catalogue of el5's messages is read as itself, and its numbers rightly.

The catalogue lies beside the checkout; without it there is nothing to hold the grammars against.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from diagnose.envelope import flatten
from diagnose.explain_line import explain
from diagnose.grammar import load
from emulator.pci import PciAddress

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "messages-el5.yaml"
MESSAGES: list[dict[str, Any]] = (
    yaml.safe_load(REFERENCE.read_text(encoding="utf-8")) if REFERENCE.exists() else []
)
CATALOGUE = load()
COUNT = 311
#: The catalogue's names of fields that are ours for something else.
OTHER_NAMES = {
    ("xen_map_already", "pirq"): "wanted_pirq",
    ("xen33_mapped_already", "pirq"): "wanted_pirq",
}


def kind_of(message: dict[str, Any]) -> str:
    return str(message["id"]).replace("-", "_")


def lines_of(message: dict[str, Any]) -> Iterator[list[str]]:
    yield from (str(example).split("\n") for example in message["examples"])


def parts(fields: dict[str, object]) -> Iterator[object]:
    """Our values, what an address can be told by in other notations, and numbers inside texts."""
    for value in fields.values():
        yield value
        if isinstance(value, str):
            yield from map(int, re.findall(r"[0-9]+", value))
        if isinstance(value, PciAddress):
            yield from (value.segment, value.bus, value.slot, value.function, value.devfn)
            yield from (str(value), (value.bus or 0) << 8 | value.devfn)


def told(message: dict[str, Any], lines: list[str]) -> Iterator[tuple[str, object]]:
    """The numbers and devices that the catalogue's own expression reads from an example."""
    match = re.match(message["regex"], "\n".join(lines))
    assert match is not None, lines
    for field in message["fields"]:
        name, radix = str(field["name"]), str(field["radix"])
        text = match[name]
        if radix == "dec":
            yield name, int(text)
        elif radix.lower().startswith("hex"):
            yield name, int(text, 16)
        elif name == "dev" and re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", text):
            yield name, text


@pytest.fixture(autouse=True)
def _needs_the_catalogue() -> None:
    if not MESSAGES:
        pytest.skip(f"{REFERENCE} is not beside the checkout")


def test_the_catalogue_is_whole() -> None:
    kinds = {kind_of(message) for message in MESSAGES}
    assert len(kinds) == len(MESSAGES) == COUNT
    assert kinds <= {production.kind for production in CATALOGUE.productions}


@pytest.mark.parametrize("message", MESSAGES, ids=kind_of)
def test_each_example_is_read_as_itself_and_nothing_else(message: dict[str, Any]) -> None:
    kind = kind_of(message)
    for first, *more in lines_of(message):
        reading = explain(first)
        assert reading.production is not None
        assert reading.production.kind == kind
        accepting = CATALOGUE.accepting(reading.payload)
        exact = [each for each in accepting if not CATALOGUE.production(each).generic]
        assert exact == ([] if reading.production.generic else [kind])
        for nth, line in enumerate(more, 2):
            following = explain(line).production
            assert following is not None
            assert following.kind == f"{kind}_{nth}"


@pytest.mark.parametrize("message", MESSAGES, ids=kind_of)
def test_each_number_is_read_in_its_radix(message: dict[str, Any]) -> None:
    for lines in lines_of(message):
        fields = explain(lines[0]).fields or {}
        for name, value in told(message, lines):
            own = OTHER_NAMES.get((kind_of(message), name), name)
            known = {fields[own]} if own in fields else set(parts(fields))
            assert value in known, f"{name} of {lines[0]!r}: {value} is none of {fields}"


@pytest.mark.parametrize("message", MESSAGES, ids=kind_of)
def test_the_text_is_the_printks_to_the_blank(message: dict[str, Any]) -> None:
    production = CATALOGUE.production(kind_of(message))
    if production.unprintable:
        return
    printed = []
    for line, *_ in lines_of(message):
        reading = explain(line)
        printed.append(CATALOGUE.print_line(production.kind, reading.fields or {}))
        assert flatten(printed[-1]) == reading.payload
    raw = str(message["examples"][0]).split("\n")[0].removeprefix("(XEN) ")
    assert printed[0] == raw


@pytest.mark.parametrize("message", MESSAGES, ids=kind_of)
def test_a_guest_level_is_told_from_a_host_level(message: dict[str, Any]) -> None:
    level, own = str(message["level"]), CATALOGUE.production(kind_of(message)).level or ""
    if message["source"] == "xen" and level.startswith("XENLOG"):
        assert own.startswith("g") == ("_G_" in level or "+ guest" in level)


@pytest.mark.parametrize("message", MESSAGES, ids=kind_of)
def test_the_versions_are_the_catalogues(message: dict[str, Any]) -> None:
    versions = CATALOGUE.production(kind_of(message)).versions
    for name in ("el5", "xen", "xend"):
        builds = message["versions"].get(name)
        if isinstance(builds, list) and re.match(r"-?[0-9]", builds[0]):
            assert f"{name} {builds[0]}" in versions
            assert builds[-1] in versions or "and later" in versions
