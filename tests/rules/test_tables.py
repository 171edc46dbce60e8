"""Tables that are kept parsed: they say what their texts say, and no older text is ever read."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from diagnose import tables

FILES = sorted(tables.PACKAGE.rglob("*.toml"))


@pytest.fixture
def restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Forget what this process has read, as the next one does; what is kept is the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def forget() -> None:
        tables._kept.cache_clear()
        tables._kept_anew.cache_clear()

    forget()
    return forget


def test_a_kept_table_is_what_the_text_says(restart: Callable[[], None], tmp_path: Path) -> None:
    assert len(FILES) > 30
    for start in range(2):
        for path in FILES:
            raw = path.read_bytes()
            assert tables.parsed(path, raw) == tomllib.loads(raw.decode()), (start, path)
        restart()
    assert len(list((tmp_path / "diagnose").iterdir())) == 1


def test_a_changed_text_is_read_anew(restart: Callable[[], None]) -> None:
    path = FILES[0]
    tables.parsed(path, path.read_bytes())
    restart()
    assert tables.parsed(path, b"changed = true") == {"changed": True}


def test_each_reader_has_a_table_of_its_own(restart: Callable[[], None]) -> None:
    table = tables.own("costs.toml")
    table["inferred"] = "overwritten"
    assert tables.own("costs.toml")["inferred"] != "overwritten"


def test_a_table_of_somebody_else_is_not_kept(restart: Callable[[], None], tmp_path: Path) -> None:
    assert tables.parsed(tmp_path / "own.toml", b"width = 60") == {"width": 60}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("raw", [b"width = ", b"width = 60\xff"])
@pytest.mark.parametrize("place", [Path("own.toml"), FILES[0]])
def test_what_is_no_table(restart: Callable[[], None], place: Path, raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"Invalid value|decode"):
        tables.parsed(place, raw)
