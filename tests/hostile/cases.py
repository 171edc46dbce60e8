"""Inputs that were made to harm: each is built in memory when it is asked for, and never stored."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import NamedTuple, Protocol

import zstandard

from diagnose.bundle.caps import DEPTH_MAX, HEADER_BYTES_MAX, MEMBERS_MAX
from tests.bundle.packing import DEMO, PACKERS, tar, zipped

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


def again_and_again(times: int) -> bytes:
    data = tar(DEMO)
    for _ in range(times):
        data = gzip.compress(data)
    return data


def mixed() -> bytes:
    """The demo in a zip in a packed tar in a zip."""
    return zipped({"a.tgz": gzip.compress(tar({"b.zip": zipped(DEMO)}))})


def cut_inside() -> bytes:
    """A tar with a log in every packing, each of them cut."""
    text = os.urandom(9999).hex().encode()
    return after_the_demo(*[member(f"{name}.log.{name}", data=pack(text)[:-3000])
                            for name, pack in PACKERS.items()])


def entry() -> bytes:
    """An entry of a journal, with a message that is said to be longer than anything."""
    return b"__CURSOR=x\nMESSAGE\n" + b"\xff" * 8 + (b"y" * 65_535 + b"\n") * 1200


def storm(count: int) -> bytes:
    """One line so many times, which may mean another guest each time."""
    return b"PCI: Enabling device 0000:01:10.0 (0000 -> 0002)\n" * count


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
    "blank lines bomb": Case(lambda: gzip.compress(b"\n" * (1 << 25)), "500 times its size", False),
    "members, just too many, in a zip": Case(lambda: many_zipped(150_000),
                                             f"more than {MEMBERS_MAX} members"),
    "archives of all kinds in one another": Case(mixed, ""),
    "packed logs cut in a tar": Case(cut_inside, "cannot be read to the end"),
    "an entry without an end": Case(entry, "", False),
    "a storm": Case(lambda: storm(500), "search-cut", False),
}
