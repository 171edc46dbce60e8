"""The published JSON Schema of the report, derived from the result classes themselves.

`report.schema.json` beside this module is checked in, so that users need neither this module nor
pydantic to validate a report; a test tells when it is no longer what the classes say.

**Invariant:** no command needs this module; it is the only one that imports pydantic.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter

from diagnose.diagnosis import KEYS, SCHEMA, Diagnosis

FILE = "report.schema.json"

_HEAD: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": SCHEMA,
    "title": "Report of diagnose",
}
_SIGNATURE = {
    "type": "string",
    "description": "What kind of incident this is, whatever the host, the bus and the domids.",
}


def report_schema() -> dict[str, Any]:
    """The schema as JSON values; every key of a report is required and no other is allowed."""
    schema = _closed(TypeAdapter(Diagnosis).json_schema(mode="serialization"))
    schema["properties"] |= {"schema": {"const": SCHEMA}, "signature": _SIGNATURE}
    schema["required"] += ["schema", "signature"]
    shapes = schema.pop("$defs")
    return {**_HEAD, **schema, "$defs": shapes}


def published() -> dict[str, Any]:
    """The checked-in schema, as it stands in the package."""
    schema: dict[str, Any] = json.loads(files("diagnose").joinpath(FILE).read_text("utf-8"))
    return schema


def _closed(node: Any) -> Any:
    """Rewrite what pydantic says about the classes into what a report really looks like.

    A named tuple is an object there, not an array; keys that are Python keywords have their own
    names; fields with a default are written all the same, so every key is required.
    """
    if isinstance(node, list):
        return [_closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    if _is_record(node):
        parts = {part["title"].lower(): part for part in node["prefixItems"]}
        node = {"type": "object", "properties": parts}
    if "properties" in node:
        properties = {KEYS.get(k, k): _closed(_bare(v)) for k, v in node["properties"].items()}
        shape = {"properties": properties, "required": list(properties)}
        rest = {key: _closed(value) for key, value in _bare(node).items() if key not in shape}
        return {**rest, **shape, "additionalProperties": False}
    return {key: _closed(value) for key, value in node.items()}


def _is_record(node: dict[str, Any]) -> bool:
    """Whether this array is a named tuple: only their items have titles."""
    return all("title" in part for part in node.get("prefixItems", [{}]))


def _bare(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in ("title", "default")}
