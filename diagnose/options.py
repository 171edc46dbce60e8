"""What a caller may say beyond the paths: who speaks in a file, which kernel, which device.

**Invariant:** values only; nothing here is checked against files or tables, the pipeline does that.
"""

from __future__ import annotations

from msgspec import Struct


class Options(Struct, frozen=True):
    """Hints and limits for one diagnosis. Every field has "nothing was said" as its default."""

    kernel: str | None = None
    """Name of a kernel row; it pins what the banners only suggest."""
    dom0: tuple[str, ...] = ()
    """Paths that the dom0 kernel printed, when their content cannot tell."""
    xen: tuple[str, ...] = ()
    """Paths that the hypervisor printed."""
    guest: tuple[tuple[str, str], ...] = ()
    """Pairs (guest name, path) of guest kernels."""
    toolstack: tuple[str, ...] = ()
    """Paths that the toolstack printed."""
    device: str | None = None
    """A device address, full or partial; the report then tells of this device alone."""
    rules: str | None = None
    """A directory of rules to judge by as well; one with a built-in rule's id takes its place."""
    brief: bool = False
    """Only what triage tells is worked out: not what else the host can run into, and hashes only of
    inputs that may be the same."""


class Question(Struct, frozen=True):
    """What is asked of a replay beside the story itself; None where nothing was."""

    at: str | None = None
    """`FILE:LINE`: how the ledgers stood when that line was printed."""
    watch: str | None = None
    """`DEVICE/ENTRY`: the life of that MSI-X entry."""
    assume: str | None = None
    """Name of a kernel row: what the same story would have been under it."""
