"""The text report: pictures of it on disk, and what must hold for every width and every input."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from diagnose.diagnosis import Diagnosis, StoryStep, finding_id
from diagnose.events import Line, Remark
from diagnose.render import render
from diagnose.render.paper import Style
from tests.face.sample import CAUSE, FAULT, RELEASE, SAMPLES, STATE, WHATIF
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


LONG = "../incidents/of a/dom0.log"
OTHER_LONG = "../incidents/of b/dom0.log"


def renamed(path: str, others: tuple[str, ...] = ()) -> Diagnosis:
    """The cause, told of an input with this path, beside other inputs."""
    line = Line(path, 36, f"a line that quotes {path}:36")
    proof = (f"{path}:36 says so (see {path}:21).", f"not-{path}:36 is no input.")
    finding = replace(CAUSE, witness=replace(CAUSE.witness, lines=(line,)), proof=proof)
    step = StoryStep("crash", {"domid": 1}, "inferred", (), f"without it {path}:33 is impossible")
    inputs = tuple(replace(FAULT.inputs[0], path=name) for name in (path, *others))
    return replace(FAULT, inputs=inputs, findings=(finding,), story=(step,))


@pytest.mark.parametrize("colour", [False, True])
def test_inputs_have_short_names_everywhere(colour: bool) -> None:
    shown = SGR.sub("", text(renamed(LONG), width=130, colour=colour))
    assert "since dom0.log:36." in shown
    assert "• dom0.log:36 says so (see dom0.log:21)." in shown
    assert "(without it dom0.log:33 is impossible)" in shown
    assert f"dom0.log:36  a line that quotes {LONG}:36" in shown
    assert f"not-{LONG}:36 is no input" in shown
    assert shown.count(LONG) == 2


def test_short_names_tell_inputs_apart() -> None:
    shown = text(renamed(LONG, (OTHER_LONG,)), width=130)
    assert "• of a/dom0.log:36 says so (see of a/dom0.log:21)." in shown
    everything = text(renamed(LONG, (OTHER_LONG,)), width=130, verbosity=1)
    assert f"of a/dom0.log = {LONG}" in everything
    assert f"of b/dom0.log = {OTHER_LONG}" in everything


CUT = Remark("search-cut", "The search had to drop stories.")


def test_a_cut_search_is_told_where_it_matters() -> None:
    twice = replace(FAULT, remarks=(CUT, CUT))
    assert text(twice).count(CUT.text) == 1
    sure = tuple(replace(found, confidence="certain") for found in FAULT.findings)
    assert CUT.text not in text(replace(twice, findings=sure))
    assert text(replace(twice, findings=sure), verbosity=1).count(CUT.text) == 1


def test_a_row_that_the_banner_does_not_suggest_is_said_plainly() -> None:
    remark = Remark("banner-behaviour", "The banner names build 247; the lines fit another better.")
    kernel = replace(FAULT.kernel, row="el5+1070", how="inferred")
    for verbosity in (0, 1):
        odd = replace(FAULT, kernel=kernel, remarks=(remark,))
        shown = text(odd, verbosity=verbosity, width=120)
        assert f"el5+1070, judged by behaviour; the banner names {RELEASE}" in shown
        assert shown.count(remark.text) == 1


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
    StoryStep("driver_load", {"domid": n}, "observed", (Line("dom0.log", n, ""),))
    for n in range(500)
)


def test_a_long_story_is_cut_to_what_bears_the_findings() -> None:
    shown = text(replace(FAULT, story=LONG_STORY))
    assert "more steps; -v shows all" in shown
    assert len(shown.splitlines()) < 220
    assert "dom499" in text(replace(FAULT, story=LONG_STORY), verbosity=1)


def test_a_long_healthy_story_keeps_its_ends() -> None:
    shown = text(replace(SAMPLES["healthy"], story=LONG_STORY))
    assert "dom0 " in shown
    assert "dom499 " in shown
    assert "492 more steps" in shown
    assert shown.count("⋮") == 1


def test_routine_steps_are_only_counted() -> None:
    loaded = FAULT.story[3]
    routine = replace(loaded, op="ifup", status="inferred", lines=(), why="drivers are brought up")
    healthy = replace(SAMPLES["healthy"], story=(loaded, routine, loaded, routine))
    assert "brings" not in text(healthy)
    assert text(healthy).count("… and 2 more steps; -v shows all") == 1
    assert text(healthy, verbosity=1).count("drivers are brought up") == 2


def test_a_long_story_tells_whole_lives_of_the_devices_in_question() -> None:
    """Start and end of an owner that bears a finding are told, other devices are not."""
    other = replace(FAULT.story[3], args={"domid": 1, "device": "0000:07:00.0"})
    both = replace(FAULT.story[2], args={"domid": 1, "device": ["0000:07:00.0", CAUSE.device]})
    story = (*[other] * 30, both, *FAULT.story[3:])
    finding = replace(CAUSE, witness=replace(CAUSE.witness, steps=(31,)))
    shown = text(replace(FAULT, findings=(finding,), story=story))
    assert f"dom1 starts with 0000:07:00.0, {CAUSE.device}" in shown
    assert "dom1 shuts down cleanly" in shown
    assert "for 0000:07:00.0: MSI-X" not in shown

def test_boots_are_told_apart() -> None:
    story = (*FAULT.story, StoryStep("host_boot", {}, "observed", (Line("a", 9, ""),), boot=1))
    assert "host boot 1" in text(replace(FAULT, story=story))
