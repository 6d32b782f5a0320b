"""Bugs of durability: what a crash may undo, though somebody has heard of it.

Each class is the clean implementation with one method replaced. None shows without a restart.
"""

from __future__ import annotations

from dataclasses import replace

from indelible.impl.multipaxos import Accept, MultiPaxos, Prepare, Replica, Storage
from indelible.model.effects import Persist
from indelible.model.events import NodeId
from indelible.model.implementation import Step

__all__ = [
    "AcceptNotDurable",
    "AcceptRevealedBeforeSaved",
    "CorruptTailTruncated",
    "PromiseNotDurable",
    "WipedDiskRejoins",
]


class PromiseNotDurable(MultiPaxos):
    """An acceptor promises without saving the promise.

    After a crash it votes in a ballot below, of which the new leader has not heard: against the
    first requirement of Paxos Made Simple, section 2.5. Reported as a bug injected to test a
    checker, and for ZooKeeper's epochs (ZOOKEEPER-1653).
    """

    name = "promise_not_durable"

    def on_prepare(self, replica: Replica, source: NodeId, prepare: Prepare) -> Step:
        return unsaved(super().on_prepare(replica, source, prepare))


class AcceptNotDurable(MultiPaxos):
    """An acceptor votes without saving the vote.

    After a crash nobody can tell that the value was chosen: against section 2.5 of Paxos Made
    Simple. Reported for etcd (#14143, an entry acknowledged before it was on disk).
    """

    name = "accept_not_durable"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        return unsaved(super().on_accept(replica, source, accept))


class AcceptRevealedBeforeSaved(MultiPaxos):
    """An acceptor answers a proposal first, and saves its vote right after.

    A crash in between leaves a vote that was counted and is forgotten: against section 2.5 of Paxos
    Made Simple, where the response is sent only once it is recorded. It takes a step torn by a
    crash to see it. From no catalogue: any store that answers before it syncs has this window.
    """

    name = "accept_revealed_before_saved"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        state, effects = super().on_accept(replica, source, accept)
        saves = tuple(effect for effect in effects if isinstance(effect, Persist))
        return Step(state, (*unsaved(Step(state, effects)).effects, *saves))


class WipedDiskRejoins(MultiPaxos):
    """A node that has lost its disk comes back under its old name, with an empty one.

    Its promises and votes count for quorums that others still rely on. Reported for atlasdb (#1504,
    #1508); it must join as a new member, or not vote until it knows that it is safe.
    """

    name = "wiped_disk_rejoins"

    def start(self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None) -> Step:
        return super().start(node, nodes, None)


class CorruptTailTruncated(MultiPaxos):
    """A restarted node drops the last vote that it finds on disk, as if it were half written.

    It was whole and it was counted: a log may be cut only where nothing was ever answered.
    Described for replicated logs in Protocol-Aware Recovery (FAST 2018).
    """

    name = "corrupt_tail_truncated"

    def start(self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None) -> Step:
        found = storage and replace(storage, votes=storage.votes[:-1])
        return super().start(node, nodes, found)


def unsaved(step: Step) -> Step:
    """The step with nothing persisted."""
    kept = tuple(effect for effect in step.effects if not isinstance(effect, Persist))
    return Step(step.state, kept)
