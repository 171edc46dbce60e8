"""The one table of what unlogged steps cost, read from costs.toml."""
from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from diagnose import tables


class Costs(Struct, frozen=True):
    """By story op the cost of a step without a line, and with one; `other`: the rest, by name."""

    inferred: Mapping[str, int]
    observed: Mapping[str, int]
    other: Mapping[str, int]


@cache
def costs() -> Costs:
    """The table, read once."""
    table = tables.own("costs.toml")
    return Costs(table["inferred"], table["observed"], table["other"])
