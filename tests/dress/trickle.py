"""A stream that brings a few bytes at a time, as a slow writer's pipe does."""

from __future__ import annotations

from io import BufferedReader, RawIOBase
from typing import cast

from typing_extensions import Buffer

from diagnose.reader import Input


class Trickle(RawIOBase):
    """A stream that gives so many bytes at a time and no more, whoever asks for how many."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = data
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """It can be read, and nothing else."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """The next few bytes."""
        room = memoryview(buffer).cast("B")
        part = self._data[self._at:self._at + min(self._size, len(room))]
        room[:len(part)] = part
        self._at += len(part)
        return len(part)


def trickling(name: str, data: bytes, size: int) -> Input:
    """The bytes as a pipe would bring them from a slow writer."""
    raw = cast("RawIOBase", Trickle(data, size))
    return Input(name, f"bytes:{name}", lambda: BufferedReader(raw))
