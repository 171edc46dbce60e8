"""How wide a text is, in columns.

**Invariant:** numbers only.
"""

from __future__ import annotations

WIDTH = 80
"""Where no terminal shows it and nobody asks for more or less."""
WIDTH_MIN = 50
"""Narrower texts are refused."""
WIDTH_MAX = 120
"""Wider terminals get no wider text unless asked: longer lines are hard to read."""
