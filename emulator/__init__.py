"""The two ledgers of MSI-X passthrough and everybody who writes in them.

dom0's kernel keeps one ledger (device -> ordered pairs of pirq and MSI-X entry), Xen keeps the
other (domain -> pirq table).  This package is the deterministic machine over both: `life.perform`
takes an act of a person or a guest and answers the next state, what the kernels print on the way,
and what happened without being printed.

Bottom to top, each module is somebody's code:

- `records`, `counters`, `state`: what there is, as values; `ledgers`: the same, open for a step
- `xen`, `domctl`: the hypervisor; `pci_core`, `dom0` (msi-xen.c), `pci_bus`: dom0's kernel
- `pci_stub`, `vpci`, `pciback_xenbus`, `conf_space`: pciback; `xend`, `qemu`: the toolstack
- `pcifront`, `guest_pci`, `igbvf`: a guest's kernel and its network driver
- `acts`, `life`: what people, toolstacks and guests do; `vocabulary`: which lines that prints
- `kernels`: which kernel, pciback and hypervisor behave how; `invariants`, `compare`: what is wrong

**Invariant:** knows no log text, no file and no clock, and imports the standard library only.
"""
