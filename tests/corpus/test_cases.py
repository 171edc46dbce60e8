"""Every case through the whole program: the verdict and the findings that a person expects.

The golden report stands in the case itself. It is compared where it exists and written by
``SNAPSHOT_UPDATE=1 pytest tests/corpus``, which never touches a header or a log.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagnose.casefile import Case, differences, format_case, read_case
from diagnose.diagnosis import Diagnosis
from diagnose.pipeline import diagnose
from diagnose.render import render
from diagnose.render.paper import Style

FILES = sorted((Path(__file__).parents[2] / "corpus").glob("*.case"))

def run(case: Case, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Diagnosis:
    """Diagnose the case's logs under the names that the case gives them."""
    case.write_logs(directory)
    monkeypatch.chdir(directory)
    return diagnose([name for name, _ in case.logs])


def golden(diagnosis: Diagnosis) -> str:
    """The text report without the line that names the program's version."""
    lines = render(diagnosis, "text", Style(width=100)).splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines if not line.startswith(" report "))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_diagnosis(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = read_case(path)
    diagnosis = run(case, tmp_path, monkeypatch)
    told = differences(case, diagnosis)
    assert told == []
    text = golden(diagnosis)
    if os.environ.get("SNAPSHOT_UPDATE"):
        path.write_text(format_case(case.with_golden(text)), encoding="utf-8")
    elif case.golden is not None:
        assert case.golden == text, "read the difference, then run with SNAPSHOT_UPDATE=1"
