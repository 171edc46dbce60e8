"""Compressed bytes in, plain bytes out: told by content, never by name, and under caps.

Bytes come out in the order in which they stand, however few come in at a time, and what is cut by a
cap is cut at the same byte each time.

**Invariant:** every failure is an OSError that comes behind all bytes before it, and comes again.
"""
from __future__ import annotations

import codecs
from collections.abc import Callable
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, Protocol, cast

from msgspec import Struct

#: So much of a stream tells whether it is text, what compresses it and what it holds.
HEAD_BYTES = 1 << 16
IN_BYTES = 1 << 16
#: Whatever unpacks to more, in all, is no evidence of one incident; what lies beyond is left out.
UNPACKED_BYTES_MAX = 1 << 34
#: What unpacks to more than so many times its size is a bomb. Storms of one line with stamps come
#: to a hundred; zeros come to a thousand in gzip, and to far more in the others.
RATIO_MAX = 500
#: The ratio is not asked for before so much has come out.
RATIO_FREE_BYTES = 1 << 24
#: What xz and zstd may ask for as a window; `xz -9` needs 65 MiB, `zstd --long` 128.
WINDOW_BYTES_MAX = 1 << 28


class LimitError(OSError):
    """A cap has been reached; what came before is whole."""


class Meter(Struct):
    """What one given input has cost so far, shared by everything inside of it."""

    packed: int = 0     # bytes of the input itself
    out: int = 0        # bytes that came out of any layer
    members: int = 0    # things that were met inside

    def check(self, given: int, taken: int) -> None:
        """Raise LimitError if a layer has given too much, or everything together has."""
        if self.out >= UNPACKED_BYTES_MAX:
            raise LimitError(f"unpacks to more than {UNPACKED_BYTES_MAX} bytes")
        for out, packed in ((given, taken), (self.out, self.packed)):
            if out > RATIO_FREE_BYTES and out > RATIO_MAX * packed:
                raise LimitError(f"unpacks to more than {RATIO_MAX} times its size")


class Stream(RawIOBase):
    """Bytes to come, the first of them at hand: `head`. `taken` counts those handed on."""

    def __init__(self, source: BufferedReader, meter: Meter | None = None) -> None:
        self.source = source
        self.taken = 0
        self.failure: OSError | None = None
        self._meter = meter
        self._kept = b""
        self.head = self._kept = self._filled(HEAD_BYTES)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only where the stream ends or fails."""
        if len(self._kept) < size and self.failure is None:
            self._kept += self._filled(size - len(self._kept))
        piece, self._kept = self._kept[:size], self._kept[size:]
        self._handed(len(piece), size)
        return piece

    def readinto(self, buffer: Any) -> int:
        """What is there already; only where nothing is, whatever comes next."""
        view = memoryview(buffer).cast("B")
        if self._kept or self.failure is not None:
            piece, self._kept = self._kept[: len(view)], self._kept[len(view):]
            view[: len(piece)] = piece
            return self._handed(len(piece), len(view))
        try:
            # A pipe that does not block and has nothing yet gives None.
            count = self.source.readinto1(view) or 0
        except OSError as error:
            self.failure = error
            count = 0
        return self._handed(count, len(view))

    def close(self) -> None:
        self.source.close()
        super().close()

    def _handed(self, count: int, size: int) -> int:
        """Count bytes that are handed on; `size` were asked for."""
        if not count and size and self.failure is not None:
            raise self.failure
        self.taken += count
        if self._meter is not None:
            self._meter.packed += count
        return count

    def _filled(self, size: int) -> bytes:
        pieces = []
        while size and (piece := self._next(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _next(self, size: int) -> bytes:
        try:
            return self.source.read1(size)
        except OSError as error:
            self.failure = error
            return b""


class _Decompressor(Protocol):
    """What bz2, lzma and lz4 have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, size: int, /) -> bytes:
        """Some of the bytes that come of what has been fed."""


class _Fed:
    """Reads through decompressors, a new one for each of several packed pieces in a row."""

    def __init__(self, make: Callable[[], _Decompressor], source: Stream) -> None:
        self._make = make
        self._source = source
        self._made = make()

    def read1(self, size: int) -> bytes:
        """Some of the plain bytes, none at the end. Raises EOFError where it comes too early."""
        while True:
            data = b""
            if self._made.eof:
                data = self._following()
                if not data:
                    return b""
                self._made = self._make()
            elif self._made.needs_input:
                data = self._source.read(IN_BYTES)
                if not data:
                    raise EOFError("it ends too early")
            if piece := self._made.decompress(data, size):
                return piece

    def _following(self) -> bytes:
        """What follows the end of a packed piece, without the NUL bytes that may pad it."""
        data = (self._made.unused_data or self._source.read(IN_BYTES))
        while data and not data.strip(b"\0"):
            data = self._source.read(IN_BYTES)
        return data.lstrip(b"\0")


class _Reader(Protocol):
    def read1(self, size: int, /) -> bytes:
        """Some of the plain bytes, none at the end."""


_Opened = tuple[_Reader, tuple[type[Exception], ...]]


def _gzip(stream: Stream) -> _Opened:
    try:
        from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError
    except ImportError:     # no wheel for this machine: the same, slower
        import gzip
        import zlib

        return gzip.GzipFile(fileobj=cast("BufferedReader", stream)), (zlib.error,)
    return _Fed(lambda: IgzipDecompressor(flag=DECOMP_GZIP), stream), (
        cast("type[Exception]", IsalError),)


def _bzip2(stream: Stream) -> _Opened:
    import bz2

    return _Fed(bz2.BZ2Decompressor, stream), (ValueError,)


def _xz(stream: Stream) -> _Opened:
    import lzma

    return _Fed(lambda: lzma.LZMADecompressor(memlimit=WINDOW_BYTES_MAX), stream), (
        lzma.LZMAError,)


def _zstd(stream: Stream) -> _Opened:
    import zstandard

    made = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
    source = cast("BinaryIO", stream)
    return made.stream_reader(source, read_size=IN_BYTES, read_across_frames=True), (
        zstandard.ZstdError,)


def _lz4(stream: Stream) -> _Opened:
    import lz4.frame

    return _Fed(lz4.frame.LZ4FrameDecompressor, stream), (RuntimeError,)


class _Recoded:
    """Reads UTF-16, as editors of other systems save it, as UTF-8."""

    def __init__(self, source: Stream) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        self._kept = b""

    def read1(self, size: int) -> bytes:
        """Some of the bytes, none at the end."""
        while not self._kept:
            data = self._source.read(IN_BYTES)
            self._kept = self._decoder.decode(data, final=not data).encode()
            if not data:
                break
        piece, self._kept = self._kept[:size], self._kept[size:]
        return piece


def _utf16(stream: Stream) -> _Opened:
    return _Recoded(stream), (UnicodeError,)


class Packer(Struct, frozen=True):
    """A way to compress: the first bytes of it, what it is called, how it is undone."""

    magic: bytes
    name: str
    open: Callable[[Stream], _Opened]


PACKERS = (
    Packer(b"\x1f\x8b\x08", "gz", _gzip),
    Packer(b"BZh", "bz2", _bzip2),
    Packer(b"\xfd7zXZ\x00", "xz", _xz),
    Packer(b"\x28\xb5\x2f\xfd", "zst", _zstd),
    Packer(b"\x04\x22\x4d\x18", "lz4", _lz4),
    Packer(b"\xff\xfe", "utf-16", _utf16),
    Packer(b"\xfe\xff", "utf-16", _utf16),
)
#: What is packed in ways that are not undone here, by its first bytes.
OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"), (b"Rar!\x1a\x07", "a rar archive"),
    (b"\x1f\x9d", "packed by compress (.Z)"), (b"\x1f\xa0", "packed by compress -H"),
    (b"]\0\0", "packed by lzma"), (b"LZIP", "packed by lzip"), (b"\x8c\x0d", "encrypted by gpg"),
    (b"\x85\x01", "encrypted by gpg"), (b"\x85\x02", "encrypted by gpg"),
    (b"\xed\xab\xee\xdb", "an rpm package"), (b"!<arch>", "a deb package"),
    (b"hsqs", "a squashfs image"), (b"MSCF", "a cabinet"),
)


class Plain(RawIOBase):
    """What comes out of a packer, until a cap is reached; its failures are OSErrors."""

    def __init__(self, reader: _Reader, damages: tuple[type[Exception], ...],
                 taken: Callable[[], int], meter: Meter) -> None:
        """`taken` tells how many packed bytes have gone in; `damages` are the packer's errors."""
        self._reader = reader
        self._damages: tuple[type[Exception], ...] = (EOFError, *damages)
        self._taken = taken
        self._meter = meter
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Some of the plain bytes. Raises LimitError at a cap, OSError where they are damaged."""
        view = memoryview(buffer).cast("B")
        self._meter.check(self._given, self._taken())
        size = min(len(view), UNPACKED_BYTES_MAX - self._meter.out)
        try:
            piece = self._reader.read1(size)
        except self._damages as error:
            raise OSError(str(error)) from error
        view[: len(piece)] = piece
        self._given += len(piece)
        self._meter.out += len(piece)
        return len(piece)


def unpacked(stream: Stream, meter: Meter) -> tuple[str, Stream] | None:
    """What compresses a stream, and the stream without that layer; None if nothing does."""
    for packer in PACKERS:
        if stream.head.startswith(packer.magic):
            plain = Plain(*packer.open(stream), lambda: stream.taken, meter)
            return packer.name, Stream(BufferedReader(plain, IN_BYTES))
    return None
