"""The published JSON Schema of a rule file, made from the tables that the loader checks against.

Editors complete and check rule files with it: `#:schema ../rule.schema.json` on their first line.

**Invariant:** says nothing that the loader's tables do not say; a test holds the file against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from diagnose.facts import TRACE_FACTS
from diagnose.rulefile import CLAUSE_KEYS, MESSAGE_KEYS, RULE_KEYS, Key
from emulator.invariants import VIOLATIONS

RULE_SCHEMA = Path(__file__).parent / "rule.schema.json"

_TEXT: dict[str, object] = {"type": "string", "minLength": 1}
_VALUE: dict[str, object] = {"type": ["string", "integer", "boolean"]}
_BOUND: dict[str, object] = {
    "anyOf": [_VALUE, {"type": "array", "items": _VALUE, "minItems": 1}]
}
_INNER: Mapping[str, Mapping[str, Key]] = {"clauses": CLAUSE_KEYS, "table": MESSAGE_KEYS}
_FACT: dict[str, object] = {
    "anyOf": [
        {"enum": [*VIOLATIONS, *TRACE_FACTS]},
        {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "A kind of event."},
    ]
}


def rule_schema() -> dict[str, object]:
    """The schema as JSON data (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "diagnose rule",
        "description": "One rule: facts joined by variables, and what their meeting means.",
        **_table(RULE_KEYS),
        "oneOf": [
            _side("fault", "^MSIX0[0-9]{2}$", {}, "harmless"),
            _side("harmless", "^MSIX1[0-9]{2}$", {"harmless": {"const": True}}, "fault"),
        ],
    }


def _side(
    name: str, ids: str, properties: Mapping[str, object], other: str
) -> dict[str, object]:
    """What holds for rules of one side, and which keys belong to the other."""
    keys = {side: [key for key, row in RULE_KEYS.items() if row.needed == side]
            for side in (name, other)}
    return {
        "required": [name, *keys[name]],
        "properties": {"id": {"pattern": ids}, **properties},
        "not": {"anyOf": [{"required": [key]} for key in (other, *keys[other])]},
    }


def _table(keys: Mapping[str, Key]) -> dict[str, object]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, key in keys.items() if key.needed == "always"],
        "properties": {
            name: {"description": key.about, **_value(key)} for name, key in keys.items()
        },
    }


def _value(key: Key) -> dict[str, object]:
    """The schema of one key's value."""
    inner = _INNER.get(key.type)
    if inner is not None:
        table = _table(inner)
        return {"type": "array", "items": table} if key.type == "clauses" else table
    text: dict[str, object] = {"enum": list(key.choices)} if key.choices else _TEXT
    values: dict[str, dict[str, object]] = {
        "string": text,
        "boolean": {"type": "boolean"},
        "strings": {"type": "array", "items": text},
        "names": {"anyOf": [_FACT, {"type": "array", "items": _FACT, "minItems": 1}]},
        "bindings": {"type": "object", "additionalProperties": _BOUND},
    }
    return values[key.type]
