"""One condition of a rule: facts by name, and how their fields have to fit.

**Invariant:** reads any table that has the shape of a clause; whether it makes sense is checked
elsewhere.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from msgspec import Struct

from diagnose.rulefile import Table

ANY = "$_"


class Clause(Struct, frozen=True):
    """One condition: a fact of one of these names whose fields fit.

    `joins` are (field, variable) pairs, `wants` (field, allowed values) pairs. A key field of the
    rule that a clause does not mention is joined to the rule's key of that name.
    """

    facts: tuple[str, ...]
    joins: tuple[tuple[str, str], ...]
    wants: tuple[tuple[str, tuple[object, ...]], ...]

    @property
    def variables(self) -> frozenset[str]:
        """The names of all variables, without the dollar."""
        return frozenset(variable for _, variable in self.joins)


def fact_names(table: Table) -> tuple[str, ...]:
    """The facts any of which will do."""
    told = table["fact"]
    return (told,) if isinstance(told, str) else tuple(cast("list[str]", told))


def bindings(table: Table) -> Mapping[str, object]:
    """Field → variable, value or list of values, as written."""
    return cast("Mapping[str, object]", table.get("bind", {}))


def read_clause(table: Table, per: tuple[str, ...]) -> Clause:
    """The clause in `table`, its rule having one result for each value of the fields `per`."""
    bind = dict(bindings(table))
    bind |= {key: f"${key}" for key in per if key not in bind}
    joins = {f: v for f, v in bind.items() if isinstance(v, str) and v.startswith("$")}
    return Clause(
        fact_names(table),
        tuple((field, variable[1:]) for field, variable in joins.items() if variable != ANY),
        tuple((field, tuple(value) if isinstance(value, list) else (value,))
              for field, value in bind.items() if field not in joins),
    )
