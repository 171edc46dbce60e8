"""State files where collectors put them: each is read as what it is, and joined with the logs."""
from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.diagnosis import Diagnosis
from diagnose.incidents import find
from diagnose.options import Options
from diagnose.pipeline import diagnose
from diagnose.reader import from_bytes
from diagnose.triage import judge
from tests.bundle.packing import lay, tar
from tests.state.test_files import EL5, FOLDERS, KINDS
from tests.state.test_joins import ALIVE, HEALTHY, LIST, LSPCI, NAMELESS, UNAME, logs

INSTALLED = "".join(f"{name:<59} Tue Aug 18 15:59:52 2009\n" for name in (
    "gpg-pubkey-37017186-45761324.(none)", "kernel-xen-2.6.18-308.el5.x86_64",
    "xen-3.0.3-135.el5.x86_64"))
THREE_LISTS = "lspci:\n\n" + LSPCI + "\nlspci -nvv:\n\n00:00.0 0600: 8086:3406 (rev 13)\n" \
    "\tCapabilities: [70] MSI-X: Enable- Mask- TabSize=3\n01:10.0 0200: 8086:10ca (rev 01)\n" \
    "pcilib: sysfs_read_vpd: read failed: Connection timed out\n" \
    "\nlspci -tv:\n\n-[0000:00]-+-00.0  Intel\n           \\-01.0-[0000:01]--+-10.0  Intel\n"
INFO = EL5["info"].replace("164", "308")
GUEST = "name = 'rhel5'\nbuilder = 'hvm'\npci = [ '01:10.0' ]\nvnc = 1\n"

# What a member holds, and the kind of state that it is; None: left out; "log": a log.
SOS = {
    "uname": (UNAME, "uname"),
    "installed-rpms": (INSTALLED, "packages"),
    "lspci": (THREE_LISTS, "lspci"),
    "proc/interrupts": (EL5["interrupts"], "interrupts"),
    "proc/cmdline": ("ro root=/dev/VolGroup00/LogVol00 rhgb quiet\n", "cmdline"),
    "proc/meminfo": ("MemTotal: 1 kB\n", None),
    "etc/modprobe.conf": ("alias eth0 igb\noptions pciback hide=(01:10.0)\n", "modprobe"),
    "etc/modprobe.d/pciback.conf": ("options pciback hide=(01:10.0)\n", "modprobe"),
    "etc/modprobe.d/comments": ("# nothing\n", None),
    "etc/xen/rhel5": (GUEST, "guest"),
    "etc/xen/xend-config.sxp": ("(xend-relocation-server no)\n", None),
    "etc/xen/scripts/vif-bridge": ("#!/bin/bash\ndir=$(dirname \"$0\")\n", None),
    "etc/sysctl.conf": ("kernel.printk = 4\n", None),
    "sos_commands/xen/xm_info": (INFO, "info"),
    "sos_commands/xen/xm_list": (LIST + ALIVE, "domains"),
    "sos_commands/xen/xm_list_--long": ("(domain\n    (domid 0)\n)\n", None),
    "sos_commands/xen/xenstore-ls": ("tool = \"\"\n xenstored = \"\"\n", None),
}
BUGTOOL = {
    "xl-info.out": (INFO, "info"),
    "lspci-vv.out": (LSPCI, "lspci"),
    "lspci-nm.out": ('00:00.0 "0600" "8086" "3406" -r13 "8086" "0000"\n', "lspci"),
    "lspci-tv.out": ("-[0000:00]-+-00.0  Intel\n", None),
    "list_domains.out": ("id | uuid | state\n 0 | f81d | R\n", None),
    "rpm-qa.out": (EL5["packages"], "packages"),
    "proc/interrupts": (EL5["interrupts"], "interrupts"),
    "proc/cmdline": ("root=LABEL=root ro console=hvc0\n", "cmdline"),
    "proc/version": ("Linux version 2.6.18-308.el5xen (x@y) #1 SMP\n", None),
    "root/uname-log": ("Linux (none) 2.6.32-xen #1 SMP x86_64\n", None),
    "etc/modprobe.d/dom0.conf": ("install igbvf /bin/true\n", "modprobe"),
}
LAYOUTS = {"sosreport": ("host-20110601/", SOS, "var/log/messages", "sos_commands/xen/xm_dmesg"),
           "xen-bugtool": ("bug-report-20110601/", BUGTOOL, "var/log/kern.log", "xl-dmesg.out")}


def packed(layout: str, slug: str) -> Diagnosis:
    """A bundle of a corpus case's logs with the layout's state files."""
    below, states, *places = LAYOUTS[layout]
    own = logs(slug)
    files = {below + place: own[name].encode()
             for place, name in zip(places, ("dom0.log", "xen.log")) if name in own}
    files |= {below + name: text.encode() for name, (text, _) in states.items()}
    return diagnose([from_bytes("bundle", tar(files))])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_member_is_read_as_what_it_is(layout: str) -> None:
    below, states, *places = LAYOUTS[layout]
    report = packed(layout, HEALTHY)
    found = {each.path.removeprefix(f"bundle!{below}"): each.state for each in report.inputs}
    left = {each.path.removeprefix(f"bundle!{below}"): each.why for each in report.left_out}
    assert found == {**{name: kind for name, (_, kind) in states.items() if kind},
                     **dict.fromkeys(places)}
    assert left.keys() == {name for name, (_, kind) in states.items() if kind is None}
    assert report.verdict == "healthy"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_they_are_joined_with_the_logs(layout: str) -> None:
    report = packed(layout, NAMELESS)
    assert {each.device for each in report.assignments} == {"0000:01:10.0"}
    assert report.kernel.release == "2.6.18-308.el5xen"


def test_triage_reads_a_guest_s_configuration_beside_logs(tmp_path: Path) -> None:
    own = {name: text.encode() for name, text in logs(NAMELESS).items()}
    lay({**{f"one/{name}": data for name, data in own.items()}, "one/g1.cfg": GUEST.encode(),
         "one/rsyslog.conf": b"$ModLoad imklog\nlocal7.* /var/log/boot.log\n"}, tmp_path)
    lay({"two/g2.cfg": GUEST.encode()}, tmp_path)
    (incident,) = find([str(tmp_path)])[0]
    outcome = judge(incident, Options())
    assert {Path(name).name for name in outcome.inputs} == {*own, "g1.cfg"}
    assert {Path(left.path).name for left in outcome.left_out} == {"rsyslog.conf"}
    assert {found.device for found in outcome.findings} <= {"0000:01:10.0"}


def test_a_setting_that_the_caller_names_is_read_whatever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "dom0.conf"
    path.write_text(logs(HEALTHY)["dom0.log"])
    assert diagnose([path]).verdict == "healthy"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_recorded_directory_is_read_with_all_of_its_states(folder: Path) -> None:
    wanted = {name: kind for name, kind in KINDS.items() if (folder / name).exists()}
    report = diagnose([folder])
    assert {Path(each.path).name: each.state for each in report.inputs if each.state} == wanted
