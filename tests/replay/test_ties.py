"""Which line of another log an act may have printed, and which guest's boot a domain's life is."""
from __future__ import annotations

from collections.abc import Mapping

import pytest

from diagnose.align import align
from diagnose.clocks import NO_CLOCKS, clocks
from diagnose.guests import bindings
from diagnose.parse import parse
from diagnose.reader import from_bytes
from diagnose.story import Hypothesis
from diagnose.timeline import Timeline, assemble
from diagnose.weave import ordered, weave
from emulator.effects import Effect
from emulator.kernels import row
from emulator.state import State

STORY = Hypothesis(row("el5"), State.boot())


def laid_out(files: Mapping[str, str], with_clocks: bool = True) -> Timeline:
    parsed = ordered(parse([from_bytes(name, text.encode()) for name, text in files.items()]))
    return assemble(weave(parsed), clocks(parsed) if with_clocks else NO_CLOCKS)


# --- Lines of Xen's own log -----------------------------------------------------------------------

DOM0 = """\
[  100.000000] unmap irq ff failed
[  200.000000] unmap irq fe failed
[  300.000000] unmap irq fd failed
[  400.000000] unmap irq ff failed
"""
#: Xen's clock is 50 s ahead; its line about the first refusal is lost.
XEN = """\
(XEN) [  250.000000] irq.c:934: dom2: pirq 254 not mapped
(XEN) [  350.000000] irq.c:934: dom2: pirq 253 not mapped
(XEN) [  450.000000] irq.c:934: dom2: pirq 255 not mapped
"""
REFUSED = Effect("xen_pirq_not_mapped", {"domid": 2, "pirq": 255}, "xen", "gerr", 2)


@pytest.mark.parametrize(
    ("with_clocks", "at", "anchored", "found"),
    [
        (True, 0, True, False),     # printed 300 s after the act
        (True, 0, False, False),    # nor by an act that came before dom0's first line
        (True, 3, True, True),      # printed as the act was done
        (True, 3, False, True),
        (False, 0, True, True),     # no clock forbids it
    ],
)
def test_an_act_prints_no_line_of_another_time(
    with_clocks: bool, at: int, anchored: bool, found: bool
) -> None:
    timeline = laid_out({"dom0": DOM0, "xen": XEN}, with_clocks)
    match = align(timeline, STORY, [REFUSED], at, frozenset(), 2, ahead=anchored)
    assert match is not None
    assert bool(match.lines) == found


def test_a_line_has_its_time_by_the_clock_of_dom0() -> None:
    timeline = laid_out({"dom0": DOM0, "xen": XEN})
    line = timeline.xen[0][0]       # of dom0's second item
    told = [(timeline.too_late(line, at), timeline.too_early(line, at)) for at in range(4)]
    assert told == [(True, False), (False, False), (False, True), (False, True)]


def test_an_act_without_a_line_of_dom0_may_be_older_than_what_shows_it() -> None:
    effect = REFUSED._replace(fields={"domid": 2, "pirq": 254})
    timeline = laid_out({"dom0": DOM0, "xen": XEN})
    match = align(timeline, STORY, [effect], 3, frozenset(), 2, ahead=False)
    assert match is not None
    assert [event.line.line for event in match.lines] == [1]


# --- Boots of guests ------------------------------------------------------------------------------

BOOT = """\
Linux version 2.6.18-238.el5xen (mockbuild@host) (gcc version 4.1.2) #1 SMP Thu Jan 13 2011
pcifront pci-0: Installing PCI frontend
"""
HOST = "pciback 0000:01:10.0: seizing device\ntap tap-1-51712: 2 getting info\n"


def claimed(timeline: Timeline, domid: int) -> set[str]:
    """The logs that hold the domain's boot in some story."""
    return {timeline.segments[life.segment].guest
            for story in bindings(timeline, STORY, domid) for life in story.lives}


def test_a_log_is_its_guests_whose_name_it_bears() -> None:
    named = "Domain has shutdown: name=web id=1 reason=reboot.\n"
    files = {"dom0": HOST, "guest-db.log": BOOT, "guest-web.log": BOOT}
    assert claimed(laid_out(files), 1) == {"guest-db.log", "guest-web.log"}
    assert claimed(laid_out({**files, "tools": named}), 1) == {"guest-web.log"}
    assert claimed(laid_out({**files, "tools": named}), 2) == {"guest-db.log", "guest-web.log"}


def test_a_log_that_bears_another_ones_name_is_not_its() -> None:
    named = "Domain has shutdown: name=web id=1 reason=reboot.\n" \
        "Domain has shutdown: name=db id=2 reason=reboot.\n"
    timeline = laid_out({"dom0": HOST, "guest-db.log": BOOT, "tools": named})
    assert claimed(timeline, 1) == set()
    assert claimed(timeline, 2) == {"guest-db.log"}


def test_xen_says_whose_console_it_is() -> None:
    serial = HOST + "".join(f"(d{domid}) {line}\n" for domid in (7, 4)
                            for line in BOOT.splitlines())
    timeline = laid_out({"serial": serial})
    assert claimed(timeline, 4) == {"serial (d)4"}
    assert claimed(timeline, 7) == {"serial (d)7"}
    assert claimed(timeline, 5) == set()
