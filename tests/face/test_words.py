"""Numbers, ranges, steps and the neutralising of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.diagnosis import StoryStep
from diagnose.errors import DataError, DiagnoseError, GrammarError, InputError, RuleError, nearest
from diagnose.render import words
from diagnose.render.safe import CHARS_MAX, folded, neutral


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([], ""),
        ([0], "0"),
        ([1, 0], "0, 1"),
        ([0, 1, 2], "0–2"),
        ([5, 0, 1, 2, 7, 8], "0–2, 5, 7, 8"),
        ([255, 254, 253, 255], "253–255"),
        (range(0, 40, 2), "0, 2, 4, 6, 8, 10, 12 and 13 more"),
    ],
)
def test_ranges(numbers: list[int], shown: str) -> None:
    assert words.ranges(numbers) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the record is stale", "The record is stale."),
        ("dom0 kept it", "dom0 kept it."),
        ("0000:01:10.0 is lost!", "0000:01:10.0 is lost!"),
        ("", ""),
    ],
)
def test_sentences_keep_names_as_they_are(text: str, shown: str) -> None:
    assert words.sentence(text) == shown


@pytest.mark.parametrize(
    ("op", "args", "shown"),
    [
        ("host_boot", {}, "the host boots"),
        (
            "domain_start",
            {"domid": 3, "device": "0000:01:10.0", "kind": "hvm"},
            "dom3 starts with 0000:01:10.0 as an HVM guest",
        ),
        (
            "domain_start",
            {"domid": 3, "devices": ["0000:01:10.0", "0000:01:10.4"]},
            "dom3 starts with 0000:01:10.0, 0000:01:10.4",
        ),
        (
            "driver_load",
            {"domid": 1, "device": "0000:01:10.0", "entries": (0,)},
            "dom1 loads its driver for 0000:01:10.0: MSI-X entry 0",
        ),
        ("driver_load", {}, "a domain loads its driver for a device"),
        ("teardown", {"domid": 9}, "dom9 ends, nobody knows how"),
        ("something_new", {"domid": 9}, "something_new domid=9"),
    ],
)
def test_steps(op: str, args: dict[str, object], shown: str) -> None:
    assert words.step(StoryStep(op, args, "observed")) == shown


def test_every_op_of_the_contract_has_words() -> None:
    ops = (
        "host_boot seize release domain_start driver_load ifup ifdown driver_unload clean_shutdown "
        "crash destroy kexec teardown vf_destroy pf_reload flr"
    ).split()
    for op in ops:
        told = words.step(StoryStep(op, {"domid": 1, "device": "d"}, "observed"))
        assert told != f"{op} domid=1 device=d"


@given(st.text())
def test_neutral_text_is_one_printable_line(text: str) -> None:
    assert neutral(text).isprintable()
    assert folded(text).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ÄÖ 漢", "plain ÄÖ 漢"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202e", "\\u202e"),
        ("\U000e0001", "\\U000e0001"),
        ("a\tb", "a\\x09b"),
    ],
)
def test_neutral_shows_what_was_there(text: str, shown: str) -> None:
    assert neutral(text) == shown


def test_folding_reads_as_lines_are_read() -> None:
    assert folded(" are \t\t\t\t       not freed ") == "are not freed"
    assert len(folded("x" * 10**7)) < CHARS_MAX + 60


def test_the_tree_of_errors() -> None:
    for error in (GrammarError("a.lark", 3, "wrong"), RuleError("a.toml", None, "wrong")):
        assert isinstance(error, DataError)
        assert isinstance(error, DiagnoseError)
        assert error.exit_status == 2
    assert str(GrammarError("a.lark", 3, "wrong", 7)) == "a.lark:3:7: wrong"
    assert str(RuleError("a.toml", None, "wrong")) == "a.toml: wrong"
    assert issubclass(InputError, DiagnoseError)


def test_nearest_names() -> None:
    assert nearest("el5-28", ("el5", "el5-283", "el5+prune"))[0] == "el5-283"
    assert nearest("nothing alike", ("el5", "el5-283")) == ()
