"""Checks of how nodes behave, whatever language they are written in: steps, determinism, restarts.

Each asks what the walks were told once more, in another way, and compares the answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from itertools import combinations
from typing import Any, Final

from indelible.checkers.ballots import ALIKE, Given, incomparable
from indelible.conformance.check import Check, Skipped
from indelible.conformance.host import Asked, Host, Misbehaved, Start, Told
from indelible.conformance.walk import Walk, walks
from indelible.model.effects import Effect, Lead, Persist, Promise, Vote
from indelible.model.events import NodeId, Receive, Submit, Timeout, node_name

__all__ = [
    "BEHAVIOUR",
    "KINDS",
    "SEEN",
    "STEPS",
    "TESTIMONY",
    "Candidate",
    "compare",
    "given_testimony",
]

STEPS: Final = "steps"
"""The check on which all others of behaviour rely."""

TESTIMONY: Final[dict[str, type[Effect]]] = {"votes": Vote, "promises": Promise, "leaders": Lead}

PAIRS_MAX: Final = 20
"""How many pairs of equal states are compared of a node, in a walk."""

KINDS: Final = {
    "receive": (Receive, "no message was ever sent to a node"),
    "timeout": (Timeout, "no timer was ever set"),
    "submit": (Submit, "no command was ever submitted"),
}


STATE: Final = "state"

SEEN: Final = (*KINDS, STATE)
"""The checks that can try only what is seen."""


class Candidate:
    """What is tried, and the walks that were made with it."""

    def __init__(self, host: Host, *, steps: int, seed: int) -> None:
        self.host, self._steps, self._seed = host, steps, seed

    @cached_property
    def walks(self) -> tuple[Walk, ...]:
        """Raises ``Misbehaved``."""
        return walks(self.host, steps=self._steps, seed=self._seed)

    def effects(self) -> Iterator[Effect]:
        """All that was asked for in the walks."""
        return (effect for walk in self.walks for told in walk for effect in told.effects)


def compare(
    before: Sequence[Told], now: Sequence[Told], fact: str, remedy: str, *, first: str = "at first"
) -> None:
    """Raises ``Misbehaved`` at the first answer that is not what it was before."""
    for one, other in zip(before, now, strict=True):
        if one.says != other.says:
            raise Misbehaved(
                fact,
                remedy,
                **{"sent": other.sent, "received": other.received, first: one.received},
            )


def _start(candidate: Candidate) -> str:
    nodes = candidate.host.scope.nodes
    with candidate.host.session() as session:
        for node in nodes:
            session.ask([Asked(node, Start(nodes))])
    return f"{', '.join(map(node_name, nodes))} start"


def _steps(candidate: Candidate) -> str:
    told = sum(map(len, candidate.walks))
    effects = Counter(type(effect).__name__ for effect in candidate.effects())
    listed = ", ".join(f"{count} {name}" for name, count in sorted(effects.items())) or "none"
    return f"{told:,} answers in {len(candidate.walks)} random walks; effects: {listed}"


def _kind(name: str, candidate: Candidate) -> str:
    kind, unseen = KINDS[name]
    count = sum(isinstance(told.asked.what, kind) for walk in candidate.walks for told in walk)
    if not count:
        raise Skipped(
            "not seen",
            f"{unseen}, so {name} was not tried",
            "if that is not as it should be, look at the effects; or walk further: --steps",
        )
    return f"{count:,} times"


def _deterministic(candidate: Candidate) -> str:
    for walk in candidate.walks:
        with candidate.host.session() as session:
            compare(
                walk,
                [again for told in walk for again in session.ask([told.asked])],
                "not deterministic: asked the same in a new session, it answers otherwise",
                "let nothing depend on a clock, chance, or an order that is not fixed",
            )
    return "asked again, it answers the same"


def _separate(candidate: Candidate) -> str:
    for walk in candidate.walks:
        ordered = [told for node in _nodes(walk) for told in _own(walk, node)]
        with candidate.host.session() as session:
            compare(
                ordered,
                session.ask([told.asked for told in ordered]),
                "nodes share something: asked node by node, it answers otherwise",
                "keep what a node knows in that node: no global, class variable or counter",
                first="when nodes took turns",
            )
    return "no node depends on what happens to another"


def _anew(candidate: Candidate) -> str:
    for walk in candidate.walks:
        asked = [told.asked for told in walk]
        with candidate.host.session() as session:
            session.ask(asked)
            compare(
                walk,
                session.ask(asked),
                "a node that starts again remembers: in the same session, all over, it answers "
                "otherwise",
                "make the node anew when it starts, and forget all that was",
            )
    return "nothing is left of it"


def _states(candidate: Candidate) -> str:
    """Where a node was the same twice, what happened once does the same the other time."""
    if not candidate.host.has_states:
        raise Skipped(
            "not applicable",
            "it tells no fingerprint: no state ever comes again, and only small scopes end",
            'add "fingerprint" to its capabilities, and to the answers to init and step',
        )
    pairs = 0
    for walk in candidate.walks:
        questions: list[Asked] = []
        expected: dict[int, Told] = {}  # By the number of the question.
        for node in _nodes(walk):
            own = _own(walk, node)
            for one, other in _equal_states(own):
                after = own[one + 1]
                questions += [told.asked for told in own[: other + 1]]
                expected[len(questions)] = after
                questions.append(after.asked)
        with candidate.host.session() as session:
            told = session.ask(questions)
        pairs += len(expected)
        compare(
            list(expected.values()),
            [told[number] for number in expected],
            "a node was the same twice, by what it tells of its state, and went on otherwise",
            "tell all that decides how the node goes on",
            first="first time",
        )
    if not pairs:
        raise Skipped(
            "not seen",
            "no node was ever the same twice",
            "leave out of the state what decides nothing, as counters; or walk further: --steps",
        )
    return f"where it was the same twice, it went on the same ({pairs} times)"


def _equal_states(own: Walk) -> list[tuple[int, int]]:
    """Places where the node was the same, though it was asked something else next."""
    return [
        (one, other)
        for one, other in combinations(range(len(own)), 2)
        if own[one].state == own[other].state
        and own[one + 1].asked != (own[other + 1].asked if other + 1 < len(own) else None)
    ][:PAIRS_MAX]


def _restart(candidate: Candidate) -> str:
    if not candidate.host.crashes:
        raise Skipped("not applicable", "it is not made to survive restarts, as it says")
    persisted: set[NodeId] = set()
    for walk in candidate.walks:
        storages = {node: _persisted(_own(walk, node)) for node in _nodes(walk)}
        persisted |= {node for node, storage in storages.items() if storage is not None}
        again = [
            Asked(node, what)
            for node, storage in storages.items()
            for what in _restarted(candidate, storage)
        ]
        with candidate.host.session() as session:
            fresh = session.ask(again)
        with candidate.host.session() as session:
            session.ask([told.asked for told in walk])
            compare(
                fresh,
                session.ask(again),
                "a node remembers over a restart what it did not persist",
                "let nothing survive a restart but the storage that is handed to it",
                first="in a new session",
            )
    if not persisted:
        return "nothing was ever persisted: a node that crashes begins from nothing"
    return f"{', '.join(map(node_name, sorted(persisted, key=str)))} start again from storage"


def _restarted(candidate: Candidate, storage: Any) -> tuple[Start | Submit, ...]:
    """A node starts with what it saved, and is given a command."""
    scope = candidate.host.scope
    return Start(scope.nodes, storage), *map(Submit, scope.commands[:1])


def _persisted(own: Walk) -> Any:
    """What the node persisted last, if it did."""
    effects = (effect for told in own for effect in told.effects)
    stored = [effect.storage for effect in effects if isinstance(effect, Persist)]
    return stored[-1] if stored else None


def given_testimony(candidate: Candidate) -> list[str]:
    """Which kinds of testimony were given in the walks. Raises ``Misbehaved`` for ballots that do
    not compare."""
    found = incomparable(
        Given(
            told.asked.node,
            effect.ballot,
            None if isinstance(told.asked.what, Start) else told.asked.what,
        )
        for walk in candidate.walks
        for told in walk
        for effect in told.effects
        if isinstance(effect, Promise | Vote | Lead)
    )
    if found is not None:
        raise Misbehaved(f"ballots do not compare: {found[0]}, and {found[1]}", ALIKE)
    kinds = {type(effect) for effect in candidate.effects()}
    return [name for name, kind in TESTIMONY.items() if kind in kinds]


def _nodes(walk: Walk) -> list[NodeId]:
    return list(dict.fromkeys(told.asked.node for told in walk))


def _own(walk: Walk, node: NodeId) -> Walk:
    return tuple(told for told in walk if told.asked.node == node)


BEHAVIOUR: Final[tuple[Check[Candidate], ...]] = (
    Check("start", _start),
    Check(STEPS, _steps, ("start",)),
    *(Check(name, partial(_kind, name), (STEPS,)) for name in KINDS),
    Check("deterministic", _deterministic, (STEPS,)),
    Check("separate nodes", _separate, ("deterministic",)),
    Check("start again", _anew, ("deterministic",)),
    Check(STATE, _states, ("start again",)),
    Check("restart", _restart, ("deterministic",)),
)
