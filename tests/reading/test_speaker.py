"""Who spoke: told by content, completed by the other files, overruled by the caller."""
from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.events import Parsed
from diagnose.options import Options
from diagnose.parse import parse
from diagnose.reader import from_bytes

BANNER = (
    "Linux version 2.6.18-238.el5xen (mockbuild@x86-010.build.bos.redhat.com) "
    "(gcc version 4.1.2 20080704 (Red Hat 4.1.2-50)) #1 SMP Thu Jan 13 16:39:15 EST 2011"
)
DOM0 = [BANNER, "pciback 0000:01:10.0: seizing device"]
GUEST = [BANNER, "pcifront pci-0: Installing PCI frontend", "md: stopping all md devices."]
XEN = ["(XEN) PCI add device 01:10.0", "(XEN) irq.c:934: dom2: pirq 255 not mapped"]


def read(options: Options | None = None, /, **files: list[str]) -> Parsed:
    inputs = [from_bytes(name, ("\n".join(lines) + "\n").encode()) for name, lines in files.items()]
    return parse(inputs, options)


def speakers(parsed: Parsed) -> dict[str, tuple[str, ...]]:
    return {source.name: source.speakers for source in parsed.sources}


def test_each_file_by_its_words_and_not_by_its_name() -> None:
    parsed = read(guest=DOM0, dom0=GUEST, messages=XEN)
    assert speakers(parsed) == {"guest": ("dom0",), "dom0": ("guest",), "messages": ("xen",)}
    boots = {event.line.input: [t.name for t in event.proofs()] for event in parsed.events
             if event.kind == "linux_version"}
    assert boots == {"guest": ["host_boot", "banner"], "dom0": ["guest_boot", "banner"]}


def test_a_console_of_two() -> None:
    parsed = read(console=[*DOM0, *XEN])
    assert speakers(parsed) == {"console": ("dom0", "xen")}
    assert [event.speaker for event in parsed.events] == ["dom0", "dom0", "xen", "xen"]


@pytest.mark.parametrize(
    "word",
    [
        "Kernel command line: ro root=/dev/VolGroup00/LogVol00 console=xvc0",
        "igbvf 0000:00:00.0: Intel(R) 82576 Virtual Function",
        "ACPI in unprivileged domain disabled",
        BANNER.replace("el5xen", "el5"),
    ],
)
def test_words_of_a_guest(word: str) -> None:
    parsed = read(log=[BANNER, word, "Power down."])
    assert speakers(parsed) == {"log": ("guest",)}
    assert parsed.sources[0].guest == "log"
    assert {event.guest for event in parsed.events} == {"log"}


def test_a_real_function_in_dom0_is_no_word_of_a_guest() -> None:
    parsed = read(log=[BANNER, "igbvf 0000:01:10.0: Intel(R) 82576 Virtual Function", DOM0[1]])
    assert speakers(parsed) == {"log": ("dom0",)}


def test_a_file_without_a_word_is_what_the_others_leave() -> None:
    silent = [BANNER, "Restarting system."]
    alone = read(a=silent)
    beside = read(a=silent, b=DOM0)
    assert speakers(alone) == {"a": ("dom0",)}
    assert speakers(beside) == {"a": ("guest",), "b": ("dom0",)}


def test_death_is_the_guests_only() -> None:
    dom0 = read(log=[*DOM0, "md: stopping all md devices."])
    guest = read(log=GUEST)
    assert not dom0.events[-1].proves("death_clean")
    assert guest.events[-1].proves("death_clean")


def test_the_caller_wins(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("a", "b", "c")}
    files["a"].write_text("\n".join(GUEST[:1]) + "\n")
    files["b"].write_text("\n".join([BANNER, "Power down."]) + "\n")
    files["c"].write_text("printk: 7 messages suppressed.\n")
    said = Options(dom0=(str(files["a"]),), guest=(("g1", str(files["b"])),),
                   xen=(str(files["c"]),))
    parsed = parse([str(path) for path in files.values()], said)
    assert [source.speakers for source in parsed.sources] == [("dom0",), ("guest",), ("xen",)]
    assert [event.guest for event in parsed.events] == [None, "g1", "g1", None]


def test_files_that_only_the_caller_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("no owner\n")
    parsed = parse([], Options(dom0=(str(path),)))
    assert [event.kind for event in parsed.events] == ["pciback_no_owner"]


def test_toolstack() -> None:
    lines = [
        "[2011-06-01 12:00:00 3217] INFO (XendDomainInfo:930) Domain has shutdown: name=g1 id=2 "
        "reason=poweroff.",
        "[2011-06-01 12:00:01 3217] INFO (XendDomainInfo:930) Domain has shutdown: name=g1 id=3 "
        "reason=suspend.",
    ]
    parsed = read(log=lines)
    assert speakers(parsed) == {"log": ("toolstack",)}
    assert [[term.name for term in event.proofs()] for event in parsed.events] == [
        ["death", "death_clean", "named"],
        ["named"],
    ]


def test_what_another_program_quotes_is_no_kernels_line() -> None:
    parsed = read(log=["Jun  1 00:31:27 h logger: unmap irq ff failed",
                       "Jun  1 00:31:27 h logger: (XEN) irq.c:934: dom2: pirq 255 not mapped"])
    assert parsed.events == ()
    assert parsed.coverage.unknown == 2


def test_xen_does_not_say_what_dom0_says() -> None:
    parsed = read(log=["(XEN) unmap irq ff failed"])
    assert parsed.events == ()
    assert parsed.coverage.near_misses == 1


# --- Several in one file -------------------------------------------------------------------------


def syslog(host: str, *lines: str) -> list[str]:
    return [f"Jun  1 00:31:2{nth} {host} kernel: {line}" for nth, line in enumerate(lines)]


def test_hosts_of_one_syslog_server_speak_for_themselves() -> None:
    parsed = read(central=[*syslog("virthost4", *DOM0), *syslog("web1", *GUEST),
                           *syslog("mail", BANNER, "PCI: Enabling device 0000:00:03.0 "
                                                   "(0000 -> 0002)")])
    by_host = {(event.stamp.host, event.speaker) for event in parsed.events}
    assert by_host == {("virthost4", "dom0"), ("web1", "guest"), ("mail", "guest")}
    assert parsed.sources[0].hosts == ("virthost4",)
    assert len({event.guest for event in parsed.events if event.guest}) == 2


def test_xen_tells_whose_console_a_line_is_from() -> None:
    parsed = read(serial=[*DOM0, *(f"(d5) {line}" for line in GUEST), "(domU) Restarting system."])
    guests = [event for event in parsed.events if event.speaker == "guest"]
    assert {event.console_of for event in guests} == {5, None}
    assert len(guests) == len(GUEST) + 1


def test_boots_of_a_file_that_somebody_has_put_together() -> None:
    parsed = read(all=[*DOM0, *XEN, *GUEST])
    banners = [event.speaker for event in parsed.events if event.kind == "linux_version"]
    assert banners == ["dom0", "guest"]


def test_a_console_on_which_dom0_and_a_guest_speak_in_turn() -> None:
    parsed = read(console=[
        *DOM0, BANNER, "pcifront pci-0: Installing PCI frontend", "get owner for dev 80 get 1 ",
        "PCI: Enabling device 0000:01:10.0 (0000 -> 0002)", "md: stopping all md devices.",
        "Restarting system.", "unmap irq ff failed"])
    told = {event.kind: event.speaker for event in parsed.events}
    assert told["pci_enabling_device"] == "dom0"
    assert told["md_stopping"] == "guest"


@pytest.mark.parametrize(
    ("options", "speaker"),
    [(Options(dom0=("log",)), "dom0"), (Options(guest=(("web", "log"),)), "guest"),
     (Options(xen=("log",)), "xen")],
)
def test_the_caller_decides_what_lines_leave_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Options, speaker: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log").write_text("PCI: Enabling device 0000:01:10.0 (0000 -> 0002)\n", encoding="utf-8")
    assert [event.speaker for event in parse([], options).events] == [speaker]
