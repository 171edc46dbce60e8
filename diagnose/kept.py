"""Files that are kept for the next program start: they save time, and nothing depends on them.

**Invariant:** a file is read only if it is whole, and written so that others see all of it or
nothing. What cannot be kept is made anew each time.
"""
from __future__ import annotations

import hashlib
import os
from pathlib import Path

from diagnose.places import cache

_DIGEST = hashlib.sha256
_DIGEST_BYTES = 32


def read(name: str) -> bytes | None:
    """What was kept under a name, None if there is nothing whole."""
    folder = cache()
    if folder is None:
        return None
    try:
        data = Path(folder, name).read_bytes()
    except OSError:
        return None
    digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    return content if digest == _DIGEST(content).digest() else None


def write(name: str, content: bytes) -> str | None:
    """Keep it; the reason if that failed."""
    place = cache()
    if place is None:
        return "a home directory (there is none)"
    folder = Path(place)
    # Others may write the same at this moment, on other machines that share the directory too.
    temporary = folder / f"{name}.{os.urandom(8).hex()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(_DIGEST(content).digest() + content)
            os.replace(temporary, folder / name)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        return f"{folder} ({error.strerror})"
    return None
