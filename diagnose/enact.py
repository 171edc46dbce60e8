"""Let one act happen in a story: run it on the machine and hold its effects against the lines.

**Invariant:** the only place where a hypothesis grows a step.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from diagnose.align import Match, align
from diagnose.costs import costs
from diagnose.events import Event
from diagnose.segments import Segment
from diagnose.spine import EFFECT_KINDS
from diagnose.story import UNKNOWN_DOMID_MIN, Hypothesis, Step, Unexplained
from diagnose.timeline import Timeline
from emulator.invariants import Violation, violations
from emulator.life import EMITS, FAULT_EMITS, Act, Outcome
from emulator.pci import PciAddress
from emulator.recall import Recall
from emulator.records import LATE_ANSWER

#: Acts after which a domain is no more.
ENDS = frozenset({"clean_shutdown", "crash", "destroy", "teardown"})


class Enactor:
    """Runs acts; remembers their outcomes and lines of one stretch, where many stories agree.

    `tried` counts the acts held against the lines so far, whether they fitted or not.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.tried = 0
        self._recall = Recall()
        self._matches: dict[tuple[object, ...], tuple[Outcome, Match | None]] = {}
        self._broken: dict[int, tuple[Outcome, tuple[Violation, ...]]] = {}

    def begin(self, stories: Iterable[Hypothesis]) -> None:
        """From here on these are continued; forget what concerns others.

        So memory is bounded by the state and not by the log.
        """
        self._recall.keep(story.state for story in stories)
        self._matches.clear()
        self._broken.clear()

    def run(self, hyp: Hypothesis, act: Act) -> Outcome | None:
        """What the act does under the story's kernel row, or None where it cannot happen."""
        came = self._recall.perform(hyp.row.traits, hyp.state, act)
        return came if isinstance(came, Outcome) else None

    def _match(self, hyp: Hypothesis, act: Act, outcome: Outcome, at: int, anchored: bool,
               ahead: bool) -> Match | None:
        """Where the lines of the act stand. Stories that go on alike have them at one place."""
        life = hyp.life(act.domid) if act.domid is not None else None
        key = (id(outcome), hyp.mask, hyp.xen_mask, hyp.boot, hyp.history_open, life, at,
               anchored, ahead)
        known = self._matches.get(key)
        if known is None:
            devices = frozenset(act.devices or ((act.device,) if act.device is not None else
                                                _owned(hyp, act)))
            known = outcome, align(self.timeline, hyp, outcome.effects, at, devices, act.domid,
                                   anchored, ahead)
            self._matches[key] = known
        return known[1]

    def _violations(self, outcome: Outcome) -> tuple[Violation, ...]:
        known = self._broken.get(id(outcome))
        if known is None:
            known = self._broken[id(outcome)] = outcome, violations(outcome.deeds)
        return known[1]

    def enact(self, hyp: Hypothesis, act: Act, at: int, *, budget: int, anchored: bool = False,
              ahead: bool = True, prior: bool = False, why: str = "") -> Hypothesis | None:
        """The story with this act in it; None where it cannot be or costs too many contradictions.

        `anchored`: the spine's item `at` is one of its lines. `ahead`: its lines may stand from
        there on; else it is inferred to have happened before that line. `prior`: it happened before
        the log begins, so nothing of it can be seen.
        """
        self.tried += 1
        if act.op in ENDS and act.domid is not None and not prior:
            hyp = self.up_again(hyp, act.domid, at)
        outcome = self.run(hyp, act)
        if outcome is None:
            return None
        match = align(self.timeline, hyp, (), at, frozenset(), act.domid) if prior else \
            self._match(hyp, act, outcome, at, anchored, ahead)
        if match is None or len(match.unseen) + len(match.passed_over) > budget:
            return None
        if act.fault is not None and act.fault[0] == LATE_ANSWER and not _given_up(match):
            return None
        return self._grown(hyp, act, outcome, match, at, anchored, prior, why)

    def _grown(self, hyp: Hypothesis, act: Act, outcome: Outcome, match: Match, at: int,
               anchored: bool, prior: bool, why: str) -> Hypothesis:
        broken = self._violations(outcome)
        items = self.timeline.items
        lines = (*match.lines, *self._last_words(hyp, act, at))
        step = Step(hyp.step, act, anchored or bool(lines), why, hyp.boot,
                    lines, tuple(match.unseen), broken,
                    items[at].event if at < len(items) and not prior else None, tuple(match.lost))
        found = {(v.name, v.device, hyp.boot) for v in broken}
        lives = hyp.lives
        if match.life is not None:
            lives = tuple(match.life if life.domid == act.domid else life for life in lives)
        cost = costs().observed.get(act.op, 0) if step.observed else costs().inferred[act.op]
        if act.op == "kexec" and not lines and self._would_tell(hyp, act):
            cost += costs().other["kexec_without_word"]
        cost += costs().other["cut_short"] * match.cut_short
        cost += costs().other["lost"] * bool(match.lost)
        cost += match.passed * costs().other["interleaved"]
        if act.fault is not None:
            cost += costs().other["fault"]
        grown = replace(
            hyp, state=outcome.state, mask=match.mask, xen_mask=match.xen_mask, lives=lives,
            found=hyp.found if found <= hyp.found else hyp.found | found, step=step,
            contradictions=hyp.contradictions + len(match.unseen),
            cost=hyp.cost + cost, newest=_newest(hyp, act),
            unknowns=hyp.unknowns + (act.op == "domain_start" and act.domid ==
                                     UNKNOWN_DOMID_MIN + hyp.unknowns))
        for event in match.passed_over:
            grown = leave(grown, event, 1, 0)
        if act.op in ENDS and act.domid is not None:
            return self.settle(grown, act.domid, act.op)
        return grown

    def _would_tell(self, hyp: Hypothesis, act: Act) -> bool:
        """Whether a kexec should stand in a guest's log: a mere excerpt of one tells nothing."""
        segments = [self.timeline.segments[life.segment] for life in hyp.lives
                    if act.domid == life.domid or hyp.life(act.domid or 0) is None]
        return any(segment.events[0].proves("guest_boot") for segment in segments)

    def _last_words(self, hyp: Hypothesis, act: Act, at: int) -> Iterator[Event]:
        """Lines that tell of a domain's end, or of a kexec, besides those it prints."""
        if act.domid is None:
            return
        life = hyp.life(act.domid)
        if act.op == "kexec" and life is not None:
            yield from self.timeline.segments[life.segment].kexecs
        if act.op not in ENDS:
            return
        words: list[tuple[str, Event | None]] = []
        if life is not None:
            segment = self.timeline.segments[life.segment]
            words.append((segment.ending, segment.word))
        if act.domid in self.timeline.ends:
            words.append(self.timeline.ends[act.domid])
        for how, event in words:
            fits = how == "torn" or (how == "clean") == (act.op == "clean_shutdown")
            if event is not None and fits:
                yield event
        if at < len(self.timeline.items) and self.timeline.items[at].death == act.domid:
            yield self.timeline.items[at].event

    def up_again(self, hyp: Hypothesis, domid: int, at: int) -> Hypothesis:
        """The story in which interfaces were brought up (again), as the guest's own log tells.

        Nobody else has a word about it, and it leaves both ledgers as they were.
        """
        for device in hyp.state.owned(domid) if hyp.life(domid) is not None else ():
            while hyp.state.loaded(domid, device) is not None and \
                    self._complains_of(hyp, domid, "ifup"):
                before = hyp.life(domid)
                down = self.enact(hyp, Act("ifdown", domid, device), at, budget=0, ahead=False) \
                    if hyp.state.is_up(domid, device) else hyp
                up = down and self.enact(
                    down, Act("ifup", domid, device), at, budget=0, ahead=False,
                    why="the guest's log tells once more that it is brought up")
                if up is None or up.life(domid) == before:
                    break
                hyp = up
        return hyp

    def _complains_of(self, hyp: Hypothesis, domid: int, op: str) -> bool:
        """Whether the guest's log holds complaints left over that this act can print."""
        life = hyp.life(domid)
        return life is not None and any(
            event.kind in EMITS[op]
            for event in unexplained_by(self.timeline.segments[life.segment], life.seen))

    def settle(self, hyp: Hypothesis, domid: int, how: str) -> Hypothesis:
        """Close the book on a domain: what its guest's log says beyond the story, its last word."""
        life = hyp.life(domid)
        if life is None:
            return hyp
        segment = self.timeline.segments[life.segment]
        rest = unexplained_by(segment, life.seen)
        contradictions = len(rest) + _last_word_denied(segment.ending, how)
        link = hyp.unexplained
        for event in rest:
            link = Unexplained(link, event)
        return replace(hyp, unexplained=link, contradictions=hyp.contradictions + contradictions,
                       lives=tuple(other for other in hyp.lives if other.domid != domid))


def unexplained_by(segment: Segment, seen: int) -> list[Event]:
    """A guest's complaints that no act has printed; `seen` is a bit mask of those that one has."""
    return [event for place, event in enumerate(segment.events)
            if not seen >> place & 1 and event.production.alarming and event.kind in EFFECT_KINDS]


def _owned(hyp: Hypothesis, act: Act) -> tuple[PciAddress, ...]:
    return tuple(hyp.state.owned(act.domid)) if act.domid is not None else ()


def _newest(hyp: Hypothesis, act: Act) -> int:
    if act.op == "domain_start" and act.domid is not None and act.domid < UNKNOWN_DOMID_MIN:
        return max(hyp.newest, act.domid)
    return hyp.newest


def _given_up(match: Match) -> bool:
    """Whether this guest itself tells that it stopped waiting for vectors.

    To dom0 the request looks like any other, and pcifront complains of any operation in the same
    words (drivers/xen/pcifront/pci_op.c: do_pci_op()), so that line needs another beside it.
    """
    return {event.kind for event in match.lines if event.speaker == "guest"} \
        > FAULT_EMITS[LATE_ANSWER]


def _last_word_denied(ending: str, how: str) -> bool:
    """Whether a guest's own last words contradict the end it is taken to have had."""
    if ending == "torn":
        return how not in ("clean_shutdown", "crash")
    return bool(ending) and (ending == "clean") != (how == "clean_shutdown")


def leave(hyp: Hypothesis, event: Event, contradictions: int, cost: int) -> Hypothesis:
    """The story with one more line that it does not explain."""
    return replace(hyp, unexplained=Unexplained(hyp.unexplained, event),
                   contradictions=hyp.contradictions + contradictions, cost=hyp.cost + cost)
