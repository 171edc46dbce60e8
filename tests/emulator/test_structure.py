"""The room's own rules: what it may import, and that its tables are about what exists."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import emulator
from diagnose.grammar import load
from emulator.effects import DEEDS
from emulator.invariants import VIOLATIONS, violations
from emulator.life import ACTS, BINDS, EMITS, Act

ROOM = Path(emulator.__file__).parent


def test_emulator_imports_the_standard_library_only() -> None:
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                found = [node.module or ""]
            for name in found:
                top = name.partition(".")[0]
                assert top == "emulator" or top in sys.stdlib_module_names, (path.name, name)


def test_emulator_reads_no_clock_no_file_and_no_chance() -> None:
    banned = {"time", "datetime", "random", "os", "pathlib", "io", "secrets", "uuid", "logging"}
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names]
                assert banned.isdisjoint(names), path.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("open", "print", "input"), path.name


def test_tables_speak_of_acts_that_exist() -> None:
    assert set(EMITS) == set(ACTS)
    for (op, kind), bound in BINDS.items():
        assert kind in EMITS[op]
        assert set(bound) <= set(Act._fields)


def test_every_deed_and_violation_is_explained() -> None:
    assert all(DEEDS.values())
    assert all(VIOLATIONS.values())
    assert violations(()) == ()


def test_every_effect_is_a_message_of_the_grammar() -> None:
    for kind in sorted({kind for kinds in EMITS.values() for kind in kinds}):
        assert load().production(kind).kind == kind
