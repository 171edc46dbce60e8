"""The text report: pictures of it on disk, and what must hold for every width and every input."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.diagnosis import Diagnosis, StoryStep, finding_id
from diagnose.events import Line
from diagnose.render import render
from diagnose.render.paper import Style
from tests.face.sample import CAUSE, FAULT, SAMPLES, STATE, WHATIF
from tests.face.snapshot import check

SGR = re.compile(r"\x1b\[[\d;]+m")


def text(
    diagnosis: Diagnosis,
    width: int = 80,
    verbosity: int = 0,
    colour: bool = False,
    unicode: bool = True,
) -> str:
    return render(diagnosis, "text", Style(width, colour, verbosity, unicode))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    ("label", "style"),
    [
        ("80", Style(80)),
        ("120-full", Style(120, verbosity=1)),
        ("80-short", Style(80, verbosity=-1)),
        ("80-colour", Style(80, colour=True)),
        ("60-ascii", Style(60, unicode=False)),
    ],
)
def test_looks_like_its_picture(name: str, label: str, style: Style) -> None:
    check(f"{name}-{label}.txt", render(SAMPLES[name], "text", style))


@pytest.mark.parametrize("name", SAMPLES)
def test_colour_changes_no_character(name: str) -> None:
    painted = text(SAMPLES[name], colour=True)
    assert "\x1b[" in painted
    assert SGR.sub("", painted) == text(SAMPLES[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_ascii_is_ascii(name: str) -> None:
    assert text(SAMPLES[name], unicode=False).isascii()


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", range(50, 140, 7))
def test_no_line_is_wider_than_asked(name: str, width: int) -> None:
    """Only what a person copies, a command or a path, may stick out."""
    for row in text(SAMPLES[name], width=width, verbosity=1).splitlines():
        assert len(row) <= width or "$ " in row, row


@pytest.mark.parametrize("name", SAMPLES)
def test_ends_with_one_line_feed_and_has_no_stray_blanks(name: str) -> None:
    shown = text(SAMPLES[name], verbosity=1)
    assert shown.endswith("\n")
    assert not shown.endswith("\n\n")
    assert "\n\n\n" not in shown
    assert not re.search(r"[ \t]$", shown, re.MULTILINE)


def test_every_cited_place_is_shown_when_everything_is_wanted() -> None:
    shown = text(FAULT, verbosity=1)
    for finding in FAULT.findings:
        for line in finding.witness.lines:
            assert f"{line.input}:{line.line}" in shown


def test_long_witnesses_are_cut_and_say_so() -> None:
    assert "… and 207 lines more" in text(FAULT)
    assert "guest2.log:14" not in text(FAULT)


@pytest.mark.parametrize(
    "evil",
    [
        "\x1b[2J\x1b[31mall is well",
        "a\u202eb\u2066c\u200bd",
        "bell\x07back\x08\x9b31m",
        "two\nlines\rhere\x85there\u2028",
        "half \udcff a surrogate \x00",
    ],
)
def test_log_text_reaches_no_terminal_unescaped(evil: str) -> None:
    line = Line(f"{evil}.log", 1, evil)
    witness = replace(CAUSE.witness, lines=(line,))
    finding = replace(CAUSE, witness=witness, message=evil, proof=(evil,), title=evil, device=evil)
    step = StoryStep("odd", {"device": evil}, "inferred", (line,), evil)
    shown = text(replace(FAULT, findings=(finding,), story=(step,)), verbosity=1, colour=True)
    assert SGR.sub("", shown).replace("\n", "").isprintable()
    assert evil not in shown


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.integers(1, 130))
def test_any_text_at_any_width(content: str, width: int) -> None:
    finding = replace(CAUSE, message=content, proof=(content, ""), title=content)
    shown = text(replace(FAULT, findings=(finding, STATE)), width=width, verbosity=1)
    assert shown.replace("\n", "").isprintable()


def test_a_line_of_ten_megabytes_is_shown_in_part() -> None:
    line = Line("dom0.log", 1, "x" * 10_000_000)
    finding = replace(CAUSE, witness=replace(CAUSE.witness, lines=(line,)))
    shown = text(replace(FAULT, findings=(finding,)))
    assert len(shown) < 20_000
    assert "(10000000 characters)" in shown


def test_long_names_get_a_line_of_their_own() -> None:
    name = "sosreport-host.2011-03-17.tar.xz!sosreport-host/var/log/messages"
    line = Line(name, 17, "unmap irq ff failed")
    finding = replace(CAUSE, witness=replace(CAUSE.witness, lines=(line,)))
    rows = text(replace(FAULT, findings=(finding,))).splitlines()
    place = rows.index(f"     {name}:17")
    assert rows[place + 1].strip() == "unmap irq ff failed"


def many(count: int) -> Diagnosis:
    """The cause and its effect, once for each of `count` devices."""
    findings = []
    for n in range(count):
        device = f"0000:{n:02x}:10.0"
        first = finding_id("missing-prune", device, 0)
        second = finding_id("stale-vector", device, 0)
        findings += [
            replace(CAUSE, id=first, device=device),
            replace(STATE, id=second, device=device, follows=(first,)),
        ]
    ids = tuple(finding.id for finding in findings)
    whatif = tuple(replace(w, removes=ids, leaves=()) if w.removes else w for w in WHATIF)
    return replace(FAULT, findings=tuple(findings), whatif=whatif)


def test_many_alike_are_told_once_and_listed() -> None:
    shown = text(many(20))
    assert len(shown.splitlines()) < 220
    assert shown.count("The same befell") == 2
    assert "and 19 more devices" in shown
    assert "40 of 40 gone" in shown
    everything = text(many(20), verbosity=1)
    assert "The same befell" not in everything
    assert everything.count("── 3") >= 1


LONG_STORY = tuple(
    StoryStep("ifup", {"domid": n}, "observed", (Line("dom0.log", n, ""),)) for n in range(500)
)


def test_a_long_story_is_cut_to_what_bears_the_findings() -> None:
    shown = text(replace(FAULT, story=LONG_STORY))
    assert "steps not shown" in shown
    assert len(shown.splitlines()) < 220
    assert "dom499" in text(replace(FAULT, story=LONG_STORY), verbosity=1)


def test_a_long_healthy_story_keeps_its_ends() -> None:
    shown = text(replace(SAMPLES["healthy"], story=LONG_STORY))
    assert "dom0 " in shown
    assert "dom499 " in shown
    assert "492 steps not shown" in shown


def test_boots_are_told_apart() -> None:
    story = (*FAULT.story, StoryStep("host_boot", {}, "observed", (Line("a", 9, ""),), boot=1))
    assert "host boot 1" in text(replace(FAULT, story=story))
