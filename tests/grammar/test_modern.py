"""Lines of hosts of the modern era, as recorded: who begins, ends, has a device, at what moment.

The lines come from real Xen hosts, 4.14 to 4.20 above Linux 5.10 to 6.12.
"""
from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from diagnose.annotation import DATING
from diagnose.catalogue import FILES
from diagnose.grammar import load
from diagnose.parse import parse
from diagnose.timeline import assemble
from emulator.pci import PciAddress

CATALOGUE = load()
VF, VIRTUAL = PciAddress.parse("0000:01:10.0"), PciAddress.parse("0000:00:00.0")
SECOND = PciAddress.parse("0000:00:01.2")
Told = tuple[str, tuple[object, ...]]


def told(speaker: str, line: str) -> tuple[str, list[Told]]:
    """Kind of a message, and each of its terms with the values of the fields that it names."""
    reading = CATALOGUE.parse(line)
    assert reading is not None, line
    kind, fields = reading
    return kind, [(term.name, tuple(fields.get(arg, arg) for arg in term.args))
                  for term in CATALOGUE.production(kind).proves if term.holds(fields, speaker)]


NOTHING: list[Told] = [("nothing", ())]
LINES: list[tuple[str, str, str, list[Told]]] = [
    # the hypervisor
    ("xen", "Xen version 4.14.6 (Debian 4.14.6-1) (pkg-xen-devel@lists.alioth.debian.org) "
     "(x86_64-linux-gnu-gcc (Debian 10.2.1-6) 10.2.1 20210110) debug=n  Thu Sep 21 14:55:59 UTC "
     "2023", "xen_banner_packaged", [("host_boot", ()), ("banner", ("xen",))]),
    ("xen", "Command line: xen com1=115200,8n1 console=com1 console_timestamps=boot loglvl=all "
     "guest_loglvl=all noreboot conring_size=512k dom0_mem=900M,max:900M iommu=verbose",
     "xen_cmdline", []),
    ("xen", "PCI add device 0000:01:10.0", "xen_pci_added", [("found", (VF,))]),
    ("xen", "PCI add virtual function 0000:01:10.0", "xen_pci_added_vf", [("found", (VF,))]),
    ("xen", "PCI remove device 0000:01:10.0", "xen_pci_removed", [("lost", (VF,))]),
    ("xen", "d0 has maximum 416 PIRQs", "xen_pirq_limit", NOTHING),
    ("xen", "cannot mask IRQ 36: masking MSI-X on Dom32753's 0000:01:10.0", "xen_cannot_mask",
     NOTHING),
    ("xen", "[VT-D]DMAR:[DMA Read] Request device [0000:03:00.0] fault addr dead0000",
     "xen_dmar_fault", NOTHING),
    ("xen", "Preparing system for ACPI S5 state.", "xen_sleep_state", [("anchor", ("host_off",))]),
    # dom0
    ("dom0", "Command line: console=hvc0 earlyprintk=xen loglevel=8 ignore_loglevel ",
     "linux_early_command_line", []),
    ("dom0", "Linux version 6.1.0-50-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian "
     "12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC "
     "Debian 6.1.176-1 (2026-01-01)", "linux_version",
     [("host_boot", ()), ("banner", ("dom0",))]),
    ("dom0", "pci 0000:01:10.0: [8086:10ca] type 00 class 0x020000", "pci_function",
     [("found", (VF,))]),
    ("dom0", "pci 0000:01:10.0: [8086:10ca] type 00 class 0x020000 PCIe Endpoint",
     "pci_function_described", [("found", (VF,))]),
    ("dom0", "pciback 0000:01:10.0: xen_pciback: seizing device", "xen_pciback_seizing", NOTHING),
    ("dom0", "pciback 0000:01:10.0: enabling device (0000 -> 0002)", "pci_device_enabling",
     [("speaker", ("dom0",))]),
    ("dom0", "pciback 0000:01:10.0: registering for 2", "xen_pciback_registering",
     [("given", (VF, 2))]),
    ("dom0", "pciback 0000:01:10.0: xen_pciback: ****** removing device 0000:01:10.0 while still "
     "in-use by domain 1! ******", "xen_pciback_in_use", [("returned", (VF, 1))]),
    ("dom0", "pciback 0000:01:10.2: xen_pciback: error enabling MSI-X for guest 1: err -28!",
     "xen_pciback_msix_error", [("anchor", ("msi_refused", -28))]),
    ("dom0", "igb 0000:01:00.0: 2 VFs allocated", "igb_vfs_made", NOTHING),
    ("dom0", "reboot: Power down", "reboot_power_down", [("anchor", ("host_off",))]),
    # guests
    ("guest", "pci 0000:00:00.0: [8086:10ca] type 00 class 0x020000", "pci_function",
     [("found", (VIRTUAL,))]),
    ("guest", "pcifront pci-0: New device on 0000:00:01.2 found.", "pcifront_new_device",
     [("found", (SECOND,))]),
    ("guest", "igbvf 0000:00:01.2: enable msix get err ffffffe4", "guest_msix_refused", NOTHING),
    ("guest", "igbvf 0000:00:01.2: Xen PCI frontend error: -28!", "guest_frontend_error",
     [("anchor", ("msi_refused", -28))]),
    ("guest", "reboot: System halted", "reboot_halted", [("death_clean", ())]),
    ("guest", "reboot: Restarting system", "reboot_restarting", [("death_clean", ())]),
    ("guest", "Kernel panic - not syncing: sysrq triggered crash", "kernel_panic",
     [("death_abrupt", ())]),
    # the tool stack
    ("toolstack", "Waiting for domain g1 (domid 2) to die [pid 191]", "xl_waiting_for",
     [("birth", (2,)), ("named", ("g1", 2))]),
    ("toolstack", "Domain 2 has shut down, reason code 0 0x0", "xl_has_shut_down",
     [("death", (2,)), ("death_clean", (2,))]),
    ("toolstack", "Domain 1 has shut down, reason code 3 0x3", "xl_has_shut_down",
     [("death", (1,)), ("death_abrupt", (1,))]),
    ("toolstack", "Domain 1 has shut down, reason code 2 0x2", "xl_has_shut_down", []),
    ("toolstack", "libxl: error: libxl_pci.c:1721:device_pci_add_done: Domain 2:"
     "libxl__device_pci_add  failed for PCI device 0:1:10.0 (rc -3)", "libxl_add_failed", NOTHING),
    ("toolstack", "libxl: error: libxl_domain.c:1183:libxl__destroy_domid: Domain 1:Non-existant "
     "domain", "libxl_of_domain", NOTHING),
]


@pytest.mark.parametrize(("speaker", "line", "kind", "proved"), LINES)
def test_recorded_lines(speaker: str, line: str, kind: str, proved: list[Told]) -> None:
    assert told(speaker, line) == (kind, proved)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("dom0", "pci 0000:01:10.0: [8086:10ca] type 00 class 0x020000"),
         ("xen", "PCI add virtual function 0000:01:10.0")),
        (("dom0", "reboot: Power down"), ("xen", "Preparing system for ACPI S5 state.")),
        (("dom0", "pciback 0000:01:10.2: xen_pciback: error enabling MSI-X for guest 1: err -28!"),
         ("guest", "igbvf 0000:00:01.2: Xen PCI frontend error: -28!")),
        (("dom0", "unmap irq ff failed"), ("xen", "irq.c:934: dom2: pirq 255 not mapped")),
        (("guest", "Failed to obtain physical IRQ 255"),
         ("xen", "irq.c:470:d2 Cannot bind IRQ 255 to guest. Will not share with others.")),
    ],
)
def test_two_speakers_tell_one_moment_in_one_key(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    dating = [{proof for proof in told(*line)[1] if proof[0] in DATING} for line in (one, other)]
    assert dating[0] & dating[1]


def test_an_anchor_is_told_by_two_and_has_one_key() -> None:
    files = defaultdict(set)
    keys = defaultdict(set)
    for made in CATALOGUE.productions:
        for term in made.proves:
            if term.name == "anchor":
                files[term.args[0]].add(made.file)
                keys[term.args[0]].add(term.args[1:])
    assert files
    assert [word for word in files if len(files[word]) < 2] == []
    assert [word for word in keys if len(keys[word]) > 1] == []


def test_the_era_is_the_files_and_the_speaker_too() -> None:
    for made in CATALOGUE.productions:
        file = CATALOGUE.place(made.kind).partition(".lark")[0]
        assert file in FILES
        assert file == (f"{made.file}-{made.era}" if made.era else made.file)
    assert {made.era for made in CATALOGUE.productions} == {"", "modern"}


def test_no_modern_line_accuses_anybody() -> None:
    modern = [made for made in CATALOGUE.productions if made.era]
    assert not [made.kind for made in modern if made.alarming]
    assert not [made.kind for made in modern for term in made.proves if term.name == "effect"]


def test_what_only_dates_is_no_step_of_the_replay(tmp_path: Path) -> None:
    log = tmp_path / "dom0.log"
    lines = [line for speaker, line, _, proved in LINES if speaker == "dom0" and proved
             and all(name in DATING for name, _ in proved)]
    log.write_text("\n".join([*lines, "device vif2.0 entered promiscuous mode", ""]))
    timeline = assemble(parse([str(log)]))
    assert [item.birth for item in timeline.items] == [2]
    assert len(timeline.aside) == len(lines)
