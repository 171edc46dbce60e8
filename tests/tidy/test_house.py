"""House rules that no formatter knows: sizes, words, leftovers, code that nobody calls."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from vulture import Vulture
from vulture.core import Item

from tests.tidy.source import FOLDERS, ROOT, Module, modules, texts

MODULE_LINES_MAX = 350
FUNCTION_LINES_MAX = 45

FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(?:work|root|farm|home/\w+)/"),
    "a leftover": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X{3})\b"),
    "a silenced check": re.compile(r"#\s*(?:type:\s*ig" + r"nore|no" + r"qa|fmt:\s*off)"),
    "a skipped test": re.compile(r"pytest\.mark\.(?:sk" + r"ip|xf" + r"ail)"),
    "a merge mark": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}

AMBIGUOUS = {
    "diagnose": {"irq", "vector", "entry", "domain"},
    "emulator": {"entry", "id"},
}
"""Names that say too little: a pirq or a Linux irq? a domid or a PCI domain? an entry of what? The
emulator has records for domains, and numbers that really are Linux irqs and Xen's vectors."""

SHAPELESS = {
    "manager",
    "utils",
    "util",
    "helper",
    "helpers",
    "base",
    "common",
    "data",
    "info",
    "misc",
}

CALLED_BY_NAME = {
    "__getattr__": "the interpreter calls it",
    "__annotations__": "typer reads what a command takes in it",
    "default_map": "typer reads it when it makes a command's context",
    "diagnose": "typer calls commands",
    "log": "typer calls commands",
    "line": "typer calls commands",
    "synth": "typer calls commands",
    "main": "the entry point of the wheel",
    "readinto": "io calls it on a raw stream",
    "render": "looked up in the table of formats",
    "pytest_addoption": "pytest calls hooks and items",
    "pytest_collect_file": "pytest calls hooks and items",
    "pytest_terminal_summary": "pytest calls hooks and items",
    "collect": "pytest calls hooks and items",
    "runtest": "pytest calls hooks and items",
    "reportinfo": "pytest calls hooks and items",
}

@pytest.mark.parametrize("module", modules(), ids=lambda module: module.place)
def test_sizes(module: Module) -> None:
    length = module.text.count("\n")
    assert length <= MODULE_LINES_MAX, f"{module.place} has {length} lines; is it one idea?"
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, (
                f"{module.place}:{node.lineno} {node.name}: {length}"
            )


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.place)
def test_every_module_says_what_it_is(module: Module) -> None:
    said = ast.get_docstring(module.tree) or ""
    assert len(said.split()) >= 4, f"{module.place} begins without a sentence about itself"


@pytest.mark.parametrize("path", texts(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_words(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for what, pattern in FORBIDDEN.items():
        found = pattern.search(text)
        assert not found, f"{path.name}:{text.count(chr(10), 0, found.start()) + 1}: {what}"
    odd = {char for char in text if not char.isprintable()} - {"\n", "\t"}
    assert not odd, f"{path.name} holds unprintable characters {sorted(odd)!a}"


@pytest.mark.parametrize("module", modules("diagnose", "emulator"), ids=lambda module: module.place)
def test_names(module: Module) -> None:
    assert not set(module.name.split(".")) & SHAPELESS, f"{module.place} does not say of what"
    ambiguous = AMBIGUOUS[module.name.partition(".")[0]]
    for node in ast.walk(module.tree):
        name = ""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        where = f"{module.place}:{getattr(node, 'lineno', 0)}"
        assert name not in ambiguous, f"{where}: {name!r} says too little"


def test_nothing_is_dead() -> None:
    finder = Vulture(ignore_decorators=["@*.command"])  # typer calls commands
    finder.scavenge([str(ROOT / folder) for folder in FOLDERS if (ROOT / folder).is_dir()])
    dead = [
        f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno} {item.typ} {item.name}"
        for item in finder.get_unused_code(min_confidence=60)
        if not _is_excused(item)
    ]
    assert not dead, "nobody uses:\n" + "\n".join(dead)


def _is_excused(item: Item) -> bool:
    path = Path(item.filename)
    place = path.relative_to(ROOT).as_posix()
    return (
        place.startswith("tests/")
        or item.typ == "import"  # ruff knows better: it reads quoted annotations
        or item.name in CALLED_BY_NAME
        or _is_field(path, item.first_lineno)
    )


def _is_field(path: Path, line: int) -> bool:
    """Fields of records are read by whoever gets the record: encoders, printers, callers."""
    for node in ast.walk(Module(path).tree):
        if isinstance(node, ast.ClassDef):
            fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
            if any(part.lineno == line for part in fields):
                return True
    return False
