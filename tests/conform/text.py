"""Prints effects as the kernels would, with the messages of the program's own grammar.

So a trace that agrees proves the machine and the grammar's literals at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.grammar import print_line
from emulator.effects import Effect

LogLine = tuple[str, str, str]

# One printk with inner newlines is one production a line.
_CONTINUATIONS = ("pciback_readonly_write_2", "pciback_readonly_write_3")


def log_of(effects: Iterable[Effect]) -> list[LogLine]:
    """What dom0 and Xen log, as (source, level, text); guests are left out."""
    lines: list[LogLine] = []
    for effect in effects:
        if effect.speaker == "guest":
            continue
        text = print_line(effect.kind, effect.fields)
        if effect.kind in _CONTINUATIONS:
            source, level, so_far = lines.pop()
            lines.append((source, level, f"{so_far}\n{text}"))
        else:
            lines.append((effect.speaker, effect.level, text))
    return lines
