"""Every case through the whole program: the verdict and the findings that a person expects.

`make update` writes the golden reports anew; it never touches a header or a log.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.casecheck import attempt
from diagnose.render.cases import explanation
from diagnose.render.paper import Style

FILES = sorted((Path(__file__).parents[2] / "corpus").glob("*.case"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_diagnosis(path: Path) -> None:
    tried = attempt(path)
    assert tried.state == "passed", f"\n{explanation(tried, Style(width=100))}"
    assert not tried.note
