"""Who printed a line: dom0's kernel, the hypervisor, a guest's kernel or the tool stack.

Xen's tag, xend's envelope and messages that only one program has settle it for a line. The rest is
settled for a whole file by what it says elsewhere: one kernel writes one log. A name of a file
settles nothing; what the caller said settles everything that the line leaves open.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct, field

from diagnose.envelope import Envelope
from diagnose.events import SPEAKERS, Production, Term

KERNELS = ("dom0", "guest")
KERNEL_PROGRAMS = ("kernel", "klogd", "vmunix", "xen", "hypervisor", "xenconsoled")
#: They tell what became of lines; the notices stand in grammars/envelope.lark.
LOGGERS = ("rsyslogd", "syslogd", "syslog-ng", "systemd-journald", "systemd-journal", "journal")
TOOLSTACK_PROGRAMS = ("xend", "libvirtd", "xm", "xl", "virsh")
#: What a kernel says of its own life. Without any other word of who it is, a file that says
#: this beside a log of dom0 is a guest's: the reboot of a host leaves other traces there.
#: No host is called that: the streams of guests whose lines Xen keeps.
GUEST_STREAM = "(d)"
OWN_LIFE = frozenset(("death_clean", "death_abrupt", "kexec"))


class Section(Struct, eq=False):
    """A stretch of one stream, from one boot to the next, and what it says of who speaks.

    `kernel` is the speaker of what any kernel says; it is settled when all inputs have been read.
    """

    stream: str
    words: dict[str, int] = field(default_factory=dict)
    own_life: bool = False
    heard: bool = False
    kernel: str = "dom0"

    @property
    def told(self) -> str | None:
        """The kernel that the section's own words tell, None if they do not."""
        return _majority([self])


class Told(Struct, frozen=True):
    """What one reading tells of its kernel: a boot, words that only some kernels say, its own life.
    """

    boot: bool
    kernels: tuple[str, ...]
    own_life: bool


def told_by(production: Production, terms: Sequence[Term]) -> Told:
    """What a reading tells; `terms` are those that would hold for a guest."""
    names = {term.name for term in terms}
    own = (production.file,) if production.file in KERNELS and not production.noise else ()
    return Told("guest_boot" in names, (*own, *(
        term.args[0] for term in terms if term.name == "speaker")), bool(names & OWN_LIFE))


class Voices(Struct):
    """What a file has said so far about which kernels wrote it, stream by stream.

    A stream is what one host, or one guest's console, has written into the file; most files hold
    one, whose name is empty.
    """

    said: str | None = None         # by the caller
    streams: dict[str, list[Section]] = field(default_factory=dict)

    def section(self, stream: str) -> Section:
        """The present section of a stream."""
        if stream not in self.streams:
            self.streams[stream] = [Section(stream)]
        return self.streams[stream][-1]

    def hear(self, stream: str, told: Told) -> Section:
        """Count what one reading tells."""
        section = self.section(stream)
        if told.boot and section.heard:
            section = Section(stream)
            self.streams[stream].append(section)
        section.heard = True
        for name in told.kernels:
            section.words[name] = section.words.get(name, 0) + 1
        section.own_life = section.own_life or told.own_life
        return section

    @property
    def kernel(self) -> str | None:
        """The kernel that the file's own words tell, None if they do not."""
        if self.said in KERNELS:
            return self.said
        return _majority([each for sections in self.streams.values() for each in sections])


def joined(parts: Sequence[Voices]) -> Voices:
    """The voices of one log that lies in several files, in order."""
    if len(parts) == 1:
        return parts[0]
    whole = Voices(parts[0].said)
    for part in parts:
        for stream, sections in part.streams.items():
            whole.streams.setdefault(stream, []).extend(sections)
    return whole


def _majority(sections: Iterable[Section]) -> str | None:
    told = [(sum(section.words.get(name, 0) for section in sections), name) for name in KERNELS]
    most = max(told)
    return most[1] if most[0] > min(told)[0] else None


def settle(files: Sequence[Voices]) -> None:
    """Tell which kernel wrote each section: by its own words, by those of its stream, by what the
    other files leave for it.
    """
    with_dom0 = any(voices.said == "dom0" or section.told == "dom0" for voices in files
                    for sections in voices.streams.values() for section in sections)
    for voices in files:
        for stream, sections in voices.streams.items():
            of_stream = "guest" if stream.startswith(GUEST_STREAM) else _majority(sections)
            life = any(section.own_life for section in sections)
            beside = any(section.told == "dom0" for name, others in voices.streams.items()
                         if stream and name and name != stream for section in others)
            left = "guest" if with_dom0 and (life or beside) else "dom0"
            for section in sections:
                said = voices.said if voices.said in KERNELS else None
                section.kernel = said or section.told or of_stream or left


def stream_of(envelope: Envelope) -> str:
    """The stream of a line: its guest's, if Xen names one, else its host's."""
    domid = envelope.told.get("own_domid")
    if envelope.speaker == "guest":
        return f"{GUEST_STREAM}{domid or ''}"
    return envelope.told.get("host", "").removeprefix("-")


def domid_of(envelope: Envelope) -> int | None:
    """The domain whose console the envelope tells to have printed the line."""
    digits = envelope.told.get("own_domid")
    return None if digits is None else int(digits)


def program_of(envelope: Envelope) -> str | None:
    """Who the envelope says has printed the line; "kernel" where it tells no more, None: others.

    Syslog carries lines of every program, and one of them may quote a kernel. "logger" is whoever
    keeps the log.
    """
    if not envelope.layers:
        return "kernel"
    program = envelope.told.get("program") or envelope.told.get("kernel_program") or "kernel"
    return _program(program, envelope.speaker)


@lru_cache(maxsize=1024)
def _program(program: str, speaker: str | None) -> str | None:
    program = program.partition("[")[0]
    if program in TOOLSTACK_PROGRAMS:
        return speaker or "toolstack"
    if program.partition("-")[0] in LOGGERS or program in LOGGERS:
        return "logger"
    if program not in KERNEL_PROGRAMS:
        return None
    return speaker or "kernel"


def allowed(program: str, production: Production) -> bool:
    """Whether the program that the envelope tells can have printed the message."""
    if program == "kernel":
        return True
    if program == "logger":
        return production.file == "envelope"
    return production.file in (program, "linux", "envelope")


def line_speaker(program: str, production: Production, kernel: str, said: str | None) -> str:
    """The speaker of one line, given the kernel that wrote the rest of its section."""
    if program in SPEAKERS:
        return program
    if production.file in ("xen", "toolstack"):
        return production.file
    if said is not None and (said in KERNELS or production.file == "linux"):
        return said
    return production.file if production.file in KERNELS else kernel
