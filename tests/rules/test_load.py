"""A rule file with a mistake fails at load: file, line, what was seen, the nearest known name."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.errors import RuleError
from diagnose.rulefile import RULE_BYTES_MAX
from diagnose.rules import load_rules
from tests.rules.rows import KINDS

GOOD = '''\
id = "MSIX001"
title = "a test"
fault = "test"
severity = "error"
per = ["device", "boot"]
follows = []
fix = "none"
references = ["none"]

[[requires]]
fact = "stale_served"
bind = { domid = "$guest", entry_nr = "$entry" }

[[requires]]
fact = "bind_refused"
bind = { domid = "$guest" }

[[unless]]
fact = "foreign_unmapped"
bind = { domid = "$guest" }

[[cites]]
fact = "failed_obtain_pirq"
bind = { explained = true }

[message]
seen = "{device}"
wrong = "{pirqs}"
todo = "none"
'''


def load(directory: Path, **files: str) -> None:
    for name, text in files.items():
        (directory / f"{name}.toml").write_text(text)
    load_rules(directory, event_kinds=KINDS)


def test_the_good_rule_loads(tmp_path: Path) -> None:
    load(tmp_path, good=GOOD)


MISTAKES: list[tuple[str, str, str, int, list[str]]] = [
    # what is wrong, the text that goes, the text that comes, the line, what the error says
    ("bad key", "severity =", "severty =", 4, ["'severty'", "'severity'"]),
    ("bad key in a clause", 'bind = { domid = "$guest" }\n\n[[unless', 'bnd = 1\n\n[[unless', 16,
     ["'bnd'", "'bind'"]),
    ("bad key in the message", "wrong =", "wronk =", 28, ["'wronk'", "'wrong'"]),
    ("missing key", 'title = "a test"\n', "", 1, ["'title'", "missing"]),
    ("missing part of the message", 'todo = "none"\n', "", 26, ["'todo'", "missing"]),
    ("missing key of its side", 'fix = "none"\n', "", 1, ["'fix'", "missing"]),
    ("unknown fact", '"bind_refused"', '"bind_refusd"', 15, ["'bind_refusd'", "'bind_refused'"]),
    ("unknown event", '"failed_obtain_pirq"', '"failed_obtain_irq"', 23,
     ["'failed_obtain_irq'", "'failed_obtain_pirq'"]),
    ("unknown field", 'entry_nr = "$entry"', 'entry = "$entry"', 12, ["'entry'", "'entry_nr'"]),
    ("unknown field of an event", "explained = true", "explain = true", 24,
     ["'explain'", "'explained'"]),
    ("unbound variable in unless", 'foreign_unmapped"\nbind = { domid = "$guest',
     'foreign_unmapped"\nbind = { domid = "$gest', 20, ["'$gest'", "'$guest'"]),
    ("unbound variable in cites", "explained = true", 'pirq = "$pirk"', 24, ["'$pirk'"]),
    ("number for a text", 'title = "a test"', "title = 7", 2, ["the number 7", "a text"]),
    ("text for a list", 'per = ["device", "boot"]', 'per = "device"', 5, ["'device'", "a list"]),
    ("number in a list", 'references = ["none"]', "references = [1]", 8, ["the number 1"]),
    ("value of the wrong type", 'entry_nr = "$entry"', 'entry_nr = "0"', 12, ["'0'", "int"]),
    ("value for an address", 'entry_nr = "$entry"', 'other = "0000:01:10.0"', 12, ["$device"]),
    ("truth for a number", 'entry_nr = "$entry"', "entry_nr = true", 12, ["True", "int"]),
    ("not a variable", '"$entry"', '"$Entry"', 12, ["'$Entry'"]),
    ("unknown severity", '"error"', '"eror"', 4, ["'eror'", "'error'"]),
    ("unknown key field", '"boot"]', '"bot"]', 5, ["'bot'", "'boot'"]),
    ("unknown cause", "follows = []", 'follows = ["tests"]', 6, ["'tests'", "'test'"]),
    ("unknown placeholder", "{pirqs}", "{pirq}", 28, ["'pirq'", "'pirqs'"]),
    ("brace out of place", "{pirqs}", "{pirqs", 28, ["brace"]),
    ("fault and harmless", 'fault = "test"', 'fault = "test"\nharmless = true', 3, ["not both"]),
    ("neither", 'fault = "test"\n', "", 1, ["either"]),
    ("key of the other side", 'fix = "none"', 'fix = "none"\nreason = "none"', 8, ["'reason'"]),
    ("id of the other side", '"MSIX001"', '"MSIX101"', 1, ["MSIX0xx"]),
    ("a field of another fact", '"bind_refused"', '"failed_obtain_pirq"', 16, ["'domid'"]),
    ("the key bound away", 'entry_nr = "$entry"', 'device = "$rival"', 12, ["key"]),
    ("empty text", 'title = "a test"', 'title = " "', 2, ["empty"]),
    ("not TOML", 'title = "a test"', "title = a test", 2, ["TOML"]),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_mistakes(tmp_path: Path, old: str, new: str, line: int, said: list[str]) -> None:
    assert GOOD.count(old) == 1, "the table changes exactly one place"
    with pytest.raises(RuleError) as caught:
        load(tmp_path, bad=GOOD.replace(old, new))
    assert (caught.value.file, caught.value.line) == ("bad.toml", line)
    for word in said:
        assert word in caught.value.what


def test_a_fault_may_not_require_an_event(tmp_path: Path) -> None:
    bad = GOOD.replace('"bind_refused"\nbind = { domid = "$guest" }', '"map_irq_failed"')
    with pytest.raises(RuleError, match=r"bad.toml:15: .*model facts.*'map_irq_failed'"):
        load(tmp_path, bad=bad)


@pytest.mark.parametrize(("old", "new", "line"), [
    ('fault = "test"', 'fault = "other"', 1), ('"MSIX001"', '"MSIX002"', 3)])
def test_ids_and_faults_are_given_once(tmp_path: Path, old: str, new: str, line: int) -> None:
    with pytest.raises(RuleError, match=rf"second.toml:{line}: .*taken by first.toml"):
        load(tmp_path, first=GOOD, second=GOOD.replace(old, new))


def test_an_empty_list_of_facts_is_refused(tmp_path: Path) -> None:
    start, end = GOOD.index("[[requires]]"), GOOD.index("[message]")
    with pytest.raises(RuleError, match=r"bad.toml:9: .*'requires' is empty"):
        load(tmp_path, bad=GOOD[:start].rstrip() + "\nrequires = []\n" + GOOD[end:])


def test_an_overlong_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="at most"):
        load(tmp_path, bad=GOOD + "#" * RULE_BYTES_MAX)


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(GOOD.encode() + b"\xff\xfe")
    with pytest.raises(RuleError, match="not TOML"):
        load_rules(tmp_path, event_kinds=KINDS)
