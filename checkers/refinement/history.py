"""History: what was said in a run so far, and what the proof's relations mean of it.

This is the tie between the two: ``interpreted`` gives every relation of the proved protocol its
meaning in terms of promises, votes, leaderships and decisions, which is all that a checker learns
of an implementation. It knows nothing of actions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from indelible.checkers.lemmas import multi_paxos as proved
from indelible.checkers.lemmas.finite import Facts, Instance
from indelible.checkers.lemmas.instances import minimal_quorums
from indelible.checkers.lemmas.protocol import Protocol
from indelible.checkers.property import World
from indelible.model.canonical import canonical
from indelible.model.effects import Ballot, Slot, Value
from indelible.model.errors import ImplementationError
from indelible.model.events import NodeId

__all__ = [
    "Decision",
    "GivenPromise",
    "History",
    "Leadership",
    "Quorums",
    "Universe",
    "WasCast",
    "elected_by",
    "instance_of",
    "interpreted",
    "merged_reports",
    "quorums_of",
    "universe_of",
]


class WasCast(NamedTuple):
    """A vote."""

    node: NodeId
    ballot: Ballot
    slot: Slot
    value: Value


class GivenPromise(NamedTuple):
    """A promise, and what it reports: in each slot the latest vote of the node by then."""

    node: NodeId
    ballot: Ballot
    report: frozenset[tuple[Slot, Ballot, Value]]


class Leadership(NamedTuple):
    """A ballot that a node has won, and whose promises it had heard by then."""

    node: NodeId
    ballot: Ballot
    heard: frozenset[NodeId]


class Decision(NamedTuple):
    """A value that was decided, and the votes by which it may be."""

    quorum: frozenset[NodeId]
    ballot: Ballot
    slot: Slot
    value: Value


@dataclass(frozen=True, slots=True)
class History:
    """What was said so far, in the whole cluster. Nothing said is unsaid, so all of it is sets."""

    promises: frozenset[GivenPromise] = frozenset()
    votes: frozenset[WasCast] = frozenset()
    leaderships: frozenset[Leadership] = frozenset()
    decisions: frozenset[Decision] = frozenset()

    def latest(self, node: NodeId) -> frozenset[tuple[Slot, Ballot, Value]]:
        """In each slot in which a node has voted, its vote at the highest ballot."""
        highest: dict[Slot, WasCast] = {}
        for vote in self.votes:
            known = highest.get(vote.slot)
            if vote.node == node and (known is None or known.ballot < vote.ballot):
                highest[vote.slot] = vote
        return frozenset((vote.slot, vote.ballot, vote.value) for vote in highest.values())

    def bound_to(self, node: NodeId) -> Ballot | None:
        """The highest ballot that a node has promised or voted at."""
        promised = (known.ballot for known in self.promises if known.node == node)
        voted = (known.ballot for known in self.votes if known.node == node)
        return max((*promised, *voted), default=None)

    def has_promised(self, node: NodeId, ballot: Ballot) -> bool:
        """Whether a node has given its promise for a ballot."""
        return any(known[:2] == (node, ballot) for known in self.promises)

    def promised_by(self, ballot: Ballot) -> frozenset[NodeId]:
        """The nodes that have given their promise for a ballot."""
        return frozenset(known.node for known in self.promises if known.ballot == ballot)

    def leadership(self, node: NodeId, ballot: Ballot) -> Leadership | None:
        """That a node has won a ballot, if it has."""
        return next((known for known in self.leaderships if known[:2] == (node, ballot)), None)

    def is_proposed(self, ballot: Ballot, slot: Slot, value: Value) -> bool:
        """Whether anybody has voted so: the first to vote for a proposal is who makes it."""
        return any(known[1:] == (ballot, slot, value) for known in self.votes)

    def voters(self, ballot: Ballot, slot: Slot, value: Value) -> frozenset[NodeId]:
        """Who has voted so."""
        return frozenset(known.node for known in self.votes if known[1:] == (ballot, slot, value))


class Quorums(NamedTuple):
    """The quorums of both phases that contain no smaller one."""

    phase1: tuple[frozenset[NodeId], ...]
    phase2: tuple[frozenset[NodeId], ...]


def quorums_of(world: World) -> Quorums:
    """The quorums of the world in which an implementation is judged."""
    return Quorums(
        minimal_quorums(world.nodes, world.quorums.is_phase1_quorum),
        minimal_quorums(world.nodes, world.quorums.is_phase2_quorum),
    )


class Universe(NamedTuple):
    """What was spoken of: a run is finite, and so is the universe in which it is judged."""

    nodes: tuple[NodeId, ...]
    ballots: tuple[Ballot, ...]
    slots: tuple[Slot, ...]
    values: tuple[Value, ...]


def universe_of(history: History, nodes: tuple[NodeId, ...]) -> Universe:
    """Everything that a history speaks of.

    Raises ``ImplementationError`` if its ballots have no order.
    """
    votes = [
        (slot, ballot, value)
        for promise in history.promises
        for slot, ballot, value in promise.report
    ]
    votes += [(vote.slot, vote.ballot, vote.value) for vote in history.votes]
    votes += [(known.slot, known.ballot, known.value) for known in history.decisions]
    ballots = {ballot for _, ballot, _ in votes}
    ballots |= {promise.ballot for promise in history.promises}
    ballots |= {known.ballot for known in history.leaderships}
    try:
        ordered = tuple(sorted(ballots))
    except TypeError as error:
        raise ImplementationError(
            f"two ballots cannot be compared: {error}",
            cause="ballots are totally ordered, and the proof relies on it",
            remedy="give ballots an order, for instance as tuples (round, node)",
        ) from None
    slots, values = {slot for slot, _, _ in votes}, {value for _, _, value in votes}
    return Universe(nodes, ordered, tuple(sorted(slots)), tuple(canonical(values)))


def instance_of(
    protocol: Protocol, history: History, universe: Universe, quorums: Quorums
) -> Instance:
    """The protocol in the universe of a run. A ballot belongs to whoever leads it."""
    nodes, ballots, slots, values = universe
    return Instance(
        protocol,
        {
            proved.NODE: nodes,
            proved.BALLOT: ballots,
            proved.SLOT: slots,
            proved.VALUE: values,
            proved.PHASE1_QUORUM: quorums.phase1,
            proved.PHASE2_QUORUM: quorums.phase2,
        },
        {
            proved.below: frozenset(
                (low, high) for low in ballots for high in ballots if low != high and low < high
            ),
            proved.owns: frozenset((known.node, known.ballot) for known in history.leaderships),
            proved.in_phase1: _membership(quorums.phase1),
            proved.in_phase2: _membership(quorums.phase2),
        },
    )


def interpreted(history: History, universe: Universe, quorums: Quorums) -> Facts:
    """What each relation of the proved protocol means of a run."""
    nodes, ballots, slots, _ = universe
    bound = {node: history.bound_to(node) for node in nodes}
    latest = {node: history.latest(node) for node in nodes}
    merged = {known.ballot: merged_reports(history, known) for known in history.leaderships}
    return {
        proved.left: frozenset(
            (node, ballot)
            for node in nodes
            for ballot in ballots
            if bound[node] is not None and ballot < bound[node]
        ),
        proved.latest: frozenset((node, *vote) for node in nodes for vote in latest[node]),
        proved.reaches: frozenset(
            (node, *vote) for node in nodes for vote in _reached(latest[node], ballots)
        ),
        proved.promised: frozenset((known.node, known.ballot) for known in history.promises),
        proved.reported: frozenset(
            (known.node, known.ballot, *vote) for known in history.promises for vote in known.report
        ),
        proved.report_reaches: frozenset(
            (known.node, known.ballot, *vote)
            for known in history.promises
            for vote in _reached(known.report, ballots)
        ),
        proved.voted: frozenset(tuple(vote) for vote in history.votes),
        proved.heard: frozenset(
            (known.ballot, node) for known in history.leaderships for node in known.heard
        ),
        proved.merged: frozenset(
            (ballot, *vote) for ballot, votes in merged.items() for vote in votes
        ),
        proved.merged_reaches: frozenset(
            (ballot, *vote) for ballot, votes in merged.items() for vote in _reached(votes, ballots)
        ),
        proved.leads: frozenset(
            (known.node, known.ballot, elected_by(known.heard, quorums))
            for known in history.leaderships
        ),
        proved.used: frozenset(
            (known.node, known.ballot, slot)
            for known in history.leaderships
            for slot in slots
            if any(vote.ballot == known.ballot and vote.slot == slot for vote in history.votes)
        ),
        proved.proposed: frozenset((vote.ballot, vote.slot, vote.value) for vote in history.votes),
        proved.decided: frozenset(tuple(known) for known in history.decisions),
    }


def elected_by(heard: Collection[NodeId], quorums: Quorums) -> frozenset[NodeId]:
    """The first phase-1 quorum among those heard. Raises ``StopIteration`` if there is none."""
    return next(quorum for quorum in quorums.phase1 if quorum.issubset(heard))


def merged_reports(
    history: History, leadership: Leadership
) -> frozenset[tuple[Slot, Ballot, Value]]:
    """In every slot the votes at the highest ballot that a leader has heard of: one, if all is
    well."""
    heard = [
        vote
        for promise in history.promises
        if promise.ballot == leadership.ballot and promise.node in leadership.heard
        for vote in promise.report
    ]
    highest: dict[Slot, Ballot] = {}
    for slot, ballot, _ in heard:
        if slot not in highest or highest[slot] < ballot:
            highest[slot] = ballot
    return frozenset(vote for vote in heard if vote[1] == highest[vote[0]])


def _reached(
    votes: Iterable[tuple[Slot, Ballot, Value]], ballots: Iterable[Ballot]
) -> Iterator[tuple[Slot, Ballot]]:
    """Where the votes are at these ballots or above."""
    known = tuple(ballots)
    for slot, voted, _ in votes:
        for ballot in known:
            if not voted < ballot:
                yield slot, ballot


def _membership(quorums: Iterable[frozenset[NodeId]]) -> frozenset[tuple[object, ...]]:
    return frozenset((node, quorum) for quorum in quorums for node in quorum)
