"""`diagnose collect`: a script that any shell reads, and whose files a diagnosis reads."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from diagnose.collect import load_parts, script
from diagnose.diagnosis import Missing
from diagnose.missing import missing
from diagnose.pipeline import diagnose
from diagnose.timeline import assemble
from tests.state.test_files import EL5, read
from tests.state.test_joins import HEALTHY, LIST, LSPCI, UNAME, logs

SHELLS = [shell for shell in ("sh", "dash", "bash", "busybox") if shutil.which(shell)]
TOOLS = "mkdir rm cp cat date tar gzip ls sleep sed grep".split()
XEN = {"list": LIST + "g1 2 512 1 -b---- 1.0\n", "info": EL5["info"].replace("164", "308"),
       "dmesg": "xen.log", "debug-keys": ""}


def stub(folder: Path, name: str, answers: dict[str, str]) -> None:
    """A tool that prints a text by its first argument, "" for any, and else fails."""
    cases = ""
    for nr, (word, text) in enumerate(answers.items()):
        file = folder / f"{name}.{nr}"
        file.write_text(text)
        cases += f"{word or '*'}) cat {file};;\n"
    tool = folder / name
    tool.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}*) exit 1;;\nesac\n')
    tool.chmod(0o755)


def gathered(tmp_path: Path, shell: str, **tools: dict[str, str]) -> dict[str, Path]:
    """What the script writes on a host that has these tools and nothing else of Xen's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        where = shutil.which(name)
        assert where is not None
        folder.joinpath(name).symlink_to(where)
    for name, answers in tools.items():
        stub(folder, name, answers)
    collect = tmp_path / "collect.sh"
    collect.write_text(script().replace("sleep 2", "sleep 0"))
    command = [shutil.which(shell) or shell, *(["sh"] if shell == "busybox" else [])]
    done = subprocess.run([*command, str(collect), "out"], cwd=tmp_path, env={"PATH": str(folder)},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert "out" in done.stdout.split()
    return {path.name: path for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_the_shell_reads(shell: str, tmp_path: Path) -> None:
    path = tmp_path / "collect.sh"
    path.write_text(script())
    command = [shell, *(["sh"] if shell == "busybox" else []), "-n", str(path)]
    assert subprocess.run(command, capture_output=True, check=False).stderr == b""


def test_every_part_is_in_the_script() -> None:
    for part in load_parts().values():
        assert part.what in script()
        assert all(command in script().replace("'\"'\"'", "'") for command in part.prints.values())


@pytest.mark.parametrize("shell", SHELLS)
def test_where_nothing_is_there_it_ends_well_all_the_same(shell: str, tmp_path: Path) -> None:
    found = gathered(tmp_path, shell)
    assert not {"xen.log", "domains.txt", "xen-info.txt", "lspci.txt"} & found.keys()
    assert os.stat(tmp_path / "out.tar.gz").st_size


@pytest.mark.parametrize("tool", ["xm", "xl"])
def test_what_it_gathers_is_what_the_diagnosis_reads(tool: str, tmp_path: Path) -> None:
    own = logs(HEALTHY)
    found = gathered(
        tmp_path, SHELLS[0], dmesg={"": own["dom0.log"]}, uname={"": UNAME}, lspci={"": LSPCI},
        rpm={"": EL5["packages"]}, **{tool: {**XEN, "dmesg": own["xen.log"]}})
    wanted = {"dom0.log", "xen.log", "xen-info.txt", "domains.txt", "uname.txt", "lspci.txt",
              "packages.txt", "xen-debugkeys.log"}
    assert wanted <= found.keys()
    report = diagnose([str(found[name]) for name in sorted(wanted)])
    states = {Path(source.path).name: source.state for source in report.inputs if source.state}
    assert states == {"domains.txt": "domains", "lspci.txt": "lspci", "packages.txt": "packages",
                      "uname.txt": "uname", "xen-info.txt": "info"}
    assert report.verdict == "healthy"
    assert report.kernel.release == "2.6.18-308.el5xen"


def test_xend_is_asked_where_both_tool_stacks_answer(tmp_path: Path) -> None:
    found = gathered(tmp_path, SHELLS[0], xl={"list": "xl", "info": "by xl"},
                     xm={"list": "xm", "info": "by xm"})
    assert found["xen-info.txt"].read_text() == "by xm"


def test_a_report_asks_for_parts_of_the_same_table() -> None:
    parts = {Missing(part.what, part.why, part.asked("xm")) for part in load_parts().values()}
    empty = read("")
    lacking = missing(empty, assemble(empty))
    assert {want.what for want in lacking} <= {part.what for part in parts}
    assert {want.why for want in lacking} <= {part.why for part in parts}
    assert len(lacking) > 1
    assert set(lacking[1:]) <= parts
