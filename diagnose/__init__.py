"""Finds out from logs why a device that Xen passes through has lost its MSI-X interrupts.

``from diagnose import diagnose`` turns paths into a :class:`diagnose.diagnosis.Diagnosis`. The name
is bound lazily: importing this package costs nothing, so that ``diagnose --help`` stays quick.

**Invariant:** this file knows no log, no rule and no kernel; it only says where the entrance is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.pipeline import diagnose as diagnose

__version__ = "0.1.0"
__all__ = ["__version__", "diagnose"]


def __getattr__(name: str) -> object:
    """Import the pipeline when somebody asks for :func:`diagnose`, not before."""
    if name == "diagnose":
        from diagnose.pipeline import diagnose as entrance

        globals()["diagnose"] = entrance
        return entrance
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
