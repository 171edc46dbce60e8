"""Completion, driven as shells drive it: by environment variables and, for bash, in a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAIN = [sys.executable, "-c", "from diagnose.cli import main; main()"]

WANTED = [
    ("diagnose ", {"log", "line", "explain", "messages", "rules", "fixes", "kernels"}),
    ("diagnose rules ", {"list", "show", "lint", "new"}),
    ("diagnose log --kernel el5", {"el5", "el5+1070", "el5-283"}),
    ("diagnose log --format ", {"text", "json"}),
    ("diagnose kernels show el5+", {"el5+1070", "el5+prune"}),
    ("diagnose messages show msix-e", {"msix-entry-not-freed"}),
    ("diagnose messages list --proves death", {"death", "death_clean", "death_abrupt"}),
    ("diagnose messages list --speaker ", {"dom0", "xen", "guest", "linux", "toolstack"}),
    ("diagnose rules show MSIX00", {"MSIX001", "MSIX007"}),
    ("diagnose fixes show work", {"workaround-unload-driver"}),
    ("diagnose explain stale", {"stale-vector", "stale_served"}),
    ("diagnose explain --format j", {"json"}),
    ("diagnose synth --story mixed-", {"mixed-274", "mixed-1070"}),
    ("diagnose synth --fault stale", {"stale-vector", "stale-irq"}),
    ("diagnose synth --row el5-", {"el5-283"}),
    ("diagnose synth --view no-", {"no-xen", "no-guest"}),
    ("diagnose synth --level e", {"emerg", "err"}),
    ("diagnose synth --envelope p", {"plain", "printk", "prio"}),
    ("diagnose synth --truncate h", {"head"}),
]


def ask(shell: str, **environ: str) -> str:
    done = subprocess.run(
        MAIN,
        cwd=ROOT,
        env={**os.environ, "_DIAGNOSE_COMPLETE": f"complete_{shell}", **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("typed", "wanted"), WANTED)
def test_bash(typed: str, wanted: set[str]) -> None:
    begun = typed.split(" ")
    got = ask("bash", COMP_WORDS=typed, COMP_CWORD=str(len(begun) - 1)).split()
    assert wanted <= set(got)
    assert all(each.startswith(begun[-1]) for each in got)


def test_zsh_and_fish() -> None:
    words = "diagnose kernels show el5-"
    assert '"el5-283"' in ask("zsh", _TYPER_COMPLETE_ARGS=words)
    fish = ask("fish", _TYPER_COMPLETE_ARGS=words, _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert fish == "el5-283\n"


def test_a_broken_configuration_breaks_no_completion(tmp_path: Path) -> None:
    broken = tmp_path / "config.toml"
    broken.write_text("nonsense = 1")
    words = {"COMP_WORDS": "diagnose kernels ", "COMP_CWORD": "2"}
    assert ask("bash", DIAGNOSE_CONFIG=str(broken), **words).split() == ["list", "show", "search"]


def test_installed_in_a_real_bash(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    command = tmp_path / "bin" / "diagnose"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m diagnose \"$@\"\n")
    command.chmod(0o755)
    script = """
        diagnose --install-completion bash >/dev/null && . "$HOME/.bashrc" && complete -p diagnose
        COMP_WORDS=(diagnose explain unmap-f) COMP_CWORD=2
        _diagnose_completion diagnose && printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{command.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        env={**os.environ, "HOME": str(tmp_path), "PATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.split("\n")[-2] == "unmap-failure", done.stderr
    assert "-F _diagnose_completion diagnose" in done.stdout
