"""History: what has been said up to a step of a run, and in which step each thing was said.

It reads testimony only (votes, promises, leaderships, decisions), and says the same of every
implementation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from indelible.checkers.property import World
from indelible.model.effects import Ballot, Execute, Lead, Promise, Slot, Value, Vote
from indelible.model.events import NodeId
from indelible.model.run import Run, RunStep

__all__ = ["History", "histories"]


@dataclass(frozen=True, slots=True)
class History:
    """The world right after ``step``, with what was said before it.

    ``votes`` (node, slot, ballot, value), ``promises`` and ``leaders`` (node, ballot) and
    ``executions`` (node, index, command) give the number of the step in which each was first said;
    step 0 is when the nodes first started. ``persisted`` gives the step in which a node's storage
    last changed. All hold what was said and done before ``step``.
    """

    step: RunStep
    world: World
    votes: dict[tuple[NodeId, Slot, Ballot, Value], int]
    promises: dict[tuple[NodeId, Ballot], int]
    leaders: dict[tuple[NodeId, Ballot], int]
    executions: dict[tuple[NodeId, int, Any], int]
    persisted: dict[NodeId, int]

    @property
    def node(self) -> NodeId:
        return self.step.node

    def effects(self, kind: type) -> tuple[Any, ...]:
        """What the step asked for of one kind, in order."""
        return tuple(effect for effect in self.step.all_effects if isinstance(effect, kind))

    @property
    def votes_cast(self) -> tuple[tuple[Slot, Ballot, Value], ...]:
        """The votes that this step casts for the first time."""
        cast = ((vote.slot, vote.ballot, vote.value) for vote in self.effects(Vote))
        return tuple(vote for vote in dict.fromkeys(cast) if (self.node, *vote) not in self.votes)

    def voters_before(self, slot: Slot, ballot: Ballot, value: Value) -> tuple[NodeId, ...]:
        """Who had voted so before the step."""
        return tuple(node for node in self.world.nodes if (node, slot, ballot, value) in self.votes)

    def voters(self, slot: Slot, ballot: Ballot, value: Value) -> tuple[NodeId, ...]:
        """Who has voted so after the step."""
        before = self.voters_before(slot, ballot, value)
        votes_now = (slot, ballot, value) in self.votes_cast
        return tuple(
            node for node in self.world.nodes if node in before or (votes_now and node == self.node)
        )

    def was_chosen(self, slot: Slot, ballot: Ballot, value: Value) -> bool:
        """Whether a quorum had voted so before the step."""
        return self._is_quorum(self.voters_before(slot, ballot, value))

    def is_chosen(self, slot: Slot, ballot: Ballot, value: Value) -> bool:
        """Whether a quorum has voted so after the step."""
        return self._is_quorum(self.voters(slot, ballot, value))

    def _is_quorum(self, nodes: tuple[NodeId, ...]) -> bool:
        return self.world.quorums.is_phase2_quorum(nodes, self.world.nodes)


def histories(run: Run, world: World) -> Iterator[History]:
    """The history at each step, in order. Each is good only until the next is asked for."""
    votes: dict[tuple[NodeId, Slot, Ballot, Value], int] = {}
    promises: dict[tuple[NodeId, Ballot], int] = {}
    leaders: dict[tuple[NodeId, Ballot], int] = {}
    executions: dict[tuple[NodeId, int, Any], int] = {}
    persisted: dict[NodeId, int] = {}

    def note(number: int, node: NodeId, effects: Iterable[object]) -> None:
        for effect in effects:
            match effect:
                case Vote(slot, ballot, value):
                    votes.setdefault((node, slot, ballot, value), number)
                case Promise(ballot):
                    promises.setdefault((node, ballot), number)
                case Lead(ballot):
                    leaders.setdefault((node, ballot), number)
                case Execute(index, command):
                    executions.setdefault((node, index, command), number)

    for node, effects in zip(run.scope.nodes, run.started, strict=True):
        note(0, node, effects)
    for step in run.steps:
        yield History(step, world, votes, promises, leaders, executions, persisted)
        note(step.number, step.node, step.all_effects)
        if step.before.record.storage != step.after.record.storage:
            persisted[step.node] = step.number
