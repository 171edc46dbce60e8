"""A report as JSON, `diagnose.report/1` or `diagnose.replay/1`, for programs.

Everything but printable ASCII is escaped, so that a report is safe to show on any terminal although
it holds log text as it stands in the input.

**Invariant:** nothing is left out, whatever the style asks for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.diagnosis import Diagnosis
    from diagnose.frames import ReplayReport
    from diagnose.render.paper import Style


def render(report: Diagnosis | ReplayReport, style: Style) -> str:
    """The whole report, indented by two; width, colour and verbosity do not matter here."""
    text = json.dumps(report.to_json(), indent=2, ensure_ascii=True)
    # JSON lets DEL stand, the one control character that json.dumps does not escape.
    return text.replace("\x7f", "\\u007f") + "\n"
