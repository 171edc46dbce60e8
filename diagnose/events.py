"""The nouns of the reading half: what a line is, what it says and what it proves.

Values only: the emulator's `PciAddress` appears as a
field value and is never constructed here.

`Line` (where) → `Stamp` (when) → `Event` (what, with its `Production`) → `Source`, `Parsed` (all).
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import force_setattr

SPEAKERS = ("dom0", "xen", "guest", "toolstack")

#: printk's levels, the most important first; a priority such as `<4>` is an index into them.
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
#: How unimportant a level is. printk without one is KERN_WARNING on el5 kernels; Xen's levels of
#: messages about guests rank as those of its own.
RANK: Mapping[str, int] = {
    **{name: rank for rank, name in enumerate(LEVELS)},
    **{f"g{name}": rank for rank, name in enumerate(LEVELS)},
    "default": LEVELS.index("warning"),
}


class Line(Struct, frozen=True, order=True, gc=False):
    """One line of one input, as it stands there.

    `line` counts from 1 in the decompressed input and follows line feeds only. `text` has no line
    end; a carriage return before the line feed is not part of it, and bytes that are not UTF-8
    stand as U+FFFD, so that it can always be written as JSON.
    """

    input: str
    line: int
    text: str


class Stamp(Struct, frozen=True, gc=False):
    """When a line was printed and by which host, as far as its envelope tells.

    `uptime` is in seconds since the printing kernel's or hypervisor's boot. `wall` is the time of
    day of whoever kept the line, in seconds since the beginning of the year 2000; a stamp without a
    year lies in 2000, which is a leap year, and one that names its distance to UTC is in UTC.
    `coarse` is the length in seconds of the unit in which `wall` is told. Both are None where the
    line does not tell them. `priority` is the level, 0 to 7, of a `<4>` prefix and its like.
    """

    uptime: float | None = None
    wall: float | None = None
    coarse: float = 1.0
    host: str | None = None
    priority: int | None = None

    @property
    def time(self) -> float | None:
        """The time by the line's best clock, which is the printing program's own."""
        return self.wall if self.uptime is None else self.uptime

    @property
    def kind(self) -> str:
        """The clock of `time`: "uptime", "wall" or empty."""
        return "uptime" if self.uptime is not None else "wall" if self.wall is not None else ""


NO_STAMP = Stamp()


class Term(Struct, frozen=True, gc=False):
    """One thing that a line proves, in the closed vocabulary of docs/grammar-annotations.md.

    `args` are names of the production's fields (or the part of a `banner`). `when` lists (field,
    text) pairs that all have to hold; the pseudo-field `speaker` stands for the line's speaker. A
    star at an end of the text stands for anything. A text `~key=value` asks for that setting on a
    command line.
    """

    name: str
    args: tuple[str, ...] = ()
    when: tuple[tuple[str, str], ...] = ()

    def holds(self, fields: Mapping[str, object], speaker: str) -> bool:
        """Tell whether the conditions hold for a line with these fields, said by this speaker."""
        told = {**fields, "speaker": speaker} if self.when else fields
        return all(_fits(str(told.get(name)), text) for name, text in self.when)


def _fits(told: str, text: str) -> bool:
    if text.startswith("~"):
        return _is_set(told, *text[1:].split("=", 1))
    begin, end = not text.startswith("*"), not text.endswith("*")
    inner = text.strip("*")
    if begin and end:
        return told == text
    if begin:
        return told.startswith(inner)
    return told.endswith(inner) if end else inner in told


def _is_set(command_line: str, key: str, value: str) -> bool:
    """Whether a boot parameter has the value, alone or as one of several with commas between."""
    words = (word.partition("=") for word in command_line.split(" "))
    return any(name == key and value in told.split(",") for name, _, told in words)


class Production(Struct, frozen=True, gc=False):
    """What the grammars say about one message, apart from how it is read and printed.

    `file` is the speaker whose grammar holds it (`linux` for texts that dom0 and guests share),
    `era` the age of hosts that print it, empty for el5's and for all ages. `level` is the printk or
    Xen level at which it is printed, None where that is not known. `hint` tells the kind of domain
    that a line implies ("hvm", "pv" or empty). `state` is the kind of fact that it tells of the
    host as it is, `head` that it tells the kind of its file; a state file's `era` is that kind.
    `scope` is "anyhost" for lines that every host
    prints, passthrough or not, and else empty. `field_types` are terminal suffixes. Of a layer,
    `outer` and `inner` are what grammars/envelope.lark says, and `unpack` how its payload is to be
    opened.
    """

    kind: str
    file: str
    provenance: str
    versions: str
    era: str = ""
    level: str | None = None
    proves: tuple[Term, ...] = ()
    noise: bool = False
    alarming: bool = False
    generic: bool = False
    unprintable: bool = False
    scope: str = ""
    hint: str = ""
    outer: bool = False
    inner: bool = False
    unpack: str = ""
    head: bool = False
    state: str = ""
    about: str = ""
    todo: str = ""
    near_miss: str = ""
    samples: tuple[str, ...] = ()
    field_types: Mapping[str, str] = field(default_factory=dict)
    terms: frozenset[str] | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        """Note what every line of it proves, where that does not depend on the line, and whether
        any proves more than that it is known.
        """
        force_setattr(self, "quiet", all(term.name == "nothing" for term in self.proves))
        if not any(term.when for term in self.proves):
            force_setattr(self, "terms", frozenset(term.name for term in self.proves))

    @property
    def catalogue_id(self) -> str:
        """The message's name in the message catalogue: the kind with dashes."""
        return self.kind.replace("_", "-")


class Event(Struct, frozen=True, gc=False):
    """One reading of one line; `nth` counts from 1 where a `last message repeated` line repeats it.

    `guest` is the name of the guest if one speaks: that of its log as a rule. `level` is the line's
    own `<4>` priority where it has one, else the production's. `console_of` is the domid that Xen
    puts before what a guest writes to its console.
    """

    kind: str
    fields: Mapping[str, object]
    line: Line
    speaker: str
    guest: str | None
    level: str | None
    production: Production
    stamp: Stamp = NO_STAMP
    nth: int = 0
    console_of: int | None = None
    part_of: str = ""
    own: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        """Note which of the production's terms hold, where that depends on the line."""
        if self.production.terms is None:
            force_setattr(self, "own", tuple(
                term for term in self.production.proves if term.holds(self.fields, self.speaker)))

    @property
    def log(self) -> str:
        """The log that the line is of: its input, unless that is one part of a rotated set."""
        return self.part_of or self.line.input

    def proofs(self) -> tuple[Term, ...]:
        """The terms whose conditions hold for this very line."""
        return self.production.proves if self.production.terms is not None else self.own

    def proves(self, name: str) -> bool:
        """Tell whether the line proves the named term."""
        if self.production.terms is not None:
            return name in self.production.terms
        return any(t.name == name for t in self.proofs())


class StateFact(Struct, frozen=True, gc=False):
    """What the host was like when somebody looked, as one line of a file or of Xen's dumps tells.

    `kind` is of the closed vocabulary in docs/grammar-annotations.md, `event` the production that
    read the line. `when` is the stamp of a dump; without one it was seen when the logs were
    collected, which is at their end. `options` are the boot parameters that the line proves.
    """

    kind: str
    fields: Mapping[str, object]
    line: Line
    event: str
    when: Stamp | None = None
    options: tuple[str, ...] = ()


class Coverage(Struct, frozen=True):
    """Every line of an input in exactly one class: lines = the sum of the other five counts."""

    lines: int = 0
    events: int = 0
    near_misses: int = 0
    known_noise: int = 0
    unknown: int = 0
    unreadable: int = 0
    bytes: int = 0

    def __add__(self, other: Coverage) -> Coverage:
        return Coverage(
            self.lines + other.lines,
            self.events + other.events,
            self.near_misses + other.near_misses,
            self.known_noise + other.known_noise,
            self.unknown + other.unknown,
            self.unreadable + other.unreadable,
            self.bytes + other.bytes,
        )


class Source(Struct, frozen=True):
    """One input after reading.

    `speakers` are those heard in it, in the order of `SPEAKERS`. `guest` names the guest whose log
    it is, None for other logs. `hosts` are the host names of its syslog stamps, sorted. `floors`
    gives for each speaker heard the least important level that a recognised line of that speaker
    has (names as in `Production.level`): the input shows such lines, so their absence counts.
    `part_of` names the log that this is one rotated part of, empty where it is a log by itself.
    `state` is the kind of a file that is no log: of a list, a table, a configuration.
    """

    name: str
    path: str
    sha256: str
    bytes: int
    lines: int
    speakers: tuple[str, ...]
    compression: str
    coverage: Coverage
    hosts: tuple[str, ...] = ()
    guest: str | None = None
    floors: Mapping[str, str] = field(default_factory=dict)
    passages: tuple[tuple[int, int], ...] = ()
    part_of: str = ""
    state: str = ""

    @property
    def log(self) -> str:
        """The log that it is, or is a part of."""
        return self.part_of or self.name


class Remark(Struct, frozen=True, order=True, gc=False):
    """Something about the inputs that a reader of the report has to know; never a failure."""

    code: str
    text: str
    input: str | None = None
    line: int | None = None


class LeftOut(Struct, frozen=True, order=True, gc=False):
    """Something that lies with the logs and was not read, or only to some place, and why."""

    path: str
    why: str


class NearMiss(Struct, frozen=True, gc=False):
    """A line that holds a long literal of a production which does not accept it."""

    line: Line
    kind: str
    column: int             # from 0 in what the program printed, behind the envelope
    alarming: bool          # the production is


class Parsed(Struct, frozen=True, dict=True):
    """All inputs after reading: events in input order, a `Source` each, the first near misses.

    `state` is what state files tell; dumps in Xen's log are events.
    """

    events: tuple[Event, ...]
    sources: tuple[Source, ...]
    remarks: tuple[Remark, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    state: tuple[StateFact, ...] = ()

    def telling(self, term: str) -> Sequence[Event]:
        """The events whose productions may prove the term, in order."""
        return self._telling.get(term, ())

    @cached_property
    def _telling(self) -> Mapping[str, Sequence[Event]]:
        """Most events prove little, and much is asked about the few that prove more."""
        names: dict[str, frozenset[str]] = {}
        found: dict[str, list[Event]] = {}
        for event in self.events:
            told = names.get(event.kind)
            if told is None:
                told = names[event.kind] = frozenset(
                    term.name for term in event.production.proves if term.name != "nothing")
            for name in told:
                found.setdefault(name, []).append(event)
        return found

    @property
    def coverage(self) -> Coverage:
        """The sum over all sources."""
        return sum((source.coverage for source in self.sources), Coverage())

    @property
    def floors(self) -> dict[tuple[str, str], int]:
        """What each log shows of each speaker: rank of the least level that any part of it has."""
        found: dict[tuple[str, str], int] = {}
        for source in self.sources:
            for speaker, level in source.floors.items():
                key = source.log, speaker
                found[key] = max(RANK.get(level, 4), found.get(key, 0))
        return found
