"""What can be asked of a replay: a line, an entry, another kernel row; and what is refused."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.assume import assume
from diagnose.errors import UsageError
from diagnose.locate import locate
from diagnose.options import Question
from diagnose.pipeline import diagnose
from diagnose.story import Step
from diagnose.watch import watch
from diagnose.whatif import as_it_was, dying, rerun, side_by_side, unload_first
from emulator.kernels import ROWS
from emulator.life import Act
from tests.replay.told import STORIES, assumed, frames, incident, located, logs, told

DEVICE = "0000:01:10.0"

AT = [
    # the line asked for, the last step that had happened, whether the line is its own, what is open
    ("dom0.log:1", None, False, ()),
    ("dom0.log:5", 0, True, ()),
    ("dom0.log:7", 0, False, ()),
    ("dom0.log:8", 1, True, ()),
    ("dom0.log:12", 2, True, ()),
    ("dom0.log:15", 2, False, (3,)),
    ("dom0.log:17", 4, True, ()),
    ("dom0.log:22", 6, True, ()),
    ("dom0.log:25", 6, False, (7,)),
    ("dom0.log:36", 9, True, ()),
    ("xen.log:1", None, False, ()),
    ("xen.log:3", 0, True, ()),
    ("xen.log:6", 8, True, ()),
    ("guest.log:1", 1, False, (2, 3)),
    ("guest.log:10", 4, True, ()),
    ("guest.log:12", 5, False, (6,)),
    ("guest.log:19", 7, True, ()),
    ("guest.log:23", 7, False, (8, 9, 10)),
]


@pytest.mark.parametrize(("asked", "step", "own", "open_steps"), AT, ids=[row[0] for row in AT])
def test_at(asked: str, step: int | None, own: bool, open_steps: tuple[int, ...]) -> None:
    found = located("demo", asked)
    assert (found.step, found.told, found.open) == (step, own, open_steps)
    assert f"{found.input}:{found.line}".endswith(asked)


@pytest.mark.parametrize("slug", STORIES)
def test_every_line_of_a_step_is_found_in_it_or_in_a_later_one(slug: str) -> None:
    for frame in frames(slug):
        for line in frame.lines[:2]:
            found = located(slug, f"{line.input}:{line.line}")
            assert found.told
            assert found.text == line.text
            assert found.step is not None
            assert found.step >= frame.number


def test_lines_in_order_never_lead_back() -> None:
    reached = [located("demo", f"dom0.log:{line}").step for line in range(1, 37)]
    numbers = [-1 if step is None else step for step in reached]
    assert numbers == sorted(numbers)


def test_a_full_path_is_as_good_as_a_short_name() -> None:
    path = told("demo").inputs[0].path
    assert located("demo", f"{path}:22") == located("demo", "dom0.log:22")


REFUSED = [
    (Question(at="dom0.log"), ["FILE:LINE"]),
    (Question(at="dom0.log:first"), ["FILE:LINE"]),
    (Question(at="gone.log:3"), ["'gone.log'", "dom0.log", "guest.log", "xen.log"]),
    (Question(at="om0.log:3"), ["'om0.log'", "none of the inputs"]),
    (Question(at="dom0.log:37"), ["36 lines", "37"]),
    (Question(at="dom0.log:0"), ["count from 1"]),
    (Question(watch=DEVICE), ["DEVICE/ENTRY"]),
    (Question(watch="80/0"), ["'80'", "0000:01:10.0"]),
    (Question(watch="02:10.0/0"), ["no device with vectors", DEVICE]),
    (Question(watch=f"{DEVICE}/3"), ["entry 3", "0, 1, 2"]),
]


@pytest.mark.parametrize(("question", "words"), REFUSED, ids=[str(q) for q, _ in REFUSED])
def test_what_the_logs_lack_is_refused_with_what_they_have(
    question: Question, words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        told("demo", question)
    for word in words:
        assert word in str(caught.value)


def test_a_name_that_several_inputs_end_in_is_refused_with_all_of_them() -> None:
    seen = incident("demo")
    sources = tuple(replace(seen.parsed.sources[0], name=f"{folder}/dom0.log") for folder in "ab")
    with pytest.raises(UsageError, match=r"several inputs.*a/dom0\.log, b/dom0\.log"):
        locate("dom0.log:1", replace(seen.parsed, sources=sources), seen.timeline,
               seen.played.best.steps())


def test_a_device_that_may_be_several_is_refused_with_all_of_them() -> None:
    two = frames("two-devices-one-devfn-el5")
    with pytest.raises(UsageError, match=r"several devices.*0000:01:10\.0, 0000:09:10\.0"):
        watch("??:10.0/0", two)


def test_watch_tells_the_life_of_an_entry() -> None:
    found = watch("01:10.0/1", frames("demo"))
    first, second = found.lives
    assert (first.pirq, first.domid, first.ended, first.state) == (254, 1, 8, None)
    assert [(moment.step, moment.what, moment.domid) for moment in first.moments] == [
        (2, "attached", 1), (4, "pairs_left", 1), (4, "stale", 1), (6, "stale_served", 2),
        (7, "bind_refused", 2), (8, "stale_unmap_refused", 2), (8, "released", None)]
    assert (second.pirq, second.domid, second.ended, second.state) == (254, 2, None, "live")


def test_a_pair_may_be_taken_from_a_device_by_another() -> None:
    found = watch("05:10.0/0", frames("unload-takes-anothers-vectors-el5"))
    assert [moment.what for moment in found.lives[-1].moments][-1] == "lost"
    assert found.lives[-1].state == "lost"


@pytest.mark.parametrize("slug", STORIES)
def test_the_lives_of_an_entry_cover_its_time_on_record(slug: str) -> None:
    """Counted the other way round: a frame has the pair exactly while one of the lives lasts."""
    entries = {(device, pair[1]) for frame in frames(slug)
               for device, record in frame.ledgers.dom0.items() for pair in record.entries}
    for device, entry_nr in sorted(entries):
        watched = watch(f"{device}/{entry_nr}", frames(slug))
        for frame in frames(slug):
            record = frame.ledgers.dom0.get(device)
            held = sorted((pair[0], pair[2]) for pair in (record.entries if record else ())
                          if pair[1] == entry_nr)
            assert held == sorted(
                (life.pirq, life.domid) for life in watched.lives
                if life.moments[0].step <= frame.number and (
                    life.ended is None or frame.number < life.ended))


ASSUMED = [
    # row, findings gone, the first step that goes another way
    ("el5", [], None),
    ("el5+1070", [], None),
    ("el5+945+956+1070", [], None),
    ("el5+prune", ["missing-prune", "stale-vector", "unmap-failure"], 4),
    ("el5-283", ["missing-prune", "stale-vector", "unmap-failure"], 4),
]


@pytest.mark.parametrize(("name", "gone", "first"), ASSUMED, ids=[row[0] for row in ASSUMED])
def test_assume(name: str, gone: list[str], first: int | None) -> None:
    found = assumed("demo", name)
    assert [finding.fault for finding in found.gone] == gone
    assert len(found.gone) + len(found.left) == 3
    assert found.arisen == ()
    assert next((each.step for each in found.differences), None) == first


def test_assume_tells_what_would_have_been_printed() -> None:
    found = assumed("demo", "el5+prune")
    load = next(each for each in found.differences if each.step == 6)
    assert len(load.missing) == 3
    assert all("not freed before acquire again" in line for line in load.missing)
    assert load.instead == ("dom0: get owner for dev 80 get 2 ",) * 3
    assert [pair[3] for pair in load.ledgers.dom0[DEVICE].entries] == ["live"] * 3


def test_a_healthy_host_would_have_had_faults_under_an_older_kernel() -> None:
    found = assumed("clean-reboot-283", "el5")
    assert found.arisen == (("missing-prune", DEVICE, 0), ("stale-vector", DEVICE, 0))


@pytest.mark.parametrize("slug", STORIES)
def test_a_story_under_its_own_row_does_not_differ_from_itself(slug: str) -> None:
    found = assumed(slug, incident(slug).played.best.row.name)
    assert (found.differences, found.gone, found.arisen) == ((), (), ())


@pytest.mark.parametrize("slug", ["demo", "crash-el5", "unload-takes-anothers-vectors-el5"])
def test_assume_agrees_with_the_what_if_table(slug: str) -> None:
    for each in diagnose(logs(slug)).whatif:
        if each.assume in {row.name for row in ROWS}:
            found = assumed(slug, each.assume)
            assert tuple(finding.id for finding in found.gone) == each.removes
            assert tuple(finding.id for finding in found.left) == each.leaves


def test_a_report_on_one_device_assumes_for_that_device_alone() -> None:
    whole, own = (told("two-devices-one-devfn-el5", Question(assume="el5-283"), device).assumed
                  for device in (None, "0000:09:10.0"))
    assert whole is not None
    assert own is not None
    assert {finding.device for finding in own.gone} == {"0000:09:10.0"}
    assert len(own.gone) < len(whole.gone)
    for each in own.differences:
        assert set(each.ledgers.dom0) == {"0000:09:10.0"}


@pytest.mark.parametrize("story", ["demo", "two-devices-one-devfn-el5"])
def test_variants_side_by_side_go_as_each_goes_by_itself(story: str) -> None:
    best = incident(story).played.best
    variants = [(row, change) for row in ROWS
                for change in (as_it_was, unload_first, dying("destroy"))]
    assert side_by_side(best.steps(), variants) == [
        rerun(best.steps(), row, change) for row, change in variants]


def test_a_story_that_cannot_happen_says_why() -> None:
    """A host without pciback prints nothing of all this."""
    best = incident("demo").played.best
    bare = best.row._replace(traits=best.row.traits._replace(pciback_loaded=False))
    steps = [Step(None, Act("host_boot"), False, "", 0, (), (), (), None), *best.steps()]
    found = assume(bare, best.row, steps, (), ())
    assert found.differences[0].refusal == "pciback is not loaded"
    assert any("seizing device" in line for line in found.differences[0].missing)
    assert not found.differences[0].instead
