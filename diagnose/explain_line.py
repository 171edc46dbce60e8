"""How one line is read: envelope, speaker, production, fields; or where the nearest one broke.

This is what `diagnose line` shows. It runs the same peeler and catalogue as the reading of files,
so what it says is what happens.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from diagnose import grammar, mend, speaker
from diagnose.envelope import Envelope, Peeler
from diagnose.events import SPEAKERS, Production, Stamp, Term
from diagnose.parse import parse
from diagnose.reader import from_bytes
from diagnose.render.words import count
from diagnose.stamps import stamp


class LineReading(Struct, frozen=True):
    """Everything there is to say about one line.

    `verdict` is "event", "noise", "near miss" or "unknown". `speaker` is "kernel" where only the
    rest of the file tells whether dom0 or a guest spoke, None for a program of no interest.
    `reason` says what decided that. For a near miss `production` is the nearest one, `column` where
    it broke, counted from 1 in the payload, and `expected` what would have had to follow.
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
    reason: str = ""


def explain(text: str) -> LineReading:
    """Read one raw line, without its line end: the first record on it.

    Raises GrammarError if the grammars cannot be used.
    """
    return next(_records(text))


def explain_lines(texts: Sequence[str]) -> list[LineReading]:
    """Read lines that stand together, as one log: each record of each line.

    What a line does not tell of its speaker the others may. Raises GrammarError if the grammars
    cannot be used.
    """
    found = [(nth, reading) for nth, text in enumerate(texts, 1) for reading in _records(text)]
    if len(texts) < 2:
        return [reading for _, reading in found]
    parsed = parse([from_bytes("-", "\n".join([*texts, ""]).encode("utf-8", "replace"))])
    said = {(event.line.line, event.kind): event.speaker for event in parsed.events}
    sure = Counter(event.speaker for event in parsed.events
                   if event.production.file in speaker.KERNELS)
    return [_in_context(reading, said.get((nth, reading.production.kind))
                        if reading.production else None, sure) for nth, reading in found]


def _in_context(reading: LineReading, said: str | None, sure: Counter[str]) -> LineReading:
    if said is None or reading.speaker != "kernel" or reading.production is None:
        return reading
    told = " and ".join(f"{count(sure[name], 'line')} only {WHOSE[name]} prints"
                        for name in speaker.KERNELS if sure[name])
    why = f"any kernel prints it; this input has {told}" if told else \
        "any kernel prints it, and no line tells whose it is; dom0's is the usual log"
    proofs = tuple(term for term in reading.production.proves
                   if term.holds(reading.fields or {}, said))
    return replace(reading, speaker=said, reason=why, proves=proofs)


def _records(text: str) -> Iterator[LineReading]:
    """The readings of the records on one line, at least one."""
    catalogue = grammar.load()
    peeler = Peeler(catalogue)
    for piece in mend.pieces(text) or [text]:
        yield from (_read(text, record.envelope, catalogue) for record in mend.parted(
            piece, peeler, lambda envelope: catalogue.match(envelope.payload.strip(" "))))


def _read(text: str, envelope: Envelope, catalogue: grammar.Catalogue) -> LineReading:
    envelope = replace(envelope, payload=envelope.payload.strip(" "))
    program = speaker.program_of(envelope)
    unread = LineReading(
        text, envelope.payload, envelope.layers, stamp(envelope), program, "unknown",
        reason=_reason(envelope, program, None),
    )
    if program is None:
        return unread
    reading = catalogue.read(envelope.payload)
    if reading is None or not speaker.allowed(program, reading.production):
        return _nearest(unread, reading is not None, catalogue)
    made, fields = reading.production, reading.fields
    who = speaker.line_speaker(program, made, "kernel", None)
    who = made.file if made.file in speaker.KERNELS else who
    return replace(
        unread,
        speaker=who,
        reason=_reason(envelope, program, made),
        verdict="noise" if made.noise else "event",
        production=made,
        fields=fields,
        proves=tuple(term for term in made.proves if term.holds(fields, who)),
    )


WHOSE = {"dom0": "dom0's kernel", "guest": "a guest's kernel", "xen": "the hypervisor",
         "toolstack": "the tool stack"}


def _reason(envelope: Envelope, program: str | None, made: Production | None) -> str:
    """What the line itself tells of who speaks."""
    if envelope.speaker is not None:
        return f"its envelope is that of {WHOSE[envelope.speaker]}"
    named = envelope.told.get("program") or envelope.told.get("kernel_program")
    if program is None or program in SPEAKERS:
        return f"syslog names the program {named}"
    if made is not None and made.file in WHOSE:
        return f"only {WHOSE[made.file]} prints this message"
    by = f"syslog names {named}, and " if named else ""
    return f"{by}any kernel prints it" if made is not None else f"{by}nothing else tells"


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


def render(reading: LineReading, verbose: bool = False) -> str:
    """The reading as rows of text; the log's own characters are not neutralised here.

    `verbose` adds the reason for the speaker.
    """
    rows = [("line", reading.text.strip()), ("envelope", " + ".join(reading.layers) or "none")]
    if reading.stamp.uptime is not None:
        rows.append(("uptime", f"{reading.stamp.uptime} s since boot"))
    if reading.stamp.wall is not None:
        rows.append(("wall", _day(reading)))
    if reading.stamp.host:
        rows.append(("host", reading.stamp.host))
    told = {"kernel": "a kernel: dom0's or a guest's, the rest of the file tells", None: "other"}
    rows.append(("speaker", told.get(reading.speaker, reading.speaker or "")))
    if verbose and reading.reason:
        rows.append(("because", reading.reason))
    rows.append(("verdict", reading.verdict))
    rows.extend(_near_rows(reading) if reading.column else _message_rows(reading))
    return "\n".join(f"{name:<10}{text}".rstrip() for name, text in rows) + "\n"


def _day(reading: LineReading) -> str:
    """The time of day as the envelope tells it: with a year only if that has one."""
    wall = reading.stamp.wall or 0.0
    try:
        moment = EPOCH + timedelta(seconds=wall)
    except OverflowError:       # a zone moves it out of the years that there are
        return f"{wall:.0f} s since 2000"
    return f"{moment:{'%b %d' if moment.year == EPOCH.year else '%Y-%m-%d'} %H:%M:%S}"


EPOCH = datetime(2000, 1, 1)


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
