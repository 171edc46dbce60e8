"""Tables written in TOML; those of the package are parsed once and kept for the next program start.

A kept table is found by a hash over its text, so that none is ever stale. What cannot be kept is
parsed anew each time.

**Invariant:** a table says what its text says, whoever has parsed it and whenever.
"""
from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from diagnose import kept

PACKAGE = Path(__file__).parent


def own(name: str) -> dict[str, Any]:
    """The table in a file of the package, by its path there."""
    path = PACKAGE / name
    return parsed(path, path.read_bytes())


def parsed(path: Path, raw: bytes) -> dict[str, Any]:
    """The table in the bytes of a file. Raises ValueError where they are no TOML in UTF-8."""
    if not path.is_relative_to(PACKAGE):
        return _parsed(raw)
    key = _digest(raw)
    table = _kept().get(key)
    if table is None:
        table = _kept_anew().get(key)
    return _parsed(raw) if table is None else _DECODER.decode(table)


def _parsed(raw: bytes) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(raw.decode("utf-8"))


_Tables = Mapping[bytes, msgspec.Raw]
_READER = msgspec.msgpack.Decoder(dict[bytes, msgspec.Raw])
_DECODER = msgspec.msgpack.Decoder(dict[str, Any])


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def _name() -> str:
    """Each installation has a file of its own, and writes over it when its tables change."""
    return f"tables-{_digest(f'{PACKAGE} {sys.version}'.encode()).hex()[:32]}"


@cache
def _kept() -> _Tables:
    """What was kept, by the digest of each text."""
    content = kept.read(_name())
    try:
        return _READER.decode(content) if content is not None else {}
    except msgspec.DecodeError:
        return {}


@cache
def _kept_anew() -> _Tables:
    """The tables of all files of the package as they are now; those without a mistake are kept."""
    tables = {}
    for path in sorted(PACKAGE.rglob("*.toml")):
        try:
            raw = path.read_bytes()
            table = _parsed(raw)
            encoded = msgspec.msgpack.encode(table)
        except (OSError, ValueError, OverflowError):
            continue    # whoever asks for this one is told
        if _DECODER.decode(encoded) == table:       # a date, say, is none any more
            tables[_digest(raw)] = msgspec.Raw(encoded)
    content = msgspec.msgpack.encode(tables)
    kept.write(_name(), content)
    return _READER.decode(content)
