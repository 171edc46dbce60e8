"""One thing in a bundle, whatever kind of bundle it is, and the stretch of bytes that it is.

**Invariant:** values and streams only; nothing here decides what is read.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BufferedReader, RawIOBase
from typing import Any

from msgspec import Struct

from diagnose.unpack import IN_BYTES, LimitError, Stream


class Member(Struct, frozen=True):
    """Something in a bundle. `why` tells why it cannot be read, empty if it can.

    `name` is its path there, as it stands; `path` tells two names of one file apart. `open` may be
    called once, and only before the next member is asked for.
    """

    name: str
    path: str
    open: Callable[[], BufferedReader]
    why: str = ""


def closed() -> BufferedReader:
    """How something is opened that is not to be opened."""
    raise OSError("it is not to be opened")


class Stretch(RawIOBase):
    """The next `left` bytes of a stream, which stays open. Raises OSError where it ends before."""

    def __init__(self, stream: Stream, size: int) -> None:
        self.left = size
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")[: self.left]
        if not view:
            return 0
        count = self._stream.readinto(view)
        if not count:
            raise OSError(f"the archive ends {self.left} bytes before it does")
        self.left -= count
        return count

    def skip(self) -> None:
        """Pass over what is left. Raises OSError where the stream ends before."""
        while self.left:
            self.readinto(bytearray(min(self.left, IN_BYTES)))


class Capped(RawIOBase):
    """A stream of which no more than `cap` bytes are read. Raises LimitError where more follow."""

    def __init__(self, stream: Stream, cap: int) -> None:
        self._stream = stream
        self._left = self._cap = cap

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = self._stream.readinto(view[: self._left] if self._left else bytearray(1))
        if count and not self._left:
            raise LimitError(f"is longer than {self._cap} bytes")
        self._left -= count
        return count
