"""Grammars that cannot be used are refused while loading, with the place and the reason."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diagnose.annotation import read_blocks
from diagnose.catalogue import FILES, STATE_FILES, build, lark_reading, reference
from diagnose.errors import GrammarError
from diagnose.grammar import Catalogue

COMMON = """
COUNT_DEC: /(?:0|[1-9][0-9]{0,9})/
REASON_STR: /[^\\n]+/
CAUGHT_STR: /(a)b/
PLAIN: /x+/
"""
HEAD = "%import .common.COUNT_DEC\n%import .common.REASON_STR\n%import .common.CAUGHT_STR\n"
HEAD += "%import .common.PLAIN\n"


def production(kind: str, body: str, *more: str, sample: str = "a sample") -> str:
    lines = ["//: source: a.c", "//: versions: any", *(more or ["//: proves: nothing"])]
    lines.append(f"//: sample: {sample}")
    return "\n".join([*lines, "//: fields: {}", f"{kind}: {body}", ""])


@pytest.fixture
def grammars(tmp_path: Path) -> Path:
    (tmp_path / "common.lark").write_text(COMMON)
    for file in (*FILES, *STATE_FILES):
        kind = f"of_{file.replace('-', '_')}"
        (tmp_path / f"{file}.lark").write_text(production(kind, f'"plain {file}"'))
    return tmp_path


def catalogue_with(grammars: Path, text: str) -> Catalogue:
    (grammars / "dom0.lark").write_text(HEAD + text)
    return Catalogue({"hash": "", **build(grammars)})


ANNOTATIONS: dict[str, tuple[str, str]] = {
    "unknown key": ("//: colour: red\nx: \"long\"\n", "cannot use colour"),
    "malformed": ("//: Source\nx: \"long\"\n", "no annotation"),
    "homeless": ("//: noise\n\n// a comment is no production\n", "above a production"),
    "unknown term": ("//: proves: magic\nx: \"long\"\n", "proves nothing known"),
    "too few arguments": ("//: proves: given(device)\nx: \"long\"\n", "given has 1"),
    "too many": ("//: proves: found(device, domid)\nx: \"long\"\n", "found has 2"),
    "an anchor without a word": ("//: proves: anchor\nx: \"long\"\n", "anchor has 0"),
    "odd condition": ("//: proves: effect when it rains\nx: \"long\"\n", "no condition"),
    "unknown level": ("//: level: loud\nx: \"long\"\n", "no such level"),
    "told twice": ("//: source: a\n//: source: b\nx: \"long\"\n", "told twice"),
    "no source": ("//: versions: any\n//: sample: x\nx: \"long\"\n", "nothing about its source"),
    "no sample": ("//: source: a\n//: versions: any\nx: \"long\"\n", "has no sample"),
    "no proof": (
        "//: source: a\n//: versions: any\n//: sample: x\nx: \"long\"\n", "about what it proves"
    ),
    "odd setting": ("//: proves: gap when a=~b\nx: \"long\"\n", "field=~key=value"),
    "fields no object": ("//: sample: x\n//: fields: [1]\nx: \"long\"\n", "JSON object"),
    "two lines": (production("x", '"long"') + '    | "other"\n', "on one line"),
    "a pattern inside": (production("x", '"long " /[0-9]+/'), "patterns belong into terminals"),
    "folds alike": (production("x", '"a  b" COUNT_DEC "a b" "c"'), "fold to 'a b'"),
}


@pytest.mark.parametrize("case", ANNOTATIONS)
def test_annotations(case: str) -> None:
    text, what = ANNOTATIONS[case]
    with pytest.raises(GrammarError, match=what) as caught:
        read_blocks(text, "some.lark")
    assert caught.value.file == "some.lark"
    assert caught.value.line


PRODUCTIONS: dict[str, tuple[str, str]] = {
    "no suffix": (production("x", '"long text " PLAIN'), "no known suffix"),
    "terminal twice": (production("x", '"long text " COUNT_DEC " or " COUNT_DEC'), "twice"),
    "no cue": (production("x", '"ab " COUNT_DEC'), "no literal of 4"),
    "capturing group": (production("x", '"long text " CAUGHT_STR'), "capturing group"),
    "repetition": (production("x", '"long text " ("and " "more ")+'), "repetitions"),
    "bare choice": (production("x", '"long text" [" more"]'), "mark it unprintable"),
    "undefined": (production("x", '"long text " NOTHING_DEC'), "NOTHING_DEC"),
    "kind twice": (production("of_linux", '"long text"'), "also in linux"),
    "term of no field": (
        production("x", '"long text"', "//: proves: birth(domid)"), "which is no field"
    ),
    "key of no field": (
        production("x", '"long text"', "//: proves: anchor(off, pirq)"), "which is no field"
    ),
    "undecided choice": (
        production("x", '"long text " (COUNT_DEC "a" | REASON_STR)'), "cannot be told apart"
    ),
    "one begins the other": (
        production("x", '"long text " ("ab" COUNT_DEC | "abc" REASON_STR)'), "cannot be told apart"
    ),
}


@pytest.mark.parametrize("case", PRODUCTIONS)
def test_productions(grammars: Path, case: str) -> None:
    text, what = PRODUCTIONS[case]
    with pytest.raises(GrammarError, match=what):
        catalogue_with(grammars, text)


def test_a_missing_file_is_told(grammars: Path) -> None:
    (grammars / "xen.lark").unlink()
    with pytest.raises(GrammarError, match=r"xen\.lark: cannot be read"):
        build(grammars)


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        ("served up 3 of many", {"count": 3}),
        ("served of many", {}),
        ("served up 3", None),
        ("served up 3 of many more", None),
    ],
)
def test_an_optional_part_is_read_and_printed_when_it_is_there(
    grammars: Path, payload: str, fields: dict[str, Any] | None
) -> None:
    catalogue = catalogue_with(grammars, production("x", '"served" [" up " COUNT_DEC] " of many"'))
    parser, _ = reference(grammars, "dom0")
    assert catalogue.parse(payload) == (None if fields is None else ("x", fields))
    assert (lark_reading(parser, "x", payload) is None) == (fields is None)
    if fields is not None:
        assert catalogue.print_line("x", fields) == payload


def test_a_choice_that_literals_decide_is_read_as_lark_reads_it(grammars: Path) -> None:
    body = '"failed " ("at " COUNT_DEC | "with " REASON_STR)'
    catalogue = catalogue_with(grammars, production("x", body))
    parser, _ = reference(grammars, "dom0")
    for payload in ("failed at 3", "failed with 3", "failed at x", "failed with ", "failed"):
        reading = catalogue.parse(payload)
        assert (reading is None) == (lark_reading(parser, "x", payload) is None)


def test_a_token_is_never_given_back(grammars: Path) -> None:
    """A regular expression without atomic groups would read this; a lexer does not."""
    catalogue = catalogue_with(grammars, production("x", '"failed: " REASON_STR " (really)"'))
    assert catalogue.parse("failed: because (really)") is None


def test_a_generic_production_comes_last(grammars: Path) -> None:
    text = production("a", '"failed: " REASON_STR', "//: generic", "//: proves: nothing")
    text += production("b", '"failed: twice"')
    catalogue = catalogue_with(grammars, text)
    assert catalogue.parse("failed: twice") == ("b", {})
    assert catalogue.parse("failed: once") == ("a", {"reason": "once"})
