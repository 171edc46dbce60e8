"""What `diagnose line` says about one line."""
from __future__ import annotations

import pytest

from diagnose.explain_line import explain, render
from diagnose.grammar import load

ENVELOPE = "Jun  1 00:31:27 virthost4 kernel: <4>[   12.345678] "


def test_an_event_in_full() -> None:
    text = f"{ENVELOPE}msix entry 2 for dev 01:10:0 are ^I^I       not freed before acquire again."
    reading = explain(text)
    assert (reading.verdict, reading.speaker) == ("event", "dom0")
    assert reading.layers == ("syslog", "priority", "printk_time")
    assert reading.column is None
    shown = render(reading)
    for part in ("msix-entry-not-freed", "msix_capability_init()", "entry_nr = 2",
                 "device = 0000:01:10.0", "12.345678 s since boot", "virthost4", "effect"):
        assert part in shown


def test_a_near_miss_points_at_the_place() -> None:
    reading = explain("(XEN) irq.c:934: dom2: pirq ff not mapped")
    assert (reading.verdict, reading.column, reading.expected) == ("near miss", 23, "pirq")
    rows = render(reading).split("\n")
    mark = next(row for row in rows if row.endswith("^"))
    line = rows[rows.index(mark) - 1]
    assert line[mark.index("^") :].startswith("ff not mapped")
    assert "decimal here" in rows[-2]


@pytest.mark.parametrize(
    ("text", "verdict", "speaker"),
    [
        ("hello", "unknown", "kernel"),
        ("", "unknown", "kernel"),
        ("NET: Registered protocol family 31", "noise", "kernel"),
        ("Power down.", "event", "kernel"),
        ("pcifront pci-0: Installing PCI frontend", "event", "guest"),
        ("(XEN) unmap irq ff failed", "near miss", "xen"),
        ("Jun  1 00:31:27 h logger: unmap irq ff failed", "unknown", None),
        ("XendDomainInfo.destroy: domid=2", "event", "toolstack"),
    ],
)
def test_verdicts(text: str, verdict: str, speaker: str | None) -> None:
    reading = explain(text)
    assert (reading.verdict, reading.speaker) == (verdict, speaker)
    assert render(reading)


def test_every_sample_is_explained_as_itself() -> None:
    for production in load().productions:
        for sample in production.samples:
            reading = explain(sample)
            assert reading.production == production
            assert reading.verdict == ("noise" if production.noise else "event")
            assert production.catalogue_id in render(reading)
