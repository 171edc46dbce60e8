"""Lines that resemble an alarming message and that no production accepts.

**Invariant:** such a line makes nothing guilty, it only keeps a host from being called healthy.
"""
from __future__ import annotations

from collections.abc import Iterator

from diagnose.diagnosis import Divergence, Missing
from diagnose.events import Parsed, Remark
from diagnose.hearing import NEAR_MISSES_MAX


def misread(parsed: Parsed) -> tuple[Divergence, ...]:
    """A divergence for each alarming near miss of a log; a text that quotes logs breaks lines."""
    texts = {source.path for source in parsed.sources if len(source.passages) > 1}
    return tuple(
        Divergence("observed-unexplained", near.kind, (near.line,),
                   f"it reads like this message as far as character {near.column + 1} of what the "
                   "program printed, and then differs, so nothing is made of it; `diagnose line` "
                   "shows where")
        for near in parsed.near_misses if near.alarming and near.line.input not in texts)


def to_collect(parsed: Parsed) -> Iterator[Missing]:
    """The lines as they were printed, where some were not read."""
    if misread(parsed):
        yield Missing("the lines that could not be read, as they were printed",
                      "they look like alarming messages and are cut, wrapped or changed",
                      "diagnose line 'THE LINE'")


def overflows(parsed: Parsed) -> Iterator[Remark]:
    """Inputs with more near misses than are looked at one by one."""
    for source in parsed.sources:
        if source.coverage.near_misses > NEAR_MISSES_MAX:
            yield Remark("near-misses", f"{source.coverage.near_misses} lines resemble messages "
                         f"and cannot be read; only the first {NEAR_MISSES_MAX} were looked at, "
                         "and nothing here is called healthy.", source.path)
