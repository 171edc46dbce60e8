"""A line that is known again tells what peeling and reading it would."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from diagnose import attention, buffers, hearing
from diagnose.envelope import Peeler
from diagnose.events import Stamp
from diagnose.grammar import Catalogue, load
from diagnose.spoken import Said, said_by
from diagnose.stamps import stamp
from diagnose.stencil import Memory, Stencil
from tests.sieve.test_reading import CHANGES, ENGINES, logs, told
from tests.thorough import sample

CATALOGUE = load()
PEELER = Peeler(CATALOGUE)
MESSAGE = "map irq failed"
#: What stands before the message in a sample of each layer that can stand before it.
LAYERS = sorted({text.removesuffix(MESSAGE) for rule in CATALOGUE.layers
                 for text in rule.production.samples if text.endswith(MESSAGE)})
MESSAGES = (MESSAGE, "get owner for dev 80 get 3", "0000:01:10.0: cannot enable MSI-X", "",
            "Linux version 2.6.18-274.el5xen (a@b) (gcc version 4.1.2) #1 SMP Fri Jul 8 17:45:44",
            "last message repeated 4 times", "hub 1-0:1.0: USB hub found", "[ 12.345678] x")
LETTERS = "0123456789 [](){}<>:.,;-+TZNovJunxe"


def read(line: str) -> tuple[Said, Stamp] | None:
    """What peeling and reading the line brings."""
    envelope = PEELER.peel(line)
    reading = CATALOGUE.match(envelope.payload).reading
    return None if reading is None else (said_by(envelope, reading), stamp(envelope))


def having_read(lines: Iterable[str]) -> Memory:
    """A memory of what can be read of these lines."""
    memory = Memory(PEELER)
    for line in lines:
        found = read(line)
        if found is not None:
            memory.learn(line, memory.peel(line), found[0])
    return memory


def dressed() -> st.SearchStrategy[str]:
    return st.builds(lambda layers, message: "".join(layers) + message,
                     st.lists(st.sampled_from(LAYERS), max_size=4), st.sampled_from(MESSAGES))


@st.composite
def spoilt(draw: st.DrawFn, line: str, others: str = LETTERS) -> str:
    """The line with some characters put in the places of others, taken out or put in."""
    letters = list(line)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(len(letters) - 1, 0)))
        how = draw(st.sampled_from(("digit", "digit", "letter", "out", "in")))
        if how == "digit" and letters and letters[at].isdigit():
            letters[at] = draw(st.sampled_from("0123456789"))
        elif how == "letter" and letters:
            letters[at] = draw(st.sampled_from(others))
        elif how == "out":
            del letters[at:at + 1]
        elif how == "in":
            letters.insert(at, draw(st.sampled_from(others)))
    return "".join(letters)


@given(st.data())
def test_a_stencil_peels_what_the_peeler_would(data: st.DataObject) -> None:
    """Whether it was looked for among known lines before, or not."""
    memory = Memory(PEELER)
    lines = data.draw(st.lists(dressed(), min_size=1, max_size=4))
    for line in [*lines, *(data.draw(spoilt(line)) for line in lines for _ in range(3))]:
        if data.draw(st.booleans()) and line.isascii() and line.isprintable():
            memory.recall(line)
        assert memory.peel(line) == PEELER.peel(line)


@given(st.data())
def test_what_is_known_again_is_what_would_be_read(data: st.DataObject) -> None:
    lines = data.draw(st.lists(dressed(), min_size=1, max_size=4))
    memory = having_read(lines)
    for line in [*lines, *(data.draw(spoilt(line)) for line in lines for _ in range(3))]:
        known = memory.recall(line)
        if known is not None:
            expected = read(line)
            assert expected is not None
            assert known[0] == expected[0]
            assert known[0].production.noise or known[1] == expected[1]


@given(st.data())
def test_in_a_text_lines_are_known_as_they_are_apart(data: st.DataObject) -> None:
    """However many blanks stand in them, and whatever other bytes."""
    lines = data.draw(st.lists(dressed(), min_size=1, max_size=4))
    memory = having_read(lines)
    for line in [*lines, *(data.draw(spoilt(line, f"{LETTERS}   \t\r\x07\x85\xff"))
                           for line in lines for _ in range(3))]:
        for _, end, *known in memory.run(f"{line}\n", 0):
            assert end == len(line)
            assert line.isascii()
            assert line.isprintable()
            assert tuple(known) == memory.recall(line)


@pytest.mark.parametrize("line", [
    "Nov  2 11:43:59 host kernel: [   12.345678] map irq failed",
    "(XEN) [2011-06-01 00:31:27] irq.c:934: dom2: pirq 255 not mapped",
    "[    0.000000] map irq failed"])
def test_lines_that_follow_each_other_are_known(line: str) -> None:
    memory = Memory(PEELER)
    found = read(line)
    assert found is not None
    memory.learn(line, memory.peel(line), found[0])
    text = f"{line}\n{line}\n\n{line}\n{line}"
    assert list(memory.run(text, 0)) == [
        (0, len(line), *found), (len(line) + 1, 2 * len(line) + 1, *found)]


@pytest.mark.parametrize(("line", "later"), [
    ("Nov 22 11:43:59 host kernel: [   12.345678] map irq failed",
     "Nov 23 01:03:09 host kernel: [86400.000001] map irq failed"),
    ("[    0.000000] map irq failed", "[17184151.145148] map irq failed"),
    ("(XEN) [2011-06-01 00:31:27] irq.c:934: dom2: pirq 255 not mapped",
     "(XEN) [2012-06-01 00:31:28] irq.c:934: dom2: pirq 255 not mapped"),
    ("2011-06-01T00:31:27.123456+02:00 h kernel: map irq failed",
     "2011-06-02T01:31:27.123456+02:00 h kernel: map irq failed"),
    ("map irq failed", "map irq failed"),
])
def test_what_differs_in_its_time_is_known_again(line: str, later: str) -> None:
    memory = Memory(PEELER)
    found = read(line)
    assert found is not None
    assert memory.recall(line) is None
    memory.learn(line, memory.peel(line), found[0])
    assert memory.recall(later) == read(later)


@pytest.mark.parametrize(("line", "other"), [
    ("Nov 22 11:43:59 host kernel: map irq failed", "Nov 22 11:43:59 guest kernel: map irq failed"),
    ("<4>map irq failed", "<6>map irq failed"),
    ("(XEN) map irq failed", "map irq failed"),
    ("(d1) map irq failed", "(d2) map irq failed"),
    ("get owner for dev 80 get 3", "get owner for dev 80 get 4"),
])
def test_what_differs_in_anything_else_is_not(line: str, other: str) -> None:
    memory = Memory(PEELER)
    found = read(line)
    assert found is not None
    memory.learn(line, memory.peel(line), found[0])
    assert memory.recall(line) is not None
    assert memory.recall(other) is None


@pytest.mark.parametrize("line", [
    "[Jun 1 00:31] map irq failed", "[  +0.000012] map irq failed",
    '{"_HOSTNAME":"h","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"map irq failed"}',
    "message repeated 2 times: [ map irq failed]"])
def test_what_its_neighbours_or_its_opening_tell_is_not_learnt(line: str) -> None:
    memory = Memory(PEELER)
    found = read(line)
    assert found is not None
    memory.learn(line, memory.peel(line), found[0])
    assert memory.recall(line) is None


@pytest.mark.parametrize("outer", ["h\xe9", "h\x85", "h\r"])
def test_what_is_not_printable_ascii_is_not_known(outer: str) -> None:
    """Also where it stands in what an inner layer tells once more."""
    memory = Memory(PEELER)
    inner = "[root@h ~]# map irq failed"
    line = f"[root@h ~]# {inner}"
    found = read(line)
    assert found is not None
    memory.learn(line, memory.peel(line), found[0])
    assert memory.recall(line) is not None
    assert memory.recall(f"[root@{outer} ~]# {inner}") is None


def test_what_cannot_be_opened_keeps_no_other_line_from_being_known() -> None:
    memory = Memory(PEELER)
    memory.peel('Jun  1 00:31:27 h kernel: {"a": 1}')
    line = "Nov  2 11:43:59 h kernel: map irq failed"
    found = read(line)
    assert found is not None
    memory.learn(line, memory.peel(line), found[0])
    assert memory.recall(line) == found


def test_a_layer_that_is_tried_before_comes_first() -> None:
    line = "[ 12.345678] map irq failed"
    (worn,) = PEELER.worn(line)
    assert Stencil([worn]).fullmatch(line)
    assert not Stencil([replace(worn, tried=(worn.layer,))]).fullmatch(line)


class Forgetful(Memory):
    """It never knows a line again."""

    def recall(self, text: str) -> None:
        """Nothing."""
        return

    def run(self, text: str, at: int) -> Iterator[tuple[int, int, Said, Stamp]]:
        """Nothing."""
        return iter(())


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Memory], None]:
    """Sets what the next inputs are heard with."""
    def use(memory: Memory) -> None:
        def known(_: Catalogue) -> Memory:
            return memory
        monkeypatch.setattr(hearing, "_memory", known)
    return use


@pytest.mark.parametrize("damage", [None, *CHANGES])
def test_memory_changes_nothing(
        damage: str | None, remembering: Callable[[Memory], None]) -> None:
    for name, data in sample(sorted(logs().items()), 24, 1):
        if damage is not None:
            lines = data.decode("utf-8", "surrogateescape").split("\n")
            data = "\n".join(CHANGES[damage].change(lines, Random(name))).encode(
                "utf-8", "surrogateescape")
        remembering(Forgetful(PEELER))
        plain = told(data, None)
        memory = Memory(PEELER)
        for _ in range(2):
            remembering(memory)
            assert told(data, None) == plain, name


@pytest.fixture
def amid(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small log is read as what lies in the middle of a large one."""
    monkeypatch.setattr(attention, "SHAPE_BYTES", 0)
    monkeypatch.setattr(buffers, "HEAD_BYTES", 64)
    monkeypatch.setattr(buffers, "BUFFER_BYTES", 4096)
    monkeypatch.setattr(hearing, "recognised", lambda name, lines, catalogue: (None, lines))
    monkeypatch.setattr(CATALOGUE, "sieve", ENGINES["hyperscan"])


@pytest.mark.usefixtures("amid")
@pytest.mark.parametrize("between", range(5))
def test_a_torn_record_waits_as_long_as_ever(
        between: int, remembering: Callable[[Memory], None]) -> None:
    """Also where the lines are known that stand between its parts."""
    known = "Nov 22 11:43:59 host kernel: [   12.345678] map irq failed"
    begin, rest = f"{known[:44]}msix entry 0 for dev 01:10:0 are", "not freed before acquire again."
    data = "\n".join([*[known] * 9, begin, *[known] * between, rest, *[known] * 9]).encode()
    remembering(Forgetful(PEELER))
    plain = told(data, ENGINES["hyperscan"])
    memory = Counting(PEELER)
    remembering(memory)
    assert told(data, ENGINES["hyperscan"]) == plain
    assert memory.lines


@pytest.mark.usefixtures("amid")
@pytest.mark.parametrize("damage", [None, *CHANGES])
def test_lines_that_are_taken_as_they_stand_change_nothing(
        damage: str | None, remembering: Callable[[Memory], None]) -> None:
    """Three copies of a log stand one behind the other."""
    ran = 0
    for name, data in sample(sorted(logs().items()), 24, 1):
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        if damage is not None:
            lines = CHANGES[damage].change(lines, Random(name))
        data = "\n".join(lines * 3).encode("utf-8", "surrogateescape")
        remembering(Forgetful(PEELER))
        plain = told(data, ENGINES["hyperscan"])
        memory = Counting(PEELER)
        remembering(memory)
        assert told(data, ENGINES["hyperscan"]) == plain, name
        ran += memory.lines
    assert ran or damage is not None


class Counting(Memory):
    """It counts the lines that are taken as they stand."""

    lines = 0

    def run(self, text: str, at: int) -> Iterator[tuple[int, int, Said, Stamp]]:
        """All of them."""
        for each in super().run(text, at):
            self.lines += 1
            yield each
