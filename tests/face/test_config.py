"""The configuration: what it presets, what wins over it, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnose import cli, config
from diagnose.places import configuration


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration file in its default place, for a test to write."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "diagnose"
    folder.mkdir()
    return folder / "config.toml"


def longest(text: str) -> int:
    return max(map(len, text.split("\n")))


def test_without_a_file_nothing_changes(write: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["kernels", "list"]) == 0
    assert 60 < longest(capsys.readouterr().out) <= 80


def test_what_it_presets(write: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write.write_text("width = 60\n")
    assert cli.run(["kernels", "list"]) == 0
    assert longest(capsys.readouterr().out) <= 60
    write.write_text('format = "json"\n')
    assert cli.run(["kernels", "list"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert cli.run(["explain", "pirq"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "pirq"


def test_the_command_line_wins(write: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write.write_text('width = 60\nformat = "json"\nno_color = true\n')
    assert cli.run(["kernels", "list", "--format", "text", "--width", "120", "--color"]) == 0
    assert longest(capsys.readouterr().out) > 80


def test_another_file_can_be_named(
    write: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write.write_text("width = 60\n")
    other = tmp_path / "other.toml"
    other.write_text('format = "json"\n')
    assert cli.run(["--config", str(other), "kernels", "list"]) == 0
    assert json.loads(capsys.readouterr().out)
    monkeypatch.setenv("DIAGNOSE_CONFIG", str(other))
    assert cli.run(["kernels", "list"]) == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nwidht = 60", "config.toml:2: The key 'widht' does not exist. Did you mean 'width'?"),
        ('format = "jsn"', "config.toml:1: For 'format' the value 'jsn'"),
        ("width = true", "config.toml:1: The key 'width' holds true; it needs a whole number"),
        ("width = 7", "config.toml:1: The width 7 is too small"),
        ("no_color = 1", "config.toml:1: The key 'no_color' holds the number 1; it needs true or"),
        ("width = ", "config.toml:1: This is not TOML"),
        ('kernel = "el5"', "config.toml:1: The key 'kernel' does not exist. Known are: format"),
        ('fail_on = "never"', "config.toml:1: The key 'fail_on' does not exist"),
    ],
)
def test_mistakes(
    write: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    write.write_text(text)
    assert cli.run(["kernels", "list"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


@pytest.mark.parametrize(("name", "said"), [("gone.toml", "no such"), (".", "cannot be read")])
def test_a_named_file_has_to_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    assert cli.run(["--config", str(tmp_path / name), "kernels", "list"]) == 2
    assert said in capsys.readouterr().err


def test_the_documentation_names_every_key() -> None:
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    for key in config.KEYS:
        assert f"| `{key}` |" in text


def test_a_home_that_is_a_word_only(monkeypatch: pytest.MonkeyPatch) -> None:
    home = {"XDG_CONFIG_HOME": "relative"}
    monkeypatch.setenv("HOME", "/somewhere")
    assert configuration(home) == "/somewhere/.config/diagnose/config.toml"
    monkeypatch.setenv("HOME", "nowhere")
    assert configuration(home) is None
    assert config.load(None, home) == {}
