"""The program's knowledge as commands show it: every name of everything, text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnose import cli, grammar
from diagnose.facts import TRACE_FACTS
from diagnose.fixes import load_fixes, load_known
from diagnose.render.paper import Style
from diagnose.shelf import explain, facts, fixes, kernels, messages, rules
from diagnose.shelf.sheet import Shelf, told
from emulator.invariants import VIOLATIONS
from emulator.kernels import ROWS
from tests.face.snapshot import check

GROUPS: dict[str, Shelf] = {
    "messages": messages.SHELF,
    "rules": rules.SHELF,
    "fixes": fixes.SHELF,
    "kernels": kernels.SHELF,
}
EVERYTHING = [
    pytest.param(shelf, name, id=f"{shelf.noun} {name}")
    for shelf in explain.SHELVES
    for name in shelf.names()
]


def run(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    """Standard output of a command that ends with `status`."""
    assert cli.run(words) == status, capsys.readouterr().err
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        "messages list pirq not",
        "messages show msix-entry-not-freed",
        "kernels list",
        "kernels show el5+945+956+1070",
        "fixes list",
        "fixes show rhel-msi-prune-pci-irq-vectors",
        "fixes show xen-32-attach",
        "rules list",
        "rules show MSIX002",
        "rules show MSIX105",
        "rules new MSIX099",
        "explain stale-vector",
        "explain stale_served",
        "explain reset_prunes",
        "explain",
    ],
)
def test_looks_like_its_picture(capsys: pytest.CaptureFixture[str], words: str) -> None:
    check(f"shelf-{words.replace(' ', '-')}.txt", run(capsys, *words.split()))


@pytest.mark.parametrize(("shelf", "name"), EVERYTHING)
def test_every_name_is_explained(shelf: Shelf, name: str) -> None:
    text = explain.explained(name, "text", Style())
    assert name in text.split("\n")[0]
    assert all(len(line) <= 80 for line in text.split("\n"))
    assert json.loads(told(shelf, name, "json", Style()))["is"] == shelf.noun
    assert explain.explained(name, "text", Style(unicode=False)).isascii()
    colour = explain.explained(name, "text", Style(60, colour=True))
    assert "\x1b[" in colour


def test_no_name_is_on_two_shelves() -> None:
    names = [name.replace("_", "-") for name in explain.everything()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("group", GROUPS)
def test_lists_and_sheets_hold_the_same(capsys: pytest.CaptureFixture[str], group: str) -> None:
    listed = json.loads(run(capsys, group, "list", "--format", "json"))
    names = GROUPS[group].names()
    assert [each.get("id", each.get("name")) for each in listed] == list(names)
    shown = json.loads(run(capsys, group, "show", names[0], "--format", "json"))
    assert shown == {"is": GROUPS[group].noun, **listed[0]}
    assert len({tuple(each) for each in listed}) == 1, "keys are the same for all"


def test_what_is_listed_is_all_that_there_is() -> None:
    assert {name.replace("-", "_") for name in messages.names()} == {
        made.kind for made in grammar.load().productions}
    assert set(kernels.names()) == {row.name for row in ROWS}
    tried, known = {fix.id for fix in load_fixes()}, {fix.id for fix in load_known()}
    assert set(fixes.names()) == tried | known
    assert set(facts.names()) == VIOLATIONS.keys() | TRACE_FACTS.keys()


@pytest.mark.parametrize(
    ("words", "here", "not_here"),
    [
        ("not FREED", "msix-entry-not-freed", "map-irq-failed"),
        ("--alarming", "map-irq-failed", "dom0-get-owner"),
        ("--speaker xen", "xen-pirq-not-mapped", "map-irq-failed"),
        ("--speaker linux", "failed-obtain-pirq", "map-irq-failed"),
        ("--proves kexec", "kexec-new-kernel", "map-irq-failed"),
        ("--noise", "pirq-routing-table", "map-irq-failed"),
        ("--no-noise", "map-irq-failed", "pirq-routing-table"),
        ("--alarming --speaker dom0 irq", "unmap-irq-failed", "xen-pirq-not-mapped"),
    ],
)
def test_messages_are_found(
    capsys: pytest.CaptureFixture[str], words: str, here: str, not_here: str
) -> None:
    found = json.loads(run(capsys, "messages", "list", "--format", "json", *words.split()))
    names = {each["id"] for each in found}
    assert here in names
    assert not_here not in names


def test_nothing_found_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 messages" in run(capsys, "messages", "list", "nothing", "like", "this")
    assert json.loads(run(capsys, "messages", "list", "xyzzy", "--format", "json")) == []


@pytest.mark.parametrize(
    ("line", "message", "said"),
    [
        ("unmap irq ff failed", "unmap-irq-failed", "pirq = 255"),
        ("May  6 09:34:03 h kernel: get owner for dev 80 get c ", "dom0-get-owner", "domid = 12"),
        ("unmap irq FF failed", "unmap-irq-failed", "column 11, expected pirq"),
        ("unmap irq \x02 failed", "unmap-irq-failed", "\\x02"),
        ("MSIX entry_not freed: msix entry 7 for dev", "msix-entry-not-freed", "is near to"),
    ],
)
def test_a_line_leads_to_its_message(
    capsys: pytest.CaptureFixture[str], line: str, message: str, said: str
) -> None:
    text = run(capsys, "messages", "show", line)
    assert text.replace("\n", "").isprintable()
    assert text.startswith(f"── {message} ")
    assert said in text
    assert text == run(capsys, "explain", line)
    told = json.loads(run(capsys, "messages", "show", line, "--format", "json"))
    assert (told["line"], told["message"]["id"]) == (line, message)


@pytest.mark.parametrize("name", ["msix_entry_not_freed", "MSIX-Entry-Not-Freed"])
def test_names_may_be_misspelt_a_little(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(capsys, "messages", "show", name) == run(capsys, "explain", "msix-entry-not-freed")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("messages show msix-entry", "Did you mean msix-entry-not-freed"),
        ("messages list --proves deth", "death"),
        ("messages list --speaker qemu", "toolstack"),
        ("kernels show el5-28", "el5-283"),
        ("fixes show lin2618-1071", "lin2618-1070"),
        ("rules show MSIX999", "MSIX"),
        ("explain stale-vectr", "stale-vector"),
        ("explain \x1b[2J", "\\x1b[2J"),
        ("messages show xyzzy", "`diagnose explain` lists all"),
        ("explain --format yaml pirq", "json"),
    ],
)
def test_an_unknown_name_is_status_two_and_names_the_nearest(
    capsys: pytest.CaptureFixture[str], words: str, told: str
) -> None:
    assert cli.run(words.split(" ")) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.replace("\n", "").isprintable()


def test_a_line_that_nothing_comes_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["messages", "show", "nothing at all like this"]) == 2
    assert "none comes near" in capsys.readouterr().err


def test_without_the_corpus_a_rule_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "clean-reboot-el5" in told(rules.SHELF, "MSIX001", "text", Style())
    monkeypatch.setattr(rules, "CORPUS", tmp_path / "corpus")
    assert "not part of this installation" in told(rules.SHELF, "MSIX001", "text", Style())


def test_a_sample_is_shown_byte_for_byte() -> None:
    assert messages.visible("get c ") == "get c\\x20"
    assert messages.visible("are \t\t   not") == "are \\t\\t\\x20\\x20\\x20not"
