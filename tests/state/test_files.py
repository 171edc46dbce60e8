"""State files: found to be such by what they hold, and read rightly; recorded ones beside these."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnose.events import Parsed, StateFact
from diagnose.parse import parse
from diagnose.reader import from_bytes
from diagnose.state.host import dumped, living
from emulator.pci import PciAddress

LAB = Path(__file__).resolve().parents[3] / "shared" / "xenlab"
FOLDERS = sorted(path for path in LAB.glob("*") if path.is_dir())
"""Recorded beside the checkout; where they are absent, pytest tells that nothing was tried."""
KINDS = {
    "uname.txt": "uname", "cmdline.txt": "cmdline", "xl-info.txt": "info", "xl-list.txt": "domains",
    "lspci.txt": "lspci", "interrupts.txt": "interrupts", "g1.cfg": "guest", "g2.cfg": "guest",
}
VF = PciAddress.parse("0000:01:10.0")

EL5 = {
    "domains": "Name                                      ID Mem(MiB) VCPUs State   Time(s)\n"
               "Domain-0                                   0     1024     4 r-----    266.2\n"
               "rhel5                                      2      512     1 -b----     14.1\n"
               "spare                                            512     1              0.0\n",
    "info": "host                   : xen1\nrelease                : 2.6.18-164.el5xen\n"
            "xen_major              : 3\nxen_minor              : 1\n"
            "xen_extra              : .2-164.el5\nxen_caps               : xen-3.0-x86_64\n"
            "xen_changeset          : unavailable\n",
    "packages": "setup-2.5.58-7.el5\nkernel-xen-2.6.18-164.el5\nxen-3.0.3-94.el5\n",
    "modprobe": "alias eth0 igb\n# for guests\noptions pciback hide=(01:10.0)(01:10.1)\n",
    "guest": "# a guest\nname = 'rhel5'\nmemory=512\npci = [ '01:10.0',\n  '01:10.1' ]\n"
             "vif = [ 'mac=00:16:3e:00:00:01',\n]\non_crash = 'restart'\n",
    "interrupts": "           CPU0       CPU1\n  1:          8          0        Phys-irq  i8042\n"
                  "256:     133270          0     Dynamic-irq  timer0\nERR:          0\n",
}


def read(text: str) -> Parsed:
    return parse([from_bytes("file", text.encode())])


def told(parsed: Parsed, kind: str) -> list[dict[str, object]]:
    return [dict(fact.fields) for fact in parsed.state if fact.kind == kind]


@pytest.mark.parametrize("kind", EL5)
def test_a_file_of_the_el5_age_is_of_its_kind(kind: str) -> None:
    (source,) = read(EL5[kind]).sources
    assert source.state == kind
    assert source.speakers == ()
    assert source.coverage.events + source.coverage.known_noise == source.lines


def test_what_el5s_files_tell() -> None:
    assert [(f["domain_name"], f["domid"]) for f in told(read(EL5["domains"]), "domain")] == [
        ("Domain-0", 0), ("rhel5", 2)]
    assert told(read(EL5["packages"]), "kernel_package") == [{"kernel_package": "2.6.18-164.el5"}]
    second = VF._replace(segment=None, function=1)
    hidden = told(read(EL5["modprobe"]), "hidden")
    assert hidden == [{"hidden": (VF._replace(segment=None), second)}]
    given = [device for fact in told(read(EL5["guest"]), "guest_devices")
             for devices in fact.values() if isinstance(devices, tuple) for device in devices]
    assert given == [VF._replace(segment=None), second]


LOGS = [
    "Linux version 2.6.18-164.el5xen (mockbuild@x) (gcc version 4.1.2) #1 SMP Tue Aug 18 2009\n",
    "(XEN) ==== PCI devices ====\n(XEN) 01:10.0 - dom 2   - MSIs < 80 88 96 >\n",
    "name = x\n",
    "01:10.0 Ethernet controller: Intel\nmsix entry 0 for dev 01:10:0 are not freed\n",
    "Kernel command line: ro root=/dev/sda1\n",
    "# nothing but a comment\n",
    "",
    "\0\1\2\3",
]


@pytest.mark.parametrize("text", LOGS)
def test_what_is_no_state_file_is_none(text: str) -> None:
    parsed = read(text)
    assert [source.state for source in parsed.sources] == [""]
    assert parsed.state == ()


def test_a_line_of_a_state_file_means_nothing_in_a_log() -> None:
    parsed = read("Jun  1 00:31:27 host kernel: Kernel driver in use: pciback\n" + EL5["domains"])
    assert parsed.state == ()
    assert parsed.coverage.events == 0


def of(folder: Path, name: str) -> list[StateFact]:
    return list(parse([str(folder / name)]).state)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_recorded_state_file_is_recognised_by_its_content(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.name in KINDS:
            (source,) = parse([from_bytes("unnamed", path.read_bytes())]).sources
            assert source.state == KINDS[path.name], path.name
            assert source.coverage.events + source.coverage.known_noise == source.lines
        elif path.suffix == ".log":
            assert parse([str(path)]).sources[0].state == "", path.name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_facts_of_recorded_files_are_those_of_their_texts(folder: Path) -> None:
    """Told by plain splitting of the same files."""
    rows = [row.split() for row in (folder / "xl-list.txt").read_text().splitlines()[1:]]
    assert [(f.fields["domain_name"], f.fields["domid"]) for f in of(folder, "xl-list.txt")] == [
        (row[0], int(row[1])) for row in rows]
    uname = (folder / "uname.txt").read_text().split()[2]
    assert [f.fields["release"] for f in of(folder, "uname.txt")] == [uname]
    assert uname in [f.fields.get("release") for f in of(folder, "xl-info.txt")]
    device, shown = "", []
    for line in (folder / "lspci.txt").read_text().splitlines():
        device = line.split(" ")[0] if line and not line[0].isspace() else device
        if "MSI-X: Enable" in line or "driver in use" in line:
            shown.append((device, line.split("Enable")[1][0] if "Enable" in line
                          else line.split()[-1]))
    assert [(str(f.fields["device"])[5:], f.fields.get("switch") or f.fields["driver"])
            for f in of(folder, "lspci.txt") if f.kind in ("msix", "driver")] == shown
    numbers = [int(row.split(":")[0]) for row in
               (folder / "interrupts.txt").read_text().splitlines() if row.split(":")[0].strip()
               .isdigit()]
    assert [f.fields["linux_irq"] for f in of(folder, "interrupts.txt")] == numbers


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_row_of_a_recorded_dump_tells_what_it_shows(folder: Path) -> None:
    parsed = parse([str(folder / "xen-debugkeys.txt")])
    text = (folder / "xen-debugkeys.txt").read_text()
    facts = list(dumped(parsed.events))
    rows = re.findall(r"IRQ:.*(?:in-flight|mapped, unbound).*", text)
    assert sum(fact.kind == "pirqs" for fact in facts) == len(rows)
    assert sum(fact.kind == "msi" for fact in facts) == text.count(" mask=1/")
    shown = {(int(domid), int(pirq)) for domid, pirq in re.findall(r"d([1-9]\d*): *(\d+)\(", text)}
    assert {(each.domid, each.pirq) for each in living(facts)} == shown
    assert all(fact.when is not None and fact.when.uptime for fact in facts)
    assert parsed.near_misses == ()


DUMPS = {
    "(XEN) 0000:01:10.0 - d1 - node -1  - MSIs < 38 39 >": (1, None),
    "(XEN) 0000:01:10.0 - d[IO] - node 0   - MSIs < >": None,
    "(XEN) 0000:01:10.0 - dom 1   - node -1  - MSIs < 38 >": (1, None),
    "(XEN) 01:10.0 - dom 2   - MSIs < 80 88 >": (2, None),
    "(XEN)    Vec 80 IRQ255: type=PCI-MSI         status=00000010 in-flight=0 "
    "domain-list=2:255(----),": (2, 255),
    "(XEN)    IRQ:  38 affinity:2 vec:b6 type=PCI-MSI/-X      status=00000030 in-flight=0 "
    "domain-list=1: 31(---),": (1, 31),
    "(XEN)     IRQ 16 Vec216: type=IO-APIC-level   status=00000010 in-flight=0 "
    "domain-list=0(----),": None,
}


@pytest.mark.parametrize(("text", "lives"), DUMPS.items())
def test_who_lives_by_a_row_of_a_dump(text: str, lives: tuple[int, int | None] | None) -> None:
    found = [(each.domid, each.pirq) for each in living(dumped(read(text + "\n").events))]
    assert found == ([] if lives is None else [lives])


def test_there_are_recorded_files() -> None:
    assert len(FOLDERS) >= 15 or not LAB.exists()
