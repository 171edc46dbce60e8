"""Inputs that broke a law once, the smallest that did: each is tried by every test run."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.bundle.packing import zipped


class Survived(NamedTuple):
    """Under which law it was found, and what it is."""

    law: str
    what: str
    data: Callable[[], bytes]


SURVIVED = (
    Survived("bundle", "a member of a zip without a name",
             lambda: zipped({"": b"y\n"})),
    Survived("grammars", "flags that begin with a nought, printed with three digits",
             lambda: b"   IRQ:  38 vec:b6 PCI-MSI/-X      status=022 aff:{1} mapped, unbound\n"),
)
