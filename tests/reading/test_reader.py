"""Bytes to lines: numbering, limits, damage, compression. No bytes make it fail."""
from __future__ import annotations

import gzip
import os
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose import buffers as buffers_module
from diagnose import unpack
from diagnose.buffers import LINE_BYTES_MAX, buffers
from diagnose.errors import InputError
from diagnose.lines import RawLine, Reading
from diagnose.mend import pieces
from diagnose.reader import Input, from_bytes, from_path, read
from diagnose.sift import BLANKS_MAX
from tests.bundle.packing import PACKERS
from tests.reading.everyone import Everything

TEXT = "msix entry 0 for dev 01:10:0\n\nJun  1 00:31:27 h kernel: ünïcode ✓\nno line end"


def lines(data: bytes) -> tuple[list[RawLine], Reading]:
    reading = Reading("x")
    return list(read(from_bytes("x", data), reading, Everything())), reading


def codes(reading: Reading) -> list[str]:
    return [remark.code for remark in reading.remarks]


def test_numbers_are_those_of_the_line_feeds() -> None:
    found, reading = lines(TEXT.encode())
    assert [(line.number, line.text) for line in found] == list(enumerate(TEXT.split("\n"), 1))
    assert (reading.lines, reading.bytes) == (4, len(TEXT.encode()))


@pytest.mark.parametrize(("data", "count"), [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1),
                                             (b"a\n\n", 2), (b"\r\n\r\n", 2)])
def test_the_last_line_feed_ends_a_line_and_begins_none(data: bytes, count: int) -> None:
    found, reading = lines(data)
    assert len(found) == reading.lines == count


def test_carriage_returns_at_the_end_are_no_text() -> None:
    found, _ = lines(b"one\r\ntwo\r\r\nthree\rfour\n")
    assert [line.text for line in found] == ["one", "two", "three\rfour"]


LINES = st.lists(st.sampled_from((b"a", b"bc" * 9, b"\n", b"\r", b"\0")), max_size=90).map(b"".join)


@given(LINES | st.binary(max_size=400), st.integers(1, 40))
def test_pieces_do_not_matter(data: bytes, size: int) -> None:
    with tiny():
        whole, pieced = Reading("x"), Reading("x")
        assert shown(data, size, pieced) == shown(data, len(data), whole)
    assert (whole.digest, whole.bytes) == (pieced.digest, pieced.bytes)


@given(LINES)
def test_buffers_hold_every_line_as_far_as_it_may_be_long(data: bytes) -> None:
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    with tiny():
        reading = Reading("x")
        found = shown(data, 7, reading)
    assert b"".join(found).removesuffix(b"\n").split(b"\n") == ([
        line[:TINY_LINE] for line in lines] or [b""])
    assert all(each.endswith(b"\n") for each in found[:-1])
    assert codes(reading) == ["long-line"] * sum(len(line) > TINY_LINE for line in lines)


def test_a_pipe_that_has_nothing_and_does_not_block_is_at_its_end() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    source = Input("-", "-", lambda: os.fdopen(ours, "rb"))
    assert list(read(source, Reading("-"), Everything())) == []
    os.close(theirs)


TINY_LINE = 24


def tiny() -> AbstractContextManager[object]:
    """Small logs meet every limit."""
    return patch.multiple(buffers_module, HEAD_BYTES=16, BUFFER_BYTES=32, LINE_BYTES_MAX=TINY_LINE)


def shown(data: bytes, size: int, reading: Reading) -> list[bytes]:
    """The buffers of bytes that come so many at a time."""
    stream = BytesIO(data)

    def fill(stretch: memoryview) -> int:
        return stream.readinto(stretch[:size])

    return [bytes(buffer[:length]) for buffer, length in buffers(fill, reading)]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"],
                                      include_characters="\t\n")))
def test_text_comes_through_unchanged(text: str) -> None:
    found, reading = lines(text.encode())
    shown = dict(enumerate([""] * reading.lines, 1)) | {line.number: line.text for line in found}
    assert "\n".join(shown.values()) == text.removesuffix("\n")


def test_blank_lines_in_a_long_run_are_counted_alone() -> None:
    reading, everyone = Reading("x"), Everything()
    text = b"a\n" + b"\n" * (BLANKS_MAX + 5) + b"b\n" + b"\n" * BLANKS_MAX
    found = list(read(from_bytes("x", text), reading, everyone))
    assert [line.number for line in found if line.text] == [1, BLANKS_MAX + 7]
    assert (reading.lines, everyone.blank) == (2 * BLANKS_MAX + 7, 5)
    assert len(found) == reading.lines - everyone.blank


def test_a_long_line_is_cut_and_told() -> None:
    data = b"short\n" + b"x" * 10_000_000 + b"\nshort\n"
    found, reading = lines(data)
    assert [len(line.text) for line in found] == [5, LINE_BYTES_MAX, 5]
    assert codes(reading) == ["long-line"]
    assert reading.remarks[0].line == 2
    assert "10000000 bytes" in reading.remarks[0].text
    assert reading.bytes == len(data)


def test_a_long_last_line_is_cut_as_well() -> None:
    found, reading = lines(b"y" * (LINE_BYTES_MAX + 1))
    assert [len(line.text) for line in found] == [LINE_BYTES_MAX]
    assert codes(reading) == ["long-line"]


def test_the_nul_bytes_of_a_crash_are_taken_off() -> None:
    found, _ = lines(b"\0" * 4096 + b"map irq failed\nnext\0\0\n")
    assert [pieces(line.payload or "") for line in found] == [["map irq failed"], ["next"]]
    assert found[0].text.endswith("\0map irq failed")


def test_what_is_no_text_has_no_payload() -> None:
    odd = b"a\0b\n\x01\x02\x03\x04\n\xff\xfe\xfd\n\0\0\0\n"
    found, _ = lines(b"a line that is text and long enough\n" + odd + b"ca\x66\xe9 au lait\n")
    assert [line.payload is None for line in found] == [False, False, True, True, True, False]
    assert found[-1].text == "caf\ufffd au lait"


def test_colours_and_marks_are_text() -> None:
    found, _ = lines("\ufeff\x1b[31mmap irq failed\x1b[0m\n".encode())
    assert found[0].payload == "\x1b[31mmap irq failed\x1b[0m"


def test_a_binary_file_is_readable_and_unreadable() -> None:
    reading, everyone = Reading("x"), Everything()
    binary = bytes(range(256)) * 40 + b"\nmap irq failed\n"
    found = list(read(from_bytes("x", binary), reading, everyone))
    assert not found
    assert reading.lines == everyone.no_text == 42
    assert codes(reading) == ["binary-input"]


def test_what_is_packed_in_another_way_is_named() -> None:
    _, reading = lines(b"7z\xbc\xaf\x27\x1c" + bytes(range(256)) * 9)
    assert [each.text for each in reading.remarks] == [
        "This is a 7z archive, which is not undone here; unpack it first."]


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_text_of_other_systems_is_text(coding: str) -> None:
    found, reading = lines("\ufeffmap irq failed\r\ncafé\r\n".encode(coding))
    assert [line.text for line in found] == ["map irq failed", "café"]
    assert reading.compression == "utf-16"


@pytest.mark.parametrize("name", PACKERS)
def test_compression_is_told_by_content(name: str) -> None:
    plain, of_plain = lines(TEXT.encode())
    packed, of_packed = lines(PACKERS[name](TEXT.encode()))
    assert packed == plain
    assert of_packed.compression == name
    assert (of_packed.digest, of_packed.bytes) == (of_plain.digest, of_plain.bytes)


@pytest.mark.parametrize("name", PACKERS)
def test_two_packed_pieces_are_one_text(name: str) -> None:
    half = len(TEXT.encode()) // 2
    data = PACKERS[name](TEXT.encode()[:half]) + PACKERS[name](TEXT.encode()[half:])
    assert lines(data)[0] == lines(TEXT.encode())[0]


@pytest.mark.parametrize("name", PACKERS)
def test_a_cut_off_archive_is_read_up_to_there(name: str) -> None:
    text = "".join(f"line {number} {number * 7919 % 104729}\n" for number in range(60_000))
    packed = PACKERS[name](text.encode())
    found, reading = lines(packed[: len(packed) // 2])
    assert len(found) < 60_000
    assert all(text.startswith(found[0].text) for _ in found[:1])
    assert codes(reading) == (["damaged-input"] if name != "zst" else codes(reading))


@pytest.mark.parametrize("name", PACKERS)
def test_a_damaged_archive_does_not_fail(name: str) -> None:
    packed = bytearray(PACKERS[name](TEXT.encode() * 50))
    packed[len(packed) // 2] ^= 0xFF
    packed[-3] ^= 0xFF
    lines(bytes(packed))


def test_too_much_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "UNPACKED_BYTES_MAX", 1000)
    _, reading = lines(gzip.compress(b"0123456789\n" * 100_000))
    assert (reading.bytes, codes(reading)) == (1000, ["unpacked-limit"])


def test_a_path_that_is_none(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.log", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            list(read(from_path(path), Reading("x"), Everything()))


def test_two_names_of_one_file_have_one_path(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x\n")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert from_path(tmp_path / "a").path == from_path(tmp_path / "b").path


@given(st.binary(max_size=300))
def test_no_bytes_fail(data: bytes) -> None:
    reading, everyone = Reading("x"), Everything()
    found = list(read(from_bytes("x", data), reading, everyone))
    assert reading.lines == len(found) + everyone.no_text + everyone.blank
    for magic in (b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd",
                  b"\x04\x22\x4d\x18"):
        lines(magic + data)
