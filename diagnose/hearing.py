"""Hear one input: every line in one class of the coverage, every record a reading or none.

Who spoke is left open where only the rest of the file, or the other files, can tell.

**Invariant:** never fails; each line is counted once, also where it is a part of a record.
"""
from __future__ import annotations

from collections import deque
from functools import lru_cache
from io import BufferedReader

from msgspec.structs import replace

from diagnose import grammar, mend, speaker
from diagnose.attention import Attention
from diagnose.begun import Begun, Kept, Taken, follows, may_go_on, part_of
from diagnose.envelope import Envelope, Peeler
from diagnose.events import Line, NearMiss, Stamp
from diagnose.journal import entries
from diagnose.lines import RawLine, Reading
from diagnose.reader import Input, read
from diagnose.sift import LOOK_BACK_LINES_MAX
from diagnose.spoken import Said, Spoken, said_by
from diagnose.stamps import stamp
from diagnose.state.files import StateFile, recognised
from diagnose.stencil import Memory

NEAR_MISSES_MAX = 100
"""So many near misses of an input are kept with their place; all are counted."""

_Text = tuple[str, Envelope, grammar.Matched]


_NO_TEXT: _Text = "", Envelope(""), grammar.NOTHING


@lru_cache(maxsize=4)
def _peeler(catalogue: grammar.Catalogue) -> Peeler:
    return Peeler(catalogue)


@lru_cache(maxsize=4)
def _memory(catalogue: grammar.Catalogue) -> Memory:
    return Memory(_peeler(catalogue))


def _spent() -> BufferedReader:
    raise ValueError("an input is read once")


class Hearing(Attention):
    """What is heard of one input (see `Spoken`); nothing of a file that is no log, which is in
    `state`.
    """

    def __init__(self, source: Input, said: str | None, guest: str | None,
                 catalogue: grammar.Catalogue) -> None:
        self.source, self.said, self.guest = source, said, guest
        super().__init__(Reading(source.name), catalogue)
        self.near: list[NearMiss] = []
        self.state: StateFile | None = None
        self.spoken = Spoken(self.reading, said)
        self.voices, self.heard = self.spoken.voices, self.spoken.heard
        self.levels = self.spoken.levels
        self._peeler = _peeler(catalogue)
        self._memory = _memory(catalogue)
        self._recalled: tuple[RawLine | None, tuple[Said, Stamp] | None] = None, None
        self._ahead: tuple[RawLine | None, list[_Text]] = None, []
        self._queue: deque[Taken] = deque()
        self._begun: list[Begun] = []
        self._open = Kept()
        self._known = 0         # number of the last line that was known again
        self._doubtful: tuple[Taken, mend.Piece] | None = None

    @property
    def refused(self) -> bool:
        """Whether it is neither a log, by its name, nor a state file, by what it holds."""
        return self.source.state and self.said is None and self.state is None

    def listen(self) -> Hearing:
        """Read the input to its end. Raises InputError if it cannot be opened."""
        lines = read(self.source, self.reading, self)
        # What was read stays in memory as long as somebody could open it.
        self.source = replace(self.source, open=_spent)
        if self.said is None:
            self.state, lines = recognised(self.source.name, lines, self._catalogue)
        if self.state is not None:
            for raw in lines:
                self._count(self.state.take(raw))
        elif not self.refused:
            self._started = True
            for raw in entries(lines):
                self._take(raw)
            self._settle(self.reading.lines + mend.HELD_LINES_MAX + 1)
        return self

    # --- What is said of lines to whoever picks them (see `sift.Listener`) --------------------

    def ready(self) -> bool:
        """Whether the line before was known again, and nothing is open that a line could close."""
        return self._known == self.reading.lines and not (
            self._queue or self._begun or self._doubtful or self._judged)

    def run(self, text: str, at: int) -> tuple[int, int]:
        """Take lines that are known again, from `at` in a text on; where they end, how many."""
        first = number = self.reading.lines
        noise, heard, keep = 0, self.heard, self.spoken.keep
        for begin, end, said, when in self._memory.run(text, at):
            number += 1
            line = text[begin:end]
            keep(number, line, said, when, len(heard))
            noise += said.production.noise
            if said.more:
                self._leave_open(number, line, said)
            at = end + 1
        self._known = number
        self._count("known_noise", noise)
        self._count("events", number - first - noise)
        return at, number - first

    def back(self, raw: RawLine) -> int:
        """How many lines before a picked one may belong to it, or tell what it speaks of."""
        known = self._recall(raw)
        if known is not None:
            return 0 if known[0].repeats is None else LOOK_BACK_LINES_MAX
        wanted = 0
        for _, envelope, matched in self._texts(raw):
            if matched.reading is None:
                wanted = max(wanted, mend.HELD_LINES_MAX * envelope.outer)
            elif any(term.name == "repeat" for term in matched.reading.production.proves):
                wanted = LOOK_BACK_LINES_MAX
        return wanted

    def passed_over(self, lines: int, empty: int) -> None:
        """Count lines that say nothing."""
        self.spoken.passed = self.reading.lines
        super().passed_over(lines, empty)

    # --- Lines -------------------------------------------------------------------------------

    def _texts(self, raw: RawLine) -> list[_Text]:
        """The texts that a line holds, and what the catalogue says of each."""
        if self._ahead[0] is raw:
            return self._ahead[1]
        texts = []
        if ".[" in raw.text and mend.shows_escapes(raw.text):
            self._near(raw)
        for text in mend.pieces(raw.payload or ""):
            envelope = self._memory.peel(text)
            texts.append((text, envelope, self._match(envelope)))
        self._ahead = raw, texts
        return texts

    def _recall(self, raw: RawLine) -> tuple[Said, Stamp] | None:
        """What was learnt of a line as it stands, nothing where it is a part of an entry."""
        if self._recalled[0] is raw:
            return self._recalled[1]
        known = self._memory.recall(raw.text) if raw.payload is raw.text else None
        self._recalled = raw, known
        return known

    def _take(self, raw: RawLine) -> None:
        if raw.payload and self._doubtful is None and not (self._begun and self._judged):
            known = self._recall(raw)
            if known is not None:
                self._keep(raw.number, raw.text, *known)
                self._known = raw.number
                return
            if not self._begun and self._alone(raw):
                return
        self._begun.extend(self._open.begun(raw.number, self._memory.peel))
        taken = Taken(raw)
        self._queue.append(taken)
        if raw.payload is None:
            taken.count("unreadable")
        elif raw.payload:
            for text, envelope, matched in self._texts(raw):
                if mend.may_hold_more(envelope, matched) and self._peeler.inside(envelope.payload):
                    for piece in mend.parted(text, self._peeler, self._match):
                        self._hear(taken, piece)
                else:
                    self._hear(taken, mend.Piece(envelope, matched, broken=False))
        self._settle(raw.number)

    def _alone(self, raw: RawLine) -> bool:
        """Keep the reading of a line that is one whole record, and tells no time of its neighbours.

        Most lines that are read are such, and are done with at once.
        """
        texts = self._texts(raw)
        _, envelope, matched = texts[0] if len(texts) == 1 else _NO_TEXT
        reading = matched.reading
        if reading is None or self.spoken.times(envelope) or self._peeler.spread(envelope) or (
                mend.may_hold_more(envelope, matched) and self._peeler.inside(envelope.payload)):
            return False
        said = said_by(envelope, reading, self._goes_on(envelope, reading, torn=False))
        plain = texts[0][0] is raw.text and raw.text.isascii() and raw.text.isprintable()
        if said.more and not plain:
            return False
        self._keep(raw.number, raw.text, said, stamp(envelope))
        if plain:
            self._memory.learn(raw.text, envelope, said)
        return True

    def _keep(self, number: int, text: str, said: Said, when: Stamp) -> None:
        verdict = self.spoken.keep(number, text, said, when, len(self.heard))
        if said.more:
            self._leave_open(number, text, said)
        if self._queue:
            self._settle(number + mend.HELD_LINES_MAX * (not self._begun))
        self._count(verdict)
        if self._judged:
            self.shape.see(number, "", read=True, layered=False)

    def _leave_open(self, number: int, text: str, said: Said) -> None:
        """What was heard last may go on in the lines that follow, which are all wanted."""
        self._open.add(number, text, said.more, len(self.heard) - 1)
        self.until = max(self.until, number + mend.HELD_LINES_MAX)

    def _settle(self, number: int) -> None:
        """Count the lines of which no record can go on behind the line with that number."""
        if self._begun:
            self._begun = [begun for begun in self._begun if begun.last > number]
            if self._begun:
                self.until = max(self.until, *(begun.last for begun in self._begun))
        queue, judged = self._queue, self._judged
        while queue and queue[0].raw.number < number - mend.HELD_LINES_MAX:
            taken = queue.popleft()
            verdict = taken.verdict
            self._count(verdict)
            if taken.missed is not None and verdict == "near_misses":
                self._miss(taken.raw, taken.missed)
            if judged and taken.raw.payload:
                self.shape.see(taken.raw.number, taken.text,
                               verdict in ("events", "known_noise"), taken.layered)

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

    def _hear(self, taken: Taken, piece: mend.Piece) -> None:
        envelope = piece.envelope
        taken.text, taken.layered = envelope.payload, bool(envelope.layers)
        if self.spoken.time(envelope) or self._peeler.spread(envelope):
            self.read_all()
        doubtful, self._doubtful = self._doubtful, None
        if doubtful is not None and may_go_on(*doubtful, envelope, taken.raw.number):
            self._begun.append(self._beginning(*doubtful))
        reading = piece.matched.reading
        if reading is not None:
            taken.count(self.spoken.read(taken.raw, envelope, reading, len(self.heard)))
            whole = self._goes_on(envelope, reading, piece.broken)
            if whole:
                self._begun.append(Begun(envelope, [part_of(taken, piece)], [taken],
                                          len(self.heard) - 1, whole=whole))
            return
        if not (self._begun and self._complete(taken, envelope, part_of(taken, piece),
                                               piece.matched.cued)):
            self._unread(taken, piece)

    def _unread(self, taken: Taken, piece: mend.Piece) -> None:
        envelope, matched = piece.envelope, piece.matched
        program = speaker.program_of(envelope)
        self.spoken.interrupted(envelope)
        if program is None:
            taken.count("unknown")
            return
        if matched.cued or not self.reading.offset:
            self.spoken.unread(envelope, program)
        if matched.cued or piece.broken:
            self.until = max(self.until, taken.raw.number + 1)
        text = envelope.payload.strip(" ")
        if matched.near:
            taken.missed = taken.missed or text
        taken.count("near_misses" if matched.near else "unknown")
        if text and (piece.broken or self._catalogue.begins(text, matched.cued)):
            self._begun.append(self._beginning(taken, piece))
        else:
            self._doubtful = (taken, piece)

    def _beginning(self, taken: Taken, piece: mend.Piece) -> Begun:
        return Begun(piece.envelope, [part_of(taken, piece)], [taken], len(self.heard))

    def _complete(self, taken: Taken, rest: Envelope, part: mend.Part, cued: bool) -> bool:
        """Take a text for the rest of a record that was begun, if that makes a message of it."""
        for begun in reversed(self._begun):
            if taken in begun.lines or not mend.goes_on(begun.envelope, rest):
                continue
            if begun.whole == "free" and (cued or not follows(begun.parts[-1], part)):
                continue
            begun.parts.append(part)
            begun.lines.append(taken)
            for text in mend.joined(begun.parts):
                whole = replace(begun.envelope, payload=text)
                reading = self._match(whole).reading
                if reading is not None and not (
                        begun.whole == "generic" and reading.production.generic):
                    self._put_together(begun, whole, reading)
                    return True
        return False

    def _put_together(self, begun: Begun, whole: Envelope, reading: grammar.Reading) -> None:
        if begun.whole:     # more of a message that was heard already
            self.spoken.put(begun.place, reading)
            verdict = "events"
        else:
            heard = len(self.heard)
            verdict = self.spoken.read(begun.lines[0].raw, whole, reading, begun.place)
            if begun.place < heard < len(self.heard):
                for other in self._begun:
                    other.place += other is not begun and other.place >= begun.place
        for line in begun.lines:
            line.verdict, line.missed = verdict, None
        self._near(begun.lines[-1].raw)
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

    def _miss(self, raw: RawLine, payload: str) -> None:
        if len(self.near) < NEAR_MISSES_MAX:
            broken = self._catalogue.broken(payload)
            if broken is not None:
                line = Line(self.source.name, raw.number, raw.text)
                self.near.append(NearMiss(line, broken.production.kind, broken.column,
                                          broken.production.alarming))
