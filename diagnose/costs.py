"""The one table of what unlogged steps cost, read from costs.toml."""
from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple


class Costs(NamedTuple):
    """By story op the cost of a step without a line, and with one; `other`: the rest, by name."""

    inferred: Mapping[str, int]
    observed: Mapping[str, int]
    other: Mapping[str, int]


@cache
def costs() -> Costs:
    """The table, read once."""
    text = resources.files("diagnose").joinpath("costs.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return Costs(table["inferred"], table["observed"], table["other"])
