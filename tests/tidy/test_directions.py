"""Imports point one way: cli → pipeline → stages → events, diagnosis, errors."""

from __future__ import annotations

import sys

import pytest

from tests.tidy.source import Module, modules

ALL = modules("diagnose", "emulator")
KNOWN = {module.name: module for module in ALL}

OUTSIDE = {
    **{module.name: {"typer"} for module in ALL if module.name.startswith("diagnose.cli.")},
    "diagnose.catalogue": {"lark"},
    "diagnose.sieve": {"hyperscan"},
    "diagnose.sift": {"stringzilla"},
    "diagnose.unpack": {"isal", "lz4", "zstandard"},
    "diagnose.pytest_plugin": {"pytest"},
}
"""The one room that may import a library from outside."""

RECORDS = {"msgspec"}
"""What every module but the emulator's may make its records of."""

BOTTOM = {
    "diagnose.errors": set(),
    "diagnose.options": set(),
    "diagnose.events": {"emulator"},
    "diagnose.diagnosis": {"diagnose.events"},
    "diagnose.frames": {"diagnose.events", "diagnose.diagnosis", "emulator"},
    "diagnose.outcome": {"diagnose.diagnosis", "diagnose.events"},
}
"""Modules that everything may import, and what these may import of the project themselves."""

TOP = {
    "diagnose.cli": {"diagnose.__main__", "diagnose.cli"},
    "diagnose.console": {"diagnose.cli"},
    "diagnose.casecheck": {"diagnose.cli", "diagnose.pytest_plugin"},
    "diagnose.triage": {"diagnose.cli"},
    "diagnose.retell": {"diagnose.cli"},
    "diagnose.synth": {"diagnose.cli"},
    "diagnose.pipeline": {"diagnose", "diagnose.cli", "diagnose.casecheck", "diagnose.triage",
                          "diagnose.retell", "diagnose.shelf", "diagnose.synth"},
}
"""Modules that only these may import, and those in their rooms."""


def allowed(name: str, roots: set[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_libraries_are_imported_in_one_module_each(module: Module) -> None:
    own = {"diagnose", "emulator", "__future__"} | (
        RECORDS if module.name.startswith("diagnose.") else set())
    strange = module.outside() - own - set(sys.stdlib_module_names)
    assert strange <= OUTSIDE.get(module.name, set())


@pytest.mark.parametrize("module", modules("emulator"), ids=lambda module: module.name)
def test_the_emulator_knows_nothing_of_diagnosis(module: Module) -> None:
    assert all(allowed(name, {"emulator"}) for name in module.uses(KNOWN))


@pytest.mark.parametrize("name", sorted(BOTTOM))
def test_what_everybody_uses_uses_nobody(name: str) -> None:
    assert all(allowed(used, BOTTOM[name]) for used in KNOWN[name].uses(KNOWN))


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_nobody_looks_up(module: Module) -> None:
    for name, users in TOP.items():
        assert name not in module.uses(KNOWN) or allowed(module.name, users - {"diagnose"}) or (
            module.name in users)


@pytest.mark.parametrize("module", modules("diagnose/render"), ids=lambda module: module.name)
def test_renderers_only_read_results(module: Module) -> None:
    results = {"diagnose.diagnosis", "diagnose.events", "diagnose.frames", "diagnose.outcome"}
    readable = {"diagnose.render", *results}
    assert all(allowed(name, readable) for name in module.uses(KNOWN))


@pytest.mark.parametrize("module", modules("diagnose/synth"), ids=lambda module: module.name)
def test_truth_is_not_asked_of_what_is_to_be_judged(module: Module) -> None:
    """Made-up incidents come from the emulator and the grammars; one module asks the diagnosis."""
    known = {"diagnose.synth", "emulator", "diagnose.grammar", "diagnose.errors",
             "diagnose.render"}
    asks = module.name == "diagnose.synth.check"
    known |= {"diagnose.pipeline", "diagnose.reader"} if asks else set()
    assert all(allowed(name, known) for name in module.uses(KNOWN))


def test_no_stage_imports_a_stage_that_imports_it() -> None:
    """A cycle would mean that two modules are one idea, or that one of them looks back."""
    graph = {module.name: module.uses(KNOWN) - {"diagnose"} for module in ALL}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join([*way[way.index(name) :], name])
        if name not in done:
            for used in sorted(graph[name]):
                visit(used, (*way, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
