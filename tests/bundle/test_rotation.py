"""Rotated parts are one log, in order; a number alone makes no part."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from diagnose import pipeline
from diagnose.bundle.names import natural, shown
from diagnose.bundle.rotation import logs
from diagnose.diagnosis import Diagnosis
from diagnose.reader import from_bytes
from tests.bundle.packing import DEMO, lay, tar

SETS: list[tuple[str, list[tuple[str, str]]]] = [
    # the files, log → its parts, oldest first
    ("messages messages.1 messages.2.gz messages.10",
     [("messages", "messages.10 messages.2.gz messages.1 messages")]),
    ("messages messages-20110601.gz messages-20110508",
     [("messages", "messages-20110508 messages-20110601.gz messages")]),
    ("messages-20110601 messages-20110608.xz",
     [("messages", "messages-20110601 messages-20110608.xz")]),
    ("a/kern.log b/kern.log.1", [("a/kern.log", "a/kern.log"), ("b/kern.log.1", "b/kern.log.1")]),
    ("guest.1 guest.2", [("guest.1", "guest.1"), ("guest.2", "guest.2")]),
    ("xend.log xend.log.old", [("xend.log", "xend.log.old xend.log")]),
    ("x-20110601-1306900000 x-20110601-1306800000 x",
     [("x", "x-20110601-1306800000 x-20110601-1306900000 x")]),
    ("dom0.log guest-1.log", [("dom0.log", "dom0.log"), ("guest-1.log", "guest-1.log")]),
    ("alone-20110601", [("alone-20110601", "alone-20110601")]),
]


@pytest.mark.parametrize(("files", "expected"), SETS)
def test_sets(files: str, expected: list[tuple[str, str]]) -> None:
    names = files.split()
    assert [(log, " ".join(names[place] for place in places))
            for log, places in logs(names)] == expected


def parted() -> dict[str, bytes]:
    """The demo with dom0's log in four parts."""
    lines = DEMO["dom0.log"].splitlines(keepends=True)
    cut = [b"".join(lines[a:b]) for a, b in ((0, 9), (9, 23), (23, 25), (25, None))]
    names = ("messages-20110501.gz", "messages.2", "messages.1", "messages")
    return {**dict(zip(names, [gzip.compress(cut[0]), *cut[1:]])),
            "guest.log": DEMO["guest.log"], "xen.log": DEMO["xen.log"]}


def told(report: Diagnosis) -> tuple[object, ...]:
    return (report.verdict, report.signature, report.coverage, report.kernel.row, report.story and [
        (step.op, step.status, [line.text for line in step.lines]) for step in report.story],
        [[line.text for line in each.witness.lines] for each in report.findings])


def test_a_log_in_parts_tells_what_it_told_as_a_whole(tmp_path: Path) -> None:
    whole = told(pipeline.diagnose([from_bytes(name, data) for name, data in DEMO.items()]))
    files = parted()
    explicit = [from_bytes(name, data) for name, data in files.items()]
    for sources in (explicit, explicit[3::-1] + explicit[4:],
                    [from_bytes("b", tar(dict(reversed(files.items()))))],
                    [lay(files, tmp_path / "d")]):
        assert told(pipeline.diagnose(sources)) == whole


def test_lines_count_in_their_part() -> None:
    report = pipeline.diagnose([from_bytes("b", tar(parted()))])
    assert [(each.path, each.part_of, each.lines) for each in report.inputs][-5:-1] == [
        ("b!messages-20110501.gz", "b!messages", 9), ("b!messages.2", "b!messages", 14),
        ("b!messages.1", "b!messages", 2), ("b!messages", "b!messages", 11)]
    for line in report.findings[0].witness.lines:
        part = {"b!messages.1": 23, "b!messages.2": 9, "b!messages": 25}.get(line.input)
        assert part is None or DEMO["dom0.log"].splitlines()[part + line.line - 1].decode(
        ) == line.text


def test_names() -> None:
    assert sorted(["l.10", "l.2", "l", "k1"], key=natural) == ["k1", "l", "l.2", "l.10"]
    assert shown("./a\nb\x1b[31m\udcff") == "a\\nb\\x1b[31m\\xff"
