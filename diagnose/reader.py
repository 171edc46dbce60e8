"""Bytes in, lines out: plain or compressed files, standard input, or bytes at hand.

A line ends at a line feed and nowhere else. Nothing is kept, so that memory does not depend on the
input.

**Invariant:** no bytes make reading fail once it has begun: a damaged archive ends early, with a
remark; a text that is none gives lines that say so.
"""
from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from io import BufferedReader, BytesIO, RawIOBase
from typing import cast

from msgspec import Struct

from diagnose.buffers import BUFFER_BYTES, buffers
from diagnose.errors import InputError
from diagnose.lines import RawLine, Reading
from diagnose.sift import Listener, sifted
from diagnose.unpack import HEAD_BYTES, LimitError, Meter, Stream, unpacked


class Input(Struct):
    """Something to read. `open` may be called once; `path` tells two names of one file apart.

    `compression` is what has been taken off already, `hint` who speaks in it if nothing else tells.
    `state`: by its name it is no log, so that it is read only if it is a state file.
    """

    name: str
    path: str
    open: Callable[[], BufferedReader]
    compression: str = ""
    hint: str | None = None
    state: bool = False


def from_path(path: str | os.PathLike[str]) -> Input:
    """A file, or standard input for `-`. Bytes of a name that are no UTF-8 are shown as escapes."""
    name = os.fspath(path)
    if name == "-":
        return Input("-", "-", _standard_input)
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    return Input(shown, os.path.realpath(name), lambda: open(name, "rb"))  # closed by `read`


def _standard_input() -> BufferedReader:
    if sys.stdin is None:   # the shell's `<&-`
        raise OSError("the standard input is closed")
    return cast("BufferedReader", sys.stdin.buffer)


def from_bytes(name: str, data: bytes) -> Input:
    """Bytes at hand, under a name of their own."""
    return Input(name, f"bytes:{name}", lambda: BufferedReader(cast("RawIOBase", BytesIO(data))))


def opened(source: Input, meter: Meter) -> Stream:
    """The bytes of an input. Raises OSError if it cannot be opened, or nothing of it be read."""
    stream = Stream(source.open(), meter)
    if stream.failure is not None and not (stream.head or source.compression):
        raise stream.failure
    return stream


def read(source: Input, reading: Reading, listener: Listener) -> Iterator[RawLine]:
    """The lines of an input that the listener wants; `reading` is filled on the way.

    Raises InputError if the input cannot be opened or its first bytes cannot be read.
    """
    meter = Meter()
    try:
        stream = opened(source, meter)
    except OSError as error:
        raise unreadable(source, error) from error
    with stream:
        reading.compression, plain = unpacked(stream, meter) or (source.compression, stream)
        pieces = _pieces(BufferedReader(plain), reading)
        yield from sifted(buffers(pieces, reading), reading, listener)


def unreadable(source: Input, error: OSError) -> InputError:
    """The error that tells that an input cannot be read, and what to do."""
    return InputError(f"{source.name}: cannot be read ({error.strerror or error}). "
                      "Check the path and the permissions.")


def _pieces(stream: BufferedReader, reading: Reading) -> Iterator[bytes]:
    """The bytes, as far as they can be read, in the sizes of the buffers where that can be."""
    size = HEAD_BYTES
    while True:
        try:
            piece = stream.read1(size)
            size = BUFFER_BYTES
        except LimitError as error:
            reading.remark("unpacked-limit", f"It {error}; the rest was not read.")
            return
        except OSError as error:
            reading.remark(
                "damaged-input",
                f"Its {reading.compression or 'bytes'} cannot be read to the end ({error}); "
                "what comes before was read.",
            )
            return
        if not piece:
            return
        yield piece
