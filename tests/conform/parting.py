"""Tells two plain values apart by what differs in them, so that a large one is not told whole."""

from __future__ import annotations

from collections.abc import Iterator

SHOWN_MAX = 6
WIDTH_MAX = 64
"""Characters that are shown of a value."""
LEAD = 20
"""Characters that are shown of what two long values have in common before they part."""
ABSENT = "(nothing)"


class Words(str):
    """Text that is told as it is, and not as a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def told(name: str, expected: object, got: object) -> list[str]:
    """The first few places where the values part, with the way to each; long values are cut."""
    lines = [_line(*each) for each in _part(name, expected, got)]
    more = len(lines) - SHOWN_MAX
    return lines if more <= 0 else [*lines[:SHOWN_MAX], f"{name}: {more} more places"]


def _line(way: str, one: str, other: str) -> str:
    if max(len(one), len(other)) <= WIDTH_MAX:
        return f"{way}: expected {one}, got {other}"
    pairs = enumerate(zip(one, other))
    at = next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
    begin = max(0, at - LEAD)
    place = f", from character {at + 1} on" if begin else ""
    return f"{way}{place}:\n    expected {_cut(one, begin)}\n    got {_cut(other, begin)}"


def _cut(text: str, begin: int) -> str:
    """What is shown of a long value, with an ellipsis for what is left out."""
    shown = text[begin : begin + WIDTH_MAX]
    return "…" * (begin > 0) + shown + "…" * (begin + WIDTH_MAX < len(text))


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
