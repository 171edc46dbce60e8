"""Rules and facts in, matches out: joins facts by name and decides nothing else.

Each rule is one conjunctive query. Clauses are answered in their written order through hash
indexes, and a sub-query that was answered for some values of its variables is not asked again for
the same values; so the work grows with the facts and not with their combinations.

**Invariant:** names no rule, no fact and no fault; the same code judges logs and what-if runs.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from diagnose.clause import Clause
from diagnose.facts import Fact
from diagnose.rules import Message, Rule

NAMES_SHOWN_MAX = 8
"""A list in a sentence names so many members; a longer one is abridged with its count."""


class Match(Struct, frozen=True):
    """One rule that holds for one key.

    `facts` are all facts, in story order, that took part in satisfying `requires`; `cited` those
    that its optional clauses found; `confirmed` the later facts that show what printed nothing.
    `occurrences` counts the assignments affected.
    """

    rule: Rule
    key: Mapping[str, object]
    facts: tuple[Fact, ...]
    cited: tuple[Fact, ...]
    confirmed: tuple[Fact, ...]
    occurrences: int

    @property
    def device(self) -> object:
        """The device of the key; None if unknown or if the rule is not per device."""
        return self.key.get("device")

    @property
    def boot(self) -> int:
        """The host boot's ordinal."""
        boot = self.key.get("boot", 0)
        return boot if isinstance(boot, int) else 0

    @property
    def domids(self) -> tuple[int, ...]:
        """The domains that the finding reports, sorted."""
        return self._numbers(self.rule.domids_from)

    @property
    def entries(self) -> tuple[int, ...]:
        """MSI-X entry numbers, sorted."""
        return self._numbers("entry_nr")

    @property
    def pirqs(self) -> tuple[int, ...]:
        """Pirq numbers, sorted."""
        return self._numbers("pirq")

    @property
    def others(self) -> tuple[object, ...]:
        """The other devices that took part, in story order."""
        seen = dict.fromkeys(fact.fields.get("other") for fact in self.facts)
        return tuple(device for device in seen if device is not None)

    def message(self) -> Message:
        """The rule's message with everything filled in."""
        return self.rule.message.filled(self.values())

    def values(self) -> dict[str, str]:
        """What each placeholder of a message stands for here."""
        return {
            "boot": str(self.boot),
            "device": "an unnamed device" if self.device is None else str(self.device),
            "others": _listed([str(device) for device in self.others], "another device"),
            "domids": _listed(_domains(self.domids), "a domain that no line names"),
            "from_domids": _listed(_domains(self._numbers("from_domid")), "no line names it"),
            "entries": _numbered("entry", "entries", [str(nr) for nr in self.entries]),
            "pirqs": _numbered(
                "pirq", "pirqs", [f"{pirq} (hex {pirq:x})" for pirq in reversed(self.pirqs)]
            ),
            "occurrences": str(self.occurrences),
        }

    def _numbers(self, name: str) -> tuple[int, ...]:
        found = {fact.fields.get(name) for fact in self.facts}
        return tuple(sorted(number for number in found if isinstance(number, int)))


def match(rules: Iterable[Rule], facts: Sequence[Fact]) -> tuple[Match, ...]:
    """All matches: rules in the given order, the keys of a rule in the order of their first fact.

    `facts` come in story order. None equals None where two fields are joined.
    """
    store = _Store(facts)
    return tuple(found for rule in rules for found in _matches(rule, store))


def _matches(rule: Rule, store: _Store) -> list[Match]:
    if not all(store.named(clause.facts) for clause in rule.requires):
        return []       # most rules, mostly: not worth a query
    groups = _Query(rule, store).groups()
    if not groups:
        return []
    cited = [_Query(rule, store, cite).groups() for cite in rule.cites]
    result = []
    for key, nodes in groups.items():
        facts = _reach(nodes, store)
        depth = len(rule.requires)
        evidence = {at for cite in cited for at in _last_facts(cite.get(key, []), depth)}
        values = dict(zip(rule.per, key, strict=True))
        result.append(Match(
            rule, values, facts, tuple(store.facts[at] for at in sorted(evidence)),
            _later(rule, store, key, facts), _occurrences(facts),
        ))
    return result


class _Store:
    """The facts with indexes that are made when first asked for."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = tuple(facts)
        self._by_name: dict[str, list[int]] = {}
        for at, fact in enumerate(self.facts):
            self._by_name.setdefault(fact.name, []).append(at)
        self._indexes: dict[tuple[object, ...], dict[tuple[object, ...], list[int]]] = {}

    def named(self, names: tuple[str, ...]) -> list[int]:
        """Ordinals of all facts with one of the names, in story order."""
        if len(names) == 1:
            return self._by_name.get(names[0], [])
        return sorted({at for name in names for at in self._by_name.get(name, [])})

    def index(
        self, clause: Clause, fields: tuple[str, ...]
    ) -> dict[tuple[object, ...], list[int]]:
        """The facts that fit the clause's own values, by their values of `fields`."""
        known = (clause, fields)
        if known not in self._indexes:
            table: dict[tuple[object, ...], list[int]] = {}
            for at in self.named(clause.facts):
                row = self.facts[at].fields
                if all(row.get(name) in values for name, values in clause.wants):
                    table.setdefault(tuple(row.get(name) for name in fields), []).append(at)
            self._indexes[known] = table
        return self._indexes[known]


class _Node(Struct, eq=False):
    """The facts that answer one clause for some values, and the answers to the clauses after it."""

    depth: int
    facts: list[int] = field(default_factory=list)
    below: list[_Node] = field(default_factory=list)


class _Query:
    """A rule's clauses, optionally with one citing clause behind them, and the answers so far."""

    def __init__(self, rule: Rule, store: _Store, cite: Clause | None = None) -> None:
        self._per = rule.per
        self._store = store
        self._clauses = (*rule.requires, *([cite] if cite else []))
        bound: set[str] = set()
        self._known: list[tuple[tuple[str, str], ...]] = []
        self._denied: list[list[Clause]] = []
        waiting = list(rule.unless)
        for clause in self._clauses:
            self._known.append(tuple(join for join in clause.joins if join[1] in bound))
            bound |= clause.variables
            self._denied.append([denial for denial in waiting if denial.variables <= bound])
            waiting = [denial for denial in waiting if not denial.variables <= bound]
        self._live = self._live_variables()
        self._answers: dict[tuple[object, ...], _Node | None] = {}

    def _live_variables(self) -> list[tuple[str, ...]]:
        """For each clause the variables that it, or anything behind it, still looks at."""
        live: list[tuple[str, ...]] = []
        names: set[str] = set()
        for clause, denied in zip(reversed(self._clauses), reversed(self._denied), strict=True):
            names |= clause.variables.union(*(denial.variables for denial in denied))
            live.append(tuple(sorted(names)))
        return live[::-1]

    def groups(self) -> dict[tuple[object, ...], list[_Node]]:
        """For each key the answers of the first clause, one node a fact."""
        found: dict[tuple[object, ...], list[_Node]] = {}
        for at in self._store.index(self._clauses[0], ()).get((), []):
            node = _Node(0)
            self._extend(0, at, {}, node)
            if node.facts:
                row = self._store.facts[at].fields
                found.setdefault(tuple(row.get(name) for name in self._per), []).append(node)
        return found

    def _solve(self, depth: int, values: Mapping[str, object]) -> _Node | None:
        known = (depth, *(values.get(name) for name in self._live[depth]))
        if known not in self._answers:
            joins = self._known[depth]
            index = self._store.index(self._clauses[depth], tuple(name for name, _ in joins))
            node = _Node(depth)
            for at in index.get(tuple(values[variable] for _, variable in joins), []):
                self._extend(depth, at, values, node)
            self._answers[known] = node if node.facts else None
        return self._answers[known]

    def _extend(self, depth: int, at: int, values: Mapping[str, object], node: _Node) -> None:
        """Add the fact to the node if it fits and everything behind the clause has an answer."""
        row = self._store.facts[at].fields
        now = dict(values)
        for name, variable in self._clauses[depth].joins:
            if now.setdefault(variable, row.get(name)) != row.get(name):
                return
        if any(self._exists(denial, now) for denial in self._denied[depth]):
            return
        if depth + 1 < len(self._clauses):
            below = self._solve(depth + 1, now)
            if below is None:
                return
            node.below.append(below)
        node.facts.append(at)

    def _exists(self, denial: Clause, values: Mapping[str, object]) -> bool:
        index = self._store.index(denial, tuple(name for name, _ in denial.joins))
        return tuple(values[variable] for _, variable in denial.joins) in index


def _walk(nodes: Iterable[_Node]) -> Iterable[_Node]:
    """All nodes under these, each once."""
    waiting, seen = list(nodes), set()
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            waiting.extend(node.below)
            yield node


def _reach(nodes: Iterable[_Node], store: _Store) -> tuple[Fact, ...]:
    found = {at for node in _walk(nodes) for at in node.facts}
    return tuple(store.facts[at] for at in sorted(found))


def _last_facts(nodes: Iterable[_Node], depth: int) -> set[int]:
    return {at for node in _walk(nodes) if node.depth == depth for at in node.facts}


def _later(
    rule: Rule, store: _Store, key: tuple[object, ...], facts: tuple[Fact, ...]
) -> tuple[Fact, ...]:
    """Facts named in `confirmed_by`, of the same key, at a later step than the first fact."""
    steps = [fact.step for fact in facts if fact.step is not None]
    if not rule.confirmed_by or not steps:
        return ()
    first = min(steps)
    same = Clause(rule.confirmed_by, tuple((name, name) for name in rule.per), ())
    later = (store.facts[at] for at in store.index(same, rule.per).get(key, []))
    return tuple(fact for fact in later if fact.step is not None and fact.step > first)


def _occurrences(facts: tuple[Fact, ...]) -> int:
    """Assignments affected; facts that name none count by domain, and those without, each."""
    held = {fact.fields.get("assignment") for fact in facts} - {None}
    domids = {fact.fields.get("domid") for fact in facts} - {None}
    return len(held) or len(domids) or len(facts)


def _domains(domids: Iterable[int]) -> list[str]:
    return [f"dom{domid}" for domid in domids]


def _numbered(one: str, many: str, numbers: Sequence[str]) -> str:
    """Numbers with their noun: `entry 0`, `entries 0, 1 and 2`."""
    return f"{one if len(numbers) == 1 else many} {_listed(numbers, 'of no known number')}"


def _listed(words: Sequence[str], nothing: str) -> str:
    """A list as a sentence holds it: "a, b and c", abridged if long, `nothing` if empty."""
    if len(words) > NAMES_SHOWN_MAX:
        shown = ", ".join(words[: NAMES_SHOWN_MAX - 1])
        return f"{shown} … {words[-1]} ({len(words)} in all)"
    if len(words) > 1:
        return f"{', '.join(words[:-1])} and {words[-1]}"
    return words[0] if words else nothing
