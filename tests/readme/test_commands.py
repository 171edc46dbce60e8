"""Every command in the README and in docs/synth.md is run, and prints what they show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SYNTH = (ROOT / "docs" / "synth.md").read_text(encoding="utf-8")


class Command(NamedTuple):
    """One command with the stretches of output that stand below it, parted by lines of `…`."""

    words: str
    shown: tuple[str, ...]


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def commands(page: str = README) -> list[Command]:
    found = []
    for block in blocks("console", page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            words, _, output = part.partition("\n")
            stretches = re.split(r"^…\n", output, flags=re.MULTILINE)
            found.append(Command(words.partition("  #")[0].strip(), tuple(filter(None, stretches))))
    return found


DIAGNOSE = [each for each in commands() if each.words.startswith("diagnose ")]
MAKE = [each.words for each in commands() if each.words.startswith("make ")]


def run(*words: str, place: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=place, capture_output=True, text=True, check=False, env={
        **os.environ, "DIAGNOSE_CONFIG": os.devnull, "PYTHONPATH": str(ROOT)})


def try_out(command: Command, place: Path = ROOT) -> None:
    words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command.words)][1:]
    done = run(sys.executable, "-m", "diagnose", *words, place=place)
    assert done.returncode in (0, 1), done.stderr
    assert "error" not in done.stderr
    rest = done.stdout
    for stretch in command.shown:
        assert stretch in rest
        rest = rest.partition(stretch)[2]


def test_there_are_no_other_commands() -> None:
    assert len(DIAGNOSE) + len(MAKE) == len(commands())
    assert len(DIAGNOSE) > 10


@pytest.mark.parametrize("command", DIAGNOSE, ids=lambda command: command.words)
def test_a_command_of_ours(command: Command) -> None:
    try_out(command)


def test_commands_of_made_up_incidents(tmp_path: Path) -> None:
    """In a directory of their own, one after the other: they take what the last one wrote."""
    for command in commands(SYNTH):
        assert command.words.startswith("diagnose ")
        try_out(command, tmp_path)
    assert len(commands(SYNTH)) > 3


@pytest.mark.parametrize("words", MAKE)
def test_a_target_of_make_runs_what_it_says(words: str) -> None:
    """Dry: this very run was begun by one of them."""
    done = run(*words.split(), "-n")
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().split("\n")[-1]
    assert {"make demo": "diagnose log --fail-on never corpus/demo/*.log",
            "make test": "python -m pytest"}[words] in last


@pytest.mark.parametrize("program", blocks("python"))
def test_the_program_runs(program: str) -> None:
    done = run(sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fault ['missing-prune'")


def test_the_accuracy_that_is_told_was_measured() -> None:
    measured = (ROOT / "benchmarks" / "ACCURACY.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^(\| lines lost .*?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert table in measured
    count, seed = re.findall(r"--count (\d+) --seed (\d+)", README)[0]
    assert f"--count {count} --seed {seed}" in measured


def test_every_place_that_is_named_exists() -> None:
    for place in re.findall(r"\]\((docs/[^)]+)\)", README):
        assert (ROOT / place).is_file(), place
    for place in re.findall(r"`((?:diagnose|emulator|grammars|corpus)/[\w./-]*\w)`", README):
        assert (ROOT / place).exists(), place
    rooms = {path.stem for path in (ROOT / "diagnose").iterdir()}
    table = README[README.index("| stage |") : README.index("Beside that way")]
    for name in re.findall(r"`(\w+)/?`", table):
        assert name in rooms, name
