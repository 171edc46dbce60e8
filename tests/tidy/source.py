"""The project's own files as the house rules see them: paths, texts, syntax trees, imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("diagnose", "emulator")
FOLDERS = (*PACKAGES, "tests", "benchmarks")


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: Path

    @property
    def place(self) -> str:
        """Path from the project's root, as it is shown."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def name(self) -> str:
        """Dotted name, of a package without `__init__`."""
        return self.place.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.place)

    @cached_property
    def imports(self) -> tuple[tuple[str, bool], ...]:
        """Names imported, dotted, and whether that happens when the module is loaded."""
        found = []
        for node, eager in _walk(self.tree, True):
            if isinstance(node, ast.Import):
                found += [(alias.name, eager) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found += [(f"{node.module}.{alias.name}", eager) for alias in node.names]
        return tuple(found)

    def uses(self, known: dict[str, Module], *, eager_only: bool = False) -> set[str]:
        """Names of the project's modules that this one imports."""
        used = set()
        for name, eager in self.imports:
            for candidate in (name, name.rpartition(".")[0]):
                if candidate in known and candidate != self.name and (eager or not eager_only):
                    used.add(candidate)
                    break
        return used

    def outside(self) -> set[str]:
        """Top-level names of all packages that it imports from anywhere."""
        return {name.partition(".")[0] for name, _ in self.imports}


def _walk(node: ast.AST, eager: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Nodes below, each with whether it is run while the module is being loaded."""
    for child in ast.iter_child_nodes(node):
        inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        now = eager and not inside and not typing_only
        yield child, now
        yield from _walk(child, now)


def modules(*folders: str) -> list[Module]:
    """All Python files of these folders, sorted."""
    return [
        Module(path)
        for folder in folders or FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def texts() -> list[Path]:
    """Every file that people write and read here; logs and recorded evidence are not among them."""
    suffixes = {".py", ".toml", ".lark", ".md", ".cfg", ".yml", ".yaml"}
    files = [
        path for folder in (*FOLDERS, "docs", "grammars") for path in (ROOT / folder).rglob("*")
    ]
    files += [*ROOT.glob("*.toml"), *ROOT.glob("*.md"), ROOT / "Makefile", ROOT / ".ci" / "run"]
    return sorted(
        path for path in files if path.suffix in suffixes or path.name in ("Makefile", "run")
    )
