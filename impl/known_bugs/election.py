"""Bugs of winning a ballot: how a node may lead that a quorum did not elect.

Each class is the clean implementation with one method replaced. A leader without a quorum need not
hear what is chosen already, and proposes something else in its place.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from indelible.impl.multipaxos import (
    Ballot,
    Candidate,
    Entry,
    Leader,
    MultiPaxos,
    Promised,
    Refused,
    Replica,
    Storage,
)
from indelible.model.events import NodeId
from indelible.model.implementation import Step

__all__ = [
    "BallotNotUnique",
    "BumpWithoutPrepare",
    "DupPromiseCounted",
    "ImpliedPromise",
    "KeepOldPromises",
    "PhaseOneQuorumHalf",
    "StaleAdoption",
    "StalePromiseCounted",
]


class BallotNotUnique(MultiPaxos):
    """A ballot is a round only: two nodes may bid with the same one.

    Both can win it, and propose different values in the same ballot and slot, against B1 of The
    Part-Time Parliament. Read in published code (akellehe).
    """

    name = "ballot_not_unique"

    def next_ballot(self, replica: Replica) -> Ballot:
        return super().next_ballot(replica)._replace(node=replica.nodes[0])


class DupPromiseCounted(MultiPaxos):
    """A candidate counts promises, not the nodes that gave them.

    One promise delivered twice makes a quorum that is none and need not meet the one that chose
    (Paxos Made Simple, section 2.2). Reproduced with published code (ajdavis); raftos counts votes
    this way.
    """

    name = "dup_promise_counted"

    def count_promise(self, members: Collection[NodeId], node: NodeId) -> Collection[NodeId]:
        return (*members, node)


class StalePromiseCounted(MultiPaxos):
    """A candidate counts promises for its earlier ballots too.

    Who promised then may have voted since, in ballots between, without the candidate hearing of it;
    P2c of Paxos Made Simple needs the votes below the ballot that is proposed. Reported for
    luohaha/MyPaxos (#18) and little-raft (#44).
    """

    name = "stale_promise_counted"

    def on_promised(self, replica: Replica, source: NodeId, promised: Promised) -> Step:
        return super().on_promised(replica, source, replace(promised, ballot=replica.promised))


class KeepOldPromises(MultiPaxos):
    """A candidate that bids again goes on with the promises to its bid before.

    Who promised then may have voted since, in ballots between, without the candidate hearing of it:
    against P2c of Paxos Made Simple. Read in published code (the set of promises in MyPaxos).
    """

    name = "keep_old_promises"

    def campaign(self, replica: Replica) -> Step:
        state, effects = super().campaign(replica)
        if not isinstance(replica.role, Candidate):
            return Step(state, effects)
        return Step(replace(state, role=replica.role), effects)


class StaleAdoption(MultiPaxos):
    """A candidate that bids again still lets the quorum of its bid before make it leader, at once.

    What was reported to the old ballot says nothing of votes cast in ballots between, against P2c
    of Paxos Made Simple; nobody has promised the new one. Reproduced with published code, where the
    word that a ballot was adopted is not compared with the current one (500lines, DistAlgo). In two
    or three nodes a single promise completes the old quorum, so that none need be remembered.
    """

    name = "stale_adoption"

    def on_promised(self, replica: Replica, source: NodeId, promised: Promised) -> Step:
        bid = replica.role
        adopted = self.enough_promises({replica.node, source}, replica.nodes)
        if not adopted or not isinstance(bid, Candidate) or promised.ballot == replica.promised:
            return super().on_promised(replica, source, promised)
        learned, effects = self.learn(replica, promised.decided)
        led, more = self.lead(learned, self.binding_votes(bid.votes, promised.votes))
        return Step(led, (*effects, *more))


class PhaseOneQuorumHalf(MultiPaxos):
    """Half of the nodes, rounded down, are enough to lead.

    Such a quorum need not meet the one that chose (Paxos Made Simple, section 2.2: any two
    majorities have a member in common). Reproduced with a published state-reduced Paxos (paxosmmc).
    """

    name = "phase1_quorum_half"

    def enough_promises(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= len(nodes) // 2


class ImpliedPromise(MultiPaxos):
    """A restarted node that promised itself last takes those for its next ballot for granted.

    It bids and leads at once, without Phase 1, and has not heard what others chose meanwhile:
    against P2c of Paxos Made Simple. Read in published code, where the master implies the promises
    for its next instance (multi-paxos-example).
    """

    name = "implied_promise"

    def start(self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None) -> Step:
        state, effects = super().start(node, nodes, storage)
        if state.promised.node != node:
            return Step(state, effects)
        bid, asked = self.campaign(state)
        led, proposed = self.lead(bid, state.open_votes)
        return Step(led, (*effects, *asked, *proposed))


class BumpWithoutPrepare(MultiPaxos):
    """A leader that is refused raises its ballot and sends its proposals again, without Phase 1.

    In the new ballot it has asked nobody what was chosen below, against P2c of Paxos Made Simple. A
    common way to retry faster.
    """

    name = "bump_without_prepare"

    def on_refused(self, replica: Replica, refused: Refused) -> Step:
        if not isinstance(replica.role, Leader) or refused.ballot != replica.promised:
            return super().on_refused(replica, refused)
        raised = Ballot(refused.promised.round + 1, replica.node)
        bound, saved = self.pledge(replica, raised)
        again = tuple(Entry(open.slot, open.value) for open in replica.role.proposals)
        led, asked = self.propose(replace(bound, role=Leader()), again)
        return Step(led, (*saved, *asked))
