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

from diagnose.buffers import buffers
from diagnose.errors import InputError
from diagnose.lines import RawLine, Reading
from diagnose.sift import Listener, sifted
from diagnose.unpack import LimitError, Meter, Stream, unpacked


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
        yield from sifted(buffers(_Filling(plain, reading), reading), reading, listener)


def unreadable(source: Input, error: OSError) -> InputError:
    """The error that tells that an input cannot be read, and what to do."""
    return InputError(f"{source.name}: cannot be read ({error.strerror or error}). "
                      "Check the path and the permissions.")


class _Filling:
    """Fills stretches with the bytes of a stream, as far as they can be read; a remark tells how
    far that is.
    """

    def __init__(self, stream: Stream, reading: Reading) -> None:
        self._stream = stream
        self._reading = reading
        self._ended = False

    def __call__(self, stretch: memoryview) -> int:
        try:
            return self._stream.readinto(stretch)
        except LimitError as error:
            self._end("unpacked-limit", f"It {error}; the rest was not read.")
        except OSError as error:
            self._end("damaged-input",
                      f"Its {self._reading.compression or 'bytes'} cannot be read to the end "
                      f"({error}); what comes before was read.")
        return 0

    def _end(self, code: str, text: str) -> None:
        """Remark once that a stream has failed; it fails each time again."""
        if not self._ended:
            self._reading.remark(code, text)
        self._ended = True
