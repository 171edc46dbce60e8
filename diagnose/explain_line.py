"""How one line is read: envelope, speaker, production, fields; or where the nearest one broke.

This is what `diagnose line` shows. It runs the same peeler and catalogue as the reading of files,
so what it says is what happens.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from diagnose import grammar, speaker
from diagnose.envelope import Peeler, stamp
from diagnose.events import Production, Stamp, Term


@dataclass(frozen=True, slots=True)
class LineReading:
    """Everything there is to say about one line.

    `verdict` is "event", "noise", "near miss" or "unknown". `speaker` is "kernel" where only the
    rest of the file tells whether dom0 or a guest spoke, None for a program of no interest.
    For a near miss `production` is the nearest one, `column` where it broke, counted from 1 in the
    payload, and `expected` what would have had to follow.
    """

    text: str
    payload: str
    layers: tuple[str, ...]
    stamp: Stamp
    speaker: str | None
    verdict: str
    production: Production | None = None
    fields: dict[str, object] | None = None
    proves: tuple[Term, ...] = ()
    column: int | None = None
    expected: str | None = None


def explain(text: str) -> LineReading:
    """Read one raw line, without its line end.

    Raises GrammarError if the grammars cannot be used.
    """
    catalogue = grammar.load()
    envelope = Peeler(catalogue).peel(text)
    program = speaker.program_of(envelope)
    unread = LineReading(
        text, envelope.payload, envelope.layers, stamp(envelope), program, "unknown"
    )
    if program is None:
        return unread
    reading = catalogue.read(envelope.payload)
    if reading is None or not speaker.allowed(program, reading.production):
        return _nearest(unread, reading is not None, catalogue)
    made, fields = reading
    who = speaker.line_speaker(program, made, "kernel", None)
    who = made.file if made.file in speaker.KERNELS else who
    return replace(
        unread,
        speaker=who,
        verdict="noise" if made.noise else "event",
        production=made,
        fields=fields,
        proves=tuple(term for term in made.proves if term.holds(fields, who)),
    )


def _nearest(unread: LineReading, read: bool, catalogue: grammar.Catalogue) -> LineReading:
    near = catalogue.match(unread.payload).near
    broken = catalogue.broken(unread.payload)
    if broken is None:
        return unread
    return replace(
        unread,
        verdict="near miss" if near or read else "unknown",
        production=broken.production,
        column=broken.column + 1,
        expected=f"that {unread.speaker} does not say this" if read else broken.expected,
    )


def render(reading: LineReading) -> str:
    """The reading as rows of text; the log's own characters are not neutralised here."""
    rows = [("line", reading.text.strip()), ("envelope", " + ".join(reading.layers) or "none")]
    if reading.stamp.kind:
        rows.append(("time", f"{reading.stamp.time} s ({reading.stamp.kind})"))
    if reading.stamp.host:
        rows.append(("host", reading.stamp.host))
    told = {"kernel": "a kernel: dom0's or a guest's, the rest of the file tells", None: "other"}
    rows.append(("speaker", told.get(reading.speaker, reading.speaker or "")))
    rows.append(("verdict", reading.verdict))
    rows.extend(_near_rows(reading) if reading.column else _message_rows(reading))
    return "\n".join(f"{name:<10}{text}".rstrip() for name, text in rows) + "\n"


def _message_rows(reading: LineReading) -> Iterator[tuple[str, str]]:
    made = reading.production
    if made is None:
        return
    yield "message", f"{made.catalogue_id} ({made.provenance}; {made.versions})"
    for name, value in (reading.fields or {}).items():
        yield "field", f"{name} = {value}"
    for term in reading.proves:
        yield "proves", f"{term.name}({', '.join(term.args)})" if term.args else term.name
    if made.about:
        yield "note", made.about
    if made.todo:
        yield "to do", made.todo


def _near_rows(reading: LineReading) -> Iterator[tuple[str, str]]:
    made, column = reading.production, reading.column or 1
    if made is None:
        return
    yield "nearest", f"{made.catalogue_id} ({made.provenance})"
    yield "broke at", f"column {column}, expected {reading.expected}"
    yield "", reading.payload
    yield "", " " * (column - 1) + "^"
    if made.near_miss:
        yield "note", made.near_miss
