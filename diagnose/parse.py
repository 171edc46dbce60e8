"""Inputs in, events out: the reading half of the program, from bytes to `Parsed`.

Who spoke is settled when all inputs have been heard, because a file's own words and those of the
others decide it.

**Invariant:** parsing never fails; only opening an input can.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct, field

from diagnose import braid, grammar, speaker
from diagnose.bundle import rotation
from diagnose.bundle.leftout import shown, tally
from diagnose.bundle.names import natural
from diagnose.bundle.unfold import unfold
from diagnose.errors import InputError
from diagnose.events import (
    RANK,
    SPEAKERS,
    Coverage,
    Event,
    LeftOut,
    NearMiss,
    Parsed,
    Remark,
    Source,
)
from diagnose.hearing import Hearing
from diagnose.options import Options
from diagnose.quoting import Passages
from diagnose.reader import Input, from_path
from diagnose.spoken import Heard

PASSAGES_SHOWN_MAX = 24
"""So many passages of a text are told by their lines; the rest is counted."""


def parse(inputs: Iterable[str | Input], options: Options | None = None) -> Parsed:
    """Read all inputs: paths, `-` for standard input, or `Input`s, and what lies inside of them.

    Files that `options` alone names are read after the others. Raises InputError if no input can be
    read, GrammarError if the grammars cannot be used.
    """
    options = options or Options()
    catalogue = grammar.load()
    kept = _Kept([Remark("catalogue-cache", catalogue.remark)] if catalogue.remark else [])
    failures: list[InputError] = []
    sources = _inputs(inputs, options)
    for given, source in enumerate(sources):
        if kept.again(source.path, source.name):
            continue
        try:
            for found in unfold(source):
                if isinstance(found, LeftOut):
                    kept.left_out.setdefault(source.name, []).append(found)
                elif isinstance(found, Remark):
                    kept.remarks.append(found)
                elif found.path == source.path or not kept.again(found.path, found.name):
                    made = Hearing(found, *_said(found, options), catalogue)
                    made.reading.hashed = not options.brief or len(sources) > 1 or \
                        found.path != source.path
                    kept.hear(given, source, made)
        except InputError as error:
            failures.append(error)
            told = str(error).removeprefix(f"{source.name}: ")
            kept.remarks.append(Remark("unreadable-input", f"It {told}", source.name))
    logs = kept.logs()
    if not logs and kept.paths:
        raise failures[0] if failures else kept.empty()
    return _settled(logs, kept)


class _Kept(Struct):
    """What reading has brought so far."""

    remarks: list[Remark]
    heard: list[tuple[int, Hearing]] = field(default_factory=list)      # by ordinal of the input
    left_out: dict[str, list[LeftOut]] = field(default_factory=dict)    # by name of the input
    paths: dict[str, str] = field(default_factory=dict)

    def again(self, path: str, name: str) -> bool:
        """Whether a file has been met before; a remark tells."""
        if path in self.paths:
            self.remarks.append(_twice(name, self.paths[path], "the same file"))
            return True
        self.paths[path] = name
        return False

    def hear(self, given: int, source: Input, made: Hearing) -> None:
        """Listen to what an input holds, and keep it if it is a log or a state file."""
        if made.listen().refused:
            left = LeftOut(made.source.name, "a state that no grammar reads")
            self.left_out.setdefault(source.name, []).append(left)
        else:
            self.heard.append((given, made))

    def empty(self) -> InputError:
        """The error that tells that there is nothing to read, and what there is."""
        name = next(iter(self.paths.values()))
        met = " ".join([*(each.text for each in self.remarks if each.input == name),
                        f"{tally(self.left_out.get(name, ()))}."])
        return InputError(f"{name}: no log lies in it. {met} Name the logs themselves, or a "
                          "directory or an archive that holds some.")

    def logs(self) -> list[_Log]:
        """The logs, each of one file or of several in order, without those of the same content.

        Members are in the order of their names, whatever that of their archive.
        """
        self.heard.sort(key=lambda each: (each[0], natural(each[1].source.name)))
        every = [made for _, made in self.heard]
        contents: dict[tuple[str, ...], str] = {}
        found = []
        for name, places in rotation.logs([made.source.name for made in every]):
            parts = self._once([every[place] for place in places])
            first = contents.setdefault(tuple(made.reading.digest for made in parts), name)
            # Guests of one make, without stamps, print the same to the letter: no copies.
            if first == name or not any(made.reading.bytes for made in parts) or any(
                    made.voices.kernel == "guest" for made in parts):
                found.append(_Log(name, parts))
            else:
                self.remarks.append(_twice(name, first, "the same content"))
        return found

    def _once(self, parts: list[Hearing]) -> list[Hearing]:
        """The parts of one log without those of the same content."""
        first: dict[str, Hearing] = {}
        for made in parts:
            kept = first.setdefault(made.reading.digest or made.source.name, made)
            if kept is not made:
                self.remarks.append(
                    _twice(made.source.name, kept.source.name, "the same content"))
        return list(first.values())


class _Log(Struct, frozen=True):
    """One log and the files that it lies in, oldest first."""

    name: str
    parts: list[Hearing]


def _inputs(inputs: Iterable[str | Input], options: Options) -> list[Input]:
    named = [*options.dom0, *options.xen, *(path for _, path in options.guest), *options.toolstack]
    given = [each if isinstance(each, Input) else from_path(each) for each in inputs]
    known = tuple(source.path for source in given)
    inside = tuple(f"{path}{mark}" for path in known for mark in "!/")
    return given + [extra for extra in map(from_path, named)
                    if extra.path not in known and not extra.path.startswith(inside)]


def _twice(name: str, first: str, what: str) -> Remark:
    return Remark("read-twice", f"It is given again as {name}, {what}; it was read once.", first)


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
    return source.hint, None


def _settled(logs: Sequence[_Log], kept: _Kept) -> Parsed:
    """Everything, with the speakers told; the readings are used up."""
    for log in logs:
        for before, made in pairwise(log.parts):
            made.spoken.follow(before.spoken)
    voices = [speaker.joined([made.voices for made in log.parts]) for log in logs]
    speaker.settle(voices)
    events: list[Event] = []
    sources: list[Source] = []
    near: list[NearMiss] = []
    remarks = [*kept.remarks, *(
        Remark("left-out", f"{tally(met)}.", name)
        for name, met in kept.left_out.items())]
    for log, voice in zip(logs, voices, strict=True):
        apart = braid.kernels([heard for made in log.parts for heard in made.heard])
        place = 0
        part_of = log.name if len(log.parts) > 1 else ""
        for made in log.parts:
            own = []
            made.heard.reverse()
            while made.heard:       # what is an event needs no room as a reading
                heard = made.heard.pop()
                name = (made.guest or log.name, heard.voice, len(voice.streams) > 1)
                own.append(_event(made, heard, apart.get(place, heard.voice.kernel),
                                  _guest(*name), part_of))
                place += 1
            events.extend(own)
            near.extend(made.near)
            remarks.extend(made.reading.remarks)
            remarks.extend(_quoted(made.source.name, made.shape.passages))
            sources.append(_source(made, own, log.name, part_of))
    state = tuple(fact for log in logs for made in log.parts if made.state is not None
                  for fact in made.state.facts)
    return Parsed(tuple(events), tuple(sources), tuple(remarks), tuple(near),
                  tuple(shown(kept.left_out.values())), state)


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


def _event(made: Hearing, heard: Heard, kernel: str, guest: str, part_of: str) -> Event:
    who = speaker.line_speaker(heard.program, heard.production, kernel, made.said)
    return Event(
        heard.production.kind,
        heard.fields,
        heard.line,
        who,
        guest if who == "guest" else None,
        heard.level,
        heard.production,
        heard.stamp,
        heard.nth,
        heard.domid,
        part_of,
    )


def _guest(name: str, voice: speaker.Section, several: bool) -> str:
    """The name of a guest: the caller's for it, else its log's, with its stream's if that has one
    of several.
    """
    return f"{name} {voice.stream}" if several else name


def _source(made: Hearing, events: Sequence[Event], log: str, part_of: str) -> Source:
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
        guest=(made.guest or log) if "guest" in heard else None,
        floors=dict(sorted(floors.items())),
        passages=made.shape.passages,
        part_of=part_of,
        state=made.state.kind if made.state is not None else "",
    )
