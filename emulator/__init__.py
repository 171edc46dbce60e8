"""The two ledgers of MSI-X passthrough and everybody who writes in them.

dom0's kernel keeps one ledger (device -> ordered pairs of pirq and MSI-X entry), Xen keeps the
other (domain -> pirq table).  This package is the deterministic machine over both: `life.perform`
takes an act of a person or a guest and answers the next state, what the kernels print on the way,
and what happened without being printed.

**Invariant:** knows no log text, no file and no clock, and imports the standard library only.
"""
