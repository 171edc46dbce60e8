"""Hear one input: every line in one class of the coverage, every record a reading or none.

Who spoke is left open where only the rest of the file, or the other files, can tell.

**Invariant:** never fails; each line is counted once, also where it is a part of a record.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from diagnose import grammar, mend, speaker
from diagnose.envelope import Envelope, Peeler, host, priority
from diagnose.events import LEVELS, RANK, SPEAKERS, Line, NearMiss, Production, Stamp
from diagnose.journal import entries
from diagnose.quoting import Shape
from diagnose.reader import Input, RawLine, Reading, read
from diagnose.relative import Relative
from diagnose.state.files import StateFile, recognised

REPEATS_MAX = 1000
"""A notice of more repetitions yields so many events and a remark."""
NEAR_MISSES_MAX = 100
"""So many near misses of an input are kept with their place; all are counted."""

#: The classes of the coverage, the one that counts most first: a line may hold several records.
_CLASSES = ("events", "near_misses", "unreadable", "unknown", "known_noise")


class Heard(NamedTuple):
    """One reading before it is known which kernel spoke."""

    line: Line
    production: Production
    fields: dict[str, object]
    program: str
    level: str | None
    stamp: Stamp
    nth: int
    voice: speaker.Section
    domid: int | None       # as the line's envelope tells it


@dataclass(slots=True)
class _Taken:
    """One line until it is counted."""

    raw: RawLine
    verdict: str = "known_noise"
    text: str = ""
    layered: bool = False
    missed: str | None = None       # what came near to a message

    def count(self, verdict: str) -> None:
        if _CLASSES.index(verdict) < _CLASSES.index(self.verdict):
            self.verdict = verdict


@dataclass(slots=True)
class _Begun:
    """A record that may go on in a later line."""

    envelope: Envelope
    parts: list[mend.Part]
    lines: list[_Taken]
    place: int                      # where its reading stands among those heard
    whole: str = ""                 # it is a message as it is: a "generic" one, or "free" text
    left: int = mend.HELD_LINES_MAX


def _part(taken: _Taken, piece: mend.Piece) -> mend.Part:
    text, line = piece.envelope.payload, taken.raw.text
    blank = text.endswith(" ") or (not piece.broken and line.endswith(" "))
    return mend.Part(text.strip(" "), taken.raw.number, line.startswith(" "), blank, piece.broken,
                     len(line))


def _follows(before: mend.Part, after: mend.Part) -> bool:
    """Whether free text may go on there."""
    return before.torn or mend.wrapped(before, after)


def _may_go_on(taken: _Taken, piece: mend.Piece, after: Envelope, number: int) -> bool:
    """Whether the line after an unread one makes it look torn.

    Somebody else speaks there, who may have broken into it; or it lacks the envelope of the others.
    """
    return taken.raw.number == number - 1 and (
        after.speaker is not None or (after.outer and not piece.envelope.outer))


class Hearing:
    """What is heard of one input: `heard` in the order in which the records begin; nothing of a
    file that is no log, which is in `state`.

    `levels` has the least level that each voice shows, under its section and who it is.
    """

    def __init__(self, source: Input, said: str | None, guest: str | None,
                 catalogue: grammar.Catalogue) -> None:
        self.source, self.said, self.guest = source, said, guest
        self.reading = Reading(source.name)
        self.voices = speaker.Voices(said)
        self.heard: list[Heard] = []
        self.near: list[NearMiss] = []
        self.state: StateFile | None = None
        self.counts: dict[str, int] = {}
        self.shape = Shape()
        self.levels: dict[tuple[speaker.Section, str], str | None] = {}
        self._catalogue = catalogue
        self._peeler = Peeler(catalogue)
        self._last: dict[str | None, Heard | None] = {}
        self._queue: deque[_Taken] = deque()
        self._begun: list[_Begun] = []
        self._doubtful: tuple[_Taken, mend.Piece] | None = None
        self._relative = Relative()

    @property
    def refused(self) -> bool:
        """Whether it is neither a log, by its name, nor a state file, by what it holds."""
        return self.source.state and self.said is None and self.state is None

    def listen(self) -> Hearing:
        """Read the input to its end. Raises InputError if it cannot be opened."""
        lines = read(self.source, self.reading)
        if self.said is None:
            self.state, lines = recognised(self.source.name, lines, self._catalogue)
        if self.state is not None:
            for raw in lines:
                self._count(self.state.take(raw))
        elif not self.refused:
            for raw in entries(lines):
                self._take(raw)
            self._settle(0)
        self._count("known_noise", self.reading.blank)
        return self

    # --- Lines -------------------------------------------------------------------------------

    def _take(self, raw: RawLine) -> None:
        taken = _Taken(raw)
        self._queue.append(taken)
        if raw.payload is None:
            taken.count("unreadable")
        elif raw.payload and not raw.payload.isspace():
            for text in mend.pieces(raw.payload):
                envelope = self._peeler.peel(text)
                matched = self._match(envelope)
                if mend.may_hold_more(envelope, matched):
                    for piece in mend.parted(text, self._peeler, self._match):
                        self._hear(taken, piece)
                else:
                    self._hear(taken, mend.Piece(envelope, matched, broken=False))
        self._settle(mend.HELD_LINES_MAX if self._begun else 0)

    def _settle(self, kept: int) -> None:
        """Count the lines of which no record can go on any longer."""
        if self._begun:
            for begun in self._begun:
                begun.left -= 1
            self._begun = [begun for begun in self._begun if begun.left >= 0 and kept]
        queue = self._queue
        while len(queue) > kept:
            taken = queue.popleft()
            verdict = taken.verdict
            self._count(verdict)
            if taken.missed is not None and verdict == "near_misses":
                self._miss(taken.raw, taken.missed)
            if taken.text:
                self.shape.see(taken.raw.number, taken.text,
                               verdict in ("events", "known_noise"), taken.layered)

    def _count(self, verdict: str, lines: int = 1) -> None:
        self.counts[verdict] = self.counts.get(verdict, 0) + lines

    def _match(self, envelope: Envelope) -> grammar.Matched:
        """What the catalogue says of a record, if its program can have printed it."""
        program = speaker.program_of(envelope)
        if program is None:
            return grammar.NOTHING
        matched = self._catalogue.match(envelope.payload)
        if matched.reading is not None and not speaker.allowed(
                program, matched.reading.production):
            return grammar.Matched(None, near=True, cued=True)
        return matched

    # --- Records -----------------------------------------------------------------------------

    def _hear(self, taken: _Taken, piece: mend.Piece) -> None:
        envelope = piece.envelope
        taken.text, taken.layered = envelope.payload, bool(envelope.layers)
        self._relative.see(envelope)
        doubtful, self._doubtful = self._doubtful, None
        if doubtful is not None and _may_go_on(*doubtful, envelope, taken.raw.number):
            self._begun.append(self._beginning(*doubtful))
        reading = piece.matched.reading
        if reading is not None:
            taken.count(self._read(taken.raw, envelope, reading, len(self.heard)))
            whole = self._goes_on(envelope, reading, piece.broken)
            if whole:
                self._begun.append(_Begun(envelope, [_part(taken, piece)], [taken],
                                          len(self.heard) - 1, whole=whole))
            return
        if not (self._begun and self._complete(taken, envelope, _part(taken, piece),
                                               piece.matched.cued)):
            self._unread(taken, piece)

    def _unread(self, taken: _Taken, piece: mend.Piece) -> None:
        envelope, matched = piece.envelope, piece.matched
        program = speaker.program_of(envelope)
        if self._last:
            self._last[host(envelope)] = None
        if program is None:
            taken.count("unknown")
            return
        if envelope.layers:
            self._show(envelope, program, None)
        text = envelope.payload.strip(" ")
        if matched.near:
            taken.missed = taken.missed or text
        taken.count("near_misses" if matched.near else "unknown" if text else "known_noise")
        if text and (piece.broken or self._catalogue.begins(text, matched.cued)):
            self._begun.append(self._beginning(taken, piece))
        else:
            self._doubtful = (taken, piece)

    def _beginning(self, taken: _Taken, piece: mend.Piece) -> _Begun:
        return _Begun(piece.envelope, [_part(taken, piece)], [taken], len(self.heard))

    def _complete(self, taken: _Taken, rest: Envelope, part: mend.Part, cued: bool) -> bool:
        """Take a text for the rest of a record that was begun, if that makes a message of it."""
        for begun in reversed(self._begun):
            if taken in begun.lines or not mend.goes_on(begun.envelope, rest):
                continue
            if begun.whole == "free" and (cued or not _follows(begun.parts[-1], part)):
                continue
            begun.parts.append(part)
            begun.lines.append(taken)
            for text in mend.joined(begun.parts):
                whole = begun.envelope._replace(payload=text)
                reading = self._match(whole).reading
                if reading is not None and not (
                        begun.whole == "generic" and reading.production.generic):
                    self._put_together(begun, whole, reading)
                    return True
        return False

    def _put_together(self, begun: _Begun, whole: Envelope, reading: grammar.Reading) -> None:
        if begun.whole:     # more of a message that was heard already
            self.heard[begun.place] = self.heard[begun.place]._replace(
                production=reading.production, fields=reading.fields)
            verdict = "events"
        else:
            place = begun.place
            verdict = self._read(begun.lines[0].raw, whole, reading, place)
            begun.place = place
        for line in begun.lines:
            line.verdict, line.missed = verdict, None
        begun.whole = self._goes_on(whole, reading, torn=False)
        if not begun.whole:
            self._begun.remove(begun)

    def _goes_on(self, envelope: Envelope, reading: grammar.Reading, torn: bool) -> str:
        """How a message may go on in lines without an envelope, empty if it does not.

        Free text may, where lines have an envelope; and what only a generic production reads may be
        the beginning of what another one does.
        """
        production = reading.production
        if production.noise or not self._catalogue.open_ended(production.kind):
            return ""
        return "generic" if production.generic else "free" if torn or not envelope.outer else ""

    def _read(self, raw: RawLine, envelope: Envelope, reading: grammar.Reading, place: int) -> str:
        """Keep a reading; the class in which its line counts."""
        program = speaker.program_of(envelope) or ""
        production = reading.production
        self._show(envelope, program, production)
        if production.noise:
            self._last[host(envelope)] = None
            return "known_noise"
        when = self._relative.stamp(envelope)
        for term in production.proves:
            if term.name == "repeat":
                self._repeat(raw, when, reading.fields[term.args[0]])
                return "events"
        stream = speaker.stream_of(envelope)
        guest = [t for t in production.proves if t.holds(reading.fields, "guest")]
        voice = self.voices.hear(stream, production, guest)
        told = priority(envelope)
        heard = Heard(Line(self.source.name, raw.number, raw.text), production, reading.fields,
                      program, production.level if told is None else LEVELS[told], when, 0, voice,
                      speaker.domid_of(envelope))
        count = envelope.told.get("repeat_count")
        if count is None:
            self._insert(place, heard)
        else:
            self._again(heard, raw, int(count))
        self._last[when.host] = heard
        return "events"

    def _insert(self, place: int, heard: Heard) -> None:
        """Put a record where it begins, which may be before some that were heard since."""
        self.heard.insert(place, heard)
        if place < len(self.heard) - 1:
            for begun in self._begun:
                begun.place += begun.place >= place

    def _repeat(self, raw: RawLine, when: Stamp, count: object) -> None:
        """`last message repeated`: the host's last line again, so often, citing the notice."""
        before = self._last.get(when.host)
        if before is not None and isinstance(count, int):
            line = Line(self.source.name, raw.number, raw.text)
            self._again(before._replace(line=line, stamp=when), raw, count)

    def _again(self, heard: Heard, raw: RawLine, count: int) -> None:
        if count > REPEATS_MAX:
            self.reading.remark(
                "repeats-limit",
                f"The last message is said to have come {count} times; {REPEATS_MAX} were counted.",
                raw.number,
            )
        for nth in range(1, min(count, REPEATS_MAX) + 1):
            self.heard.append(heard._replace(nth=nth))

    def _show(self, envelope: Envelope, program: str, production: Production | None) -> None:
        """Note that somebody speaks in the input, and the least level of his that it shows."""
        told = priority(envelope)
        who, level = program, None if told is None else LEVELS[told]
        if production is not None:
            level = level or production.level
            who = production.file if production.file in SPEAKERS else program
        elif not envelope.layers or (program != "xen" and level is None) or program not in (
                "xen", "kernel"):
            return
        key = self.voices.section(speaker.stream_of(envelope)), who
        least = self.levels.setdefault(key, level)
        if level is not None and (least is None or RANK[level] > RANK[least]):
            self.levels[key] = level

    def _miss(self, raw: RawLine, payload: str) -> None:
        if len(self.near) < NEAR_MISSES_MAX:
            broken = self._catalogue.broken(payload)
            if broken is not None:
                line = Line(self.source.name, raw.number, raw.text)
                self.near.append(NearMiss(line, broken.production.kind, broken.column,
                                          broken.production.alarming))
