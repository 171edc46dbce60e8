"""Shows results. One module a format, each with ``render(result, style) -> str``.

A new format is one module here and one row in `FORMATS` (for a diagnosis) or `REPLAY_FORMATS`; the
command line offers what the tables list.

**Invariant:** renderers read a :class:`~diagnose.diagnosis.Diagnosis`, or a
:class:`~diagnose.frames.ReplayReport`, and conclude nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.diagnosis import Diagnosis
    from diagnose.frames import ReplayReport
    from diagnose.render.paper import Style

FORMATS: Mapping[str, str] = {
    "text": "diagnose.render.text",
    "json": "diagnose.render.json",
}
"""Name of a format → module that renders it, imported only when asked for."""

REPLAY_FORMATS: Mapping[str, str] = {
    "text": "diagnose.render.replay",
    "json": "diagnose.render.json",
}
"""The same for a replay."""


def render(diagnosis: Diagnosis, form: str, style: Style) -> str:
    """The report in the named format, ending with a line feed. `form` is a key of `FORMATS`."""
    text: str = import_module(FORMATS[form]).render(diagnosis, style)
    return text


def render_replay(report: ReplayReport, form: str, style: Style) -> str:
    """A replay in the named format, ending with a line feed. `form` is one of `REPLAY_FORMATS`."""
    text: str = import_module(REPLAY_FORMATS[form]).render(report, style)
    return text
