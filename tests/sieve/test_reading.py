"""Passing lines over changes nothing that is told of an input but the time that it takes.

Beginnings and buffers are made tiny, so that nearly all of a small log is sifted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import astuple

from diagnose import attention, buffers, hearing
from diagnose.casefile import read_case
from diagnose.grammar import load
from diagnose.hearing import Hearing
from diagnose.reader import from_bytes
from diagnose.sieve import ENTRY_MARKS, Expressions, Hyperscan, Sieve
from tests.dress.damage import DAMAGES, DISORDERS
from tests.thorough import sample

CORPUS = Path(__file__).parents[2] / "corpus"
SHARED = Path(__file__).resolve().parents[3] / "shared"
CATALOGUE = load()
WANTED = (*CATALOGUE.raw_cues, *ENTRY_MARKS)
ENGINES: dict[str, Sieve] = {"hyperscan": Hyperscan(WANTED), "re": Expressions(WANTED)}
#: They tear records in the middle of their cues. Every line is read for a while behind one of which
#: both parts are found, so that few are lost; in earnest that one lies within the beginning.
TEARS = frozenset(("broken-into", "parted", "wrapped", "wrapped-quoted", "login-between"))
TORN_LOST_MAX = 3
LINES_MIN = 8
"""What happens to a log needs some lines to happen to."""
#: Where a console's keeper shows escapes as dots, every line is read for a while behind them.
CHANGES = {name: damage for name, damage in {**DAMAGES, **DISORDERS}.items()
           if name != "colour-dots"}
SIZES = ((64, 256), (200, 4096))


@cache
def logs() -> dict[str, bytes]:
    """Every log of the corpus, and those beside the checkout where there are any."""
    found = {f"{path.stem} {name}": text.encode() for path in sorted(CORPUS.glob("*.case"))
             for name, text in read_case(path).logs}
    beside = [*SHARED.glob("incidents/*/*.log"), *SHARED.glob("xenlab/*/*.log")]
    return found | {f"{path.parent.name} {path.name}": path.read_bytes() for path in sorted(beside)}


def el5() -> dict[str, bytes]:
    """Those of the age whose messages may be torn (see `catalogue`)."""
    return {name: data for name, data in logs().items()
            if "modern" not in name and "xen4" not in name}


def told(data: bytes, sieve: Sieve | None) -> dict[str, Any]:
    """Everything that one input has to tell; with no sieve each line of it is read."""
    made = Hearing(from_bytes("log", data), None, None, CATALOGUE)
    if sieve is None:
        made.read_all()
    made.listen()
    return {
        "heard": [(*astuple(each)[:7], each.domid, each.voice.stream) for each in made.heard],
        "speakers": {(section.stream, who): level for (section, who), level in made.levels.items()},
        "near": made.near, "passages": made.shape.passages, "coverage": made.counts,
        "reading": made.reading,
    }


@pytest.fixture(params=SIZES, ids=str)
def tiny(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    head, buffer = request.param
    monkeypatch.setattr(buffers, "HEAD_BYTES", head)
    monkeypatch.setattr(buffers, "BUFFER_BYTES", buffer)
    monkeypatch.setattr(hearing, "recognised", lambda name, lines, catalogue: (None, lines))


def same(data: bytes, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CATALOGUE, "sieve", ENGINES[engine])
    assert told(data, ENGINES[engine]) == told(data, None)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_changes(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in sample(sorted(logs().items()), 3):
        same(data, engine, monkeypatch)
        assert name


NOISE = [line for name in ("ordinary-day", "noise") for line in (
    "hub 1-0:1.0: USB hub found",
    "", "EDAC MC: Ver: 2.0.1 Jan 27 2012", "\r", "sshd[2211]: session opened for user root",
    "\tBIOS-e820: 0000000000010000 - 000000000009fc00 (usable)", f"{name}: nothing to be told",
)]


def among_noise(data: bytes, rng: Random) -> bytes:
    """The lines with up to eight others between any two of them."""
    def lines() -> Iterator[str]:
        for line in data.decode("utf-8", "surrogateescape").split("\n"):
            yield line
            yield from rng.choices(NOISE, k=rng.randint(0, 8))
    return "\n".join(lines()).encode("utf-8", "surrogateescape")


@pytest.mark.usefixtures("tiny")
def test_nothing_changes_among_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in sample(sorted(logs().items()), 6, 1):
        same(among_noise(data, Random(name)), "hyperscan", monkeypatch)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("damage", CHANGES)
def test_nothing_changes_in_a_damaged_log(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change = CHANGES[damage].change
    monkeypatch.setattr(CATALOGUE, "sieve", ENGINES["hyperscan"])
    for name, data in sample(sorted(el5().items()), 24, 2):
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        if len(lines) < LINES_MIN:
            continue
        text = "\n".join(change(lines, Random(name))).encode("utf-8", "surrogateescape")
        few, all_ = told(text, ENGINES["hyperscan"]), told(text, None)
        if damage in TEARS:
            lost = [each for each in all_["heard"] if each not in few["heard"]]
            assert len(lost) <= max(TORN_LOST_MAX, len(all_["heard"]) // 20), (name, lost)
            assert [each for each in few["heard"] if each not in all_["heard"]] == []
        else:
            assert few == all_, name


@pytest.mark.usefixtures("tiny")
def test_a_notice_repeats_nothing_from_before_lines_that_nobody_read(
        monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two hosts in a syslog says something unknown, far ahead of its notice."""
    def line(host: str, text: str) -> str:
        return f"Jun  1 00:31:27 {host} kernel: {text}\n"
    unread = "EDAC MC: Ver: 2.0.1 Jan 27 2012"
    text = "".join([*[line("a", unread)] * 9,
                    line("a", "unmap irq ff failed"), line("a", unread),
                    *[line("b", unread)] * 20, line("a", "last message repeated 2 times")])
    same(text.encode(), "hyperscan", monkeypatch)
    heard = [each[1].kind for each in told(text.encode(), ENGINES["hyperscan"])["heard"]]
    assert heard == ["unmap_irq_failed"]


def test_lines_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine of ten lines of noise are not read at all."""
    monkeypatch.setattr(buffers, "HEAD_BYTES", 64)
    monkeypatch.setattr(hearing, "recognised", lambda name, lines, catalogue: (None, lines))
    data = "\n".join(["EDAC MC: Ver: 2.0.1 Jan 27 2012"] * 999).encode()
    read: list[int] = []
    made = Hearing(from_bytes("log", data), None, None, CATALOGUE)
    monkeypatch.setattr(made, "passed_over", lambda lines, empty: read.append(lines))
    made.listen()
    assert sum(read) > 900


def test_a_long_text_is_known_by_what_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that begins with a log and goes on in prose is a text, up to a mebibyte."""
    log = "".join(f"Jun  1 00:00:{n % 60:02} h kernel: eth0: link is up {n}\n" for n in range(3000))
    prose = "".join(f"Then I did it again with the {n}th guest, and it was the same for me.\n"
                    for n in range(1500))
    data = f"{log}{prose}{logs()['clean-reboot-283 dom0.log'].decode()}{prose}" \
           f"{logs()['clean-reboot-283 dom0.log'].decode()}".encode()
    assert len(told(data, ENGINES["re"])["passages"]) > 1
    monkeypatch.setattr(attention, "SHAPE_BYTES", 1 << 16)
    assert not told(data, ENGINES["re"])["passages"]
