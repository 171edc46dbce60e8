"""Incidents with holes in which the cheapest story joins lives that were one: nobody is accused."""

from __future__ import annotations

import pytest

from diagnose.synth.check import check
from diagnose.synth.choices import Choices
from diagnose.synth.incident import make


@pytest.mark.parametrize(("nth", "lost"), [(54, 0.5), (65, 0.5)])
def test_a_contradiction_between_two_lives_acquits(nth: int, lost: float) -> None:
    kept = Choices(lose=lost, view=("full",), level="debug", truncate="none")
    assert check(make(1, nth, kept)).result == "abstained"
