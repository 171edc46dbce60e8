"""The fixes: they lead to rows that exist, speak to faults that exist, and promise nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnose.errors import RuleError
from diagnose.fixes import FIX_KINDS, FIXES, Fix, KnownFix, load_fixes, load_known
from diagnose.rules import load_rules
from emulator.kernels import ROWS
from tests.rules.rows import KINDS

ALL = load_fixes()
KNOWN = load_known()
CLAIMS = r"suffic|enough|complete|fully|always|cures|solves|fixes|covers|prevents"


def name(fix: Fix | KnownFix) -> str:
    return f"{fix.id} {fix.kind}" if isinstance(fix, Fix) else fix.id


@pytest.mark.parametrize("fix", ALL, ids=name)
def test_each_fix_is_whole(fix: Fix) -> None:
    faults = {rule.fault for rule in load_rules(event_kinds=KINDS)}
    assert set(fix.faults) <= faults
    assert fix.references
    assert fix.text.endswith(".")
    assert fix.effect.endswith(".")
    assert not fix.title.endswith(".")
    assert (fix.row is None) == (fix.kind in ("workaround", "recover"))


@pytest.mark.parametrize("fix", ALL, ids=name)
def test_no_text_says_that_a_fix_is_enough(fix: Fix) -> None:
    assert not re.search(CLAIMS, f"{fix.title} {fix.text} {fix.effect}", re.IGNORECASE)


@pytest.mark.parametrize("fix", KNOWN, ids=name)
def test_each_known_fix_is_whole(fix: KnownFix) -> None:
    assert fix.references
    assert fix.effect.endswith(".")
    assert fix.outside.endswith(".")
    assert not fix.title.endswith(".")
    assert not re.search(CLAIMS, f"{fix.title} {fix.effect} {fix.outside}", re.IGNORECASE)


def test_what_is_known_and_cannot_be_tried_is_never_recommended() -> None:
    assert not {fix.id for fix in KNOWN} & {fix.id for fix in ALL}
    assert not {fix.id for fix in KNOWN} & {row.name for row in ROWS}


def test_released_kernels_come_first() -> None:
    kinds = [FIX_KINDS.index(fix.kind) for fix in ALL]
    assert kinds == sorted(kinds)


def test_every_changed_row_has_a_fix_that_leads_to_it() -> None:
    changed = {row.name for row in ROWS if row.traits != ROWS[0].traits}
    assert {fix.row for fix in ALL} - {None} == changed


@pytest.mark.parametrize(("old", "new", "above", "said"), [
    ('assume = "el5+1070"', 'assume = "el5+1071"', 0, "'el5\\+1070'"),
    ('kind = "recover"', 'kind = "recovery"', 0, "'recover'"),
    ('id = "lin2618-945"', 'id = "lin2618-956"', 0, "twice"),
    ('id = "lin2618-945"', "", 1, "'id' is missing"),
    ("faults = []", "fault = []", 0, "'faults'"),
    ('id = "lin2618-680"', 'id = "lin2618-750"', 0, "twice"),
    ('id = "lin2618-680"', 'id = "lin2618-956"', 0, "twice"),
    ('id = "lin2618-680"', "", 1, "'id' is missing"),
])
def test_mistakes(tmp_path: Path, old: str, new: str, above: int, said: str) -> None:
    text = FIXES.read_text(encoding="utf-8")
    assert text.count(old) == 1
    line = text[: text.index(old)].count("\n") + 1 - above
    bad = tmp_path / "bad.toml"
    bad.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError, match=rf"bad.toml:{line}: .*{said}"):
        load_known(bad)
