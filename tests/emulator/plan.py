"""Reads a recorded scenario's plan as acts of a story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emulator.life import Act
from emulator.pci import PciAddress

# What the plan says in several items is one act: creation and assignment, shutdown and destroy.
_MACROS = {"igbvf_probe": "driver_load", "ifup": "ifup", "ifdown": "ifdown"}


def acts_of(plan: Sequence[str]) -> list[Act] | None:
    """The acts of a plan, or None if it does something that no act of a story does."""
    try:
        return list(_acts([_item(text) for text in plan]))
    except KeyError:
        return None


def _item(text: str) -> tuple[str, dict[str, str]]:
    name, *arguments = text.split()
    return name, dict(each.split("=", 1) for each in arguments)


def _acts(items: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[Act]:
    skip = False
    for at, (name, given) in enumerate(items):
        following = items[at + 1] if at + 1 < len(items) else ("", {})
        if skip:
            skip = False
        elif name in ("pciback_load", "fe_connect"):
            continue
        elif name == "seize":
            yield Act("seize", device=_device(given))
        elif name == "domain_create":
            if following[0] != "assign" or given["kind"] != "pv" or given["hold"] != "0":
                raise KeyError(following[0])
            devices = tuple(PciAddress.parse(each) for each in following[1]["devs"].split(","))
            yield Act("domain_start", int(given["dom"]), devices=devices)
            skip = True
        elif name == "m:guest_shutdown":
            if following[0] != "m:xm_destroy" or following[1]["dom"] != given["dom"]:
                raise KeyError(following[0])
            yield Act("clean_shutdown", int(given["dom"]))
            skip = True
        elif name == "m:xm_destroy":
            yield Act("destroy", int(given["dom"]))
        elif name == "m:igbvf_remove":
            yield Act("driver_unload", int(given["dom"]), _device(given))
        else:
            op = _MACROS[name.removeprefix("m:")]
            nvec = int(given.get("n", "0"))
            yield Act(op, int(given["dom"]), _device(given), nvec=nvec)


def _device(given: Mapping[str, Any]) -> PciAddress:
    return PciAddress.parse(given["dev"])


def saves_state(plan: Sequence[str]) -> bool:
    """Whether the guest's pci_save_state() was honoured in this scenario."""
    return any("save=1" in text for text in plan)
