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


class _Known:
    """One state, and what came of the acts that were tried in it, by the traits they asked."""

    __slots__ = ("came", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.came: dict[Act, list[tuple[Mapping[str, object], Came]]] = {}


class Recall:
    """Performs acts, and remembers those of the states that `keep` was told of last and since."""

    def __init__(self) -> None:
        self._known: dict[State, _Known] = {}

    def keep(self, states: Iterable[State]) -> None:
        """Forget all but what was tried in these states."""
        self._known = {state: self._of(state) for state in states}

    def perform(self, traits: Traits, state: State, act: Act) -> Came:
        """What `life.perform` gives, with one object for all equal states; or why it raises."""
        tried = self._of(state).came
        for asked, came in tried.get(act, ()):
            if all(getattr(traits, name) == value for name, value in asked.items()):
                return came
        notes = Asked(traits)
        came = self._performed(cast(Traits, notes), state, act)
        if len(tried) >= ACTS_MAX:
            tried.clear()
        tried.setdefault(act, []).append((vars(notes), came))
        return came

    def _performed(self, traits: Traits, state: State, act: Act) -> Came:
        try:
            outcome = perform(traits, state, act)
        except Impossible as error:
            return Stopped(str(error), isinstance(error, Crash))
        return outcome._replace(state=self._of(outcome.state).state)

    def _of(self, state: State) -> _Known:
        known = self._known.get(state)
        if known is None:
            known = self._known[state] = _Known(state)
        return known
