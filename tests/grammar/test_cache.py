"""The kept catalogue: never wrong, never needed, and without it lark is imported."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diagnose import catalogue_file, kept, places
from diagnose.grammar import Catalogue, load

PROBE = """
import sys
from diagnose import catalogue_file
data, remark = catalogue_file.load()
print("lark" in sys.modules, remark is None, len(data["productions"]))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "diagnose"


def files(cache: Path) -> list[Path]:
    return sorted(cache.iterdir()) if cache.exists() else []


def probe(cache: Path) -> list[str]:
    """What a fresh process says: is lark loaded, is there no remark, how many productions."""
    environ = {**os.environ, "XDG_CACHE_HOME": str(cache.parent)}
    environ["PYTHONPATH"] = str(Path(catalogue_file.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-c", PROBE], env=environ, capture_output=True, text=True, check=True
    )
    return run.stdout.split()


def plain(data: dict[str, Any]) -> object:
    """A catalogue as it is kept, with every production read."""
    states = {kind: {**own, "productions": list(own["productions"])}
              for kind, own in data["state"].items()}
    return msgspec.msgpack.decode(msgspec.msgpack.encode(
        {**data, "productions": list(data["productions"]), "state": states}))


def test_the_second_start_does_without_lark(cache: Path) -> None:
    first, second = probe(cache), probe(cache)
    assert first[:2] == ["True", "True"]
    assert second[:2] == ["False", "True"]
    assert first[2] == second[2]
    assert len(files(cache)) == 1


@pytest.mark.parametrize("spoiled", [b"", b"{", b"[]", b'{"key": "another"}', b"\xff\xfe"])
def test_a_spoiled_file_is_made_anew(cache: Path, spoiled: bytes) -> None:
    whole, _ = catalogue_file.load()
    file = files(cache)[0]
    file.write_bytes(spoiled)
    again, remark = catalogue_file.load()
    assert remark is None
    assert plain(again) == plain(whole)
    assert msgspec.msgpack.decode(kept.read(file.name) or b"") == plain(whole)


def test_a_cache_that_cannot_be_written_costs_a_remark(cache: Path) -> None:
    cache.parent.joinpath("diagnose").write_text("a file where a directory should be")
    data, remark = catalogue_file.load()
    assert remark is not None
    assert "XDG_CACHE_HOME" in remark
    assert Catalogue(data, remark).parse("map irq failed") == ("map_irq_failed", {})


def test_kept_and_fresh_catalogue_read_alike(cache: Path) -> None:
    fresh = Catalogue(catalogue_file.load()[0])
    from_file = Catalogue(catalogue_file.load()[0])
    for production in fresh.productions:
        assert from_file.production(production.kind) == production
        for sample in production.samples:
            assert from_file.parse(sample) == fresh.parse(sample)


def test_another_grammar_is_another_catalogue(cache: Path, tmp_path: Path) -> None:
    copy = tmp_path / "grammars"
    copy.mkdir()
    for path in catalogue_file.grammar_directory().glob("*.lark"):
        copy.joinpath(path.name).write_bytes(path.read_bytes())
    same, _ = catalogue_file.load(copy)
    changed = copy.joinpath("xen.lark")
    changed.write_text(changed.read_text(encoding="utf-8") + "\n// one more remark\n")
    other, _ = catalogue_file.load(copy)
    assert same["hash"] == load().hash != other["hash"]
    assert len(files(cache)) == 2


def test_a_relative_cache_directory_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    folder = places.cache()
    assert folder is not None
    assert Path(folder).is_absolute()
