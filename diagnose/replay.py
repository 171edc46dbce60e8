"""Find the cheapest story, under any kernel row, that explains every line.

A forward search over the spine: at each line not yet explained every hypothesis is continued by
every act that can print it, with whatever must have come before. Equal states are merged; stories
that contradict the log more often than the best one are dropped, all rows in one race.

**Invariant:** order on the spine is certain, so no hypothesis ever looks back.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from diagnose.costs import costs
from diagnose.enact import Enactor, leave, unexplained_by
from diagnose.guess import Context, endings
from diagnose.guests import bindings, recognised
from diagnose.history import beginnings
from diagnose.plan import Plan
from diagnose.proposals import Proposals
from diagnose.reached import Reached
from diagnose.spine import Item
from diagnose.story import AHEAD, Hypothesis
from diagnose.timeline import Timeline
from emulator.kernels import ROWS, Row
from emulator.life import Act
from emulator.records import INTX
from emulator.state import State

#: Contradictions by which a story may exceed the best one and still be followed.
SLACK = 1
#: Stories kept for each kernel row at each line, and at the first few, where most is still open.
BEAM_MAX = 20
BEAM_AT_FIRST_MAX = 40
FIRST_LINES = 3
#: Acts tried, in all and besides for each line passed, after which the beam is narrowed to
#: BEAM_NARROW until the lines have caught up. No log of the corpus comes near: reboots take ten
#: acts a line, the most doubtful incident 8,000 in all. What one line repeated hundreds of times
#: may mean, each time anew, takes thousands a line.
ACTS_FREE, ACTS_A_LINE, BEAM_NARROW = 20_000, 50, 1
#: How much an act may win by the lines that it explains ahead: it is tried if that would do.
HOPE = 4 * AHEAD


class Replay(Struct, frozen=True):
    """What the search found: complete stories, cheapest first; `dropped`: not all of them."""

    timeline: Timeline
    stories: tuple[Hypothesis, ...]
    dropped: bool
    release: int | None        # build number of the dom0 banner, e.g. 274

    @property
    def best(self) -> Hypothesis:
        return self.stories[0]

    @property
    def consistent(self) -> tuple[Hypothesis, ...]:
        """The stories with as few contradictions as the best one."""
        least = self.best.contradictions
        return tuple(story for story in self.stories if story.contradictions == least)


def replay(timeline: Timeline, release: int | None, rows: Sequence[Row] = ROWS) -> Replay:
    """Search all rows together; `release` is the dom0 build that the banner suggests.

    First for stories without any contradiction, which most logs have; only if there is none, for
    those with the fewest.
    """
    stories: list[Hypothesis] = []
    for strict, every in ((True, False), (True, True), (False, False)):
        search = _Search(timeline, strict, every)
        beam = list(beginnings(timeline, search.enactor, rows, release))
        for at in range(len(timeline.items)):
            beam = search.advance(beam, at)
        ended = [done for hyp in beam for done in search.finish(hyp)]
        stories = sorted(search.merged(ended), key=lambda h: (h.price, _row_rank(h)))
        if strict and stories and not stories[0].contradictions:
            break
    return Replay(timeline, tuple(stories), search.dropped, release)


def _row_rank(hyp: Hypothesis) -> int:
    return ROWS.index(hyp.row)


class _Prepared(Struct):
    """What came before a line in the plans of one story, which often is the same.

    The stories by the acts carried out, and with the guests' logs that the next one claims.
    """

    stories: dict[tuple[Act, ...], list[Hypothesis]] = field(default_factory=dict)
    bound: dict[tuple[tuple[Act, ...], str, int | None], list[Hypothesis]] = \
        field(default_factory=dict)


class _Search:
    def __init__(self, timeline: Timeline, strict: bool, every: bool) -> None:
        self.strict, self.every = strict, every
        self.timeline = timeline
        self.enactor = Enactor(timeline)
        self.proposals = Proposals(timeline)
        self.dropped = False
        self.least = 0

    # --- the end ---------------------------------------------------------------------------

    def finish(self, hyp: Hypothesis) -> Iterator[Hypothesis]:
        """The log is over: guests whose own log tells their end have ended; count what is left."""
        at = len(self.timeline.items)
        for life in hyp.lives:
            ended = list(self._ended(hyp, life.domid, at)) \
                if self.timeline.segments[life.segment].ending else []
            if ended:
                for story in ended:
                    yield from self.finish(story)
                return
        for life in hyp.lives:
            hyp = self.enactor.settle(self.enactor.up_again(hyp, life.domid, at), life.domid, "")
        yield self._xen_left_over(self._claims(hyp))

    def _ended(self, hyp: Hypothesis, domid: int, at: int) -> Iterator[Hypothesis]:
        for acts, cost, rare in endings(Context(self.timeline, hyp, at), domid):
            if not rare:
                yield from self._chain(hyp.plus(cost=cost), acts, at, budget=9)

    def _claims(self, hyp: Hypothesis) -> Hypothesis:
        """Boots in guests' logs that no life has claimed, between or after those that were.

        What they complain of weighs as much as in a life: else a story would gain by having none.
        """
        for place, segment in enumerate(self.timeline.segments):
            if not hyp.taken >> place & 1:
                hyp = hyp.plus(cost=costs().other["skipped_boot"])
                for event in unexplained_by(segment, 0):
                    hyp = leave(hyp, event, 1, 0)
        return hyp

    def _xen_left_over(self, hyp: Hypothesis) -> Hypothesis:
        """Close a host boot's part of Xen's own log: alarming lines that the story never prints."""
        if hyp.boot >= len(self.timeline.xen):
            return hyp
        rest = [event for place, event in enumerate(self.timeline.xen[hyp.boot])
                if not hyp.xen_mask >> place & 1 and event.production.alarming]
        paravirtual = {0, *(step.act.domid for step in hyp.steps() if rest
                            and step.act.op == "driver_load")}
        for event in rest:
            ours = event.fields.get("domid", 0) in paravirtual
            hyp = leave(hyp, event, int(ours), 0 if ours else costs().other["ignored_common"])
        return replace(hyp, xen_mask=0)

    # --- one line ---------------------------------------------------------------------------

    def advance(self, beam: list[Hypothesis], at: int) -> list[Hypothesis]:
        """Take every story over the item at `at`."""
        item = self.timeline.items[at]
        self.enactor.begin(beam)
        self.proposals.begin()
        moved: dict[str, Reached] = {}
        room = self._room(at)
        most = self._most(beam)
        self.least = beam[0].contradictions if beam else 0
        for hyp in beam:
            reached = moved.setdefault(hyp.row.name, Reached(room))
            if self._beyond(hyp.rank, reached):
                continue
            for story in self._over(hyp, item, at, most - hyp.contradictions, reached):
                reached.take(replace(story, mask=story.mask >> 1))
        return self._kept([hyp for reached in moved.values() for hyp in reached.stories()
                           if not reached.too_dear(hyp.rank)], room)

    def _room(self, at: int) -> int:
        """How many stories of a kernel row are kept at this line."""
        if self.enactor.tried > ACTS_FREE + ACTS_A_LINE * at:
            return BEAM_NARROW
        return BEAM_MAX if at >= FIRST_LINES or not self.strict else BEAM_AT_FIRST_MAX

    def _beyond(self, rank: tuple[int, int], reached: Reached) -> bool:
        """Whether a story of at best this rank can no longer find room in the beam."""
        if reached.too_dear(rank):
            return True
        beyond = rank > reached.limit
        self.dropped = self.dropped or (beyond and rank[0] == self.least)
        return beyond

    def _most(self, hyps: Sequence[Hypothesis]) -> int:
        """How many contradictions a story may have to be followed beside these."""
        if self.strict:
            return 0
        return min((hyp.contradictions for hyp in hyps), default=0) + SLACK

    def _over(self, hyp: Hypothesis, item: Item, at: int, budget: int,
              reached: Reached) -> list[Hypothesis]:
        if hyp.mask & 1:
            return [hyp]
        if item.boot and item.event.speaker == "dom0":
            return [self._rebooted(hyp, at)]
        if item.death is not None and item.death in hyp.state.living():
            gone = [story for acts, cost, rare in
                    endings(Context(self.timeline, hyp, at), item.death) if not rare
                    for story in self._chain(hyp.plus(cost=cost), acts, at, budget, ahead=True)]
            return [*gone, hyp.plus(cost=costs().other["ignored_death"])]
        if not item.effect:
            return [hyp]
        explained = list(self._explained(hyp, at, budget, reached))
        return [*explained, *self._left(hyp, item, budget)]

    def _rebooted(self, hyp: Hypothesis, at: int) -> Hypothesis:
        """The host came up anew: both ledgers are empty, every guest of before is gone."""
        if hyp.step is None and hyp.state == State.boot():
            return hyp
        for life in hyp.lives:
            hyp = self.enactor.settle(hyp, life.domid, "")
        grown = self.enactor.enact(self._xen_left_over(hyp), Act("host_boot"), at, budget=0)
        assert grown is not None, "a host can always boot"
        return replace(grown, boot=hyp.boot + 1, newest=0, lives=(), history_open=False,
                       cost=hyp.cost)

    def _explained(self, hyp: Hypothesis, at: int, budget: int,
                   reached: Reached) -> Iterator[Hypothesis]:
        rare: list[Plan] = []
        clean = False
        prepared = _Prepared()
        for plan in self.proposals.ranked(hyp, at, budget <= 0):
            if plan.rare:
                rare.append(plan)
                continue
            if self._beyond((hyp.contradictions, hyp.cost + plan.price - HOPE), reached):
                break
            for story in self._played(hyp, plan, at, budget, prepared):
                clean = clean or story.contradictions == hyp.contradictions
                yield story
        if self.every or not clean:
            for plan in rare:
                yield from self._played(hyp, plan, at, budget, prepared)

    def _played(self, hyp: Hypothesis, plan: Plan, at: int, budget: int,
                prepared: _Prepared) -> Iterator[Hypothesis]:
        """The story with a plan carried out; what follows a load of a driver is carried out too."""
        act, start = plan.act, hyp.contradictions
        loads = act.op == "driver_load" and act.domid is not None
        for bound in self._bound(hyp, plan, at, budget, prepared):
            done = self.enactor.enact(bound, act, at, anchored=True,
                                      budget=budget - bound.contradictions + start)
            if done is not None:
                done = done.plus(cost=plan.cost)
                yield self._interface_up(done, act, at) if loads else done

    def _bound(self, hyp: Hypothesis, plan: Plan, at: int, budget: int,
               prepared: _Prepared) -> list[Hypothesis]:
        """The stories in which the plan's last act may happen: whose act it is, is settled."""
        before, act = plan.before, plan.act
        if before not in prepared.stories:
            prepared.stories[before] = [
                done for story in self._chain(hyp, before[:plan.prior], at, budget, prior=True)
                for done in self._chain(story, before[plan.prior:], at, budget)]
        op, domid = act.op if act.op in ("driver_load", "driver_unload") else "", act.domid
        key = before, op, domid
        if key not in prepared.bound:
            prepared.bound[key] = found = [
                bound for story in prepared.stories[before]
                for bound in (bindings(self.timeline, story, domid, at)
                              if domid and op == "driver_load"
                              else recognised(self.timeline, story, act))]
            if domid and op == "driver_unload":     # what is told again may be of this driver still
                found += [again for story in found
                          if (again := self.enactor.up_again(story, domid, at)) is not story]
        return prepared.bound[key]

    def _interface_up(self, hyp: Hypothesis, act: Act, at: int) -> Hypothesis:
        """A loaded network driver's interface comes up, unless the guest's log shows otherwise."""
        if act.domid is None or act.device is None:
            return hyp
        vectors = hyp.state.loaded(act.domid, act.device)
        if vectors is None:
            return hyp
        if not vectors and act.mode != INTX:
            return self.enactor.up_again(hyp, act.domid, at)
        up = self.enactor.enact(hyp, Act("ifup", act.domid, act.device), at, budget=0,
                                why="a driver that has loaded is brought up")
        return up if up is not None else hyp.plus(cost=costs().other["no_ifup"])

    def _chain(self, hyp: Hypothesis, acts: Sequence[Act], at: int, budget: int,
               prior: bool = False, ahead: bool = False) -> list[Hypothesis]:
        """The stories with inferred acts; unless `ahead`, all before the item at `at`."""
        stories, most = [hyp], budget + hyp.contradictions
        for act in acts:
            stories = [
                grown for story in stories
                for bound in ([story] if prior else recognised(self.timeline, story, act))
                if (grown := self.enactor.enact(bound, act, at, prior=prior, ahead=ahead,
                                                budget=most - bound.contradictions)) is not None]
        return stories

    def _left(self, hyp: Hypothesis, item: Item, budget: int) -> Iterator[Hypothesis]:
        """The story with the line left unexplained."""
        common = item.optional or (item.event.speaker == "xen" and not self._ours(hyp, item))
        if common and not item.alarming and item.device not in self.timeline.devices:
            yield hyp
        elif common:
            yield leave(hyp, item.event, 0, costs().other["ignored_common"])
        elif budget > 0:
            yield leave(hyp, item.event, 1, 0)

    def _ours(self, hyp: Hypothesis, item: Item) -> bool:
        """Whether a Xen line speaks of dom0 or of a domain whose vectors dom0 keeps a record of.

        qemu maps and unmaps an HVM domain's pirqs by itself; dom0's kernel has no part in it.
        """
        state, domid = hyp.state, item.domid
        if domid is None or domid == 0 or item.device is not None:
            return True
        return any(state.loaded(domid, d) is not None or state.pairs(d)
                   for d in self.timeline.devices)

    # --- keeping the beam small -------------------------------------------------------------

    def merged(self, hyps: Iterable[Hypothesis]) -> list[Hypothesis]:
        """Of stories with one future, the cheapest."""
        best: dict[tuple[object, ...], Hypothesis] = {}
        for hyp in hyps:
            other = best.get(hyp.key)
            if other is None or hyp.price < other.price:
                best[hyp.key] = hyp
        return list(best.values())

    def _kept(self, hyps: list[Hypothesis], room: int) -> list[Hypothesis]:
        hyps = sorted(hyps, key=lambda h: h.rank)
        most = self._most(hyps)
        kept: list[Hypothesis] = []
        counts: dict[str, int] = {}
        for hyp in hyps:
            if hyp.contradictions > most:
                break
            counts[hyp.row.name] = counts.get(hyp.row.name, 0) + 1
            if counts[hyp.row.name] <= room:
                kept.append(hyp)
            else:
                self.dropped = self.dropped or hyp.contradictions == hyps[0].contradictions
        return kept
