"""Texts compared with files on disk. `make update` writes them anew, and git shows what changed."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"
UPDATE = os.environ.get("SNAPSHOT_UPDATE") == "1"


def check(name: str, text: str) -> None:
    """Hold `text` against snapshots/`name`; with SNAPSHOT_UPDATE=1 store it there instead."""
    path = FOLDER / name
    if UPDATE:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: look at the text, then run make update"
    stored = path.read_text(encoding="utf-8")
    assert text == stored, f"{path.name} differs: make update, then look at git diff"
