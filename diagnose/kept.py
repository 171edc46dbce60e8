"""Files that are kept for the next program start: they save time, and nothing depends on them.

**Invariant:** a file is read only if it is whole, and written so that others see all of it or
nothing. What cannot be kept is made anew each time.
"""
from __future__ import annotations

import hashlib
import os
from pathlib import Path

_DIGEST = hashlib.sha256
_DIGEST_BYTES = 32


def directory() -> Path:
    """The user's cache directory for this program (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "diagnose"


def read(name: str) -> bytes | None:
    """What was kept under a name, None if there is nothing whole."""
    try:
        data = (directory() / name).read_bytes()
    except OSError:
        return None
    digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    return content if digest == _DIGEST(content).digest() else None


def write(name: str, content: bytes) -> str | None:
    """Keep it; the reason if that failed."""
    path = directory() / name
    temporary = path.with_name(f"{name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(_DIGEST(content).digest() + content)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        return f"{path.parent} ({error.strerror})"
    return None
