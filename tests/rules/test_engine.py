"""The engine on rules that are written here: joins, negation, citing, grouping, and its cost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from diagnose.engine import Match, match
from diagnose.facts import Fact
from diagnose.rules import load_rules
from tests.rules.rows import DEVICE, KINDS, OTHER, event, model

HEAD = """
id = "MSIX001"
title = "a test"
fault = "test"
severity = "error"
fix = "none"
references = ["none"]
"""
MESSAGE = """
[message]
seen = "{device} {domids} {entries}"
wrong = "{pirqs} {others}"
todo = "{occurrences}"
"""


def run(directory: Path, body: str, facts: list[Fact]) -> tuple[Match, ...]:
    """Matches of the one rule whose keys and clauses are in `body`."""
    (directory / "rule.toml").write_text(HEAD + body + MESSAGE)
    return match(load_rules(directory, event_kinds=KINDS), facts)


def fields(facts: tuple[Fact, ...], name: str) -> list[object]:
    return [fact.fields.get(name) for fact in facts]


def test_one_clause_groups_by_device_and_boot(tmp_path: Path) -> None:
    facts = [model("pairs_left", domid=domid, entry_nr=entry_nr, device=device, boot=boot)
             for boot in (0, 1) for device in (DEVICE, OTHER)
             for domid in (1, 2) for entry_nr in (0, 1)]
    found = run(tmp_path, '[[requires]]\nfact = "pairs_left"', facts)
    assert [(each.device, each.boot) for each in found] == [
        (DEVICE, 0), (OTHER, 0), (DEVICE, 1), (OTHER, 1)]
    for each in found:
        assert each.domids == (1, 2)
        assert each.entries == (0, 1)
        assert each.occurrences == 2
        assert len(each.facts) == 4


def test_per_boot_only_puts_devices_together(tmp_path: Path) -> None:
    facts = [model("pairs_left", domid=1, device=device) for device in (DEVICE, OTHER)]
    found = run(tmp_path, 'per = ["boot"]\n[[requires]]\nfact = "pairs_left"', facts)
    assert [dict(each.key) for each in found] == [{"boot": 0}]


def test_variables_join_two_clauses(tmp_path: Path) -> None:
    body = """
    [[requires]]
    fact = "stale_served"
    bind = { domid = "$guest", pirq = "$pirq" }
    [[requires]]
    fact = "bind_refused"
    bind = { domid = "$guest", pirq = "$pirq" }
    """
    facts = [model("stale_served", domid=2, pirq=255), model("stale_served", domid=2, pirq=254),
             model("bind_refused", domid=2, pirq=255), model("bind_refused", domid=3, pirq=254)]
    found = run(tmp_path, body, facts)
    assert [(fact.name, fact.fields["pirq"]) for fact in found[0].facts] == [
        ("stale_served", 255), ("bind_refused", 255)]


def test_a_clause_of_another_device_joins_nothing_unless_it_says_so(tmp_path: Path) -> None:
    facts = [model("pairs_left", domid=1), model("stale_served", domid=2, device=OTHER)]
    same = '[[requires]]\nfact = "pairs_left"\n[[requires]]\nfact = "stale_served"\n'
    assert run(tmp_path, same, facts) == ()
    any_device = tmp_path / "any"
    any_device.mkdir()
    assert len(run(any_device, same + 'bind = { device = "$_" }', facts)) == 1


def test_unless_denies_only_what_its_variables_name(tmp_path: Path) -> None:
    body = """
    [[requires]]
    fact = "own_unmap_refused"
    bind = { pirq = "$pirq" }
    [[unless]]
    fact = "foreign_unmapped"
    bind = { pirq = "$pirq" }
    """
    facts = [model("own_unmap_refused", domid=1, pirq=255),
             model("own_unmap_refused", domid=1, pirq=254),
             model("foreign_unmapped", domid=1, pirq=255)]
    assert run(tmp_path, body, facts)[0].pirqs == (254,)
    denied = run(tmp_path, body, [facts[0], facts[2]])
    assert denied == ()


def test_cites_add_evidence_and_decide_nothing(tmp_path: Path) -> None:
    body = """
    [[requires]]
    fact = "stale_served"
    bind = { pirq = "$pirq" }
    [[cites]]
    fact = ["bind_refused", "failed_obtain_pirq"]
    bind = { pirq = "$pirq" }
    """
    served = model("stale_served", domid=2, pirq=255)
    assert run(tmp_path, body, [served])[0].cited == ()
    facts = [served, event("failed_obtain_pirq", pirq=255), model("bind_refused", pirq=254),
             model("bind_refused", pirq=255)]
    assert [fact.name for fact in run(tmp_path, body, facts)[0].cited] == [
        "failed_obtain_pirq", "bind_refused"]


@pytest.mark.parametrize(("wanted", "hits"), [("0", [0]), ("[0, 2]", [0, 2]), ("7", [])])
def test_values_and_lists_of_values_select(tmp_path: Path, wanted: str, hits: list[int]) -> None:
    body = f'[[requires]]\nfact = "map_refused"\nbind = {{ entry_nr = {wanted} }}'
    facts = [model("map_refused", domid=1, entry_nr=nr) for nr in range(3)]
    found = run(tmp_path, body, facts)
    assert [nr for each in found for nr in each.entries] == hits


def test_confirmed_are_later_facts_of_the_same_key(tmp_path: Path) -> None:
    body = 'confirmed_by = ["stale_served"]\n[[requires]]\nfact = "pairs_left"'
    facts = [model("stale_served", 1, domid=1), model("pairs_left", 2, domid=1),
             model("stale_served", 3, domid=2, device=OTHER), model("stale_served", 4, domid=3)]
    assert fields(run(tmp_path, body, facts)[0].confirmed, "domid") == [3]
    assert run(tmp_path, body, facts[:2])[0].confirmed == ()


def test_domids_from_another_field(tmp_path: Path) -> None:
    body = 'domids_from = "from_domid"\n[[requires]]\nfact = "stale_served"'
    found = run(tmp_path, body, [model("stale_served", domid=2, from_domid=1)])
    assert found[0].domids == (1,)


def test_message_names_numbers_as_both_ledgers_print_them(tmp_path: Path) -> None:
    facts = [model("shared_pirq", domid=2, pirq=pirq, other=OTHER) for pirq in (255, 254)]
    found = run(tmp_path, '[[requires]]\nfact = "shared_pirq"', facts)[0]
    assert str(found.message()) == (
        f"{DEVICE} dom2 entries of no known number pirqs 255 (hex ff) and 254 (hex fe) {OTHER} 1")
    assert found.others == (OTHER,)


def test_long_lists_are_abridged(tmp_path: Path) -> None:
    facts = [model("pairs_left", domid=domid) for domid in range(1, 101)]
    found = run(tmp_path, '[[requires]]\nfact = "pairs_left"', facts)[0]
    assert found.values()["domids"] == (
        "dom1, dom2, dom3, dom4, dom5, dom6, dom7 … dom100 (100 in all)")


def test_facts_without_a_domain_count_each(tmp_path: Path) -> None:
    facts = [model("map_refused", entry_nr=0), model("map_refused", entry_nr=1)]
    assert run(tmp_path, '[[requires]]\nfact = "map_refused"', facts)[0].occurrences == 2


def test_no_facts_no_matches(tmp_path: Path) -> None:
    assert run(tmp_path, '[[requires]]\nfact = "pairs_left"', []) == ()


def test_cost_grows_with_the_facts_and_not_with_their_pairs(tmp_path: Path) -> None:
    """Two clauses that share only the device make n² pairs; the engine must not visit them."""
    body = """
    [[requires]]
    fact = "pairs_left"
    bind = { pirq = "$pirq", entry_nr = "$entry" }
    [[requires]]
    fact = "stale_served"
    [[unless]]
    fact = "foreign_unmapped"
    bind = { pirq = "$pirq" }
    [[cites]]
    fact = "bind_refused"
    """
    names = ("pairs_left", "stale_served", "bind_refused")
    facts = [model(name, nr, domid=nr, pirq=255 - nr % 3, entry_nr=nr % 3)
             for nr in range(10_000) for name in names]
    before = time.process_time()
    found = run(tmp_path, body, facts)[0]
    assert time.process_time() - before < 3.0
    assert (len(found.facts), len(found.cited), found.occurrences) == (20_000, 10_000, 10_000)
