"""A bundle of logs tells what the logs tell, whatever it is packed in and however it arrives."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from functools import partial
from itertools import permutations
from pathlib import Path

import pytest

from diagnose import pipeline
from diagnose.bundle import folder
from diagnose.casefile import read_case
from diagnose.diagnosis import Diagnosis
from diagnose.errors import InputError
from diagnose.grammar import load
from diagnose.hearing import Hearing
from diagnose.options import Options
from diagnose.parse import parse
from diagnose.reader import Input, from_bytes
from tests.bundle.packing import CORPUS, DEMO, PACKERS, Files, lay, tar, zipped
from tests.dress.trickle import trickling

CRASH: Files = {name: text.encode() for name, text in read_case(CORPUS / "crash-el5.case").logs}

SOS = "sosreport-virthost4-20110601/"
SOSREPORT: Files = {
    f"{SOS}var/log/messages": CRASH["messages"],
    f"{SOS}var/log/xen/xend.log": CRASH["xend.log"],
    f"{SOS}etc/passwd": b"root:x:0:0:root:/root:/bin/bash\n",
    f"{SOS}sos_commands/rpm/package-data": b"kernel-xen-2.6.18-274.el5\n",
    f"{SOS}var/lib/rpm/Packages": bytes(range(256)) * 40,
    f"{SOS}version.txt": b"sosreport: 2.2\n",
}
BUG = "bug-report-20110601093000/"
BUGTOOL: Files = {
    f"{BUG}inventory.xml": b"<system-status-inventory/>\n",
    f"{BUG}var/log/messages": CRASH["messages"],
    f"{BUG}var/log/xen/xend.log": CRASH["xend.log"],
    f"{BUG}xl-dmesg.out": b"(XEN) Xen version 3.1.2-274.el5\n",
    f"{BUG}var/log/wtmp": bytes(4096) + bytes(range(1, 32)) * 9,
    f"{BUG}proc/interrupts": b"  0:  1  Phys-irq  timer\n",
}


def told(*sources: Input | Path) -> Diagnosis:
    return pipeline.diagnose(list(sources))


def judged(report: Diagnosis) -> tuple[object, ...]:
    """What has to be the same, whatever the inputs are called."""
    return (report.verdict, report.signature, report.kernel.row, report.coverage,
            [(each.id, each.entries, each.domids) for each in report.findings],
            [[(line.line, line.text) for line in each.witness.lines] for each in report.findings])


def plain(files: Files) -> tuple[object, ...]:
    return judged(told(*(from_bytes(name, data) for name, data in files.items())))


def packed_tar(pack: Callable[[bytes], bytes], files: Files) -> bytes:
    return pack(tar(files))


KINDS: dict[str, Callable[[Files], bytes]] = {
    "tar": tar,
    "tar, GNU": lambda files: tar(files, tarfile.GNU_FORMAT),
    "tar, old": lambda files: tar(files, tarfile.USTAR_FORMAT),
    "zip": zipped,
    "tar in zip": lambda files: zipped({"a.tar": tar(files)}),
    "zip in tar.gz": lambda files: PACKERS["gz"](tar({"b.zip": zipped(files)})),
    "packed members": lambda files: tar(
        {f"{name}.{kind}": pack(data)
         for (name, data), (kind, pack) in zip(files.items(), PACKERS.items())}),
    "twice packed": lambda files: PACKERS["xz"](PACKERS["gz"](tar(files))),
    **{f"tar.{name}": partial(packed_tar, pack) for name, pack in PACKERS.items()},
}


@pytest.mark.parametrize("pack", KINDS.values(), ids=KINDS)
def test_every_kind_by_its_content(pack: Callable[[Files], bytes]) -> None:
    """The name is that of no archive."""
    assert judged(told(from_bytes("log", pack(DEMO)))) == plain(DEMO)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "zip", "zip in tar.gz"])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_chunks(kind: str, size: int) -> None:
    data = KINDS[kind](DEMO)
    slow = trickling("log", data, size)
    assert told(slow).to_json() == told(from_bytes("log", data)).to_json()


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_pipe_and_a_file(kind: str, tmp_path: Path) -> None:
    data = KINDS[kind](DEMO)
    out, into = os.pipe()
    with open(into, "wb") as sink:
        sink.write(data)
    (tmp_path / "x").write_bytes(data)
    with open(out, "rb") as pipe:
        piped = told(Input("-", "-", lambda: pipe))
    assert judged(piped) == judged(told(tmp_path / "x")) == plain(DEMO)


@pytest.mark.parametrize("pack", [tar, zipped], ids=["tar", "zip"])
def test_the_order_of_an_archive_does_not_matter(pack: Callable[[Files], bytes]) -> None:
    backwards = dict(reversed(list(DEMO.items())))
    assert told(from_bytes("log", pack(backwards))).to_json() == told(
        from_bytes("log", pack(DEMO))).to_json()


@pytest.mark.parametrize("files", [SOSREPORT, BUGTOOL], ids=["sosreport", "xen-bugtool"])
@pytest.mark.parametrize("kind", ["tar.xz", "tar.bz2", "zip"])
def test_a_host_s_bundle_tells_what_its_logs_tell(files: Files, kind: str) -> None:
    report = told(from_bytes("bundle", KINDS[kind](files)))
    logs = told(*(from_bytes(name, data) for name, data in CRASH.items()))
    assert report.verdict == logs.verdict == "fault"
    assert report.signature == logs.signature
    assert [each.id for each in report.findings] == [each.id for each in logs.findings]
    read = {each.path for each in report.inputs}
    left = {each.path for each in report.left_out}
    assert read | left == {f"bundle!{name}" for name in files}
    assert {name.rpartition("/")[2] for name in read} <= {
        "messages", "xend.log", "xl-dmesg.out", "interrupts"}


def test_what_cannot_tell_its_speaker_is_told_by_its_path() -> None:
    line = b"PCI: Enabling device 0000:01:10.0 (0000 -> 0002)\n"
    files = {"sos_commands/xen/xm_dmesg": line, "some.log": b"\n" + line}
    report = told(from_bytes("b", tar(files)))
    assert [each.speakers for each in report.inputs] == [("dom0",), ("xen",)]


def test_a_directory_is_one_incident(tmp_path: Path) -> None:
    lay(DEMO, tmp_path)
    lay({"sub/notes.md": b"# notes\n", "sub/.hidden": b"x\n", "picture": bytes(range(256)) * 9},
        tmp_path)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "again").symlink_to("dom0.log")
    (tmp_path / "to-hidden").symlink_to("sub/.hidden")
    (tmp_path / "outside").symlink_to("/etc/passwd")
    (tmp_path / "round").symlink_to(".")
    report = told(tmp_path)
    assert [each.path for each in report.inputs] == [
        f"{tmp_path}/{name}" for name in ("dom0.log", "guest.log", "to-hidden", "xen.log")]
    assert {Path(each.path).name: each.why for each in report.left_out} == {
        "notes.md": "no log: its name says so", ".hidden": "hidden", "picture": "no text",
        "fifo": "a pipe", "again": "a link to what lies there itself",
        "outside": "a link to something outside", "round": "a link to a directory"}
    assert report.verdict == "fault"


def test_nothing_to_read(tmp_path: Path) -> None:
    for source in (tmp_path, from_bytes("x", tar({"a.png": b"x", "b": b""}))):
        with pytest.raises(InputError, match="no log lies in it"):
            told(source)


def test_the_same_log_in_two_archives_is_read_once() -> None:
    """But for guests': those of one make print the same to the letter."""
    report = told(from_bytes("a", tar(CRASH)), from_bytes("b", zipped(CRASH)))
    assert [each.path for each in report.inputs] == [f"a!{name}" for name in CRASH]
    assert sum(each.code == "read-twice" for each in report.remarks) == len(CRASH)


def test_parts_of_two_logs_may_hold_the_same() -> None:
    """Five guests that end alike are five guests; a part that is packed twice is one."""
    ends = {f"console-g{n}": b"Restarting system.\n" for n in range(5)}
    older = {f"console-g{n}.1": b"Linux version 2.6.18-274.el5 (g%d)\n" % n for n in range(5)}
    report = told(from_bytes("many", tar({**DEMO, **ends, **older})))
    assert not [each for each in report.remarks if each.code == "read-twice"]
    twice = {"messages": CRASH["messages"], "messages.1": b"x\n", "messages.1.gz": b"x\n"}
    assert [each.code for each in told(from_bytes("twice", tar(twice))).remarks].count(
        "read-twice") == 1


def test_a_notice_goes_on_where_the_part_before_ended() -> None:
    """The last line of one part, repeated by the first one of the next."""
    lines = CRASH["messages"].splitlines(keepends=True)
    at = next(nth for nth, line in enumerate(lines) if line == lines[nth + 1] == lines[nth + 2])
    notice = lines[at].partition(b"get owner")[0] + b"last message repeated 2 times\n"
    parts = {"messages.1": b"".join(lines[:at + 1]),
             "messages": b"".join([notice, *lines[at + 3:]]), "xend.log": CRASH["xend.log"]}
    whole = told(from_bytes("whole", tar(CRASH)))
    assert told(from_bytes("parts", tar(parts))).signature == whole.signature
    assert whole.verdict == "fault"


def test_a_notice_behind_an_unread_line_repeats_nothing_of_the_part_before() -> None:
    """Whatever stood there was the last message, read or not."""
    lines = CRASH["messages"].splitlines(keepends=True)
    at = next(nth for nth, line in enumerate(lines) if line == lines[nth + 1] == lines[nth + 2])
    stamp = lines[at].partition(b"get owner")[0]
    between = [stamp + b"EDAC MC: Ver: 2.0.1\n", stamp + b"last message repeated 2 times\n"]
    older, newer = b"".join(lines[:at + 1]), b"".join([*between, *lines[at + 3:]])
    parts = told(from_bytes("parts", tar({"messages.1": older, "messages": newer})))
    whole = told(from_bytes("messages", older + newer))
    assert parts.coverage.events == whole.coverage.events
    assert parts.signature == whole.signature
    assert parts.verdict == whole.verdict


@pytest.mark.parametrize("slug", ["kept-twice-283", "kept-twice-el5"])
def test_copies_in_any_order_tell_the_same(slug: str) -> None:
    logs = dict(read_case(CORPUS / f"{slug}.case").logs)
    several = [name for name in logs if not name.startswith("guest")][:3]
    told_by = {told(*(from_bytes(name, logs[name].encode())
                      for name in (*order, *logs.keys() - {*order}))).signature
               for order in permutations(several)}
    assert len(told_by) == 1


def test_a_file_without_a_size_is_not_opened(tmp_path: Path) -> None:
    """Those of /proc have none, and some of them never end."""
    lay({"kmsg": b"", "messages": b"x\n"}, tmp_path)
    assert {each.name: each.why for each in folder.members(str(tmp_path))} == {
        "kmsg": "empty", "messages": ""}


def test_what_was_heard_holds_its_input_no_longer() -> None:
    """A bundle may have 100,000 members, each with a buffer of its own."""
    made = Hearing(from_bytes("log", DEMO["dom0.log"]), None, None, load())
    made.listen()
    with pytest.raises(ValueError, match="once"):
        made.source.open()


def test_nothing_is_hashed_where_nobody_asks(tmp_path: Path) -> None:
    lay({"a": DEMO["dom0.log"], "b": DEMO["dom0.log"]}, tmp_path)
    mute = Options(brief=True)
    alone = parse([str(tmp_path / "a")], mute)
    assert [source.sha256 for source in alone.sources] == [""]
    both = parse([str(tmp_path / "a"), str(tmp_path / "b")], mute)
    assert [remark.code for remark in both.remarks] == ["read-twice"]
