"""Recorded lines: one of each message, envelope and form of the tabs; and the report's quotations.

`recorded/*.txt` hold `kind | raw line`. Every one has to be read as that kind, wherever it stands.
"""
from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.envelope import Peeler
from diagnose.events import Parsed
from diagnose.grammar import load
from diagnose.parse import parse
from diagnose.reader import from_bytes

RECORDED = Path(__file__).parent / "recorded"
INCIDENTS = Path(__file__).resolve().parents[3] / "shared" / "incidents"
CATALOGUE = load()


def recorded(name: str) -> list[tuple[str, str]]:
    lines = (RECORDED / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    return [(kind, text) for kind, _, text in (line.partition(" | ") for line in lines)]


def together(name: str) -> Parsed:
    text = "\n".join(text for _, text in recorded(name)) + "\n"
    return parse([from_bytes(name, text.encode())])


@pytest.mark.parametrize("name", ["incidents", "report"])
def test_each_line_is_read_as_what_it_is(name: str) -> None:
    peeler = Peeler(CATALOGUE)
    for kind, text in recorded(name):
        reading = CATALOGUE.read(peeler.peel(text).payload)
        assert reading is not None, text
        assert reading.production.kind == kind, text


@pytest.mark.parametrize("name", ["incidents", "report"])
def test_no_line_is_left_over(name: str) -> None:
    coverage = together(name).coverage
    noise = sum(CATALOGUE.production(kind).noise for kind, _ in recorded(name))
    assert (coverage.near_misses, coverage.unknown, coverage.unreadable) == (0, 0, 0)
    assert coverage.known_noise == noise
    assert coverage.events == coverage.lines - noise


@pytest.mark.parametrize(
    "folder", sorted(INCIDENTS.glob("*/")), ids=lambda path: path.name
)
def test_labelled_incidents_are_read_to_the_last_line(folder: Path) -> None:
    """Where the labelled incidents lie beside the checkout, each of their lines is known."""
    files = sorted(str(path) for path in folder.glob("*.log"))
    parsed = parse(files)
    assert (parsed.coverage.near_misses, parsed.coverage.unknown) == (0, 0)
    for source in parsed.sources:
        own = Path(source.name).name
        wanted = {"dom0.log": "dom0", "console.log": "dom0", "xen.log": "xen"}.get(own, "guest")
        assert wanted in source.speakers
    for event in parsed.events:
        text = Path(event.line.input).read_text(encoding="utf-8").split("\n")
        assert text[event.line.line - 1] == event.line.text
