"""Rules, fixes and messages are data: the code that reads them names none of them."""

from __future__ import annotations

import ast
import tomllib

import pytest

from diagnose.grammar import load
from tests.tidy.source import ROOT, Module, modules


def rule_ids() -> set[str]:
    files = sorted((ROOT / "diagnose" / "rules").glob("*.toml"))
    assert files
    return {tomllib.loads(file.read_text(encoding="utf-8"))["id"] for file in files}


def event_kinds() -> set[str]:
    kinds = {production.kind for production in load().productions}
    assert "msix_entry_not_freed" in kinds
    return kinds


NAMES = rule_ids() | event_kinds()


@pytest.mark.parametrize("module", modules("diagnose"), ids=lambda module: module.place)
def test_no_rule_or_message_is_named_in_code(module: Module) -> None:
    """A new rule or message must never need a change of code; one that is named here would."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node.value not in NAMES, f"{module.place}:{node.lineno} names {node.value!r}"
