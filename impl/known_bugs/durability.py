"""Bugs of durability: what a crash may undo, though somebody has heard of it.

Each class is the clean implementation with one method replaced. None shows without a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from indelible.impl.multipaxos import (
    NO_BALLOT,
    Accept,
    Ballot,
    Entry,
    MultiPaxos,
    Prepare,
    Replica,
    Storage,
)
from indelible.impl.multipaxos.log import at, decided_count, placed
from indelible.model.effects import Persist, Vote
from indelible.model.events import NodeId
from indelible.model.implementation import Step

__all__ = [
    "AcceptNotDurable",
    "AcceptRevealedBeforeSaved",
    "AcceptSavesStalePromise",
    "CommitSavedBeforeEntries",
    "CorruptTailTruncated",
    "PromiseNotDurable",
    "RestartReuseBallot",
    "TwoFileState",
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


class AcceptSavesStalePromise(MultiPaxos):
    """An acceptor saves a vote beside the promise that it knew when it cast the vote before.

    The promise on disk falls back, and after a crash the node votes where it has promised not to:
    against section 2.5 of Paxos Made Simple. Reproduced with published code, where a vote is
    written together with an old promise (multi-paxos-example).
    """

    name = "accept_saves_stale_promise"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        state, effects = super().on_accept(replica, source, accept)
        stale = max((vote.ballot for vote in replica.votes), default=NO_BALLOT)
        saved = Persist(Storage(stale, state.votes))
        kept = (saved if isinstance(effect, Persist) else effect for effect in effects)
        return Step(state, tuple(kept))


class TwoFileState(MultiPaxos):
    """An acceptor writes the ballot of a vote and its value into two files, one after the other.

    A crash in between joins the new ballot to the old value: a vote that the node never cast, for a
    second value in one ballot (against B1 of The Part-Time Parliament), and that may win over those
    that chose. Reported for the epochs of ZooKeeper. It takes a step torn
    by a crash to see it.
    """

    name = "two_file_state"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        state, effects = super().on_accept(replica, source, accept)
        old = at(replica.votes, accept.slot)
        if old is None or state.votes == replica.votes:
            return Step(state, effects)
        mixed = placed(replica.votes, (replace(old, ballot=accept.ballot),))
        return Step(state, (Persist(Storage(state.promised, mixed)), *effects))


class RestartReuseBallot(MultiPaxos):
    """A node keeps its round, and what it does in its own ballots, in memory only.

    After a crash it bids with a ballot that it has led before, may win it again, and puts other
    values into the slots that it has used: against B1 of The Part-Time Parliament. Reproduced with
    published code (cocagne's), whose proposers restore no round; reported for phxpaxos (#145).
    """

    name = "restart_reuse_ballot"

    def pledge(self, replica: Replica, ballot: Ballot, votes: tuple[Vote, ...] = ()) -> Step:
        step = super().pledge(replica, ballot, votes)
        return unsaved(step) if ballot.node == replica.node else step


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

    Its promises and votes count for quorums that others still rely on: against section 2.5 of Paxos
    Made Simple. Reported for atlasdb (#1504, #1508); it must join as a new member, or not vote
    until it knows that it is safe.
    """

    name = "wiped_disk_rejoins"

    def start(self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None) -> Step:
        return super().start(node, nodes, None)


class CorruptTailTruncated(MultiPaxos):
    """A restarted node drops the last vote that it finds on disk, as if it were half written.

    It was whole and it was counted: a log may be cut only where nothing was ever answered (Paxos
    Made Simple, section 2.5).
    Described for replicated logs in Protocol-Aware Recovery (FAST 2018).
    """

    name = "corrupt_tail_truncated"

    def start(self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None) -> Step:
        found = storage and replace(storage, votes=storage.votes[:-1])
        return super().start(node, nodes, found)


@dataclass(frozen=True, slots=True)
class CountedStorage(Storage):
    """Storage that also says how many entries from slot 0 on are decided, but not which."""

    decided_count: int = 0


@dataclass(frozen=True, slots=True)
class CountingReplica(Replica):
    """A replica that saves, with its promise and votes, how many entries it knows decided."""

    @property
    def storage(self) -> CountedStorage:
        return CountedStorage(self.promised, self.votes, decided_count(self.decided))


class CommitSavedBeforeEntries(MultiPaxos):
    """A node saves how far its log is decided before it saves the decided entries themselves.

    After a crash it finds no entry in such a slot, takes it for a no-op, and executes those behind
    it: another history than everybody else's (Paxos Made Simple, section 3). Reported for curvine
    (#1368) and etcd's Raft (#300).
    """

    name = "commit_saved_before_entries"

    def start(self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None) -> Step:
        state, effects = super().start(node, nodes, storage)
        counting = CountingReplica(node, nodes, state.promised, state.votes)
        slots = range(storage.decided_count if isinstance(storage, CountedStorage) else 0)
        found = tuple(Entry(slot, self.recovered_value(state.votes, slot)) for slot in slots)
        learned, news = self.learn(counting, found)
        return Step(learned, (*effects, *news))


def unsaved(step: Step) -> Step:
    """The step with nothing persisted."""
    kept = tuple(effect for effect in step.effects if not isinstance(effect, Persist))
    return Step(step.state, kept)
