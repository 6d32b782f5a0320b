"""A scenario: a cluster on which a test decides what happens next, as the papers tell stories.

It runs on ``Cluster``, and can do only what the world may do: deliver what was sent, as often as it
likes or not at all, fire armed timers, submit, crash and restart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from indelible.impl.multipaxos import MultiPaxos, Replica
from indelible.model.cluster import Cluster
from indelible.model.effects import Effect, Send
from indelible.model.events import Command, Event, NodeId, Receive, Restart, Submit, Timeout, Torn
from indelible.model.record import Record
from indelible.model.scope import Scope


class Scenario:
    """A run in progress. ``under_way`` are the (source, to, message) not yet delivered or lost."""

    def __init__(self, *nodes: NodeId, paxos: MultiPaxos | None = None) -> None:
        self.scope = Scope(
            nodes=nodes or (0, 1, 2),
            timeouts_max=None,
            submissions_max=None,
            restarts_max=None,
            torn=True,
        )
        self.cluster = Cluster(paxos or MultiPaxos(), self.scope, twice=False)
        self.state = self.cluster.initial()
        self.under_way: list[tuple[NodeId, NodeId, Any]] = []
        self.effects: list[tuple[NodeId, Effect]] = []

    # What may happen.

    def submit(self, node: NodeId, *commands: Command) -> None:
        """A client hands ``node`` the commands, one after the other."""
        for command in commands:
            self._happen(node, Submit(command))

    def fire(self, node: NodeId, timer: str) -> None:
        """An armed timer fires."""
        assert timer in self.record(node).timers, f"{timer} of {node} is not armed"
        self._happen(node, Timeout(timer))

    def deliver(self, *kinds: type, source: NodeId | None = None, to: NodeId | None = None) -> None:
        """What is under way now, of these kinds and on this way, arrives in order."""
        for message in self._taken(kinds, source, to):
            self._happen(message[1], Receive(message[0], message[2]))

    def deliver_all(self) -> None:
        """Everything arrives, and whatever is sent because of it, until nothing is under way."""
        while self.under_way:
            self.deliver()

    def receive(self, node: NodeId, source: NodeId, message: object) -> None:
        """A message that was sent before arrives (again)."""
        assert (source, Send(node, message)) in self.effects, "nobody sent that"
        self._happen(node, Receive(source, message))

    def lose(self, *kinds: type, source: NodeId | None = None, to: NodeId | None = None) -> None:
        """What is under way now, of these kinds and on this way, never arrives."""
        self._taken(kinds, source, to)

    def restart(self, node: NodeId) -> None:
        """The node crashes and starts again with its storage."""
        self._happen(node, Restart())

    def crash_during(self, node: NodeId, event: Receive | Timeout | Submit, kept: int) -> None:
        """The node crashes after the first ``kept`` effects of the step, and starts again."""
        self._happen(node, Torn(event, kept))

    def elect(self, node: NodeId) -> None:
        """The node bids and wins, with everybody listening."""
        self.fire(node, "election")
        self.deliver_all()

    # What can be seen.

    def record(self, node: NodeId) -> Record:
        return self.state.nodes[self.scope.nodes.index(node)].record

    def replica(self, node: NodeId) -> Replica:
        replica = self.state.nodes[self.scope.nodes.index(node)].state
        assert isinstance(replica, Replica)
        return replica

    def decided(self, node: NodeId) -> dict[int, Any]:
        return dict(self.record(node).decided)

    def executed(self, node: NodeId) -> list[Command]:
        return [command for _, command in self.record(node).executed]

    def sent(self, kind: type, source: NodeId | None = None) -> list[Any]:
        """The messages of a kind handed to the links so far, one for each receiver."""
        return [
            effect.message
            for node, effect in self.effects
            if isinstance(effect, Send)
            and isinstance(effect.message, kind)
            and source in (None, node)
        ]

    def _happen(self, node: NodeId, event: Event) -> None:
        outcome = self.cluster.outcome(self.state, (node, event))
        self.state = outcome.state
        for effect in outcome.effects:
            self.effects.append((node, effect))
            if isinstance(effect, Send):
                self.under_way.append((node, effect.to, effect.message))

    def _taken(
        self, kinds: tuple[type, ...], source: NodeId | None, to: NodeId | None
    ) -> list[tuple[NodeId, NodeId, Any]]:
        def fits(way: tuple[NodeId, NodeId, Any]) -> bool:
            return (
                (not kinds or isinstance(way[2], kinds))
                and source in (None, way[0])
                and to in (None, way[1])
            )

        taken = [way for way in self.under_way if fits(way)]
        self.under_way = [way for way in self.under_way if not fits(way)]
        return taken


@pytest.fixture
def scenario() -> Callable[..., Scenario]:
    """Makes scenarios: ``scenario()`` with nodes 0, 1 and 2, or ``scenario("A", "B", "C")``."""
    return Scenario
