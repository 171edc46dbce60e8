"""Entries of systemd's journal: JSON objects on a line, spread over lines, or the export format.

An entry of several lines becomes one JSON object in the place of the line that holds its message,
so that one reader opens all of them; the entry's other lines hold nothing to be read.

**Invariant:** an entry that cannot be opened is given back line by line, as it stands.
"""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from diagnose.lines import RawLine

ENTRY_LINES_MAX = 1000
"""No entry has so many lines: what looks like one that has is none."""
_FIELD = re.compile(rb"([A-Z_][A-Z0-9_]{0,63})(?:=(.*))?", re.DOTALL)
_FIRST = b"__CURSOR="
#: The first line of an entry of `journalctl -o verbose`; `t` is the time in microseconds, hex.
_VERBOSE = re.compile(
    rb"[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [^ ]+ "
    rb"\[s=[^\]]*;t=([0-9a-f]{1,16});[^\]]*\]")
#: What the first lines of entries begin with: one of the above, a weekday, or a lonely brace.
_BEGINS = frozenset((b"_", b"{", b" ", b"\t", *(bytes((letter,)) for letter in range(65, 91))))
_INDENT = b"    "
_LENGTH_BYTES = 8
#: No number of the journal has more digits.
NUMBER_DIGITS_MAX = 20


class Opened(Struct, frozen=True):
    """An entry's message and what its other fields tell, under the names of the envelope."""

    payload: str
    told: dict[str, str]


#: The journal's fields (systemd.journal-fields(7)) and what they are called here.
_NAMES = (
    ("_HOSTNAME", "host"), ("SYSLOG_IDENTIFIER", "program"), ("PRIORITY", "priority"),
)


def opened(payload: str) -> Opened | None:
    """Open a JSON object of which the first brace has been taken off; None if it is no entry."""
    try:
        record = json.loads("{" + payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or "MESSAGE" not in record:
        return None
    told = {name: text for key, name in _NAMES if (text := _text(record.get(key))) is not None}
    if "program" not in told and record.get("_TRANSPORT") == "kernel":
        told["program"] = "kernel"
    if not _is_number(told.get("priority", "0")):
        del told["priority"]
    for key, name in (("__REALTIME_TIMESTAMP", "unix"), ("_SOURCE_MONOTONIC_TIMESTAMP", "seconds")):
        digits = _text(record.get(key))
        if digits is not None and _is_number(digits):
            told[name] = f"{int(digits) // 1_000_000}.{int(digits) % 1_000_000:06}"
    return Opened(_text(record["MESSAGE"]) or "", told)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX


def _text(value: object) -> str | None:
    """A field's text: a string, or a list of bytes where it is no valid text; the last of several.
    """
    if isinstance(value, list) and value and all(isinstance(each, int) for each in value):
        return bytes(each & 255 for each in value).decode("utf-8", "replace")
    if isinstance(value, list) and value:
        return _text(value[-1])
    return value if isinstance(value, str) else None


def _bracketed(payload: str) -> Opened:
    """A message behind which a bracket closes."""
    return Opened(payload.removesuffix("]"), {})


ENTRY = "journal"
#: How the payload of a layer is opened, by the name that its production gives.
UNPACKERS: Mapping[str, Callable[[str], Opened | None]] = {
    "bracket": _bracketed, ENTRY: opened,
}


def entries(lines: Iterator[RawLine]) -> Iterator[RawLine]:
    """The lines, with each entry of several lines in the place of its message's line."""
    left: RawLine | None = None         # the line that ended an entry and is none of it
    while (line := left or next(lines, None)) is not None:
        left = None
        data = line.data
        # Most lines that begin with a letter are no header, which has a date behind the weekday.
        if data[:1] not in _BEGINS or (data[:1].isalpha() and data[8:9] != b"-"):
            yield line
        elif line.data.startswith(_FIRST):
            yield from _exported(line, lines)
        elif (header := _VERBOSE.match(line.data)) is not None:
            left = yield from _verbose(line, header[1], lines)
        elif line.data.strip() == b"{":
            yield from _pretty(line, lines)
        else:
            yield line


def _exported(first: RawLine, lines: Iterator[RawLine]) -> Iterator[RawLine]:
    """One entry of `journalctl -o export`, which ends with an empty line."""
    held, record, place = [first], {"__CURSOR": ""}, 0
    for line in lines:
        field = _FIELD.fullmatch(line.data.rstrip(b"\r"))
        if line.data.strip() and (field is None or len(held) > ENTRY_LINES_MAX):
            yield from _placed(held, place, json.dumps(record) if place else None)
            yield line
            return
        held.append(line)
        if field is None:
            break
        name, value = field[1], field[2]
        if name == b"MESSAGE":
            place = len(held) - 1
        if value is None:
            value = _binary(lines, held)
        record[name.decode()] = value.decode("utf-8", "replace")
    yield from _placed(held, place, json.dumps(record) if place else None)


def _binary(lines: Iterator[RawLine], held: list[RawLine]) -> bytes:
    """A field's value that is told with its length before it and may hold line feeds."""
    data = bytearray()
    for line in lines:
        data += b"\n" * (line.number - held[-1].number - 1)     # blank lines, counted alone
        held.append(line)
        data += line.data + b"\n"
        if len(data) < _LENGTH_BYTES:
            continue
        length = int.from_bytes(data[:_LENGTH_BYTES], "little")
        if len(data) > _LENGTH_BYTES + length or len(held) > ENTRY_LINES_MAX:
            return bytes(data[_LENGTH_BYTES:_LENGTH_BYTES + length])
    return bytes(data[_LENGTH_BYTES:])


def _pretty(first: RawLine, lines: Iterator[RawLine]) -> Iterator[RawLine]:
    """One entry of `journalctl -o json-pretty`."""
    held, place = [first], 0
    for line in lines:
        held.append(line)
        if b'"MESSAGE"' in line.data and not place:
            place = len(held) - 1
        if line.data.strip() == b"}" or len(held) > ENTRY_LINES_MAX:
            break
    text = b" ".join(line.data.strip() for line in held).decode("utf-8", "replace")
    yield from _placed(held, place, text if opened(text[1:]) else None)


def _verbose(first: RawLine, time: bytes,
             lines: Iterator[RawLine]) -> Generator[RawLine, None, RawLine | None]:
    """One entry of `journalctl -o verbose`: its lines are indented, values go on further in.

    Returns the line behind it, which had to be read to find its end.
    """
    held, place = [first], 0
    record = {"__REALTIME_TIMESTAMP": str(int(time, 16))}
    for line in lines:
        field = _FIELD.fullmatch(line.data.removeprefix(_INDENT).rstrip(b"\r"))
        if not line.data.startswith(_INDENT) or len(held) > ENTRY_LINES_MAX:
            yield from _placed(held, place, json.dumps(record) if place else None)
            return line
        held.append(line)
        if field is not None and field[2] is not None:
            record[field[1].decode()] = field[2].decode("utf-8", "replace")
            place = len(held) - 1 if field[1] == b"MESSAGE" else place
    yield from _placed(held, place, json.dumps(record) if place else None)
    return None


def _placed(held: list[RawLine], place: int, text: str | None) -> Iterator[RawLine]:
    for nth, line in enumerate(held):
        yield line if text is None else replace(line, payload=text if nth == place else "")
