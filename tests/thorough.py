"""How much the dearest tests try: a fixed sample, or with `make thorough` everything."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

THOROUGH = bool(os.environ.get("DIAGNOSE_THOROUGH"))


def sample(everything: Sequence[T], one_in: int, first: int = 0) -> Sequence[T]:
    """One in so many, from the `first` on; all of them where the run is thorough."""
    return everything if THOROUGH else everything[first::one_in]
