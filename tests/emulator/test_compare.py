"""What a pair of dom0's record is worth, in the four situations that there are."""

from __future__ import annotations

import pytest

from emulator.compare import Standing, compared
from emulator.kernels import row
from emulator.life import Act, perform
from emulator.pci import PciAddress
from emulator.state import State

DEVICE = PciAddress(0, 1, 0x10, 0)
OTHER = PciAddress(0, 5, 0x10, 0)
BEGIN = [Act("seize", device=DEVICE), Act("seize", device=OTHER),
         Act("domain_start", 1, devices=(DEVICE,)), Act("driver_load", 1, DEVICE, nvec=2)]
END = [*BEGIN, Act("clean_shutdown", 1)]
BOTH = [*END, Act("domain_start", 2, devices=(DEVICE, OTHER))]
COLLISION = [*BOTH, Act("driver_load", 2, OTHER, nvec=2)]
TAKEN = [*COLLISION, Act("driver_load", 2, DEVICE, nvec=2), Act("driver_unload", 2, DEVICE)]

CASES: list[tuple[str, list[Act], PciAddress, list[Standing], list[PciAddress | None]]] = [
    ("nothing on record", BEGIN[:2], DEVICE, [], []),
    ("never named", [], DEVICE, [], []),
    ("attached for the present owner", BEGIN, DEVICE, ["live"] * 2, [DEVICE] * 2),
    ("after kexec it is still the owner's", [*BEGIN, Act("kexec", 1)], DEVICE, ["live"] * 2,
     [DEVICE] * 2),
    ("the owner is gone", END, DEVICE, ["stale"] * 2, [None] * 2),
    ("another owner has come", BOTH, DEVICE, ["stale"] * 2, [None] * 2),
    ("its numbers are another device's now", COLLISION, DEVICE, ["foreign"] * 2, [OTHER] * 2),
    ("and live for that one", COLLISION, OTHER, ["live"] * 2, [OTHER] * 2),
    ("until the flush takes them away", TAKEN, OTHER, ["lost"] * 2, [None] * 2),
]


@pytest.mark.parametrize(("acts", "device", "standings", "mapped"),
                         [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_standing(acts: list[Act], device: PciAddress, standings: list[Standing],
                  mapped: list[PciAddress | None]) -> None:
    state = State.boot()
    for act in acts:
        state = perform(row("el5").traits, state, act).state
    found = compared(state, device)
    assert [each.standing for each in found] == standings
    assert [each.mapped_to for each in found] == mapped
    assert tuple(each.pair for each in found) == state.pairs(device)


def test_a_stale_pair_is_not_live_for_sharing_a_number_with_a_fresh_one() -> None:
    """dom2 asks for more entries than dom1 did, and the fresh ones get the stale ones' numbers."""
    state = State.boot()
    for act in [*BOTH, Act("driver_load", 2, DEVICE, nvec=4)]:
        state = perform(row("el5").traits, state, act).state
    assert [(each.pair.pirq, each.standing) for each in compared(state, DEVICE)] == [
        (255, "stale"), (254, "stale"), (255, "live"), (254, "live")]
