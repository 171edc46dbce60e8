"""`diagnose collect`: a script that any shell reads, and whose files a diagnosis reads."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from diagnose.collect import load_parts, script
from diagnose.diagnosis import Missing
from diagnose.missing import missing
from diagnose.pipeline import diagnose
from diagnose.timeline import assemble
from tests.bundle.packing import lay
from tests.state.test_files import EL5, read
from tests.state.test_joins import HEALTHY, LIST, LSPCI, UNAME, logs

SHELLS = {name: words for name, words in {
    "sh": ["sh"], "dash": ["dash"], "bash": ["bash"], "bash, POSIX": ["bash", "--posix"],
    "busybox": ["busybox", "sh"]}.items() if shutil.which(words[0])}
TOOLS = "mkdir rm cp cat date tar gzip ls sleep sed grep".split()
HANGS = "\0"
XEN = {"list": LIST + "g1 2 512 1 -b---- 1.0\n", "info": EL5["info"].replace("164", "308"),
       "dmesg": "xen.log", "debug-keys": ""}


def stub(folder: Path, name: str, answers: dict[str, str]) -> None:
    """A tool that prints a text by its first argument, "" for any, and else fails."""
    cases = ""
    for nr, (word, text) in enumerate(answers.items()):
        file = folder / f"{name}.{nr}"
        file.write_text(text)
        shown = "sleep 30" if text == HANGS else f"cat {file}"
        cases += f"{word or '*'}) {shown};;\n"
    tool = folder / name
    tool.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}*) exit 1;;\nesac\n')
    tool.chmod(0o755)


def gathered(tmp_path: Path, shell: str, **tools: dict[str, str]) -> dict[str, Path]:
    """What the script writes on a host that has these tools and nothing else of Xen's, and whose
    files lie below `host` there.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        where = shutil.which(name)
        assert where is not None
        folder.joinpath(name).symlink_to(where)
    for name, answers in tools.items():
        stub(folder, name, answers)
    collect = tmp_path / "collect.sh"
    text = re.sub(r"(?<= )/(?=(?:etc|proc|var)/)", f"{tmp_path}/host/", script())
    collect.write_text(text.replace("sleep 2", "sleep 0").replace("patience=60", "patience=2"))
    first, *more = SHELLS[shell]
    command = [shutil.which(first) or first, *more]
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
    command = [*SHELLS[shell], "-n", str(path)]
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


HOST = {
    "etc/modprobe.conf": "alias eth0 igb\noptions pciback hide=(01:10.0)\n",
    "etc/xen/g1": "name = 'g1'\npci = [ '01:10.0' ]\nvncpasswd = 'secret'\n"
                  "vfb = [ 'type=vnc,vncpasswd=secret' ]\n",
    "etc/xen/xend-config.sxp": "(xend-http-server no)\n(vncpasswd 'secret')\n",
    "proc/cmdline": "ro root=/dev/VolGroup00/LogVol00 rhgb quiet\n",
    "proc/interrupts": EL5["interrupts"],
    "var/log/messages": "Jun  1 00:31:27 xen1 syslogd 1.4.1: restart.\n",
    "var/log/xen/xend.log": "[2011-06-01 00:31:27 xend 4043] DEBUG vfb vncpasswd secret\n"
                            "[2011-06-01 00:31:28 xend 4043] INFO (SrvDaemon:315) Xend stopped\n",
    "var/log/xen/console/guest-g1.log": "Red Hat Enterprise Linux Server release 5.6\n",
}
STATES = {"domains.txt": "domains", "lspci.txt": "lspci", "packages.txt": "packages",
          "uname.txt": "uname", "xen-info.txt": "info", "interrupts.txt": "interrupts",
          "cmdline.txt": "cmdline", "modprobe.conf": "modprobe", "xen-config-g1": "guest"}
RUNS = [(shell, "xm") for shell in SHELLS] + [("sh", "xl")]


@pytest.mark.parametrize(("shell", "tool"), RUNS)
def test_what_it_gathers_is_what_the_diagnosis_reads(
    shell: str, tool: str, tmp_path: Path,
) -> None:
    """The packed directory alone tells what the logs do, and every state is read as such."""
    own = logs(HEALTHY)
    lay({name: text.encode() for name, text in HOST.items()}, tmp_path / "host")
    found = gathered(
        tmp_path, shell, dmesg={"": own["dom0.log"]}, uname={"": UNAME}, lspci={"": LSPCI},
        rpm={"": EL5["packages"]}, **{tool: {**XEN, "dmesg": own["xen.log"]}})
    report = diagnose([tmp_path / "out.tar.gz"])
    read = {each.path.rpartition("/")[2]: each.state for each in report.inputs}
    assert {name: kind for name, kind in read.items() if kind} == STATES
    # Here no key adds anything to Xen's log, and a file that comes again is read once.
    assert {name for name, kind in read.items() if not kind} == {
        "dom0.log", "xen-debugkeys.log", "system-messages", "toolstack-xend.log",
        "console-guest-g1.log"}
    assert report.verdict == "healthy"
    assert report.kernel.release == "2.6.18-308.el5xen"
    assert all(b"secret" not in path.read_bytes() for path in found.values())


def test_a_tool_stack_that_hangs_is_left_alone(tmp_path: Path) -> None:
    found = gathered(tmp_path, "sh", uname={"": UNAME}, xm={"": HANGS})
    assert "uname.txt" in found
    assert "domains.txt" not in found


def test_xend_is_asked_where_both_tool_stacks_answer(tmp_path: Path) -> None:
    found = gathered(tmp_path, "sh", xl={"list": "xl", "info": "by xl"},
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
