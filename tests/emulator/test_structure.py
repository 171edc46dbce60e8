"""The room's own rules: what it may import, and that its tables are about what exists."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import emulator
from emulator.effects import DEEDS
from emulator.invariants import VIOLATIONS, violations
from emulator.life import ACTS, BINDS, EMITS, Act
from tests.conform import text

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


def test_every_dom0_and_xen_effect_has_a_text() -> None:
    guests = {
        "disable_msix_get_err",
        "enable_msix_get_err",
        "get_from_frontend_enable_msix",
        "igbvf_irq_failed",
        "igbvf_msix_failed",
        "irq_handler_type_mismatch",
        "failed_obtain_pirq",
        # More than 32 devices in one domain occur in no trace.
        "pciback_vpci_full",
    }
    printed = {kind for kinds in EMITS.values() for kind in kinds}
    assert printed - guests <= set(text.TABLE)
