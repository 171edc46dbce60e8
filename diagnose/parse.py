"""Inputs in, events out: the reading half of the program, from bytes to `Parsed`.

Each line is peeled, matched and counted in exactly one class. Who spoke is settled when all inputs
have been read, because a file's own words and those of the others decide it.

**Invariant:** parsing never fails; only opening an input can.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from diagnose import grammar, speaker
from diagnose.envelope import Envelope, Peeler, stamp
from diagnose.errors import InputError
from diagnose.events import (
    LEVELS,
    RANK,
    SPEAKERS,
    Coverage,
    Event,
    Line,
    NearMiss,
    Parsed,
    Production,
    Remark,
    Source,
    Stamp,
)
from diagnose.grammar import Catalogue
from diagnose.options import Options
from diagnose.quoting import Passages, Shape
from diagnose.reader import Input, RawLine, Reading, from_path, read

REPEATS_MAX = 1000
"""A notice of more repetitions yields so many events and a remark."""
NEAR_MISSES_MAX = 100
"""So many near misses of an input are kept with their place; all are counted."""

PASSAGES_SHOWN_MAX = 24
"""So many passages of a text are told by their lines; the rest is counted."""


class _Heard(NamedTuple):
    """One reading before it is known which kernel spoke."""

    line: Line
    production: Production
    fields: dict[str, object]
    program: str
    level: str | None
    stamp: Stamp
    nth: int


@dataclass(slots=True)
class _File:
    """What has been read of one input."""

    source: Input
    reading: Reading
    voices: speaker.Voices
    said: str | None
    guest: str | None
    heard: list[_Heard] = field(default_factory=list)
    near: list[NearMiss] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    shape: Shape = field(default_factory=Shape)
    levels: dict[str, str | None] = field(default_factory=dict)    # the least one of each program
    last: dict[str | None, _Heard | None] = field(default_factory=dict)


def parse(inputs: Iterable[str | Input], options: Options | None = None) -> Parsed:
    """Read all inputs: paths, `-` for standard input, or `Input`s.

    Files that `options` alone names are read after the others. Raises InputError if no input can be
    read, GrammarError if the grammars cannot be used.
    """
    options = options or Options()
    catalogue = grammar.load()
    remarks = [Remark("catalogue-cache", catalogue.remark)] if catalogue.remark else []
    files: list[_File] = []
    failures: list[InputError] = []
    paths: dict[str, str] = {}
    contents: dict[str, str] = {}
    for source in _inputs(inputs, options):
        if source.path in paths:
            remarks.append(_twice(source, paths[source.path], "the same file"))
            continue
        paths[source.path] = source.name
        try:
            made = _read_file(source, options, catalogue)
        except InputError as error:
            failures.append(error)
            told = str(error).removeprefix(f"{source.name}: ")
            remarks.append(Remark("unreadable-input", f"It {told}", source.name))
            continue
        first = contents.setdefault(made.reading.digest, source.name)
        # Guests of one make, without stamps, print the same to the letter: those are no copies.
        copied = made.reading.bytes and made.voices.kernel != "guest"
        if copied and first != source.name:
            remarks.append(_twice(source, first, "the same content"))
            continue
        files.append(made)
    if failures and not files:
        raise failures[0]
    return _settled(files, remarks)


def _inputs(inputs: Iterable[str | Input], options: Options) -> list[Input]:
    named = [*options.dom0, *options.xen, *(path for _, path in options.guest), *options.toolstack]
    given = [each if isinstance(each, Input) else from_path(each) for each in inputs]
    known = {source.path for source in given}
    return given + [extra for extra in map(from_path, named) if extra.path not in known]


def _twice(source: Input, first: str, what: str) -> Remark:
    text = f"It is given again as {source.name}, {what}; it was read once."
    return Remark("read-twice", text, first)


def _read_file(source: Input, options: Options, catalogue: Catalogue) -> _File:
    said, guest = _said(source, options)
    made = _File(source, Reading(source.name), speaker.Voices(said), said, guest)
    peeler = Peeler(catalogue)
    counts = made.counts
    for raw in read(source, made.reading):
        verdict = _take(made, raw, peeler, catalogue)
        counts[verdict] = counts.get(verdict, 0) + 1
    return made


def _said(source: Input, options: Options) -> tuple[str | None, str | None]:
    """Who the caller says has printed this input, and the guest's name."""
    for name, paths in (("dom0", options.dom0), ("xen", options.xen)):
        if any(from_path(path).path == source.path for path in paths):
            return name, None
    for guest, path in options.guest:
        if from_path(path).path == source.path:
            return "guest", guest
    if any(from_path(path).path == source.path for path in options.toolstack):
        return "toolstack", None
    return None, None


def _take(made: _File, raw: RawLine, peeler: Peeler, catalogue: Catalogue) -> str:
    """Read one line; the name of the class in which it counts."""
    if raw.payload is None:
        return "unreadable"
    if not raw.payload or raw.payload.isspace():
        return "known_noise"
    envelope = peeler.peel(raw.payload)
    verdict = _read(made, raw, envelope, catalogue)
    made.shape.see(raw.number, envelope.payload, verdict in ("events", "known_noise"),
                   bool(envelope.layers))
    return verdict


def _read(made: _File, raw: RawLine, envelope: Envelope, catalogue: Catalogue) -> str:
    """Read one line's message; the name of the class in which it counts."""
    program = speaker.program_of(envelope)
    host = priority = None
    if envelope.layers:
        host = envelope.told.get("host")
        made.hosts.add(host or "")
        digit = envelope.told.get("priority")
        priority = None if digit is None else LEVELS[int(digit)]
        if program == "xen" or (program == "kernel" and priority is not None):
            _show(made, program, priority)
    if program is None:
        made.last[host] = None
        return "unknown"
    reading, near = catalogue.match(envelope.payload)
    if reading is None or not speaker.allowed(program, reading.production):
        made.last[host] = None
        if near or reading is not None:
            _miss(made, raw, envelope.payload, catalogue)
            return "near_misses"
        return "unknown" if envelope.payload else "known_noise"
    production = reading.production
    level = priority or production.level
    _show(made, production.file if production.file in SPEAKERS else program, level)
    if production.noise:
        made.last[host] = None
        return "known_noise"
    _hear(made, raw, envelope, reading, program, level)
    return "events"


def _hear(made: _File, raw: RawLine, envelope: Envelope, reading: grammar.Reading, program: str,
          level: str | None) -> None:
    """Keep a reading that is an event, or that repeats one."""
    production, fields = reading
    host = envelope.told.get("host")
    for term in production.proves:
        if term.name == "repeat":
            _repeat(made, raw, host, fields[term.args[0]], stamp(envelope))
            return
    made.voices.hear(production, [t for t in production.proves if t.holds(fields, "guest")])
    line = Line(made.source.name, raw.number, raw.text)
    heard = _Heard(line, production, fields, program, level, stamp(envelope), 0)
    made.last[host] = heard
    made.heard.append(heard)


def _show(made: _File, who: str, level: str | None) -> None:
    """Note that somebody speaks in the input, and the least level of his that it shows."""
    least = made.levels.setdefault(who, level)
    if level is not None and (least is None or RANK[level] > RANK[least]):
        made.levels[who] = level


def _miss(made: _File, raw: RawLine, payload: str, catalogue: Catalogue) -> None:
    if len(made.near) < NEAR_MISSES_MAX:
        broken = catalogue.broken(payload)
        if broken is not None:
            line = Line(made.source.name, raw.number, raw.text)
            made.near.append(NearMiss(line, broken.production.kind, broken.column,
                                      broken.production.alarming))


def _repeat(made: _File, raw: RawLine, host: str | None, count: object, when: Stamp) -> None:
    """`last message repeated`: the host's last line again, so often, citing the notice."""
    before = made.last.get(host)
    if before is None or not isinstance(count, int):
        return
    line = Line(made.source.name, raw.number, raw.text)
    if count > REPEATS_MAX:
        made.reading.remark(
            "repeats-limit",
            f"The last message is said to have come {count} times; {REPEATS_MAX} were counted.",
            raw.number,
        )
    for nth in range(1, min(count, REPEATS_MAX) + 1):
        made.heard.append(before._replace(line=line, stamp=when, nth=nth))


def _settled(files: Sequence[_File], remarks: list[Remark]) -> Parsed:
    """Everything, with the speakers told."""
    events: list[Event] = []
    sources: list[Source] = []
    near: list[NearMiss] = []
    for made, kernel in zip(files, speaker.kernels([made.voices for made in files])):
        own = [_event(made, heard, kernel) for heard in made.heard]
        events.extend(own)
        near.extend(made.near)
        remarks.extend(made.reading.remarks)
        remarks.extend(_quoted(made.source.name, made.shape.passages))
        sources.append(_source(made, own, kernel))
    return Parsed(tuple(events), tuple(sources), tuple(remarks), tuple(near))


def _quoted(name: str, passages: Passages) -> Iterator[Remark]:
    """What has to be said of a text that quotes more than one passage of some log."""
    if len(passages) < 2:
        return
    shown = ", ".join(f"{a}–{b}" if b > a else f"{a}" for a, b in passages[:PASSAGES_SHOWN_MAX])
    more = len(passages) - PASSAGES_SHOWN_MAX
    yield Remark(
        "quoted-passages",
        f"This is a text that quotes logs, in {len(passages)} passages (lines {shown}"
        f"{f' and {more} more' if more > 0 else ''}). Nothing tells that they are of one host or "
        "of one time, so nothing is concluded from them together. Give each passage, or those "
        "that belong together, as a file of its own.",
        name,
    )


def _event(made: _File, heard: _Heard, kernel: str) -> Event:
    who = speaker.line_speaker(heard.program, heard.production, kernel, made.said)
    return Event(
        heard.production.kind,
        heard.fields,
        heard.line,
        who,
        (made.guest or made.source.name) if who == "guest" else None,
        heard.level,
        heard.production,
        heard.stamp,
        heard.nth,
    )


def _source(made: _File, events: Sequence[Event], kernel: str) -> Source:
    floors: dict[str, str] = {}
    heard = {event.speaker for event in events}
    for who, level in made.levels.items():
        name = who if who in SPEAKERS else made.said or kernel
        heard.add(name)
        if level is not None and (name not in floors or RANK[level] > RANK[floors[name]]):
            floors[name] = level
    return Source(
        name=made.source.name,
        path=made.source.name,
        sha256=made.reading.digest,
        bytes=made.reading.bytes,
        lines=made.reading.lines,
        speakers=tuple(name for name in SPEAKERS if name in heard),
        compression=made.reading.compression,
        coverage=Coverage(lines=made.reading.lines, bytes=made.reading.bytes, **made.counts),
        hosts=tuple(sorted(made.hosts - {""})),
        guest=(made.guest or made.source.name) if "guest" in heard else None,
        floors=dict(sorted(floors.items())),
        passages=made.shape.passages,
    )
