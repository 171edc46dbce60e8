"""Reads a tar archive from a stream: POSIX, GNU and old ones.

The headers are parsed by the standard library. The walk from one to the next is not: that library
holds every header that it has met, and extended headers of any size, in memory.

**Invariant:** the stream is read forwards and once; memory does not depend on the archive.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

from diagnose.bundle.caps import HEADER_BYTES_MAX
from diagnose.bundle.member import Member, Stretch, closed
from diagnose.unpack import Stream

BLOCK = tarfile.BLOCKSIZE
_MORE = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME,
         tarfile.GNUTYPE_LONGLINK}
_STRANGE = {
    tarfile.SYMTYPE: "a symbolic link", tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device", tarfile.BLKTYPE: "a device", tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
_FILES = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}
#: Where the header of an old GNU sparse file, and each block after it, tells of a further block.
_SPARSE_MORE, _SPARSE_BLOCK_MORE = 482, 504


def begins(head: bytes) -> bool:
    """Whether bytes are the beginning of a tar archive: its first header's sum is right."""
    try:
        tarfile.TarInfo.frombuf(head[:BLOCK], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


class _Told(NamedTuple):
    """What headers before a member's own tell of it."""

    name: str | None = None
    size: int | None = None
    sparse: bool = False


def members(stream: Stream) -> Iterator[Member | None]:
    """The members in the order of the archive, None for a header that only tells of the next one.

    Raises OSError where the archive is damaged or ends too early.
    """
    told = _Told()
    while True:
        block = stream.read(BLOCK)
        if not block.strip(b"\0"):
            return
        header = _header(block, stream.taken - len(block))
        if header.type in _MORE:
            told = _more(stream, header, told)
            yield None
            continue
        if header.type == tarfile.GNUTYPE_SPARSE:
            _sparse_blocks(stream, block[_SPARSE_MORE])
        size = header.size if told.size is None else told.size
        whole = Stretch(stream, 0 if header.type in _EMPTY else size)
        padding = -whole.left % BLOCK
        if not (header.isdir() or (told.name or header.name).endswith("/")):
            yield _member(told.name or header.name, header, told.sparse, whole)
        whole.skip()
        stream.read(padding)
        told = _Told()


_EMPTY = {tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
          tarfile.DIRTYPE}


def _header(block: bytes, place: int) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError) as error:
        raise OSError(f"no header of a tar at byte {place}: {error}") from error
    if header.size < 0:
        raise OSError(f"a header at byte {place} tells a size below nothing")
    return header


def _member(name: str, header: tarfile.TarInfo, sparse: bool, whole: Stretch) -> Member:
    why = _STRANGE.get(header.type, "" if header.type in _FILES else "of an unknown kind")
    if sparse:
        why = _STRANGE[tarfile.GNUTYPE_SPARSE]
    return Member(name, name, closed if why else lambda: BufferedReader(whole), why)


def _more(stream: Stream, header: tarfile.TarInfo, told: _Told) -> _Told:
    """What a header tells of the next member beside what has been told."""
    if header.size > HEADER_BYTES_MAX:
        raise OSError(f"a header of {header.size} bytes, where {HEADER_BYTES_MAX} are the most")
    data = stream.read(header.size + -header.size % BLOCK)[: header.size]
    if len(data) < header.size:
        raise OSError("it ends within a header")
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return told._replace(name=_text(data.rstrip(b"\0")))
    if header.type in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
        return told
    return _pax(data, told)


def _pax(data: bytes, told: _Told) -> _Told:
    """The records of an extended header: `length key=value`, the length that of all of it."""
    at = 0
    while at < len(data):
        blank = data.find(b" ", at, at + 20)
        digits = data[at:blank] if blank > 0 else b""
        end = at + int(digits) if digits.isdigit() else at
        if not blank + 1 < end <= len(data):
            raise OSError("an extended header that cannot be read")
        key, _, value = data[blank + 1: end - 1].partition(b"=")
        at = end
        if key in (b"path", b"GNU.sparse.name"):
            told = told._replace(name=_text(value))
        elif key == b"size" and value.isdigit():
            told = told._replace(size=int(value[:20]))
        if key.startswith(b"GNU.sparse."):
            told = told._replace(sparse=True)
    return told


def _sparse_blocks(stream: Stream, more: int) -> None:
    while more:
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            raise OSError("it ends within a header")
        more = block[_SPARSE_BLOCK_MORE]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
