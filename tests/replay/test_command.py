"""The command itself: status, streams, JSON and its published schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from diagnose import cli
from diagnose.frames import REPLAY_SCHEMA
from diagnose.options import Question
from diagnose.render import render_replay
from diagnose.render.paper import Style
from diagnose.schema import REPLAY_FILE, published, replay_schema
from tests.face.snapshot import UPDATE
from tests.replay.told import DEMO, ROOT, SLUGS, told

DEVICE = "0000:01:10.0"


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(published(REPLAY_FILE))


def run(*words: str) -> int:
    return cli.run(["replay", *words])


@pytest.mark.parametrize("words", [
    (), ("--at", "dom0.log:22"), ("--watch", "01:10.0/0"), ("--assume", "el5-283"), ("-q",),
    ("-v",), ("--device", DEVICE), ("--kernel", "el5+1070"), ("--format", "json"),
    ("--at", "dom0.log:22", "--watch", "01:10.0/0", "--assume", "el5-283")])
def test_it_explains_and_does_not_judge(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*DEMO, *words) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(("words", "told_"), [
    ((), "PATH"),
    ((*DEMO, "--assume", "el5-28"), "did you mean el5-283"),
    ((*DEMO, "--at", "dom0.log:99"), "36 lines"),
    ((*DEMO, "--watch", "01:10.0/7"), "0, 1, 2"),
    ((*DEMO, "--format", "html"), "'text', 'json'"),
    ((*DEMO, "--device", "99"), DEVICE),
    (("gone.log",), "gone.log"),
])
def test_wrong_usage_is_status_two_and_prints_no_report(
    words: tuple[str, ...], told_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told_ in err


def test_logs_without_a_story_are_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.log").touch()
    assert run(str(tmp_path / "empty.log"), "--at", "empty.log:1") == 0
    out = capsys.readouterr().out
    assert "nothing to replay" in out
    assert "dmesg > dom0.log" in out


def test_the_report_goes_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "replay.json"
    assert run(*DEMO, "--format", "json", "-o", str(target)) == 0
    assert json.loads(target.read_text())["schema"] == REPLAY_SCHEMA


def test_the_published_schema_is_what_the_classes_say() -> None:
    if UPDATE:
        path = ROOT / "diagnose" / REPLAY_FILE
        path.write_text(json.dumps(replay_schema(), indent=2) + "\n", encoding="utf-8")
    assert published(REPLAY_FILE) == replay_schema(), "make update writes the schema anew"


@pytest.mark.parametrize("slug", SLUGS)
def test_the_published_schema_accepts_every_replay(slug: str) -> None:
    validator().validate(json.loads(render_replay(told(slug), "json", Style())))


@pytest.mark.parametrize("question", [
    Question(at="dom0.log:22"), Question(watch="01:10.0/0"), Question(assume="el5+prune")])
def test_the_published_schema_accepts_every_answer(question: Question) -> None:
    validator().validate(json.loads(render_replay(told("demo", question), "json", Style())))


@pytest.mark.parametrize("key", ["frames", "kernel", "contradictions", "at"])
def test_the_schema_refuses_a_replay_without_a_key(key: str) -> None:
    report = json.loads(json.dumps(told("demo").to_json()))
    validator().validate(report)
    del report[key]
    assert not validator().is_valid(report)


def test_the_json_holds_both_ledgers_after_every_step() -> None:
    frames = json.loads(render_replay(told("demo"), "json", Style()))["frames"]
    load, end = frames[2], frames[4]
    assert (load["op"], load["args"]["domid"], load["status"]) == ("driver_load", 1, "observed")
    record = load["ledgers"]["dom0"][DEVICE]
    assert record["owner"] == 1
    assert record["entries"] == [[255 - nr, nr, 1, "live"] for nr in range(3)]
    assert load["ledgers"]["xen"]["1"]["pirqs"] == {str(255 - nr): DEVICE for nr in range(3)}
    assert load["ledgers"]["guests"]["1"][DEVICE]["pirqs"] == [255, 254, 253]
    assert end["ledgers"]["xen"] == {}
    assert [each["name"] for each in end["violations"]] == ["pairs_left"] * 3
    assert end["lines"][0]["input"].endswith("guest.log")


def test_two_runs_over_the_same_files_write_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    written = []
    for _ in range(2):
        assert cli.run(["replay", *DEMO, "--format", "json"]) == 0
        written.append(capsys.readouterr().out)
    assert written[0] == written[1]
