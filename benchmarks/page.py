"""How a benchmark is asked, and where the page goes that it makes.

**Invariant:** a published page is replaced only where it is named: a trial leaves it as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def asker(doc: str | None) -> argparse.ArgumentParser:
    """A parser of arguments with what every benchmark takes; `doc` is the benchmark's docstring."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n", 1)[0])
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="keep the page, which is only shown otherwise"
    )
    return parser


def publish(page: str, output: Path | None) -> None:
    """Show the page, and keep it where that is wanted."""
    print(page, end="")
    if output is not None:
        output.write_text(page, encoding="utf-8")
