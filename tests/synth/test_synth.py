"""A small sample of made-up incidents through the whole program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.synth.__main__ import examine
from tests.synth.incident import ALL, make

SAMPLE = (
    ("first-boot", 0), ("reboot-clean", 1), ("destroy-1070", 0), ("fixed-mixed", 1),
    ("hvm-between", 0), ("rmmod-first", 2), ("reboot-heal", 1), ("host-reboot", 0),
    ("host-reboot", 2), ("kexec", 3), ("vf-destroy", 1), ("zombie", 1), ("broken-destroyed", 1),
    ("two-guests", 2), ("handed-over", 1), ("odd-banner", 0), ("noise-only", 0),
    ("braided", 102), ("reboot-views", 101), ("toolstack", 101), ("rotated", 101),
    ("strangers", 100),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "seed"), SAMPLE)
def test_sample(kind: str, seed: int, tmp_path: Path) -> None:
    wrong, _, _ = examine(make(kind, seed), tmp_path)
    assert [told for told in wrong if not told.startswith("slow")] == []


@pytest.mark.parametrize("kind", sorted(ALL))
def test_the_same_seed_makes_the_same_incident(kind: str) -> None:
    assert make(kind, 7) == make(kind, 7)
    assert make(kind, 7).texts
