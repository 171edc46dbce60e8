"""What counts as one incident, and what is no log at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from diagnose.incidents import DEPTH_MAX, Incident, find

TREES: list[tuple[str, str, dict[str, str]]] = [
    # what is tried, the files, incident → its logs
    ("a directory of logs is one", "a/dom0.log a/xen.log", {"a": "dom0.log xen.log"}),
    ("a directory of directories", "b/1/x.log b/2/x.log b/2/y", {"b/1": "x.log", "b/2": "x.log y"}),
    ("logs beside directories", "c/x.log c/y.log c/1/z.log",
     {"c/1": "z.log", "c/x.log": "", "c/y.log": ""}),
    ("at any depth", "d/1/2/3/x.log d/1/y.log", {"d/1/2/3": "x.log", "d/1/y.log": ""}),
    ("a directory without logs does not divide", "e/x.log e/pictures/a.png", {"e": "x.log"}),
    ("cases are alone", "f/a.case f/b.case f/x.log f/y.log",
     {"f": "x.log y.log", "f/a.case": "", "f/b.case": ""}),
    ("what is no log", "g/x.log g/expected.json g/.hidden g/g1.CFG g/x.log~ g/core.png.gz",
     {"g": "x.log"}),
    ("archives are alone", "j/a.tar.gz j/b.zip j/c.TBZ j/x.log",
     {"j": "x.log", "j/a.tar.gz": "", "j/b.zip": "", "j/c.TBZ": ""}),
    ("an unpacked bundle is one", "k/sos/sos_commands/xen/xm_list k/sos/var/log/messages k/o/x.log",
     {"k/o": "x.log", "k/sos": ""}),
    ("compressed logs", "h/messages h/messages.1.gz h/x.log.xz h/y.json.zst",
     {"h": "messages messages.1.gz x.log.xz"}),
    ("a name without an ending, or a long one", "i/messages-20110506 i/kern.log.2",
     {"i": "kern.log.2 messages-20110506"}),
]


def grow(root: Path, files: str) -> None:
    for name in files.split():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")


def told(incidents: Sequence[Incident]) -> dict[str, str]:
    return {each.name: "" if each.paths == (each.name,) else
            " ".join(str(Path(path).relative_to(each.name)) for path in each.paths)
            for each in incidents}


@pytest.mark.parametrize(("files", "expected"), [row[1:] for row in TREES],
                         ids=[row[0] for row in TREES])
def test_trees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: str, expected: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    grow(tmp_path, files)
    found, remarks = find([files[0]])
    assert told(found) == expected
    assert remarks == []


def test_a_file_that_is_named_is_always_an_incident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grow(tmp_path, "x.json .hidden a/b.log")
    found, _ = find(["x.json", ".hidden", "a/b.log"])
    assert [each.name for each in found] == [".hidden", "a/b.log", "x.json"]


def test_what_was_left_out_is_known(tmp_path: Path) -> None:
    grow(tmp_path, "x.log .git/config expected.json")
    os.mkfifo(tmp_path / "pipe")
    found, _ = find([str(tmp_path)])
    assert {Path(each.path).name: each.why for each in found[0].left_out} == {
        ".git": "hidden", "expected.json": "its name says that it is no log", "pipe": "a pipe"}


def test_the_order_of_the_paths_does_not_matter(tmp_path: Path) -> None:
    grow(tmp_path, "b/1/x b/2/x a/x c.log a.case")
    paths = [str(tmp_path / name) for name in ("b", "a", "c.log", "a.case")]
    assert find(paths) == find(paths[::-1]) == find([f"{path}/" for path in paths[:2]] + paths[2:])


def test_what_is_given_twice_is_judged_once(tmp_path: Path) -> None:
    grow(tmp_path, "a/1/x a/2/x")
    (tmp_path / "link").symlink_to(tmp_path / "a" / "1")
    found, remarks = find([str(tmp_path / name) for name in ("a", "a/2", "link")])
    assert [Path(each.name).name for each in found] == ["1", "2"]
    assert [remark.code for remark in remarks] == ["given-twice"] * 2
    assert f"as {tmp_path}/link;" in remarks[1].text


def test_odd_things_are_refused_and_never_opened(tmp_path: Path) -> None:
    grow(tmp_path, "x.log 1/y.log")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "1" / "loop").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "device").symlink_to("/dev/zero")
    found, remarks = find([str(tmp_path)])
    assert [Path(each.name).name for each in found] == ["1", "x.log"]
    refused = {Path(each.input or "").name: each.text for each in remarks}
    assert {name: text.split(";")[0] for name, text in refused.items()} == {
        "pipe": "It is a pipe", "loop": "It is a link to a directory", "device": "It is a device",
        "gone": "It is out of reach (No such file or directory)",
        "self": "It is out of reach (Too many levels of symbolic links)"}


@pytest.mark.parametrize(("name", "said"), [
    ("gone", "No such file"), ("pipe", "a pipe"), ("empty", "nothing that looks like a log"),
    ("/dev/null", "a device")])
def test_a_path_that_is_no_incident_is_told_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("empty").mkdir()
    (incident,) = find([name])[0]
    assert said in incident.error
    assert incident.paths == ()


def test_depth_is_bounded(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * (DEPTH_MAX + 1))
    deep.mkdir(parents=True)
    (deep / "x.log").write_text("x\n")
    (incident,) = find([str(tmp_path)])[0]
    assert "directories deep" in incident.error
    assert find([str(tmp_path / "d")])[0][0].paths


def test_a_directory_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root any directory can be read, so the refusal is the system's, made by hand."""
    grow(tmp_path, "open/x.log shut/x.log")
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find([str(tmp_path)])[0]
    assert [(Path(each.name).name, each.error) for each in found] == [
        ("open", ""), ("shut", "It cannot be read (Permission denied).")]


def test_a_name_that_is_no_text_can_be_shown(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.log"
    with open(path, "wb") as file:
        file.write(b"x\n")
    found, _ = find([os.fsdecode(path)])
    assert found[0].shown.endswith("caf\\xe9.log")
    assert os.path.exists(found[0].name)
