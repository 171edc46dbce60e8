"""What holds of the program whatever bytes it is given: one function a stage.

Each takes bytes and raises AssertionError where a law is broken. `InputError` and `UsageError` are
clean errors and let through; no other exception is caught here.

**Invariant:** neither pytest nor a fuzzer is needed; what lies here holds for every input.
"""
from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import jsonschema

from diagnose import grammar, pipeline
from diagnose.annotation import fold
from diagnose.buffers import LINE_BYTES_MAX
from diagnose.bundle.unfold import unfold
from diagnose.diagnosis import Diagnosis
from diagnose.envelope import LAYERS_MAX, Peeler
from diagnose.errors import InputError, UsageError
from diagnose.events import SPEAKERS, LeftOut, Remark
from diagnose.explain_line import explain
from diagnose.lines import RawLine, Reading
from diagnose.mend import parted, pieces
from diagnose.options import Options
from diagnose.reader import Input, from_bytes, read
from diagnose.render import render
from diagnose.render.paper import Style
from diagnose.schema import published
from diagnose.stamps import stamp
from emulator.kernels import ROWS
from tests.dress.trickle import trickling
from tests.reading.everyone import Everything

CLEAN = (InputError, UsageError)
STYLES = tuple(Style(width=width, verbosity=verbosity)
               for width, verbosity in ((80, 0), (50, 1), (120, -1)))
SELDOM = 16
"""One input in so many is held against the dear laws as well; its bytes decide."""

_SECTION = re.compile(rb"^-- ([A-Za-z0-9][A-Za-z0-9._+-]{0,80}) --\n", re.MULTILINE)


# --- Reader ----------------------------------------------------------------------------------


def reader(data: bytes) -> None:
    """Lines hold what stands there, and know no chunks."""
    found, reading = lines_of(from_bytes("log", data))
    if not reading.compression:
        assert reading.bytes == len(data)
        bare = data.split(b"\n")
        assert all(each.data == bare[each.number - 1][:LINE_BYTES_MAX] for each in found)
    slow, again = lines_of(trickling("log", data, 1 + len(data) % 97))
    assert (slow, again) == (found, reading)


def lines_of(source: Input) -> tuple[list[RawLine], Reading]:
    """The lines of an input, each held against what is true of all lines."""
    reading = Reading(source.name)
    everyone = Everything()
    found = list(read(source, reading, everyone))
    assert len(found) + everyone.blank + everyone.no_text == reading.lines
    assert all(a.number < b.number and (a.number + 1 == b.number or not a.data)
               for a, b in pairwise(found))
    for each in found:
        assert "\n" not in each.text
        assert len(each.data) <= LINE_BYTES_MAX
        assert each.payload is None or each.payload in each.text
    assert all(each.line is None or 0 < each.line <= reading.lines for each in reading.remarks)
    return found, reading


# --- Bundles ---------------------------------------------------------------------------------


def bundle(data: bytes) -> None:
    """Every member is named once, under its bundle; what is left out has a reason."""
    names: set[str] = set()
    try:
        for found in unfold(from_bytes("given", data)):
            if isinstance(found, Remark):
                assert found.text
                continue
            name = found.path if isinstance(found, LeftOut) else found.name
            assert name == "given" or name.startswith("given!")
            assert name.isprintable()
            assert name not in names
            names.add(name)
            if isinstance(found, LeftOut):
                assert found.why
            else:
                lines_of(found)
    except CLEAN:
        assert not names


# --- Lines -----------------------------------------------------------------------------------


@cache
def peeler() -> Peeler:
    """The peeler of this installation's catalogue."""
    return Peeler(grammar.load())


def _texts(data: bytes) -> Iterator[str]:
    for each in lines_of(from_bytes("log", data))[0]:
        yield from pieces(each.text)


def envelopes(data: bytes) -> None:
    """Layers end; clocks are numbers; what is explained of a line is what was read of it."""
    own = peeler()
    for text in _texts(data):
        envelope = own.peel(text)
        assert len(envelope.layers) <= LAYERS_MAX
        assert envelope.payload == envelope.payload.strip(" ")
        assert envelope.speaker is None or envelope.speaker in SPEAKERS
        assert 0 <= own.inside(envelope.payload) <= len(envelope.payload)
        when = stamp(envelope)
        for clock in (when.uptime, when.wall):
            assert clock is None or math.isfinite(clock)
        assert when.priority is None or 0 <= when.priority <= 7
        records = list(parted(text, own, lambda each: grammar.load().match(each.payload)))
        assert records[0].envelope.layers == envelope.layers
        assert explain(text).layers == envelope.layers


def grammars(data: bytes) -> None:
    """What is read is printed and read again as the same; near misses break inside of the text."""
    catalogue = grammar.load()
    for text in _texts(data):
        payload = peeler().peel(text).payload
        reading = _read(catalogue, payload)
        if reading is not None:
            printed = catalogue.print_line(reading.production.kind, reading.fields)
            assert catalogue.read(fold(printed).strip(" ")) == reading, printed
        for own in catalogue.states.values():
            _read(own, fold(text).strip(" "))


def _read(catalogue: grammar.Catalogue, payload: str) -> grammar.Reading | None:
    matched = catalogue.match(payload)
    reading = catalogue.read(payload)
    assert (reading is None) == (matched.reading is None)
    if reading is None:
        broken = catalogue.broken(payload)
        assert broken is not None or not matched.near
        assert broken is None or 0 <= broken.column <= len(payload)
    else:
        assert reading.production.kind in catalogue.accepting(payload)
    return reading


# --- The whole -------------------------------------------------------------------------------


def parts(data: bytes) -> list[tuple[str, bytes]]:
    """Several inputs as a case writes them, each behind a line `-- NAME --`; else one, `log`."""
    found = _SECTION.split(data)
    first = [("log", found[0])] if found[0] or len(found) == 1 else []
    return first + [(name.decode(), body) for name, body in zip(found[1::2], found[2::2])]


def log(data: bytes) -> None:
    """Any inputs give a report that keeps the laws of reports, or a clean error.

    Most are diagnosed as of one kernel row, the bytes decide which: all rows take five times as
    long.
    """
    chosen, given = zlib.crc32(data), parts(data)
    row = ROWS[chosen % len(ROWS)].name if chosen % SELDOM else None
    report = diagnosed(given, row)
    if report is None:
        return
    content = report.to_json()
    counted(content)
    cited(content)
    shown(report, STYLES[chosen % len(STYLES)])
    if not chosen % SELDOM:
        _VALIDATOR.validate(json.loads(json.dumps(content)))
        assert diagnosed(given, row) == report


def diagnosed(given: Sequence[tuple[str, bytes]], row: str | None) -> Diagnosis | None:
    """The report on these inputs; None where they give a clean error, which says something."""
    try:
        return pipeline.diagnose([from_bytes(name, data) for name, data in given],
                                 Options(kernel=row))
    except CLEAN as error:
        said = str(error)
    assert said.isprintable()
    return None


def counted(content: Mapping[str, Any]) -> None:
    """Every line is in one class; the verdict is what the findings say."""
    coverage = dict(content["coverage"])
    lines, size = coverage.pop("lines"), coverage.pop("bytes")
    assert lines == sum(coverage.values()) == sum(each["lines"] for each in content["inputs"])
    assert size == sum(each["bytes"] for each in content["inputs"])
    assert (content["verdict"] == "fault") == bool(content["findings"])
    ids = [each["id"] for each in content["findings"]]
    assert len(set(ids)) == len(ids)
    assert {one for each in content["findings"] for one in each["follows"]} <= set(ids)
    for each in content["whatif"]:
        assert sorted([*each["removes"], *each["leaves"]]) == sorted(ids)


def cited(content: Mapping[str, Any]) -> None:
    """Every line that is cited is one of the named input, as is every remark's."""
    lengths = {each["path"]: each["lines"] for each in content["inputs"]}
    for line in _lines(content):
        assert 0 < line["line"] <= lengths[line["input"]]
        assert "\n" not in line["text"]
    for remark in content["remarks"]:
        if remark["line"] is not None:
            assert 0 < remark["line"] <= lengths[remark["input"]]


def _lines(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if value.keys() == {"input", "line", "text"}:
            yield value
        for each in value.values():
            yield from _lines(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _lines(each)


def shown(report: Diagnosis, style: Style) -> None:
    """Nothing but printable text and line ends reaches a terminal; JSON comes back as it was."""
    text = render(report, "text", style)
    assert text.replace("\n", "").isprintable()
    assert text.endswith("\n")
    text = render(report, "json", style)
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == json.loads(json.dumps(report.to_json()))


_VALIDATOR = jsonschema.Draft202012Validator(published())
