"""The drawn replay: pictures of it on disk, and what must hold at every width and for any input."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from diagnose.diagnosis import Missing
from diagnose.frames import Change, DeviceRecord, DomainTable, Frame, Ledgers, ReplayReport
from diagnose.options import Question
from diagnose.render import render_replay
from diagnose.render.ledgers import draw
from diagnose.render.paper import Paper, Style
from diagnose.render.partings import WORDS
from diagnose.render.steps import ill
from emulator.invariants import VIOLATIONS
from tests.face.snapshot import check
from tests.face.test_text import SGR
from tests.replay.told import SLUGS, STORIES, defaced, frames, told

DEVICE = "0000:01:10.0"
STYLES = [
    ("80", Style(80)),
    ("120", Style(120)),
    ("60-ascii", Style(60, unicode=False)),
    ("80-colour", Style(80, colour=True)),
    ("100-full", Style(100, verbosity=1)),
    ("80-short", Style(80, verbosity=-1)),
]


def text(report: ReplayReport, width: int = 80, verbosity: int = 0, colour: bool = False,
         unicode: bool = True) -> str:
    return render_replay(report, "text", Style(width, colour, verbosity, unicode))


@pytest.mark.parametrize(("label", "style"), STYLES, ids=[row[0] for row in STYLES])
def test_the_bundled_incident_looks_like_its_picture(label: str, style: Style) -> None:
    check(f"replay-{label}.txt", render_replay(told("demo"), "text", style))


@pytest.mark.parametrize(("name", "slug", "question"), [
    ("collision", "unload-takes-anothers-vectors-el5", None),
    ("at", "demo", Question(at="dom0.log:25")),
    ("watch", "demo", Question(watch="01:10.0/0")),
    ("assume", "demo", Question(assume="el5+prune")),
    ("arisen", "clean-reboot-283", Question(assume="el5")),
    ("nothing", "noise-alone", None),
])
def test_other_pictures(name: str, slug: str, question: Question | None) -> None:
    check(f"replay-{name}.txt", text(told(slug, question)))


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("width", [50, 69, 70, 80, 120])
def test_no_line_is_wider_than_asked(slug: str, width: int) -> None:
    for row in text(told(slug), width, verbosity=1).splitlines():
        assert len(row) <= width or "$ " in row, row


@pytest.mark.parametrize("slug", STORIES)
def test_ascii_is_ascii_and_colour_changes_no_character(slug: str) -> None:
    assert text(told(slug), unicode=False).isascii()
    assert SGR.sub("", text(told(slug), colour=True)) == text(told(slug))


@pytest.mark.parametrize("slug", STORIES)
def test_every_pair_on_record_is_drawn_with_what_xen_says(slug: str) -> None:
    for frame in frames(slug):
        shown = drawn(frame.ledgers, full=True)
        for record in frame.ledgers.dom0.values():
            for pirq, entry_nr, _, state in record.entries:
                rows = [row for row in shown if f"({pirq},{entry_nr})" in row and state in row]
                assert any(("├───┤" in row) == (state == "live") and
                           ("├─✗" in row) == (state != "live") for row in rows)
        for table in frame.ledgers.xen.values():
            for pirq in table.pirqs:
                assert any(f" {pirq} " in row.partition("   ")[2] or f" {pirq} → " in row
                           for row in shown)


@pytest.mark.parametrize("slug", ["demo", "unload-takes-anothers-vectors-el5"])
@pytest.mark.parametrize("width", [50, 69, 70, 81, 120])
@pytest.mark.parametrize("unicode", [True, False])
def test_boxes_are_straight(slug: str, width: int, unicode: bool) -> None:
    rows = [row for row in text(told(slug), width, 1, unicode=unicode).splitlines()
            if row.startswith((" │ ", " ╭", " ╰", " | ", " +-"))]
    assert rows
    assert {len(row) for row in rows} == {width if width < 70 else width - width % 2}


def drawn(ledgers: Ledgers, changes: tuple[Change, ...] = (), width: int = 100,
          full: bool = False) -> list[str]:
    paper = Paper(Style(width, verbosity=int(full)))
    draw(paper, ledgers, changes)
    return paper.text().splitlines()


def test_long_runs_of_rows_alike_are_drawn_in_short_and_counted() -> None:
    pirqs = range(255, 215, -1)
    many = Ledgers(
        {DEVICE: DeviceRecord(1, True, True, True, tuple(
            (pirq, nr, 1, "live") for nr, pirq in enumerate(pirqs)))},
        {1: DomainTable("pv", dict.fromkeys(pirqs, DEVICE))})
    short = drawn(many)
    assert len(short) == 7
    assert "⋮ 37 more alike" in "".join(short)
    assert "(216,39)" in "".join(short)
    assert len(drawn(many, full=True)) == 43


def test_what_xen_maps_and_dom0_never_heard_of_is_drawn_too() -> None:
    """qemu maps an HVM guest's pirqs; one of no device, one of a device that is not on record."""
    rows = drawn(Ledgers(
        {DEVICE: DeviceRecord(3, True, True, False)},
        {3: DomainTable("hvm", {87: DEVICE, 86: None}, (), (85,)),
         4: DomainTable("pv", {84: "0000:05:10.0"}), 5: DomainTable("pv")}))
    page = "\n".join(rows)
    for told_ in ("dom3 (HVM)", "87 → 0000:01:10.0", "86 → no device", "85 → nothing",
                  "84 → 0000:05:10.0", "dom5, no pirq mapped"):
        assert page.count(told_) == 1, told_


def test_a_table_is_never_read_as_another_domains() -> None:
    """Three devices of two domains in turn: each change of the domain is headed anew."""
    devices = {f"0000:0{bus}:10.0": DeviceRecord(domid, True, True, True, ((255 - bus, 0, domid,
               "live"),)) for bus, domid in ((1, 1), (2, 2), (3, 1))}
    rows = drawn(Ledgers(devices, {
        1: DomainTable("pv", {254: "0000:01:10.0", 252: "0000:03:10.0"}),
        2: DomainTable("pv", {253: "0000:02:10.0"})}))
    right = [row[52:].strip(" │┤") for row in rows[1:-1]]
    assert right == ["dom1", "254 → 0000:01:10.0", "dom2", "253 → 0000:02:10.0", "dom1",
                     "252 → 0000:03:10.0"]


def test_a_story_of_hundreds_of_steps_is_cut_around_its_troubles() -> None:
    whole = told("demo")
    calm = replace(whole.frames[2], violations=())
    story: list[Frame] = [replace(calm, number=n) for n in range(400)]
    story[200:205] = [replace(frame, number=200 + n)
                      for n, frame in enumerate(whole.frames[4:9])]
    report = replace(whole, frames=tuple(story))
    shown = text(report)
    steps = [int(n) for n in re.findall(r"^── step (\d+) ", shown, re.MULTILINE)]
    assert steps == [0, 1, 2, *range(198, 207), 397, 398, 399]
    gaps = [int(n) for n in re.findall(r"⋮ (\d+) steps left out", shown)]
    assert len(steps) + sum(gaps) == 400
    assert "left out" not in text(report, verbosity=1)
    assert text(report, verbosity=1).count("── step ") == 400


def test_a_gap_does_not_hide_that_the_ledgers_disagree_in_it() -> None:
    whole = told("demo")
    story = tuple(replace(whole.frames[6], number=n) for n in range(300))
    assert all(ill(frame.ledgers) for frame in story)
    gap = next(row for row in text(replace(whole, frames=story)).splitlines() if "left out" in row)
    bad = re.search(r"(\d+) steps left out", gap)
    assert bad is not None
    assert f"do not agree after {bad[1]} of them" in gap


def test_host_boots_are_kept_apart() -> None:
    shown = text(told("host-reboot-in-mid-file-el5"))
    assert "host boot 1: both ledgers begin anew" in shown
    assert "host boot" not in text(told("demo"))


def test_equal_ledgers_are_drawn_once() -> None:
    whole = told("demo")
    twice = replace(whole, frames=(*whole.frames[:3], replace(whole.frames[2], number=3)))
    assert text(twice).count("╭─ dom0") == 3
    assert text(twice, verbosity=1).count("╭─ dom0") == 4


@pytest.mark.parametrize("evil", ["\x1b[2J\x1b[31mall is well", "a\u202eb\u2066c", "two\nlines\r",
                                  "\x9b31m\x07", "half \udcff a surrogate"])
@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_no_text_from_outside_reaches_a_terminal_unescaped(evil: str, verbosity: int) -> None:
    shown = text(defaced(told("demo"), evil), verbosity=verbosity, colour=True)
    assert SGR.sub("", shown).replace("\n", "").isprintable()
    assert evil not in shown


def test_nothing_to_replay_says_what_the_logs_lack() -> None:
    shown = text(told("noise-alone"))
    assert "nothing to replay" in shown
    report = replace(told("noise-alone"), missing=(Missing("a b", "c d", "e f"),))
    assert "a b: c d" in text(report)
    assert "$ e f" in text(report)


def test_a_device_that_no_step_concerns_is_said_plainly() -> None:
    shown = text(told("demo", device="0000:07:00.0"))
    assert "No step of this story concerns 0000:07:00.0." in shown


def test_contradictions_are_owned_up_to() -> None:
    shown = " ".join(text(told("rhbz688673-c45-owners-in-turn")).split())
    assert "this one has 14 contradictions." in shown
    assert "contradiction" not in text(told("demo"))


def test_every_violation_has_its_words() -> None:
    assert WORDS.keys() == VIOLATIONS.keys()
