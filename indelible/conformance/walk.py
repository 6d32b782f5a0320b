"""Walks: a few seeded random runs of a cluster, asked in one session, and all that was told.

They are there to see every kind of event, in states that can be reached: not to find violations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final, TypeAlias

from indelible.conformance.host import Asked, Host, Misbehaved, Session, Start, Told
from indelible.model.cluster import Cluster
from indelible.model.effects import Effect
from indelible.model.errors import ImplementationError, ImplementationRaised
from indelible.model.events import Action, InputEvent, NodeId, Receive, Submit, Timeout
from indelible.model.scope import Scope

__all__ = ["WALKS", "Walk", "walks"]

WALKS: Final = 4
"""Every other one has ordered links, which lead further in so many steps; the rest what it is made
for, where messages come twice."""

WEIGHTS: Final = {Receive: 4, Timeout: 1, Submit: 1}
"""How likely a kind of event is, where there is one: a message that is overtaken says nothing."""

Walk: TypeAlias = tuple[Told, ...]


def walks(host: Host, *, steps: int, seed: int) -> tuple[Walk, ...]:
    """What was told in walks of so many steps. Raises ``Misbehaved``."""
    return tuple(
        _walk(host, _roomy(host.scope, ordered=number % 2 == 0), Random(f"{seed} {number}"), steps)
        for number in range(WALKS)
    )


def _roomy(scope: Scope, *, ordered: bool) -> Scope:
    """The same nodes and commands, without the bounds that keep a search small; and no crashes."""
    return replace(
        scope,
        submissions_max=3,
        may_submit=None,
        timeouts_max=None,
        may_time_out=None,
        restarts_max=0,
        torn=False,
        links="ordered" if ordered else scope.links,
    )


def _walk(host: Host, scope: Scope, random: Random, steps: int) -> Walk:
    with host.session() as session:
        live = _Live(session)
        cluster = Cluster(live, scope, twice=False)
        try:
            state = cluster.initial()
            for _ in range(steps):
                actions = cluster.enabled(state)
                if not actions:
                    break
                state = cluster.step(state, _chosen(actions, random))
        except ImplementationRaised as raised:
            if isinstance(raised.original, Misbehaved):
                raise raised.original from None
            raise
        except ImplementationError as error:
            last = live.told[-1]
            hints = "; ".join(filter(None, (error.cause, error.remedy, error.available)))
            raise Misbehaved(error.fact, hints, sent=last.sent, received=last.received) from error
    return tuple(live.told)


def _chosen(actions: Sequence[Action], random: Random) -> Action:
    kinds = sorted({type(event) for _, event in actions}, key=lambda kind: kind.__name__)
    (kind,) = random.choices(kinds, [WEIGHTS[each] for each in kinds])
    return random.choice([each for each in actions if type(each[1]) is kind])


class _Live:
    """A session as an implementation that only goes forwards: its states are numbers."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.told: list[Told] = []

    def start(
        self, node: NodeId, nodes: tuple[NodeId, ...], storage: Any
    ) -> tuple[int, tuple[Effect, ...]]:
        return self._ask(Asked(node, Start(nodes, storage)))

    def handle(self, node: NodeId, state: Any, event: InputEvent) -> tuple[int, tuple[Effect, ...]]:
        return self._ask(Asked(node, event))

    def _ask(self, asked: Asked) -> tuple[int, tuple[Effect, ...]]:
        self.told += self.session.ask([asked])
        return len(self.told), self.told[-1].effects
