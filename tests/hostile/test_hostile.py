"""Archives and logs that were made to harm: each is survived within bounds, and what can be read is
judged.

Each case is given to `diagnose log` through a pipe, in a process of its own that may use so much
memory and processor time and no more, in a directory in which nothing may appear.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from diagnose.unpack import RATIO_FREE_BYTES
from tests.bundle.packing import DEMO
from tests.hostile.cases import CASES, Case, gzip_bomb
from tests.hostile.running import run


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_hostile(case: Case, tmp_path: Path) -> None:
    status, report, told, *_ = run(case.build(), tmp_path, "-")
    assert status in (0, 1, 2), told
    assert "Traceback" not in told
    everything = json.dumps(report) + told
    assert json.dumps(case.said)[1:-1] in everything or case.said in everything
    if case.fault:
        assert (status, report["verdict"]) == (1, "fault")
    assert not list(tmp_path.iterdir())
    assert "\x1b" not in told


@pytest.mark.parametrize("name", ["bomb in a zip", "a million members in a zip", "cut zip"])
def test_hostile_as_a_file(name: str, tmp_path: Path) -> None:
    """A zip in a file is gone back in; one in a pipe is spooled. Both end alike."""
    case = CASES[name]
    (tmp_path / "in").mkdir()
    (tmp_path / "a.zip").write_bytes(case.build())
    status, report, told, *_ = run(b"", tmp_path / "in", "../a.zip")
    assert status == (1 if case.fault else 2), told
    assert case.said in json.dumps(report) + told


def test_a_bomb_is_cut_where_the_ratio_is_asked(tmp_path: Path) -> None:
    inputs = run(gzip_bomb(), tmp_path, "-").report["inputs"]
    assert RATIO_FREE_BYTES <= inputs[0]["bytes"] <= 2 * RATIO_FREE_BYTES


def test_a_directory_that_leads_round_and_outside(tmp_path: Path) -> None:
    place = tmp_path / "logs"
    place.mkdir()
    for name, data in DEMO.items():
        (place / name).write_bytes(data)
    os.mkfifo(place / "fifo")
    (place / "loop").symlink_to("loop")
    (place / "up").symlink_to("..")
    (place / "zero").symlink_to("/dev/zero")
    deep = place
    for _ in range(40):
        deep = deep / "d"
    deep.mkdir(parents=True)
    status, report, *_ = run(b"", tmp_path, "logs")
    assert (status, report["verdict"]) == (1, "fault")
    left = report["left_out"]
    assert {"a pipe", "a link to something outside"} <= {each["why"] for each in left}
