"""However the bytes of a log arrive, the same report comes of them, and every byte is counted."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose import pipeline
from diagnose.parse import parse
from diagnose.reader import Input, from_bytes, from_path
from tests.dress.damage import DAMAGES, DISORDERS, LOSSES
from tests.dress.streams import DOM0, Log, incidents, some, usual
from tests.dress.trickle import trickling
from tests.dress.wardrobe import KERNEL

NAME = "dom0.log"
SIZES = (1, 2, 7, 4096)


def told_through_a_pipe(data: bytes) -> dict[str, object]:
    """The report on the bytes of a pipe, the writer in a thread of its own."""
    out, into = os.pipe()

    def write() -> None:
        with open(into, "wb") as sink:
            sink.write(data)

    writer = Thread(target=write)
    writer.start()
    try:
        with open(out, "rb") as stream:
            return told(Input(NAME, f"bytes:{NAME}", lambda: stream))
    finally:
        writer.join()


def told(source: Input) -> dict[str, object]:
    """The report, but for what was read from where."""
    content = pipeline.diagnose([source]).to_json()
    del content["inputs"]
    named: dict[str, object] = json.loads(
        json.dumps(content).replace(json.dumps(source.name)[1:-1], NAME))
    return named


@cache
def at_once(data: bytes) -> dict[str, object]:
    """The report on the bytes, all of them at hand."""
    return told(from_bytes(NAME, data))


def _log(salt: str) -> Log:
    return some([each for each in incidents() if each.has(DOM0)], 1, salt)[0].those(DOM0)[0]


def _text(dressing: str, change: Callable[[list[str], Random], list[str]] | None = None) -> bytes:
    lines = KERNEL[dressing](usual(_log("chunks")))
    return "\n".join(change(lines, Random(1)) if change else lines).encode(
        "utf-8", "surrogateescape") + b"\n"


WHOLE = _text("printk")
TEXTS: dict[str, bytes] = {
    "plain": WHOLE,
    "no end": WHOLE[:-1],
    "cr": _text("printk", DAMAGES["cr"].change),
    "nul": _text("syslog", DAMAGES["nul-between"].change),
    "nul first": b"\0" * 5000 + WHOLE,
    "colour": _text("printk", DAMAGES["colour-at-blanks"].change),
    "broken bytes": _text("printk", LOSSES["broken-bytes"].change),
    "a mark": b"\xef\xbb\xbf" + WHOLE,
    "wide letters": "".join(f"é{'—' * 7}\n" for _ in range(40)).encode() + WHOLE,
    "blank lines": b"\n" * 50 + WHOLE.replace(b"\n", b"\n" * 20) + b"\n" * 5000,
    "long line": b"x" * 70_000 + b"\n" + WHOLE,
    "binary": bytes(range(256)) * 20 + WHOLE,
    "odd beginning": b"\x01\x02\x7fELF\n" + WHOLE,
    "gz": gzip.compress(WHOLE, mtime=0),
    "gz, cut": gzip.compress(WHOLE, mtime=0)[:-20],
    "gz, twice": gzip.compress(WHOLE[:500], mtime=0) + gzip.compress(WHOLE[500:], mtime=0),
    "magic alone": b"\x1f\x8b",
    "empty": b"",
    "one end": b"\n",
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_any_size_of_chunks(data: bytes, size: int) -> None:
    """The report is made of what is parsed, and of nothing else."""
    assert parse([trickling(NAME, data, size)]) == parse([from_bytes(NAME, data)])


@given(size=st.integers(1, 5000), data=st.sampled_from(list(TEXTS.values())))
@settings(max_examples=15, deadline=None)
def test_any_size_at_all(size: int, data: bytes) -> None:
    assert told(trickling(NAME, data, size)) == at_once(data)


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_a_pipe(data: bytes) -> None:
    assert told_through_a_pipe(data) == at_once(data)


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_a_file(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(data)
    assert told(from_path(path)) == at_once(data)


def test_a_compressed_log_is_the_log() -> None:
    assert at_once(gzip.compress(WHOLE)) == at_once(WHOLE)


def _every_text() -> Iterator[tuple[str, bytes]]:
    yield from ((name, data) for name, data in TEXTS.items() if not name.startswith("gz"))
    yield from ((name, _text(name)) for name in KERNEL)
    yield from ((name, _text("printk", damage.change))
                for name, damage in {**DAMAGES, **DISORDERS, **LOSSES}.items())


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in _every_text()])
def test_every_line_and_every_byte_is_counted_once(data: bytes) -> None:
    coverage = parse([from_bytes(NAME, data)]).sources[0].coverage
    assert coverage.bytes == len(data)
    assert coverage.lines == data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    assert coverage.lines == (coverage.events + coverage.near_misses + coverage.known_noise
                              + coverage.unknown + coverage.unreadable)
