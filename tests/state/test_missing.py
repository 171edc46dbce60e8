"""What a report asks for: each part of `collect.toml` where an incident lacks it, and not else."""
from __future__ import annotations

import pytest

from diagnose.collect import load_parts
from diagnose.missing import WANTED, missing
from diagnose.parse import parse
from diagnose.pipeline import diagnose
from diagnose.reader import from_bytes
from diagnose.state.addresses import addressed
from diagnose.timeline import assemble
from tests.state.test_files import EL5
from tests.state.test_joins import ALIVE, LIST, LSPCI, UNAME, dump, logs

#: dom0 alone, in mid-life, of a device whose bus no line tells.
BARE = "tap tap-2-51712: 2 getting info\n" + "get owner for dev 80 get 2 \n" * 3
XEN = "(XEN) irq.c:934: dom2: pirq 253 not mapped\n"
CMDLINE = "ro root=/dev/VolGroup00/LogVol00 rhgb quiet\n"
TWO = LSPCI + "02:10.0 Ethernet controller: Intel 82576 Virtual Function\n"
TWO_KERNELS = EL5["packages"] + "kernel-xen-2.6.18-308.el5\n"


def asked(**files: str) -> dict[str, str]:
    """The names of the parts that are asked for → the commands."""
    parsed = addressed(parse([from_bytes(name, text.encode()) for name, text in files.items()]))
    names = {part.what: part.id for part in load_parts().values()}
    return {names.get(want.what, want.what): want.command
            for want in missing(parsed, assemble(parsed))}


# A part, what lacks it, and a file that has it: then it is asked for no longer.
LACKS: list[tuple[str, dict[str, str], str]] = [
    ("dom0-log", {"file": "nothing of any use\n"}, BARE),
    ("xen-log", {"dom0": BARE}, XEN),
    ("guest-log", {"dom0": BARE}, "Linux version 2.6.18-238.el5xen (m@x) (gcc) #1 SMP\n"
     "pcifront pci-0: Installing PCI frontend\nRestarting system.\n"),
    ("lspci", {"dom0": BARE}, LSPCI),
    ("modprobe", {"dom0": BARE, "list": TWO}, EL5["modprobe"]),
    ("guests", {"dom0": BARE, "list": TWO}, EL5["guest"]),
    ("uname", {"dom0": BARE}, UNAME),
    ("uname", {"dom0": BARE, "packages": TWO_KERNELS}, UNAME),
    ("packages", {"dom0": BARE}, EL5["packages"]),
    ("xen-info", {"dom0": BARE, "xen": XEN}, EL5["info"]),
    ("cmdline", {"dom0": BARE}, CMDLINE),
    ("domains", {"dom0": BARE}, LIST + ALIVE),
    ("debug-keys", {"dom0": BARE}, dump("01:10.0 - dom 2   - MSIs < 80 >")),
    ("toolstack-log", {"dom0": BARE}, "[2011-06-01 00:31:27 xend.XendDomainInfo 4043] INFO "
     "(XendDomainInfo:1190) Domain has shutdown: name=g1 id=2 reason=reboot.\n"),
]


@pytest.mark.parametrize(("part", "files", "found"), LACKS,
                         ids=[f"{part}-{nr}" for nr, (part, _, _) in enumerate(LACKS)])
def test_a_part_is_asked_for_until_it_is_there(part: str, files: dict[str, str],
                                               found: str) -> None:
    assert part in asked(**files)
    assert part not in asked(**files, found=found)


def test_each_part_of_the_table_is_asked_for_somewhere() -> None:
    tried = {part for part, _, _ in LACKS} | {"interrupts", "messages", "journal"}
    assert {name for name, _ in WANTED} <= tried
    assert set(load_parts()) == tried


def test_dom0s_interrupts_are_asked_for_where_its_own_driver_was_heard() -> None:
    dom0 = logs("way-dom0-leaves-pairs-el5")["console.log"]
    assert "interrupts" in asked(dom0=dom0)
    assert "interrupts" not in asked(dom0=dom0, found=EL5["interrupts"])
    assert "interrupts" not in asked(dom0=BARE)


def test_the_commands_are_those_of_the_host_s_tool_stack() -> None:
    """A tool stack's log alone, of xl: nothing of it is xm's, and the journal is asked for."""
    xl = "Parsing config from /lab/g1.cfg\nWaiting for domain g1 (domid 2) to die [pid 191]\n"
    for files, tool, other in (({"dom0": BARE}, "xm ", "xl "), ({"log": xl}, "xl ", "xm ")):
        commands = "; ".join(asked(**files).values())
        assert tool in commands
        assert other not in commands.replace("/xl-", "")
        assert ("journalctl" in commands) == (tool == "xl ")


def test_a_report_that_concludes_asks_for_nothing() -> None:
    report = diagnose([from_bytes(name, text.encode())
                       for name, text in logs("clean-reboot-el5").items()])
    assert report.missing == ()
