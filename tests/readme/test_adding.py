"""The README's table of how to add things, carried out: one place each, and it is used at once.

Each addition is made in a copy of the program's files and tried through the command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The program's files, to be changed."""
    skip = shutil.ignore_patterns("__pycache__")
    for folder in ("diagnose", "emulator", "grammars"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=skip)
    return tmp_path


def run(place: Path, *words: str) -> str:
    """What the changed program says; standard error counts as well."""
    environ = {**os.environ, "XDG_CACHE_HOME": str(place / "cache"), "PYTHONPATH": str(place),
               "DIAGNOSE_CONFIG": os.devnull}
    done = subprocess.run([sys.executable, "-m", "diagnose", *words], cwd=place, env=environ,
                          capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout + done.stderr


class Addition(NamedTuple):
    """A text put behind the end of a file, or before `mark`; a command, and what it must say."""

    file: str
    text: str
    words: tuple[str, ...]
    says: tuple[str, ...]
    mark: str = ""


MESSAGE = """
//: source: drivers/xen/pciback/pci_stub.c pcistub_example()
//: versions: el5 -999
//: level: info
//: proves: nothing
//: about: an example
//: sample: pciback 0000:01:10.0: yawns
//: fields: {"device": [0, 1, 16, 0]}
pciback_yawns: "pciback " DEVICE_SEG ": yawns"
"""
ENVELOPE = """
//: source: a console server
//: versions: any
//: unprintable
//: layer
//: sample: console7@12:34:56| map irq failed
//: fields: {"clock": "12:34:56", "payload": " map irq failed"}
console_server: "console7@" CLOCK_STR "|" [PAYLOAD_STR]
"""
ROW = """    Row(
        name="el5+example",
        title="shipped kernel whose reset prunes twice",
        traits=Traits(reset_prunes=True),
        base="el5",
        change="dom0 kernel",
        cites={"reset_prunes": "an example"},
    ),
"""
FIX = """
[[fix]]
id = "an-example"
kind = "workaround"
title = "an example"
assume = "el5+prune"
component = "linux-dom0"
release = "none"
text = "Do as in the example."
effect = "None."
faults = ["missing-prune"]
references = ["an example"]
"""
HAZARD = """
[[hazard]]
id = "an-example"
title = "a guest has both functions and crashes"
acts = ["seize A", "seize B", "domain_start 1 A B", "driver_load 1 B 2", "crash 1"]
why = "An example."
references = ["an example"]
"""
WORD = """
[[term]]
name = "example"
group = "word"
what = "An example."
"""

ADDITIONS = {
    "a message": Addition(
        "grammars/dom0.lark", MESSAGE, ("line", "pciback 0000:01:10.0: yawns"),
        ("event", "pciback-yawns", "device = 0000:01:10.0")),
    "an envelope": Addition(
        "grammars/envelope.lark", ENVELOPE, ("line", "console7@12:34:56| map irq failed"),
        ("console_server", "map-irq-failed")),
    "a kernel row": Addition(
        "emulator/kernels.py", ROW, ("kernels", "show", "el5+example"),
        ("prunes twice", "goes wrong", "stale-irq"), ")\n\n_BY_NAME"),
    "a fix": Addition(
        "diagnose/fixes.toml", FIX, ("fixes", "show", "an-example"), ("Do as in the example.",)),
    "a hazard": Addition(
        "diagnose/hazards.toml", HAZARD, ("kernels", "show", "el5"),
        ("a guest has both functions and crashes", "driver_load 1 B 2")),
    "a word of the report": Addition(
        "diagnose/glossary.toml", WORD, ("explain", "example"), ("An example.",)),
}


@pytest.mark.parametrize("name", ADDITIONS)
def test_one_file_is_enough(copy: Path, name: str) -> None:
    added = ADDITIONS[name]
    path = copy / added.file
    before = path.read_text(encoding="utf-8")
    assert added.mark in before
    cut = before.index(added.mark) if added.mark else len(before)
    path.write_text(before[:cut] + added.text + before[cut:], encoding="utf-8")
    told = run(copy, *added.words)
    for text in added.says:
        assert text in told


RULE = """
id = "MSIX199"
title = "a device that pciback took"
harmless = true
severity = "note"
references = ["an example"]
reason = "An example."
would_be_a_fault_if = "it were none."

[[requires]]
fact = "story_step"
bind = { op = "seize" }
"""


def test_a_rule_and_its_case(copy: Path) -> None:
    """One rule file, one case in which it fires."""
    (copy / "diagnose" / "rules" / "msix199-example.toml").write_text(RULE, encoding="utf-8")
    case = (ROOT / "corpus" / "destroy-283.case").read_text(encoding="utf-8")
    case = case.replace("\nharmless: ", "\nharmless: MSIX199 0000:01:10.0\nharmless: ", 1)
    (copy / "example.case").write_text(case.partition("-- golden.txt --")[0], encoding="utf-8")
    run(copy, "rules", "lint")
    assert "1 updated" in run(copy, "rules", "test", "--update", "example.case")
    assert "1 passed" in run(copy, "rules", "test", "example.case")


def test_the_readme_tells_of_each() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## How to add")[2]
    rows = [row.split("|")[1].strip() for row in table.split("\n") if row.startswith("| a")]
    assert set(rows) == {*ADDITIONS, "a rule", "a case"}
