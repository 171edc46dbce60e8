"""The published JSON Schemas of what the commands write, derived from the result classes.

The files beside this module are checked in, so that users need not this module to
validate what they get; a test tells when one is no longer what the classes say.

**Invariant:** no command needs this module.
"""

from __future__ import annotations

import json
from importlib.resources import files
from inspect import cleandoc
from typing import Any

from msgspec.json import schema_components

from diagnose import outcome
from diagnose.diagnosis import KEYS, SCHEMA, Diagnosis
from diagnose.frames import REPLAY_SCHEMA, ReplayReport

FILE = "report.schema.json"
REPLAY_FILE = "replay.schema.json"
TRIAGE_FILE = "triage.schema.json"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIGNATURE = {
    "type": "string",
    "description": "What kind of incident this is, whatever the host, the bus and the domids.",
}


def report_schema() -> dict[str, Any]:
    """The schema as JSON values; every key of a report is required and no other is allowed."""
    return _schema(Diagnosis, SCHEMA, "Report of diagnose", {"signature": _SIGNATURE})


def replay_schema() -> dict[str, Any]:
    """The same for a replay."""
    return _schema(ReplayReport, REPLAY_SCHEMA, "Replay of diagnose", {})


def triage_schema() -> dict[str, Any]:
    """The schema of one line of `diagnose triage --format jsonl`, as strict."""
    return _schema(outcome.Outcome, outcome.SCHEMA, "Line of diagnose triage", {})


def _schema(shape: type, name: str, title: str, more: dict[str, Any]) -> dict[str, Any]:
    """The schema of a result class; `more` are keys that are no fields."""
    (_,), shapes = _closed(schema_components(
        [shape], schema_hook=lambda _: {"title": "anything"}, ref_template="#/$defs/{name}"))
    schema = shapes.pop(shape.__name__)
    schema["properties"] |= {"schema": {"const": name}, **more}
    schema["required"] += ["schema", *more]
    return {"$schema": _DIALECT, "$id": name, "title": title, **schema,
            "$defs": dict(sorted(shapes.items()))}


def published(file: str = FILE) -> dict[str, Any]:
    """A checked-in schema, as it stands in the package."""
    schema: dict[str, Any] = json.loads(files("diagnose").joinpath(file).read_text("utf-8"))
    return schema


def _closed(node: Any) -> Any:
    """Rewrite what msgspec says about the classes into what a report really looks like.

    Keys that are Python keywords have their own names; fields with a default are written all the
    same, so every key is required.
    """
    if isinstance(node, (list, tuple)):
        return [_closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    if "properties" in node:
        properties = {KEYS.get(k, k): _closed(_bare(v)) for k, v in node["properties"].items()}
        shape = {"properties": properties, "required": list(properties)}
        rest = {key: _closed(value) for key, value in _bare(node).items() if key not in shape}
        return {**rest, **shape, "additionalProperties": False}
    return {key: _closed(value) for key, value in _bare(node).items()}


def _bare(node: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in node.items() if key not in ("title", "default")}
    return {**told, "description": cleandoc(node["description"])} if "description" in told else told
