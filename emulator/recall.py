"""Acts that were tried before: what came of them is remembered and not worked out again.

An outcome depends on the state, on the act, and on those traits that the code of the kernels looked
at on its way.  So rows that differ in other traits share it, and of equal states one stands for
all.

**Invariant:** decides nothing; whatever is remembered, `life.perform` would give the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from emulator.acts import Act, Impossible
from emulator.kernels import Traits
from emulator.life import Crash, Outcome, perform
from emulator.state import State

# Acts remembered of one state; if more are tried in it, it begins anew.
ACTS_MAX = 1000


class Stopped(NamedTuple):
    """Why an act cannot happen, or (`fatal`) what the hypervisor dies of."""

    why: str
    fatal: bool


Came = Outcome | Stopped


class Asked:
    """Traits that note which of them are asked: `vars` holds those, with their values."""

    __slots__ = ("__dict__", "_traits")

    def __init__(self, traits: Traits) -> None:
        self._traits = traits

    def __getattr__(self, name: str) -> object:
        value: object = getattr(self._traits, name)
        setattr(self, name, value)
        return value


Tried = dict[Act, list[tuple[Mapping[str, object], Came]]]
"""What came of the acts that were tried in a state, by the traits that they asked."""


class Recall:
    """Performs acts, and remembers those of the states that `keep` was told of last and since."""

    def __init__(self) -> None:
        self._one: dict[State, State] = {}
        self._tried: dict[int, tuple[State, Tried]] = {}    # by identity, of one of equal states

    def keep(self, states: Iterable[State]) -> None:
        """Forget all but what was tried in these states."""
        tried = self._tried
        self._one, self._tried = {}, {}
        for state in states:
            one = self._one.setdefault(state, state)
            if id(one) in tried:
                self._tried[id(one)] = tried[id(one)]

    def perform(self, traits: Traits, state: State, act: Act) -> Came:
        """What `life.perform` gives, with one object for all equal states; or why it raises."""
        known = self._tried.get(id(state)) or self._begun(state)
        for asked, came in known[1].get(act, ()):
            if _alike(asked, traits):
                return came
        notes = Asked(traits)
        came = self._performed(cast(Traits, notes), state, act)
        if len(known[1]) >= ACTS_MAX:
            known[1].clear()
        known[1].setdefault(act, []).append((vars(notes), came))
        return came

    def _begun(self, state: State) -> tuple[State, Tried]:
        """The memory of a state, or of the equal one that stands for it."""
        one = self._one.setdefault(state, state)
        return self._tried.setdefault(id(one), (one, {}))

    def _performed(self, traits: Traits, state: State, act: Act) -> Came:
        try:
            outcome = perform(traits, state, act)
        except Impossible as error:
            return Stopped(str(error), isinstance(error, Crash))
        return outcome._replace(state=self._one.setdefault(outcome.state, outcome.state))


def _alike(asked: Mapping[str, object], traits: Traits) -> bool:
    """Whether these traits would have given the same answers."""
    return not asked or all(getattr(traits, name) == value for name, value in asked.items())
