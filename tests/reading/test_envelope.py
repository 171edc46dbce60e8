"""Envelopes in every combination: the message is always the same."""
from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.envelope import Peeler, flatten
from diagnose.events import NO_STAMP, Stamp
from diagnose.grammar import load
from diagnose.parse import parse
from diagnose.reader import from_bytes
from diagnose.stamps import stamp

PEELER = Peeler(load())
MESSAGE = "map irq failed"
JUNE_1 = 152 * 86400 + 31 * 60 + 27
JUNE_1_2011 = 360203487

SYSLOG = ("", "Jun  1 00:31:27 virthost4 kernel: ", "2011-06-01T00:31:27+02:00 virthost4 kernel: ")
PRIORITY = ("", "<4>")
PRINTK = ("", "[17184151.145148] ", "[   12.000001] ")
XEN = ("", "(XEN) ", "(XEN) [2011-06-01 00:31:27] ")


@pytest.mark.parametrize("layers", list(product(SYSLOG, PRIORITY, PRINTK, XEN)), ids="".join)
def test_every_combination(layers: tuple[str, ...]) -> None:
    envelope = PEELER.peel("".join(layers) + MESSAGE)
    assert envelope.payload == MESSAGE
    assert envelope.speaker == ("xen" if layers[3] else None)
    read = stamp(envelope)
    assert read.host == ("virthost4" if layers[0] else None)
    assert read.priority == (4 if layers[1] else None)
    if layers[2]:
        assert (read.kind, read.time) == ("uptime", float(layers[2].strip("[] ")))
    elif "[" in layers[3]:
        assert (read.kind, read.time) == ("wall", JUNE_1_2011)
    elif layers[0]:
        two_hours_east = JUNE_1_2011 - 2 * 3600
        wall = two_hours_east if layers[0].startswith("2011") else JUNE_1
        assert (read.kind, read.time) == ("wall", wall)
    else:
        assert (read.kind, read.time) == ("", None)


def test_a_bare_line_has_no_stamp() -> None:
    assert stamp(PEELER.peel(MESSAGE)) is NO_STAMP


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("Jan  1 00:00:00", 0.0),
        ("Jan 31 23:59:60", 30 * 86400 + 86400.0),
        ("Feb 29 00:00:00", 59 * 86400.0),
        ("Mar  1 00:00:00", 60 * 86400.0),
        ("Dec 31 23:59:59", 366 * 86400.0 - 1),
    ],
)
def test_syslog_times_lie_in_a_leap_year(text: str, time: float) -> None:
    assert stamp(PEELER.peel(f"{text} h kernel: x")) == Stamp(wall=time, host="h")


def test_xend_writes_its_own_envelope() -> None:
    line = (
        "[2011-06-01 00:31:27 xend.XendDomainInfo 3217] DEBUG (XendDomainInfo:1557) "
        "XendDomainInfo.destroy: domid=2"
    )
    envelope = PEELER.peel(line)
    assert (envelope.speaker, envelope.payload) == ("toolstack", line.rpartition(") ")[2])
    assert stamp(envelope) == Stamp(wall=JUNE_1_2011)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[x] map irq failed",
        "<192>map irq failed",
        "[12.5] map irq failed",
        "June 1 00:31:27 h kernel: x",
        "Jun 32 00:31:27 h kernel: x",
        "(XENO) x",
        "[]",
    ],
)
def test_what_is_no_envelope_stays(text: str) -> None:
    envelope = PEELER.peel(text)
    assert (envelope.payload, envelope.layers) == (text, ())


@pytest.mark.parametrize("text", ["(XEN)", "(XEN) ", "<4>", "[   12.000001]"])
def test_an_envelope_may_be_empty(text: str) -> None:
    envelope = PEELER.peel(text)
    assert envelope.payload == ""
    assert len(envelope.layers) == 1


def test_a_line_of_nothing_but_layers_ends() -> None:
    envelope = PEELER.peel("<4>" * 1000)
    assert len(envelope.layers) <= 12


@given(st.text(max_size=120))
def test_peeling_never_fails_and_folds_once(text: str) -> None:
    envelope = PEELER.peel(text)
    assert "  " not in envelope.payload.strip(" ")
    assert "\t" not in envelope.payload
    assert flatten(flatten(text)) == flatten(text)


@pytest.mark.parametrize("value", ["\u00b2", "9" * 5000, "-1", "4x"])
def test_no_number_of_a_journal_is_too_odd(value: str) -> None:
    line = json.dumps({"MESSAGE": MESSAGE, "PRIORITY": value, "__REALTIME_TIMESTAMP": value})
    envelope = PEELER.peel(line)
    assert envelope.payload == MESSAGE
    assert stamp(envelope).priority is None


def test_a_long_journal_in_full_words() -> None:
    entry = ["Tue 2026-11-24 13:49:03.135191 UTC [s=9e;i=0;b=5f;m=0;t=66105f927e1d7;x=1]",
             "    SYSLOG_IDENTIFIER=kernel", f"    MESSAGE={MESSAGE}"]
    text = "\n".join([*entry * 2000, ""])
    assert len(parse([from_bytes("journal", text.encode())]).events) == 2000


def test_a_message_of_a_journal_may_hold_many_line_ends() -> None:
    """Its length is told in bytes, and so the blank lines in it have to be there."""
    odd = b"\n" * 60 + b"x"
    entry = b"__CURSOR=a\nMESSAGE\n" + len(odd).to_bytes(8, "little") + odd + b"\n\n"
    after = f"__CURSOR=b\n_TRANSPORT=kernel\nMESSAGE={MESSAGE}\n\n".encode()
    (event,) = parse([from_bytes("journal", entry + after)]).events
    assert event.line.line == (entry + after).count(b"\n") - 1
