"""Shows a diagnosis. One module a format, each with ``render(diagnosis, style) -> str``.

A new format is one module here and one row in `FORMATS`; the command line offers what the table
lists.

**Invariant:** renderers read a :class:`~diagnose.diagnosis.Diagnosis` and conclude nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.diagnosis import Diagnosis
    from diagnose.render.paper import Style

FORMATS: Mapping[str, str] = {
    "text": "diagnose.render.text",
    "json": "diagnose.render.json",
}
"""Name of a format → module that renders it, imported only when asked for."""


def render(diagnosis: Diagnosis, form: str, style: Style) -> str:
    """The report in the named format, ending with a line feed. `form` is a key of `FORMATS`."""
    text: str = import_module(FORMATS[form]).render(diagnosis, style)
    return text
