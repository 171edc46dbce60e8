"""What fuzzing and mutating begin with: the corpus, the grammars' samples, small archives.

**Invariant:** everything is made when it is asked for, of what lies here already; nothing is kept.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from diagnose import grammar
from diagnose.casefile import read_case
from tests.bundle.packing import PACKERS, tar, zipped
from tests.tidy.source import ROOT

CORPUS = ROOT / "corpus"
TOKEN_BYTES_MIN, TOKEN_BYTES_MAX = 3, 60
MAGIC_BYTES = 4
SMALL_BYTES = 2048
"""What is longer costs a fuzzer more than it brings; archives are made of the beginning of logs."""

_FIELD = re.compile(r"<\w+>")
_MARKS = (b"-- dom0.log --\n", b"-- guest1.log --\n", b"-- xen.log --\n", b"\0", b"\r", b"\x1b[0m",
          b"\xef\xbb\xbf", b"(XEN) ", b"<4>", b"__CURSOR=", b"MESSAGE=", b'{"MESSAGE":"')


def cases() -> Iterator[bytes]:
    """The logs of each short case of the corpus, behind lines with their names."""
    for path in sorted(CORPUS.glob("*.case")):
        written = "".join(f"-- {name} --\n{text}" for name, text in read_case(path).logs).encode()
        if len(written) <= SMALL_BYTES:
            yield written


@cache
def logs() -> tuple[tuple[str, bytes], ...]:
    """Every log of the corpus with its name."""
    return tuple((name, text.encode()) for path in sorted(CORPUS.glob("*.case"))
                 for name, text in read_case(path).logs)


def samples() -> Iterator[bytes]:
    """The samples of every production, envelopes and state files included, a few lines each."""
    catalogue = grammar.load()
    for own in (catalogue, *catalogue.states.values()):
        for production in (*own.productions, *(rule.production for rule in own.layers)):
            yield "".join(f"{each}\n" for each in production.samples).encode()


def states() -> Iterator[bytes]:
    """A file of each kind of state file, made of the samples of all its lines."""
    for own in grammar.load().states.values():
        heads = sorted(own.productions, key=lambda production: not production.head)
        yield "".join(f"{each}\n" for production in heads for each in production.samples).encode()


def archives() -> Iterator[bytes]:
    """Small bundles of every kind, and some in one another."""
    files = {f"var/log/{name}": text[:SMALL_BYTES] for name, text in logs()[:3]}
    yield from (pack(next(iter(files.values()))) for pack in PACKERS.values())
    for pack in (tar, zipped):
        yield pack(files)
        yield from (pack({"a.log": packer(b"x\n" * 9), "b": b""}) for packer in PACKERS.values())
    yield PACKERS["gz"](tar({"inner.zip": zipped({"in.tar": tar(files)})}))


SEEDS: Mapping[str, tuple[Callable[[], Iterator[bytes]], ...]] = {
    "reader": (cases, archives),
    "bundle": (archives,),
    "envelopes": (samples, cases),
    "grammars": (samples, states),
    "log": (cases, states, archives),
}
"""What each law's fuzzing begins with."""


def tokens() -> list[bytes]:
    """Words that no blind change finds: the grammars' literals, magic bytes, marks."""
    catalogue = grammar.load()
    forms = {form for own in (catalogue, *catalogue.states.values())
             for made in (*own.productions, *(rule.production for rule in own.layers))
             for form in own.forms(made.kind)}
    literals = {text.encode() for form in forms for text in _FIELD.split(form)}
    magic = {pack(b"")[:MAGIC_BYTES] for pack in PACKERS.values()}
    return sorted({each[:TOKEN_BYTES_MAX] for each in literals | magic | set(_MARKS)
                   if len(each) >= TOKEN_BYTES_MIN})
