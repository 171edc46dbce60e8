"""Reads a zip archive, whose directory stands at its end and alone tells what is in it.

What cannot be gone back in is spooled first: the headers before the members' bytes, which are all
that a pipe would show in time, may lack the sizes and may say something else than the directory.

**Invariant:** a zip that comes through a pipe yields what the same zip in a file does.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import SEEK_END, BufferedReader
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from diagnose.bundle.caps import (
    DIRECTORY_BYTES_MAX,
    SPOOL_BYTES_MAX,
    SPOOL_MEMORY_BYTES,
)
from diagnose.bundle.member import Member, closed
from diagnose.unpack import IN_BYTES, LimitError, Meter, Plain, Stream

_ENCRYPTED = 0x1
_READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_DAMAGES = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, struct.error,
            EOFError, zlib.error)


def members(stream: Stream, meter: Meter) -> Iterator[Member]:
    """The members in the order of the directory.

    Raises OSError where there is none that can be read, LimitError where it is too large.
    """
    if stream.source.seekable():
        stream.source.seek(0)
        yield from _members(stream.source, meter)
        return
    with SpooledTemporaryFile(max_size=SPOOL_MEMORY_BYTES) as spool:
        while piece := stream.read(IN_BYTES):
            if spool.tell() + len(piece) > SPOOL_BYTES_MAX:
                raise LimitError(f"is a zip of more than {SPOOL_BYTES_MAX} bytes that does not "
                                 "lie in a file by itself")
            spool.write(piece)
        yield from _members(spool, meter)


class _Guarded:
    """A file that does not yield a directory of any size at once."""

    def __init__(self, file: IO[bytes] | BufferedReader) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY_BYTES_MAX:
            raise LimitError(f"has a directory of more than {DIRECTORY_BYTES_MAX} bytes")
        return self._file.read(size)


def _members(file: IO[bytes] | BufferedReader, meter: Meter) -> Iterator[Member]:
    size = file.seek(0, SEEK_END)
    meter.packed = max(meter.packed, size)
    try:
        archive = zipfile.ZipFile(cast("IO[bytes]", _Guarded(file)))
    except _DAMAGES as error:
        raise OSError(f"{error}") from error
    for info in archive.infolist():
        if not info.filename.endswith("/"):     # `is_dir` needs a name that is not empty
            yield _member(archive, info, size, meter)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int, meter: Meter) -> Member:
    why = _why(info)

    def opened() -> BufferedReader:
        try:
            packed = archive.open(info)
        except _DAMAGES as error:
            raise OSError(f"{error}") from error
        taken = min(info.compress_size, size)
        return BufferedReader(Plain(cast("BufferedReader", packed), _DAMAGES, lambda: taken, meter))

    return Member(info.filename, info.filename, closed if why else opened, why)


def _why(info: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a symbolic link"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    return "" if info.compress_type in _READ else "packed in a way that is not known here"
