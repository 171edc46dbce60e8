"""Where the grammars lie, and the derived catalogue that is kept for the next program start.

Deriving needs lark and about half a second; reading what was derived needs a few milliseconds. The
kept file's name holds a hash over the grammars, the builder and the Python version, so a stale one
is never read. A cache that cannot be read or written costs time and a remark, never a result.
"""
from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import msgspec

from diagnose import kept
from diagnose.annotation import BUILDER_VERSION
from diagnose.errors import GrammarError

_PACKAGE = Path(__file__).resolve().parent


def grammar_directory() -> Path:
    """The grammars: inside the installed package, else beside it in the checkout.

    Raises GrammarError if there are none, which means that the installation is broken.
    """
    for directory in (_PACKAGE / "_grammars", _PACKAGE.parent / "grammars"):
        if (directory / "common.lark").is_file():
            return directory
    raise GrammarError("common.lark", None, "no grammars found; install the program again")


def grammar_hash(directory: Path) -> str:
    """A hash over all grammar files, as hexadecimal digits: the catalogue's identity."""
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.iterdir() if path.suffix == ".lark"):
        digest.update(path.name.encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def load(directory: Path | None = None) -> tuple[dict[str, Any], str | None]:
    """The derived catalogue, kept or built now, and what was wrong with the cache (None: nothing).

    Raises GrammarError if the grammars cannot be used.
    """
    directory = directory or grammar_directory()
    python = ".".join(map(str, sys.version_info[:3]))
    grammars = grammar_hash(directory)
    key = hashlib.sha256(f"{grammars} {BUILDER_VERSION} {python}".encode()).hexdigest()
    name = f"catalogue-{key[:32]}"
    data = _read(name, key)
    if data is not None:
        return data, None
    from diagnose.catalogue import build

    data = {"key": key, "hash": grammars, **build(directory)}
    return data, _write(name, data)


class Unread(Sequence[Mapping[str, Any]]):
    """Productions as they lie in the kept file, each read when it is asked for."""

    def __init__(self, kept_ones: Sequence[msgspec.Raw]) -> None:
        self._kept = kept_ones

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> Any:
        """The production of a number, as `catalogue.build` has derived it."""
        if isinstance(place, slice):
            return Unread(self._kept[place])
        return msgspec.msgpack.decode(self._kept[place])


class _Part(msgspec.Struct):
    """Some productions and their index."""

    productions: list[msgspec.Raw]
    index: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        return {"productions": Unread(self.productions), "index": self.index}


class _Whole(_Part, kw_only=True):
    """What is kept of one set of grammars."""

    key: str
    hash: str
    state: dict[str, _Part]


def _read(name: str, key: str) -> dict[str, Any] | None:
    content = kept.read(name)
    if content is None:
        return None
    try:
        whole = msgspec.msgpack.decode(content, type=_Whole)
    except msgspec.DecodeError:
        return None
    if whole.key != key:
        return None
    state = {kind: part.plain() for kind, part in whole.state.items()}
    return {"key": key, "hash": whole.hash, **whole.plain(), "state": state}


def _write(name: str, data: dict[str, Any]) -> str | None:
    """Keep the catalogue; what to tell if that failed."""
    why = kept.write(name, msgspec.msgpack.encode(data))
    return why and (f"The derived grammar catalogue could not be kept in {why}, so every start "
                    "derives it again; set XDG_CACHE_HOME to a directory that can be written.")
