"""Shows a State as the components of a trace: the same keys, the same plain values."""

from __future__ import annotations

from emulator.records import Device, Domain, Mapped
from emulator.state import State

Plain = dict[str, object]


def of_devices(state: State) -> Plain:
    """dom0's flags of devices and pciback's list of them, and Xen's list of devices."""
    flags: Plain = {}
    owners: Plain = {}
    known: Plain = {}
    for address, device in state.devices.items():
        name = str(address)
        if device.xen_owner is not None:
            known[name] = device.xen_owner
        if not device.present:
            continue
        flags[name] = _flags(device)
        owners[name] = _stub(device)
    return {"pci_dev": flags, "owners": owners, "xen_pdev": known}


def nodes(state: State) -> Plain:
    """The nodes of all present devices in msi_dev_head, in no order."""
    return {
        str(address): node(device)
        for address, device in state.devices.items()
        if device.present and device.node
    }


def node(device: Device) -> Plain:
    """The device's node in msi_dev_head."""
    return {
        "entries": [[pair.pirq, pair.entry_nr] for pair in device.entries],
        "mask_base": device.mask_base,
        "default_irq": device.default_irq,
    }


def _flags(device: Device) -> Plain:
    return {
        "msi_enabled": int(device.msi_enabled),
        "msix_enabled": int(device.msix_enabled),
        "is_enabled": int(device.is_enabled),
        "is_busmaster": int(device.is_busmaster),
        "irq": device.irq,
        "driver": device.driver or None,
        "cmd": device.cmd,
        "hw_msi": int(device.hw_msi),
        "hw_msix": int(device.hw_msix),
    }


def _stub(device: Device) -> Plain:
    if not device.seized:
        return {"seized": False}
    return {"seized": True, "owner": device.owner, "kref": device.kref}


def of_backends(state: State) -> Plain:
    """pciback's backends."""
    return {
        "backends": {
            str(domid): {
                "state": backend.state,
                "ring": backend.ring,
                "devs": {
                    str(device): f"{number:02x}.{device.function:x}"
                    for number, slot in enumerate(backend.slots)
                    for device in slot
                },
            }
            for domid, backend in state.backends.items()
        }
    }


def of_domains(state: State) -> Plain:
    """Xen's domains and their pirq tables."""
    return {
        "xen_doms": {
            str(domid): domain.kind + (" dying" if domain.dying else "")
            for domid, domain in state.domains.items()
            if domid
        },
        "xen_pirqs": {
            str(domid): {
                str(pirq): _pirq_state(domain, pirq, mapped)
                for pirq, mapped in domain.table.items()
            }
            for domid, domain in state.domains.items()
            if domain.table
        },
        "xen_vec": {
            str(domid): vectors
            for domid, domain in state.domains.items()
            if (
                vectors := {
                    str(pirq): mapped.vector
                    for pirq, mapped in domain.table.items()
                    if mapped.vector
                }
            )
        },
    }


def _pirq_state(domain: Domain, pirq: int, mapped: Mapped) -> str:
    if not mapped.vector:
        return "reserved"
    if mapped.vector < 0:
        return "unbinding"
    return "bound" if pirq in domain.bound else "mapped"
