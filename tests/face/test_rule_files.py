"""`rules lint` and `rules new`: every mistake with its place, and a file that only lacks words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from diagnose import cli
from diagnose.rules import RULES

BAD = '''\
id = "MSIX001"
titel = "a test"
fault = "missing-prune"
severity = "eror"
fix = ""
references = [1, "one", ""]

[[requires]]
fact = "stale_servd"

[[requires]]
fact = "bind_refused"
bind = { domidd = "$guest", pirq = "255" }

[[unless]]
fakt = "foreign_unmapped"

[message]
seen = "{devise}"
wrong = "{pirqs"
'''
MISTAKES = [
    (2, "'titel'"), (4, "'eror'"), (5, "'fix' is empty"), (6, "the number 1"), (6, "empty text"),
    (1, "'title' is missing"), (9, "'stale_served'"), (13, "'domid'"), (13, "type int"),
    (16, "'fact'"), (15, "'fact' is missing"), (18, "'todo' is missing"), (19, "'device'"),
    (20, "brace"),
]


def lint(capsys: pytest.CaptureFixture[str], path: Path) -> list[tuple[str, int, str]]:
    """What is wrong, as (file, line, what); text and JSON have to say the same."""
    status = cli.run(["rules", "lint", str(path)])
    text = capsys.readouterr().out
    assert cli.run(["rules", "lint", str(path), "--format", "json"]) == status
    told = json.loads(capsys.readouterr().out)
    assert status == int(bool(told))
    assert [f"{each['file']}:{each['line']}: {each['what']}" for each in told] == (
        text.split("\n")[:-2])
    return [(each["file"], each["line"], each["what"]) for each in told]


def test_our_rules_have_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["rules", "lint"]) == 0
    assert capsys.readouterr().out == f"no mistake in {len(list(RULES.glob('*.toml')))} files\n"


def test_all_mistakes_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text(BAD)
    found = lint(capsys, tmp_path)
    assert {file for file, _, _ in found} == {str(tmp_path / "bad.toml")}
    for line, said in MISTAKES:
        assert [what for _, at, what in found if at == line and said in what], (line, said)
    assert len(found) == len(MISTAKES)


def test_a_file_is_held_against_our_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    text = (RULES / "msix003-unmap-failure.toml").read_text()
    file.write_text(text.replace("MSIX003", "MSIX001").replace('"unmap-failure"', '"mine"'))
    (told,) = lint(capsys, file)
    assert told[:2] == (str(file), 2)
    assert "taken by msix001-missing-prune.toml" in told[2]
    file.write_text(text.replace("MSIX003", "MSIX099").replace('"unmap-failure"', '"mine"'))
    assert lint(capsys, file) == []


def test_files_are_held_against_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (RULES / "msix003-unmap-failure.toml").read_text()
    (tmp_path / "one.toml").write_text(text)
    (tmp_path / "two.toml").write_text(text)
    (tmp_path / "worse.toml").write_text("id = ")
    found = lint(capsys, tmp_path)
    assert [what.split()[1] for file, _, what in found if file.endswith("two.toml")] == [
        "id", "fault", "fault", "fault"]
    assert [line for file, line, what in found if "not TOML" in what] == [1]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_nothing_to_read_is_status_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "empty").mkdir()
    assert cli.run(["rules", "lint", str(tmp_path / name)]) == 2
    assert "rule file" in capsys.readouterr().err


FILLED = {
    '"" ': '"x" ', "title = \"\"": 'title = "a test"', 'fault = ""': 'fault = "test"',
    'fact = ""': 'fact = "stale_served"', '[""]': '["none"]', '""': '"said"',
}


@pytest.mark.parametrize(("name", "empty"), [("MSIX099", 8), ("MSIX199", 5)])
def test_a_new_rule_lacks_words_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, empty: int
) -> None:
    file = tmp_path / "new.toml"
    assert cli.run(["rules", "new", name, "--output", str(file)]) == 0
    found = lint(capsys, file)
    assert all("empty" in what for _, _, what in found)
    assert len(found) == empty
    text = file.read_text()
    schema = re.match(r"#:schema (.+)\n", text)
    assert schema is not None
    assert (tmp_path / schema[1]).resolve().name == "rule.schema.json"
    assert (tmp_path / schema[1]).is_file()
    for old, new in FILLED.items():
        text = text.replace(old, new)
    file.write_text(text)
    assert lint(capsys, file) == []


def test_what_is_commented_out_can_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run(["rules", "new", "MSIX099"])
    text = re.sub(r"^# (?=[a-z_]+ = |\[\[)", "", capsys.readouterr().out, flags=re.MULTILINE)
    text = text.replace('follows = [""]', 'follows = ["missing-prune"]')
    text = text.replace('confirmed_by = [""]', 'confirmed_by = ["map_refused"]')
    for old, new in FILLED.items():
        text = text.replace(old, new)
    file = tmp_path / "whole.toml"
    file.write_text(text)
    assert lint(capsys, file) == []


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("mine")
    assert cli.run(["rules", "new", "MSIX099", "-o", str(file)]) == 2
    assert "stays as it is" in capsys.readouterr().err
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "said"), [("MSIX007", "MSIX009"), ("msix8", "MSIX0xx"), ("MSIX208", "MSIX1xx")])
def test_names_that_cannot_be_given(
    capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    assert cli.run(["rules", "new", name]) == 2
    assert said in capsys.readouterr().err
