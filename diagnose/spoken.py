"""What one input has said so far: its readings in order, who spoke, and how unimportant it got.

Who spoke is left open where only the rest of the file, or the other files, can tell.

**Invariant:** readings stand in the order in which their records begin.
"""
from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from diagnose import speaker
from diagnose.envelope import Envelope
from diagnose.events import LEVELS, RANK, SPEAKERS, Line, Production, Stamp
from diagnose.grammar import Reading
from diagnose.lines import RawLine
from diagnose.lines import Reading as Counted
from diagnose.relative import Relative
from diagnose.stamps import host, priority

REPEATS_MAX = 1000
"""A notice of more repetitions yields so many events and a remark."""


class Heard(Struct, frozen=True, gc=False):
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


class Said(Struct, frozen=True, gc=False):
    """What a record says, whenever and wherever it stands.

    `times` is the number of times that its envelope tells, `repeats` how often the last message
    came, as it says itself; `more` how the message may go on in later lines (see `Begun`).
    """

    production: Production
    fields: dict[str, object]
    program: str
    level: str | None
    stream: str
    host: str | None
    priority: int | None
    domid: int | None
    shown: tuple[str, str, str | None]
    told: speaker.Told
    times: int | None
    repeats: object
    more: str = ""


def said_by(envelope: Envelope, reading: Reading, more: str = "") -> Said:
    """What a reading under that envelope says."""
    program = speaker.program_of(envelope) or ""
    production = reading.production
    stream, told = speaker.stream_of(envelope), priority(envelope)
    level = production.level if told is None else LEVELS[told]
    who = production.file if production.file in SPEAKERS else program
    holding = [term for term in production.proves if term.holds(reading.fields, "guest")]
    repeats = next((reading.fields.get(t.args[0]) for t in production.proves if t.name == "repeat"),
                   None)
    times = envelope.told.get("repeat_count")
    return Said(production, reading.fields, program, level, stream, host(envelope), told,
                speaker.domid_of(envelope), (stream, who, level),
                speaker.told_by(production, holding),
                None if times is None else int(times), repeats, more)


class Spoken:
    """What an input has said. `levels` has the least level that each voice shows, under its section
    and who it is; `passed` is the number of the last line that nobody read.
    """

    def __init__(self, counted: Counted, said: str | None) -> None:
        self.heard: list[Heard] = []
        self.voices = speaker.Voices(said)
        self.levels: dict[tuple[speaker.Section, str], str | None] = {}
        self.passed = 0
        self._counted = counted
        self._relative = Relative()
        self._last: dict[str | None, Heard | None] = {}
        self._before: Spoken | None = None      # the part of the log before this one
        self._opening: list[tuple[int, Line, Stamp, int]] = []
        self._shown: set[tuple[str, str, str | None]] = set()

    def time(self, envelope: Envelope) -> bool:
        """Take notice of the time of a line; whether that of the next one depends on it."""
        return self._relative.see(envelope)

    def times(self, envelope: Envelope) -> bool:
        """Whether the time of the next line depends on this one."""
        return self._relative.tells(envelope)

    def interrupted(self, envelope: Envelope) -> None:
        """What comes next repeats nothing that was heard of this host."""
        self._last[host(envelope)] = None

    def read(self, raw: RawLine, envelope: Envelope, reading: Reading, place: int) -> str:
        """Keep a reading of a record that begins at that place; the class in which it counts."""
        return self.keep(raw.number, raw.text, said_by(envelope, reading),
                         self._relative.stamp(envelope), place)

    def keep(self, number: int, text: str, said: Said, when: Stamp, place: int) -> str:
        """The same for what a record says, on the line with that number and text, and when."""
        if said.shown not in self._shown:
            self._show(*said.shown)
        if said.production.noise:
            self._last[said.host] = None
            return "known_noise"
        if said.repeats is not None:
            self._repeat(Line(self._counted.name, number, text), when, said.repeats)
            return "events"
        voice = self.voices.hear(said.stream, said.told)
        if said.told.boot:
            self._shown.clear()     # what the section before has shown counts for that one
        heard = Heard(Line(self._counted.name, number, text), said.production, said.fields,
                      said.program, said.level, when, 0, voice, said.domid)
        if said.times is not None:
            self.heard += self._so_often(heard, said.times)
        elif place == len(self.heard):
            self.heard.append(heard)
        else:
            self.heard.insert(place, heard)
        self._last[said.host] = heard
        return "events"

    def unread(self, envelope: Envelope, program: str) -> None:
        """Note who speaks in a record that no production reads: its envelope may tell."""
        told = priority(envelope)
        if envelope.layers and (program == "xen" or (program == "kernel" and told is not None)):
            self._show(speaker.stream_of(envelope), program, None if told is None else LEVELS[told])

    def put(self, place: int, reading: Reading) -> None:
        """Read anew what was read at that place: there was more of it."""
        self.heard[place] = replace(
            self.heard[place], production=reading.production, fields=reading.fields)

    def _repeat(self, line: Line, when: Stamp, count: object) -> None:
        """`last message repeated`: the host's last line again, so often, citing the notice.

        If a line was passed over since, it may have been that one.
        """
        if not isinstance(count, int):
            return
        if when.host not in self._last and not self.passed:
            self._opening.append((len(self.heard), line, when, count))
        before = self._last.get(when.host)
        if before is not None and before.line.line > self.passed:
            self.heard += self._so_often(replace(before, line=line, stamp=when), count)

    def follow(self, before: Spoken) -> None:
        """Go on where another part of the same log ended: a notice may speak of its last line."""
        for place, line, when, count in reversed(self._opening):
            last = before.last(when.host)
            if last is not None:
                self.heard[place:place] = self._so_often(
                    replace(last, line=line, stamp=when), count)
        if not self.passed:
            self._before = before

    def last(self, host: str | None) -> Heard | None:
        """The last line of a host, if that is known and was read."""
        if host not in self._last:
            return None if self._before is None else self._before.last(host)
        last = self._last[host]
        return last if last is not None and (
            last.line.input != self._counted.name or last.line.line > self.passed) else None

    def _so_often(self, heard: Heard, count: int) -> list[Heard]:
        """A reading as often as a notice tells, up to a limit."""
        if count > REPEATS_MAX:
            self._counted.remark(
                "repeats-limit",
                f"The last message is said to have come {count} times; {REPEATS_MAX} were counted.",
                heard.line.line,
            )
        return [replace(heard, nth=nth) for nth in range(1, min(count, REPEATS_MAX) + 1)]

    def _show(self, stream: str, who: str, level: str | None) -> None:
        """Note that somebody speaks in the input, and the least level of his that it shows."""
        self._shown.add((stream, who, level))
        key = self.voices.section(stream), who
        least = self.levels.setdefault(key, level)
        if level is not None and (least is None or RANK[level] > RANK[least]):
            self.levels[key] = level
