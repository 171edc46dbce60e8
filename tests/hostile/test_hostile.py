"""Archives that were made to harm: each is survived within bounds, and what can be read is judged.

Each case is built in memory and given to `diagnose log` through a pipe, in a process of its own
that may use so much memory and processor time and no more, in a directory in which nothing may
appear.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import resource
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
import zstandard

from diagnose.bundle.caps import DEPTH_MAX, HEADER_BYTES_MAX, MEMBERS_MAX
from diagnose.unpack import RATIO_FREE_BYTES
from tests.bundle.packing import tar, zipped
from tests.bundle.test_bundles import DEMO
from tests.tidy.source import ROOT

MEMORY_BYTES = 1 << 30
"""Of address space, the interpreter and its libraries included."""
CPU_SECONDS = 60
SAME = b"x" * (1 << 20)


class Case(NamedTuple):
    """What is built, and what has to be said of it, in `left_out` or in a remark."""

    build: Callable[[], bytes]
    said: str
    fault: bool = True      # whether the demo's logs, which lie before what harms, are judged


def member(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", size: int | None = None,
           link: str = "") -> bytes:
    """One member of a tar, whose header may tell another size than its data have."""
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, link
    header.size = len(data) if size is None else size
    block = (header.tobuf(tarfile.USTAR_FORMAT) if header.size >= 0
             else header.tobuf(tarfile.GNU_FORMAT))
    return block + data + bytes(-len(data) % tarfile.BLOCKSIZE)


def after_the_demo(*members: bytes) -> bytes:
    """A tar of the demo's logs and more members."""
    own = [member(name, data=data) for name, data in DEMO.items()]
    return b"".join([*own, *members, bytes(2 * tarfile.BLOCKSIZE)])


class Packer(Protocol):
    """What packs piece by piece."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def packed_by(packer: Packer, mebibytes: int) -> bytes:
    """So much of the same, packed without being held."""
    return b"".join([*(packer.compress(SAME) for _ in range(mebibytes)), packer.flush()])


def gzip_bomb() -> bytes:
    return packed_by(zlib.compressobj(9, zlib.DEFLATED, 31), 128)


def nested(depth: int) -> bytes:
    """The demo in so many tars."""
    data = tar(DEMO)
    for _ in range(depth):
        data = tar({"inner.tar": data})
    return data


def many(count: int) -> bytes:
    """So many empty members, and the demo before them."""
    return after_the_demo(*[member("x") * count])


def many_zipped(count: int) -> bytes:
    """A zip whose directory has so many members, all of them the same one."""
    data = zipped({**DEMO, "x": b""})
    end = data.rindex(b"PK\5\6")
    size, start = struct.unpack("<LL", data[end + 12:end + 20])
    directory = data[start:start + size]
    last = directory[directory.rindex(b"PK\1\2"):]
    whole = directory + last * count
    return data[:start] + whole + struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(whole), start, 0)


def overlapping(count: int) -> bytes:
    """A zip whose directory names one bomb many times."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in DEMO.items():
            archive.writestr(name, data)
        with archive.open("bomb.log", "w") as bomb:
            for _ in range(64):
                bomb.write(b"x" * (1 << 20))
        archive.filelist.extend(archive.filelist[-1:] * count)
    return made.getvalue()


def patched(data: bytes, magic: bytes, offset: int, value: bytes) -> bytes:
    """A zip with a field of the first headers of one kind changed."""
    at = data.index(magic) + offset
    return data[:at] + value + data[at + len(value):]


def encrypted() -> bytes:
    """A zip of which one member says that it is encrypted."""
    made = bytearray(zipped({**DEMO, "secret.log": b"secret"}))
    at = made.rindex(b"PK\1\2")
    made[at + 8] |= 1
    return bytes(made)


def window(bytes_: int) -> bytes:
    """A packed stream that asks for a window of so many bytes, in xz."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": bytes_, "preset": 0}]
    return after_the_demo(member("w.log.xz", data=lzma.compress(b"x\n" * 99, filters=filters)))


def sparse() -> bytes:
    """A tar with a sparse file of an exabyte, as GNU tar writes it since 1.14."""
    records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "hole.log",
               "GNU.sparse.realsize": str(1 << 60)}
    header = tarfile.TarInfo("GNUSparseFile.0/hole.log")
    header.size, header.pax_headers = 512, records
    return after_the_demo(header.tobuf(tarfile.PAX_FORMAT) + b"0\n".ljust(512, b"\0"),
                          member("old.log", tarfile.GNUTYPE_SPARSE))


def long_header() -> bytes:
    """A tar, packed, with a name of half a gibibyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packer.compress(after_the_demo()[:-1024]),
              packer.compress(member("././@LongLink", tarfile.GNUTYPE_LONGNAME, size=1 << 29))]
    pieces += [packer.compress(b"a" * (1 << 20)) for _ in range(512)]
    return b"".join([*pieces, packer.flush()])


STRANGE = [
    member("link", tarfile.SYMTYPE, link="/etc/passwd"), member("hard", tarfile.LNKTYPE, link="x"),
    member("tty", tarfile.CHRTYPE), member("disk", tarfile.BLKTYPE), member("p", tarfile.FIFOTYPE),
]
NAMES = ["../../../tmp/evil.log", "/tmp/evil.log", "a\nb.log", "\x1b[31mred.log", "x" * 90]

CASES: dict[str, Case] = {
    "gzip bomb": Case(gzip_bomb, "unpacks to more than 500 times its size", False),
    "bzip2 bomb": Case(lambda: packed_by(bz2.BZ2Compressor(), 64), "500 times its size", False),
    "xz bomb": Case(lambda: packed_by(lzma.LZMACompressor(preset=0), 128), "500 times", False),
    "zstd bomb": Case(lambda: packed_by(zstandard.ZstdCompressor().compressobj(), 128), "500 times",
                      False),
    "bomb in a tar": Case(lambda: after_the_demo(member("b.log.gz", data=gzip_bomb())),
                          "500 times its size"),
    "bombs in a tar.gz": Case(lambda: gzip.compress(after_the_demo(
        *[member(f"{n}.log.gz", data=gzip_bomb()) for n in range(4)])), "500 times its size"),
    "bomb in a zip": Case(lambda: zipped({**DEMO, "z.log": SAME * 100}), "500 times its size"),
    "overlapping zip": Case(lambda: overlapping(300), "500 times its size"),
    "nested": Case(lambda: nested(DEPTH_MAX + 1), f"more than {DEPTH_MAX} archives", False),
    "nested, just so": Case(lambda: nested(DEPTH_MAX - 1), ""),
    "packed again and again": Case(lambda: again_and_again(DEPTH_MAX + 1), "compressed more",
                                   False),
    "a million members": Case(lambda: gzip.compress(many(1_000_000), 1),
                              f"more than {MEMBERS_MAX} members"),
    "a million members in a zip": Case(lambda: many_zipped(1_000_000), "has a directory of", False),
    "links and devices": Case(lambda: after_the_demo(*STRANGE), "a hard link"),
    "sparse": Case(sparse, "a sparse file"),
    "names": Case(lambda: after_the_demo(*[member(name, data=b"x\n") for name in NAMES]),
                  "a\\nb.log"),
    "a name that is no text": Case(
        lambda: after_the_demo(member("n", data=b"x\n").replace(b"n", b"\xff", 1)), "damaged"),
    "names in a zip": Case(lambda: zipped({**DEMO, **dict.fromkeys(NAMES, b"x\n")}), "a\\nb"),
    "a size that lies": Case(lambda: after_the_demo(member("l.log", data=b"x\n", size=1 << 32)),
                             "damaged"),
    "a size below nothing": Case(lambda: after_the_demo(member("l.log", size=-5)), "damaged"),
    "a header that goes on": Case(long_header, f"where {HEADER_BYTES_MAX} are the most"),
    "an extended header that lies": Case(
        lambda: after_the_demo(member("x", tarfile.XHDTYPE, b"9999 path=x\n1 ")), "damaged"),
    "a zip whose sizes lie": Case(
        lambda: patched(zipped(DEMO), b"PK\1\2", 24, struct.pack("<L", 10)), "Bad CRC-32",
        False),
    "duplicates": Case(lambda: after_the_demo(*[member("d.log", data=b"%d\n" % n)
                                                for n in range(3)]), "d.log#3"),
    "cut tar": Case(lambda: tar({**DEMO, "z.log": b"x\n" * 9999})[:-15000], "to the end"),
    "cut tar.gz": Case(lambda: gzip.compress(tar(DEMO) + os.urandom(9999))[:-5000], ""),
    "cut zip": Case(lambda: zipped(DEMO)[:-30], "damaged", False),
    "encrypted": Case(encrypted, "encrypted"),
    "a window": Case(lambda: window(1 << 30), "damaged"),
}


def again_and_again(times: int) -> bytes:
    data = tar(DEMO)
    for _ in range(times):
        data = gzip.compress(data)
    return data


def bounded() -> None:
    """In the child: so much memory, so much processor time, no core."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(data: bytes, place: Path, given: str) -> tuple[int, dict[str, object], str]:
    """Status, report and standard error of `diagnose log`, in an empty directory."""
    words = [sys.executable, "-m", "diagnose", "log", "--format", "json", given]
    done = subprocess.run(
        words, input=data, capture_output=True, cwd=place, preexec_fn=bounded, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(place)})
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr.decode()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_hostile(case: Case, tmp_path: Path) -> None:
    status, report, told = run(case.build(), tmp_path, "-")
    assert status in (0, 1, 2), told
    assert "Traceback" not in told
    everything = json.dumps(report) + told
    assert json.dumps(case.said)[1:-1] in everything or case.said in everything
    if case.fault:
        assert (status, report["verdict"]) == (1, "fault")
    assert not list(tmp_path.iterdir())
    assert "\x1b" not in told


@pytest.mark.parametrize("name", ["bomb in a zip", "a million members in a zip", "cut zip"])
def test_hostile_as_a_file(name: str, tmp_path: Path) -> None:
    """A zip in a file is gone back in; one in a pipe is spooled. Both end alike."""
    case = CASES[name]
    (tmp_path / "in").mkdir()
    (tmp_path / "a.zip").write_bytes(case.build())
    status, report, told = run(b"", tmp_path / "in", "../a.zip")
    assert status == (1 if case.fault else 2), told
    assert case.said in json.dumps(report) + told


def test_a_bomb_is_cut_where_the_ratio_is_asked(tmp_path: Path) -> None:
    report = run(gzip_bomb(), tmp_path, "-")[1]
    inputs = report["inputs"]
    assert isinstance(inputs, list)
    assert RATIO_FREE_BYTES <= inputs[0]["bytes"] <= 2 * RATIO_FREE_BYTES


def test_a_directory_that_leads_round_and_outside(tmp_path: Path) -> None:
    place = tmp_path / "logs"
    place.mkdir()
    for name, data in DEMO.items():
        (place / name).write_bytes(data)
    os.mkfifo(place / "fifo")
    (place / "loop").symlink_to("loop")
    (place / "up").symlink_to("..")
    (place / "zero").symlink_to("/dev/zero")
    deep = place
    for _ in range(40):
        deep = deep / "d"
    deep.mkdir(parents=True)
    status, report, _ = run(b"", tmp_path, "logs")
    assert (status, report["verdict"]) == (1, "fault")
    left = report["left_out"]
    assert isinstance(left, list)
    assert {"a pipe", "a link to something outside"} <= {each["why"] for each in left}
