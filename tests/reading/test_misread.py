"""A line that nearly is an alarming message keeps a host from being called healthy."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.casefile import read_case
from diagnose.diagnosis import Diagnosis
from diagnose.hearing import NEAR_MISSES_MAX
from diagnose.pipeline import diagnose
from diagnose.reader import from_bytes

CASE = read_case(Path(__file__).parents[2] / "corpus" / "clean-reboot-283.case")


def report(*added: str) -> Diagnosis:
    """The healthy host's logs, with these lines at the end of dom0's."""
    logs = dict(CASE.logs)
    name = next(name for name in logs if name in ("dom0.log", "console.log"))
    logs[name] += "".join(f"{line}\n" for line in added)
    return diagnose([from_bytes(name, text.encode()) for name, text in logs.items()])


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("msix entry 0 for dev 01:10:0 are not freed bef", "msix_entry_not_freed"),
        ("unmap irq ff failed (truncated)", "unmap_irq_failed"),
    ],
)
def test_an_alarming_near_miss(line: str, kind: str) -> None:
    made = report(line)
    assert made.verdict == "inconclusive"
    assert not made.findings
    assert not made.suspicions
    assert [(each.event, each.lines[0].text) for each in made.divergences] == [(kind, line)]
    assert "`diagnose line`" in made.missing[0].command + made.divergences[0].why


@pytest.mark.parametrize("line", ["", "PCI: Setting latency timer of device 01:10.0 to x"])
def test_other_lines_change_nothing(line: str) -> None:
    assert report(line).verdict == "healthy"


def test_more_of_them_than_are_looked_at() -> None:
    made = report(*["PCI: Setting latency timer of device 01:10.0 to x"] * (NEAR_MISSES_MAX + 1))
    assert made.verdict == "inconclusive"
    assert [remark.code for remark in made.remarks] == ["near-misses"]
