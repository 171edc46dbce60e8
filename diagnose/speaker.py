"""Who printed a line: dom0's kernel, the hypervisor, a guest's kernel or the tool stack.

Xen's tag, xend's envelope and messages that only one program has settle it for a line. The rest is
settled for a whole file by what it says elsewhere: one kernel writes one log. A name of a file
settles nothing; what the caller said settles everything that the line leaves open.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from diagnose.envelope import Envelope
from diagnose.events import SPEAKERS, Production, Term

KERNELS = ("dom0", "guest")
KERNEL_PROGRAMS = ("kernel", "xen", "hypervisor", "xenconsoled")
TOOLSTACK_PROGRAMS = ("xend", "libvirtd", "xm", "xl", "virsh")
#: What a kernel says of its own life. Without any other word of who it is, a file that says
#: this beside a log of dom0 is a guest's: the reboot of a host leaves other traces there.
_OWN_LIFE = frozenset(("death_clean", "death_abrupt", "kexec"))


@dataclass(slots=True)
class Voices:
    """What a file has said so far about which kernel wrote it."""

    said: str | None = None         # by the caller
    words: dict[str, int] = field(default_factory=dict)
    own_life: bool = False

    def hear(self, production: Production, terms: Iterable[Term]) -> None:
        """Count what one reading tells; `terms` are those that would hold for a guest."""
        if production.file in KERNELS and not production.noise:
            self.words[production.file] = self.words.get(production.file, 0) + 1
        for term in terms:
            if term.name == "speaker":
                self.words[term.args[0]] = self.words.get(term.args[0], 0) + 1
            self.own_life = self.own_life or term.name in _OWN_LIFE

    @property
    def kernel(self) -> str | None:
        """The kernel that the file's own words tell, None if they do not."""
        if self.said in KERNELS:
            return self.said
        told = [(self.words.get(name, 0), name) for name in KERNELS]
        most = max(told)
        return most[1] if most[0] > min(told)[0] else None


def kernels(files: Sequence[Voices]) -> tuple[str, ...]:
    """Which kernel wrote each file: its own words, else what the other files leave for it."""
    own = [voices.kernel for voices in files]
    with_dom0 = "dom0" in own
    return tuple(
        kernel or ("guest" if with_dom0 and voices.own_life else "dom0")
        for kernel, voices in zip(own, files)
    )


def program_of(envelope: Envelope) -> str | None:
    """Who the envelope says has printed the line; "kernel" where it tells no more, None: others.

    Syslog carries lines of every program, and one of them may quote a kernel.
    """
    if not envelope.layers:
        return "kernel"
    program = envelope.told.get("program", "kernel").partition("[")[0]
    if program in TOOLSTACK_PROGRAMS:
        return envelope.speaker or "toolstack"
    if program not in KERNEL_PROGRAMS:
        return None
    return envelope.speaker or "kernel"


def allowed(program: str, production: Production) -> bool:
    """Whether the program that the envelope tells can have printed the message."""
    if program == "kernel":
        return True
    return production.file in (program, "linux", "envelope")


def line_speaker(program: str, production: Production, kernel: str, said: str | None) -> str:
    """The speaker of one line, given the kernel that wrote the rest of its file."""
    if program in SPEAKERS:
        return program
    if production.file in ("xen", "toolstack"):
        return production.file
    if said is not None and (said in KERNELS or production.file == "linux"):
        return said
    return kernel
