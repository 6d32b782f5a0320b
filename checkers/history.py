"""History: what has been said up to a step of a run, and in which step each thing was said.

It reads testimony only (votes, promises, leaderships, decisions), and says the same of every
implementation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from indelible.checkers.property import World
from indelible.model.effects import Ballot, Decide, Execute, Lead, Promise, Slot, Value, Vote
from indelible.model.events import Event, NodeId, Receive
from indelible.model.run import Run, RunStep, handled_event

__all__ = ["History", "histories"]


@dataclass(slots=True)
class History:
    """The world right after ``step``, with what was said before it.

    - ``votes`` (node, slot, ballot, value), ``promises`` and ``leaders`` (node, ballot) and
      ``executions`` (node, index, command): the number of the step in which each was first said;
      step 0 is when the nodes first started.
    - ``used``: the slots in which anybody voted or decided.
    - ``persisted``: the step in which a node's storage last changed.
    - ``unsaid``: votes and promises, by node, that a crash cut off, which it may have saved.
    - ``handled``: by the number of each step, this one among them, the first one in which its node
      handled the same event. Who sent a message makes no difference.
    """

    step: RunStep
    world: World
    votes: dict[tuple[NodeId, Slot, Ballot, Value], int] = field(default_factory=dict)
    promises: dict[tuple[NodeId, Ballot], int] = field(default_factory=dict)
    leaders: dict[tuple[NodeId, Ballot], int] = field(default_factory=dict)
    executions: dict[tuple[NodeId, int, Any], int] = field(default_factory=dict)
    used: set[Slot] = field(default_factory=set)
    persisted: dict[NodeId, int] = field(default_factory=dict)
    unsaid: set[tuple[NodeId, Vote | Promise]] = field(default_factory=set)
    handled: dict[int, int] = field(default_factory=dict)

    @property
    def node(self) -> NodeId:
        return self.step.node

    def effects(self, kind: type) -> tuple[Any, ...]:
        """What the step asked for of one kind, in order, also when the node started again."""
        return tuple(effect for effect in self.step.all_effects if isinstance(effect, kind))

    @property
    def votes_said(self) -> tuple[tuple[Slot, Ballot, Value], ...]:
        """The votes that are known from this step on."""
        return self._new_votes(self.step.all_effects)

    @property
    def votes_cast(self) -> tuple[tuple[Slot, Ballot, Value], ...]:
        """Those of them that it casts. What a node says when it starts again it has saved, and
        nobody can tell when it has voted so."""
        return self._new_votes(self.step.effects)

    def _new_votes(self, effects: Iterable[object]) -> tuple[tuple[Slot, Ballot, Value], ...]:
        votes = ((vote.slot, vote.ballot, vote.value) for vote in effects if isinstance(vote, Vote))
        return tuple(vote for vote in dict.fromkeys(votes) if (self.node, *vote) not in self.votes)

    def voters_before(self, slot: Slot, ballot: Ballot, value: Value) -> tuple[NodeId, ...]:
        """Who had voted so before the step."""
        return tuple(node for node in self.world.nodes if (node, slot, ballot, value) in self.votes)

    def voters(self, slot: Slot, ballot: Ballot, value: Value) -> tuple[NodeId, ...]:
        """Who has voted so after the step."""
        before = self.voters_before(slot, ballot, value)
        votes_now = (slot, ballot, value) in self.votes_said
        return tuple(
            node for node in self.world.nodes if node in before or (votes_now and node == self.node)
        )

    def was_chosen(self, slot: Slot, ballot: Ballot, value: Value) -> bool:
        """Whether a quorum had voted so before the step."""
        return self._is_quorum(self.voters_before(slot, ballot, value))

    def is_chosen(self, slot: Slot, ballot: Ballot, value: Value) -> bool:
        """Whether a quorum has voted so after the step."""
        return self._is_quorum(self.voters(slot, ballot, value))

    def may_be_chosen(self, slot: Slot, ballot: Ballot, value: Value) -> bool:
        """Whether a quorum may have voted so after the step, though a crash kept it unsaid."""
        said = self.voters(slot, ballot, value)
        vote = Vote(slot, ballot, value)
        nodes = self.world.nodes
        return self._is_quorum(
            tuple(node for node in nodes if node in said or (node, vote) in self.unsaid)
        )

    def _is_quorum(self, nodes: tuple[NodeId, ...]) -> bool:
        return self.world.quorums.is_phase2_quorum(nodes, self.world.nodes)


def histories(run: Run, world: World) -> Iterator[History]:
    """The history at each step, in order. Each is good only until the next is asked for."""
    first_handled: dict[tuple[NodeId, object], int] = {}
    history: History | None = None
    for step in run.steps:
        if history is None:
            history = History(step, world)
            for node, effects in zip(run.scope.nodes, run.started, strict=True):
                _note(history, 0, node, effects)
        history = replace(history, step=step)
        matter = (step.node, _matter(step.event))
        history.handled[step.number] = first_handled.setdefault(matter, step.number)
        yield history
        _note(history, step.number, step.node, step.all_effects)
        history.unsaid.update(
            (step.node, effect) for effect in step.lost if isinstance(effect, Vote | Promise)
        )
        if step.before.record.storage != step.after.record.storage:
            history.persisted[step.node] = step.number


def _note(history: History, number: int, node: NodeId, effects: Iterable[object]) -> None:
    for effect in effects:
        match effect:
            case Vote(slot, ballot, value):
                history.votes.setdefault((node, slot, ballot, value), number)
                history.used.add(slot)
            case Decide(slot, _):
                history.used.add(slot)
            case Promise(ballot):
                history.promises.setdefault((node, ballot), number)
            case Lead(ballot):
                history.leaders.setdefault((node, ballot), number)
            case Execute(index, command):
                history.executions.setdefault((node, index, command), number)


def _matter(event: Event) -> object:
    """What a node handles, whoever sent it and whether or not a crash cut it short."""
    handled = handled_event(event)
    return (Receive, handled.message) if isinstance(handled, Receive) else handled
