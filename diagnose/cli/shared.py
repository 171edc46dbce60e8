"""What several commands share: what their options say, and what follows from a verdict.

**Invariant:** what a command needs besides is imported when it runs, because most of the time of a
small diagnosis is the start of the interpreter; typer, which takes longest, is not needed to run
one (see `calls`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from diagnose.console import complain
from diagnose.errors import UsageError
from diagnose.options import Options

if TYPE_CHECKING:
    from diagnose.events import Remark

INTERRUPTED = 130
"""The status of a command that was interrupted, as shells know it."""
REMARKS_MAX = 10
"""Remarks written to standard error; the report holds all of them."""
FailOn = Literal["fault", "inconclusive", "never"]
"""Which verdicts end the command with a status other than 0."""


def exit_status(verdict: str, fail_on: FailOn) -> int:
    """What the command ends with, once there is a verdict."""
    if verdict == "fault" and fail_on != "never":
        return 1
    return 3 if verdict == "inconclusive" and fail_on == "inconclusive" else 0


def hints(
    dom0: list[str] | None, xen: list[str] | None, guest: list[str] | None,
    toolstack: list[str] | None, kernel: str | None,
    device: str | None = None,
) -> Options:
    """What the options about speakers, kernel and device say. Raises UsageError for a bad guest."""
    return Options(
        kernel=kernel,
        dom0=tuple(dom0 or ()),
        xen=tuple(xen or ()),
        guest=tuple(_named(pair) for pair in guest or ()),
        toolstack=tuple(toolstack or ()),
        device=device,
    )


def _named(pair: str) -> tuple[str, str]:
    name, sign, path = pair.partition("=")
    if not (name and sign and path):
        raise UsageError(
            f"--guest {pair!r} does not tell which guest printed which file; write --guest NAME=F."
        )
    return name, path


def tell(remarks: Sequence[Remark]) -> None:
    """Remarks on standard error, each once, the first few of many."""
    texts = []
    for remark in remarks:
        place = ":".join(str(part) for part in (remark.input, remark.line) if part is not None)
        texts.append(f"{place}: {remark.text}" if place else remark.text)
    texts = list(dict.fromkeys(texts))
    for text in texts[:REMARKS_MAX]:
        complain("remark", text)
    if len(texts) > REMARKS_MAX:
        complain("remark", f"{len(texts) - REMARKS_MAX} more are in the report (-v, JSON)")
