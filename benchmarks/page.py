"""How a benchmark is asked, and where the page goes that it makes.

**Invariant:** a published page is replaced only where it is named: a trial leaves it as it is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def asker(doc: str | None) -> argparse.ArgumentParser:
    """A parser of arguments with what every benchmark takes; `doc` is the benchmark's docstring."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n", 1)[0])
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="keep the page, which is only shown otherwise"
    )
    return parser


def positive(text: str) -> int:
    """An argument that is a number of things, from 1.  Raises ArgumentTypeError for others."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def existing(text: str) -> Path:
    """An argument that is a file.  Raises ArgumentTypeError where there is none."""
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def publish(page: str, output: Path | None) -> None:
    """Show the page, and keep it where that is wanted; ends the program if that fails."""
    print(page, end="", flush=True)
    if output is not None:
        try:
            output.write_text(page, encoding="utf-8")
        except OSError as error:
            sys.exit(f"{output}: {error.strerror}")
