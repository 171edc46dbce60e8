"""Tells two plain values apart by what differs in them, so that a large one is not told whole."""

from __future__ import annotations

from collections.abc import Iterator

SHOWN_MAX = 6
ABSENT = "(nothing)"


def told(name: str, expected: object, got: object) -> list[str]:
    """A line for each place where the values part, with the way to it; the first few of them."""
    lines = [
        f"{way}: expected {one}, got {other}" for way, one, other in _part(name, expected, got)
    ]
    more = len(lines) - SHOWN_MAX
    return lines if more <= 0 else [*lines[:SHOWN_MAX], f"{name}: {more} more places"]


def _part(way: str, expected: object, got: object) -> Iterator[tuple[str, str, str]]:
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in [*expected, *(key for key in got if key not in expected)]:
            yield from _item(f"{way}[{key!r}]", key, expected, got)
    elif isinstance(expected, list) and isinstance(got, list):
        for at in range(max(len(expected), len(got))):
            yield from _item(f"{way}[{at}]", at, dict(enumerate(expected)), dict(enumerate(got)))
    elif expected != got:
        yield way, repr(expected), repr(got)


def _item(
    way: str, key: object, expected: dict[object, object], got: dict[object, object]
) -> Iterator[tuple[str, str, str]]:
    if key in expected and key in got:
        yield from _part(way, expected[key], got[key])
    elif key in expected:
        yield way, repr(expected[key]), ABSENT
    else:
        yield way, ABSENT, repr(got[key])
