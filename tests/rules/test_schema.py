"""The published schema is the loader's tables, accepts every rule and refuses plain mistakes."""

from __future__ import annotations

import json
import os
import tomllib
from typing import Any

import jsonschema
import pytest

from diagnose.rules import RULES
from diagnose.ruleschema import RULE_SCHEMA, rule_schema
from tests.rules.test_load import GOOD

VALIDATOR = jsonschema.Draft202012Validator(rule_schema())
FILES = sorted(RULES.glob("*.toml"))


def test_the_published_file_is_up_to_date() -> None:
    text = json.dumps(rule_schema(), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("SNAPSHOT_UPDATE"):
        RULE_SCHEMA.write_text(text, encoding="utf-8")
    assert RULE_SCHEMA.read_text(encoding="utf-8") == text, "run with SNAPSHOT_UPDATE=1"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_rule_file_is_valid_and_names_the_schema(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#:schema ../rule.schema.json\n")
    VALIDATOR.validate(tomllib.loads(text))


@pytest.mark.parametrize(("old", "new"), [
    ("severity =", "severty ="), ('"error"', '"eror"'), ('fault = "test"', ""),
    ('fault = "test"', 'fault = "test"\nharmless = true\nreason = "r"\nwould_be_a_fault_if = "w"'),
    ('"MSIX001"', '"MSIX101"'), ("{pirqs}", ""), ('title = "a test"', ""), ('"boot"]', '"bot"]')])
def test_the_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    VALIDATOR.validate(tomllib.loads(GOOD))
    assert not VALIDATOR.is_valid(tomllib.loads(GOOD.replace(old, new)))
