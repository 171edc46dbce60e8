"""What is chosen is what is made, and the same choices make the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose import cli
from diagnose.errors import UsageError
from diagnose.synth.choices import NAMES, STORIES, Choices
from diagnose.synth.incident import Incident, make
from diagnose.synth.stage import known_faults

WHOLE = Choices(view=("full",), level="debug", truncate="none", lose=0.0, envelope="printk",
                interleave=False, noise=False)


def lines(incident: Incident) -> list[str]:
    return [line for text in incident.texts.values() for line in text.splitlines()]


@pytest.mark.parametrize("story", STORIES)
def test_the_same_seed_makes_the_same_incident(story: str) -> None:
    chosen = Choices(story=story)
    first = make(7, 3, chosen)
    assert first == make(7, 3, chosen)
    assert first.expected["kind"] == story
    assert first.expected["kernel"] in STORIES[story].rows
    assert first.texts


def test_a_directory_holds_the_same_bytes_whatever_the_count(tmp_path: Path) -> None:
    def written(name: str, *words: str) -> dict[str, bytes]:
        folder = tmp_path / name
        assert cli.run(["synth", str(folder), "--seed", "3", *words]) == 0
        return {path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*") if path.is_file()}

    few, many = written("few", "--count", "3"), written("many", "--count", "6")
    assert few.items() < many.items()
    assert written("last", "--count", "3", "--first", "3").items() == many.items() - few.items()
    assert written("again", "--count", "6", "--jobs", "2") == many


@pytest.mark.parametrize("fault", known_faults())
def test_a_fault_that_is_asked_for_happens(fault: str) -> None:
    expected = make(1, 0, Choices(fault=fault)).expected
    assert fault in {name for name, _ in expected["may"]}


def test_a_rare_fault_is_looked_for_where_it_happens() -> None:
    for nth in range(40):
        expected = make(9003, nth, Choices(fault="stale-irq")).expected
        assert "stale-irq" in {name for name, _ in expected["may"]}


@pytest.mark.parametrize("row", NAMES["row"])
def test_a_row_that_is_asked_for_is_below(row: str) -> None:
    assert {make(1, nth, Choices(row=row)).expected["kernel"] for nth in range(5)} == {row}


@pytest.mark.parametrize(("guests", "lives"), [(1, 1), (2, 3), (4, 1)])
def test_a_free_story_has_so_many_guests_and_lives(guests: int, lives: int) -> None:
    for nth in range(4):
        expected = make(2, nth, Choices(guests=guests, lives=lives)).expected
        starts = [act for act in expected["story"] if act[0] == "domain_start"]
        assert 1 <= len(starts) <= guests * lives
        assert len(starts) == guests * lives or expected["host_died"] or len(starts) > lives


def test_free_stories_hold_whatever_can_happen() -> None:
    """Every act but an unknown end, causes from outside, dead hosts; nothing that is impossible."""
    ops, causes, modes, died, ordinary = set(), set(), set(), 0, 0
    for nth in range(100):
        expected = make(4, nth, replace(WHOLE, story="free")).expected
        acts = expected["story"]
        ops |= {act[0] for act in acts}
        causes |= {act[-1][0] for act in acts if isinstance(act[-1], list) and len(act[-1]) == 3
                   and isinstance(act[-1][1], int)}
        modes |= {act[4] for act in acts if act[0] == "driver_load"}
        died += expected["host_died"] is not None
        assert expected["host_died"] in (None, acts[-1])
        ordinary += {act[0] for act in acts} <= {"seize", "domain_start", "driver_load", "ifup",
                                                 "clean_shutdown", "destroy", "crash",
                                                 "driver_unload"}
    assert modes == {"msix", "msi", "intx"}
    assert ops == {"seize", "domain_start", "driver_load", "ifup", "driver_unload",
                   "clean_shutdown", "destroy", "crash", "ifdown", "kexec", "release", "flr",
                   "vf_destroy", "pf_reload", "host_boot"}
    assert len(causes) > 5
    assert 0 < died < 20
    assert ordinary > 30


@pytest.mark.parametrize(("envelope", "start"), [
    ("printk", "["), ("prio", "<"), ("syslog", "Jun "), ("plain", ""), ("mixed", ""),
])
def test_envelopes(envelope: str, start: str) -> None:
    texts = make(1, 0, replace(WHOLE, story="first-boot", envelope=envelope)).texts
    assert ("console.log" in texts) == (envelope == "mixed")
    name = "console.log" if envelope == "mixed" else "dom0.log"
    assert all(line.startswith(start) for line in texts[name].splitlines())


def test_a_level_hides_what_is_less_grave() -> None:
    def levels(level: str) -> set[str]:
        text = make(1, 0, replace(WHOLE, story="reboot-clean", envelope="prio", level=level)
                    ).texts.get("dom0.log", "")
        return {line[1] for line in text.splitlines()}

    assert levels("debug") == {"4", "6", "7"} | levels("notice")
    assert max(levels("warning")) == "4"
    assert not levels("err")


def test_views_lack_whole_logs() -> None:
    def names(*view: str) -> set[str]:
        return set(make(1, 1, replace(WHOLE, story="two-guests", view=view)).texts)

    whole = names("full")
    assert {"dom0.log", "xen.log"} < whole
    assert names("no-xen") == whole - {"xen.log"}
    assert names("no-guest", "no-xen") == {"dom0.log"}
    assert {"dom0.log", "xen.log"} < names("one-guest") < whole


def test_lost_lines_are_the_same_and_more() -> None:
    """Nothing else changes with the share: the lines that are left are lines of the whole."""
    def kept(share: float) -> list[str]:
        return lines(make(1, 0, replace(WHOLE, story="mixed-274", lose=share)))

    whole = kept(0.0)
    shares = [kept(share) for share in (0.05, 0.3, 0.9)]
    for more, fewer in zip([whole, *shares], shares):
        assert set(fewer) < set(more)
    assert 0.15 * len(whole) < len(whole) - len(shares[1]) < 0.45 * len(whole)
    assert kept(1.0) == []


def test_ends_are_cut_also_in_the_middle_of_a_line() -> None:
    middles = 0
    for seed in range(12):
        before = make(seed, 0, replace(WHOLE, story="mixed-274")).texts
        for end in ("head", "tail", "both"):
            cut = make(seed, 0, replace(WHOLE, story="mixed-274", truncate=end)).texts
            assert sum(map(len, cut.values())) < sum(map(len, before.values()))
            for name, text in cut.items():
                assert text in before[name]
                middles += f"\n{text}" not in f"\n{before[name]}" or not text.endswith("\n")
    assert middles > 12


def test_interleaved_is_one_console() -> None:
    chosen = replace(WHOLE, story="braided")
    apart, together = make(1, 0, chosen), make(1, 0, replace(chosen, interleave=True))
    assert set(apart.texts) - set(together.texts) == {"dom0.log", "xen.log"}
    assert set(together.texts) - set(apart.texts) == {"console.log"}
    told = [line.split("] ")[-1] for line in lines(together)]
    plain = [line.split("] ")[-1] for line in lines(apart)]
    assert sorted(told) == sorted(plain)
    assert told != plain


def test_noise_is_what_has_nothing_to_do_with_it() -> None:
    quiet = make(1, 0, replace(WHOLE, story="reboot-clean"))
    loud = make(1, 0, replace(WHOLE, story="reboot-clean", noise=True))
    assert set(lines(quiet)) < set(lines(loud))
    assert quiet.expected == loud.expected


@pytest.mark.parametrize(("wrong", "says"), [
    ({"story": "reboot-clear"}, "did you mean reboot-clean"),
    ({"row": "el5-284"}, "did you mean el5-283"),
    ({"fault": "stale-vektor"}, "did you mean stale-vector"),
    ({"envelope": "sislog"}, "did you mean syslog"),
    ({"level": "warn"}, "did you mean warning"),
    ({"truncate": "x"}, "one of none, head, tail, both"),
    ({"view": ("no-zen",)}, "did you mean no-xen"),
    ({"view": ("full", "no-xen")}, "no other view"),
    ({"lose": 1.5}, "from 0 to 1"),
    ({"guests": 0}, "give 1 to"),
    ({"lives": 1000}, "give 1 to"),
    ({"story": "kexec", "guests": 2}, "Leave --story out"),
    ({"story": "clean-1070", "row": "el5"}, "not told on el5, but on el5\\+1070"),
])
def test_what_cannot_be_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Choices(**wrong)


def test_a_fault_that_cannot_happen_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Incident 3: none of \d+ stories on el5-283 came to"
                                         " stale-vector"):
        make(1, 3, Choices(fault="stale-vector", row="el5-283"))


def test_the_row_of_a_label_leaves_all_that_happened() -> None:
    for nth in range(5):
        expected = make(6, nth, Choices(story="mixed-1070")).expected
        assert expected["may"] == expected["whatif"][expected["kernel"]]
