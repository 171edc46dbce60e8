"""Each built-in rule: the facts that make it speak, and nearly the same facts that must not.

The tables hold what one rule says; every rule has a row in both, which a test at the end checks.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from diagnose.engine import Match, match
from diagnose.facts import Fact
from diagnose.rules import Rule, load_rules
from tests.rules.rows import DEVICE, KINDS, OTHER, event, model, option, steps

RULES = {rule.id: rule for rule in load_rules(event_kinds=KINDS)}


class Row(NamedTuple):
    """A rule, why it speaks or is silent, the facts."""

    rule: str
    why: str
    facts: list[Fact]


def served(domid: int = 2, **fields: object) -> Fact:
    return model("stale_served", domid=domid, from_domid=1, entry_nr=0, pirq=255, **fields)


def not_mapped(domid: int) -> Fact:
    """Xen refused an unmap that no step of the story made."""
    return event("xen_pirq_not_mapped", domid=domid, pirq=255, explained=False, device=None)


def taken_from(domid: int) -> Fact:
    """The flush of DEVICE took a pirq of OTHER."""
    return model("foreign_unmapped", domid=domid, device=OTHER, pirq=255, other=DEVICE)


SPEAKS = [
    Row("MSIX001", "a guest's pairs stayed", [model("pairs_left", domid=1, entry_nr=0, pirq=255)]),
    Row("MSIX001", "an HVM guest's teardown left what another attached",
        [model("pairs_left", domid=2, from_domid=1, entry_nr=0, pirq=255)]),
    Row("MSIX002", "another's pair was served", [served()]),
    Row("MSIX003", "another's pair was flushed", [model("stale_unmap_refused", domid=2, pirq=255)]),
    Row("MSIX004", "no vector", [model("map_refused", domid=1, entry_nr=2, note="ENOSPC")]),
    Row("MSIX005", "same number twice", [model("shared_pirq", domid=2, pirq=255, other=OTHER)]),
    Row("MSIX005", "refused, and mapped first",
        [model("shared_pirq", domid=2, pirq=255, other=OTHER, note="refused"),
         model("shared_pirq", domid=2, pirq=255, device=OTHER, other=DEVICE, note="mapped")]),
    Row("MSIX006", "a guest lost it", [model("foreign_unmapped", domid=2, pirq=255, other=OTHER)]),
    Row("MSIX006", "dom0 lost it", [model("foreign_unmapped", domid=0, pirq=255, other=OTHER)]),
    Row("MSIX007", "taken", [model("assign_refused", domid=2, from_domid=1)]),
    Row("MSIX008", "no MSI", [model("stale_irq_served", domid=2, from_domid=1, pirq=255)]),
    Row("MSIX101", "its own, at its end", [model("own_unmap_refused", domid=1, pirq=255)]),
    Row("MSIX102", "kexec", [model("own_pairs_reused", domid=1, entry_nr=0, pirq=255)]),
    Row("MSIX103", "no owner", [model("dom0_unmap_refused", domid=0, from_domid=1, pirq=255)]),
    Row("MSIX104", "dom0's card", [event("pciback_no_owner", device=None, explained=False)]),
    Row("MSIX104", "a guest lost pirqs, not dom0",
        [event("pciback_no_owner", explained=False), taken_from(2)]),
    Row("MSIX105", "pirq 16", [event("unmap_irq_failed", pirq=16, explained=False)]),
    Row("MSIX106", "its device model", [not_mapped(3), steps("domain_start", domid=3, kind="hvm")]),
    Row("MSIX107", "unbound in use", [event("pciback_remove_in_use_1")]),
    Row("MSIX108", "unknown", [event("xen_core_pci_warn", device=None, explained=False)]),
    Row("MSIX109", "its own", [event("xen_forcing_unbind", domid=2, pirq=255)]),
    Row("MSIX110", "xm", [event("xm_pv_attach_el5", device=None, explained=False)]),
    Row("MSIX110", "virsh", [event("virsh_persistent_only", device=None, explained=False)]),
    Row("MSIX111", "xend", [event("xm_already_assigned_el5", explained=False)]),
    Row("MSIX112", "asked for a reset", [event("igbvf_pf_reset_274", device=None)]),
    Row("MSIX113", "the hypervisor's", [option("iommu_pv", "xen")]),
    Row("MSIX114", "one vector", [steps("driver_load", domid=1, mode="msi")]),
    Row("MSIX114", "none", [steps("driver_load", domid=1, mode="intx")]),
    Row("MSIX115", "in turn", [steps("driver_load", domid=1, mode="msix"),
                               steps("domain_start", domid=2, kind="hvm")]),
    Row("MSIX116", "dom0 was slow", [model("answered_late", domid=1)]),
    Row("MSIX117", "not seized", [event("xend_not_pciback", explained=False)]),
    Row("MSIX118", "its own card", [steps("driver_load", domid=0),
                                    event("pciback_no_owner", explained=True)]),
]

SILENT = [
    Row("MSIX001", "the pairs left the record at the end of their owner",
        [model("own_unmap_refused", domid=1, entry_nr=0, pirq=255)]),
    Row("MSIX001", "a line alone is no ledger", [event("unmap_irq_failed", pirq=255)]),
    Row("MSIX002", "the same living domain", [model("own_pairs_reused", domid=2, pirq=255)]),
    Row("MSIX002", "left but never asked for", [model("pairs_left", domid=1, pirq=255)]),
    Row("MSIX003", "its own pair", [model("own_unmap_refused", domid=2, pirq=255)]),
    Row("MSIX003", "no guest", [model("dom0_unmap_refused", domid=0, from_domid=1, pirq=255)]),
    Row("MSIX004", "a line alone", [event("map_irq_failed")]),
    Row("MSIX004", "served from the record", [served()]),
    Row("MSIX005", "same number, one device", [served(), served(domid=3)]),
    Row("MSIX006", "refused", [model("stale_unmap_refused", domid=2, pirq=255)]),
    Row("MSIX007", "a line alone", [event("pciback_cant_locate", domid=2, errno=22)]),
    Row("MSIX008", "a pair of the record", [served()]),
    Row("MSIX101", "another's pair", [model("stale_unmap_refused", domid=1, pirq=255)]),
    Row("MSIX101", "taken away before", [model("own_unmap_refused", domid=1, pirq=255),
                                         model("foreign_unmapped", domid=1, pirq=255)]),
    Row("MSIX102", "another's pair", [served()]),
    Row("MSIX103", "a guest was named", [model("own_unmap_refused", domid=1, pirq=255)]),
    Row("MSIX104", "dom0 lost pirqs by it",
        [event("pciback_no_owner", explained=False), taken_from(0)]),
    Row("MSIX104", "the flush of a VF that went away",
        [event("pciback_no_owner", explained=True)]),
    Row("MSIX105", "a vector", [event("unmap_irq_failed", pirq=255, explained=False)]),
    Row("MSIX105", "predicted", [event("unmap_irq_failed", pirq=16, explained=True)]),
    Row("MSIX106", "a PV guest", [not_mapped(3), steps("domain_start", domid=3, kind="pv")]),
    Row("MSIX106", "another HVM guest",
        [not_mapped(3), steps("domain_start", domid=4, kind="hvm")]),
    Row("MSIX106", "dom0's own unmap", [not_mapped(3), steps("domain_start", domid=3, kind="hvm"),
                                        model("stale_unmap_refused", domid=3, pirq=255)]),
    Row("MSIX107", "the second line alone", [event("pciback_remove_in_use_2")]),
    Row("MSIX108", "another line", [event("pciback_no_owner")]),
    Row("MSIX109", "another device's",
        [event("xen_forcing_unbind", domid=2, pirq=255), taken_from(2)]),
    Row("MSIX109", "nobody knows why",
        [event("xen_forcing_unbind", domid=2, pirq=255, explained=False)]),
    Row("MSIX110", "the second line alone", [event("virsh_attach_failed", device=None)]),
    Row("MSIX111", "pciback refused as well", [event("xm_already_assigned_el5", explained=False),
                                               model("assign_refused", domid=2, from_domid=1)]),
    Row("MSIX112", "the driver's banner", [event("igbvf_device_info", device=None)]),
    Row("MSIX113", "dom0's kernel", [option("iommu_pv", "dom0")]),
    Row("MSIX113", "another option", [option("no_intremap", "xen")]),
    Row("MSIX114", "MSI-X", [steps("driver_load", domid=1, mode="msix")]),
    Row("MSIX114", "with a dead number", [steps("driver_load", domid=2, mode="intx"),
                                          model("stale_irq_served", domid=2, pirq=255)]),
    Row("MSIX115", "no PV guest", [steps("domain_start", domid=2, kind="hvm")]),
    Row("MSIX115", "with another's pairs", [steps("driver_load", domid=1, mode="msix"),
                                            steps("domain_start", domid=2, kind="hvm"),
                                            model("pairs_left", domid=2, from_domid=1)]),
    Row("MSIX116", "left behind", [model("answered_late", domid=1), model("pairs_left", domid=1)]),
    Row("MSIX115", "a vector was refused", [steps("domain_start", domid=2, kind="hvm"),
                                            steps("driver_load", domid=3, mode="msix"),
                                            model("map_refused", domid=3, entry_nr=0)]),
    Row("MSIX117", "pciback refused as well", [event("xend_not_pciback", explained=False),
                                               model("assign_refused", domid=2)]),
    Row("MSIX118", "pciback was not there to be asked", [steps("driver_load", domid=0)]),
    Row("MSIX118", "a guest's driver", [steps("driver_load", domid=1),
                                        event("pciback_no_owner", explained=True)]),
    Row("MSIX118", "another device of dom0 lost its pirqs",
        [steps("driver_unload", domid=0), event("pciback_no_owner", explained=True),
         taken_from(0)]),
]


def found(row: Row) -> tuple[Match, ...]:
    return match([RULES[row.rule]], row.facts)


def name(row: object) -> str:
    return f"{row.rule} {row.why}" if isinstance(row, Row) else str(row)


@pytest.mark.parametrize("row", SPEAKS, ids=name)
def test_speaks(row: Row) -> None:
    matches = found(row)
    assert [each.rule.id for each in matches] == [row.rule]
    assert matches[0].facts[0] in row.facts
    assert "{" not in str(matches[0].message())


@pytest.mark.parametrize("row", SILENT, ids=name)
def test_silent(row: Row) -> None:
    assert found(row) == ()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_has_both_rows_and_a_name_that_fits(rule: Rule) -> None:
    assert any(row.rule == rule.id for row in SPEAKS)
    assert any(row.rule == rule.id for row in SILENT)
    assert rule.file.startswith(f"{rule.id.lower()}-")
    assert rule.file.endswith(f"{rule.fault or ''}.toml")
    assert not rule.title.endswith(".")
    for text in (*rule.message, rule.fix, rule.reason, rule.would_be_a_fault_if):
        assert text == "" or text.endswith(".")
    assert rule.references


def test_domids_of_a_missing_prune_are_all_owners() -> None:
    facts = [model("pairs_left", domid=domid, from_domid=1, entry_nr=nr, pirq=255 - nr)
             for domid in (1, 2, 4) for nr in range(3)]
    prune = match([RULES["MSIX001"]], facts)[0]
    assert prune.domids == (1, 2, 4)
    assert prune.entries == (0, 1, 2)
    assert prune.pirqs == (253, 254, 255)
    assert prune.occurrences == 3


def test_a_collision_names_the_refused_device_only() -> None:
    facts = [model("shared_pirq", domid=2, pirq=255, other=OTHER, note="mapped"),
             model("shared_pirq", domid=2, pirq=255, device=OTHER, other=DEVICE, note="refused")]
    assert [each.device for each in match([RULES["MSIX005"]], facts)] == [OTHER]
    assert [each.device for each in match([RULES["MSIX005"]], facts[:1])] == [DEVICE]


def test_a_missing_prune_is_confirmed_by_what_comes_later() -> None:
    left = model("pairs_left", 4, domid=1, entry_nr=0, pirq=255)
    shows = model("stale_served", 7, domid=2, entry_nr=0, pirq=255)
    assert match([RULES["MSIX001"]], [left, shows])[0].confirmed == (shows,)
    assert match([RULES["MSIX001"]], [left])[0].confirmed == ()


def test_a_stale_vector_cites_the_guest() -> None:
    facts = [served(), event("failed_obtain_pirq", pirq=255), event("failed_obtain_pirq", pirq=16),
             model("bind_refused", domid=2, pirq=255)]
    cited = match([RULES["MSIX002"]], facts)[0].cited
    assert {fact.name for fact in cited} == {"bind_refused", "failed_obtain_pirq"}
    assert {fact.fields["pirq"] for fact in cited} == {255}


def test_collateral_cites_the_lookup_of_the_flushed_device() -> None:
    facts = [taken_from(0), event("pciback_no_owner"),
             event("xen_forcing_unbind", domid=0, pirq=255)]
    [collateral] = match(list(RULES.values()), facts)
    assert collateral.rule.fault == "collateral-unmap"
    assert [fact.name for fact in collateral.cited] == ["pciback_no_owner", "xen_forcing_unbind"]


def test_exactly_the_published_faults_have_a_rule() -> None:
    assert {rule.fault for rule in RULES.values() if not rule.harmless} == {
        "missing-prune", "stale-vector", "unmap-failure", "map-failure", "pirq-collision",
        "collateral-unmap", "device-busy", "stale-irq"}
