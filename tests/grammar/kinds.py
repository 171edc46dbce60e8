"""Every kind of line with the catalogue that reads it: that of logs, or one of state files."""
from __future__ import annotations

from diagnose.grammar import load

KINDS = {made.kind: own for own in (load(), *load().states.values()) for made in own.productions}
PRODUCTIONS = [own.production(kind) for kind, own in KINDS.items()]
