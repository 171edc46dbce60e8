"""Inputs in, events out: the reading half of the program, from bytes to `Parsed`.

Who spoke is settled when all inputs have been heard, because a file's own words and those of the
others decide it.

**Invariant:** parsing never fails; only opening an input can.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from diagnose import braid, grammar, speaker
from diagnose.errors import InputError
from diagnose.events import (
    RANK,
    SPEAKERS,
    Coverage,
    Event,
    NearMiss,
    Parsed,
    Remark,
    Source,
)
from diagnose.hearing import Heard, Hearing
from diagnose.options import Options
from diagnose.quoting import Passages
from diagnose.reader import Input, from_path

PASSAGES_SHOWN_MAX = 24
"""So many passages of a text are told by their lines; the rest is counted."""


def parse(inputs: Iterable[str | Input], options: Options | None = None) -> Parsed:
    """Read all inputs: paths, `-` for standard input, or `Input`s.

    Files that `options` alone names are read after the others. Raises InputError if no input can be
    read, GrammarError if the grammars cannot be used.
    """
    options = options or Options()
    catalogue = grammar.load()
    remarks = [Remark("catalogue-cache", catalogue.remark)] if catalogue.remark else []
    files: list[Hearing] = []
    failures: list[InputError] = []
    paths: dict[str, str] = {}
    contents: dict[str, str] = {}
    for source in _inputs(inputs, options):
        if source.path in paths:
            remarks.append(_twice(source, paths[source.path], "the same file"))
            continue
        paths[source.path] = source.name
        try:
            made = Hearing(source, *_said(source, options), catalogue).listen()
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


def _settled(files: Sequence[Hearing], remarks: list[Remark]) -> Parsed:
    """Everything, with the speakers told."""
    speaker.settle([made.voices for made in files])
    events: list[Event] = []
    sources: list[Source] = []
    near: list[NearMiss] = []
    for made in files:
        apart = braid.kernels(made.heard)
        own = [_event(made, heard, apart.get(place, heard.voice.kernel))
               for place, heard in enumerate(made.heard)]
        events.extend(own)
        near.extend(made.near)
        remarks.extend(made.reading.remarks)
        remarks.extend(_quoted(made.source.name, made.shape.passages))
        sources.append(_source(made, own))
    state = tuple(fact for made in files if made.state is not None for fact in made.state.facts)
    return Parsed(tuple(events), tuple(sources), tuple(remarks), tuple(near), state)


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


def _event(made: Hearing, heard: Heard, kernel: str) -> Event:
    who = speaker.line_speaker(heard.program, heard.production, kernel, made.said)
    return Event(
        heard.production.kind,
        heard.fields,
        heard.line,
        who,
        _guest(made, heard.voice) if who == "guest" else None,
        heard.level,
        heard.production,
        heard.stamp,
        heard.nth,
        heard.domid,
    )


def _guest(made: Hearing, voice: speaker.Section) -> str:
    """The name of a guest: the caller's for it, else its file's, with its stream's if it has one
    of several.
    """
    name = made.guest or made.source.name
    return f"{name} {voice.stream}" if len(made.voices.streams) > 1 else name


def _source(made: Hearing, events: Sequence[Event]) -> Source:
    floors: dict[str, str] = {}
    heard = {event.speaker for event in events}
    hosts: set[str] = set()
    for (section, who), level in made.levels.items():
        name = who if who in SPEAKERS else made.said or section.kernel
        heard.add(name)
        if name in ("dom0", "xen") and not section.stream.startswith(speaker.GUEST_STREAM):
            hosts.add(section.stream)
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
        hosts=tuple(sorted(hosts - {""})),
        guest=(made.guest or made.source.name) if "guest" in heard else None,
        floors=dict(sorted(floors.items())),
        passages=made.shape.passages,
        state=made.state.kind if made.state is not None else "",
    )
