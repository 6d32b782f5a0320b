"""Bugs of Phase 1: how a new leader may miss, or misread, what is chosen already.

Each class is the clean implementation with one method replaced. All break agreement, since a leader
that does not propose again what was chosen proposes something else in its place.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from indelible.impl.multipaxos import Ballot, MultiPaxos, Promised, Replica
from indelible.model.effects import NO_OP, Slot, Value, Vote
from indelible.model.events import NodeId
from indelible.model.implementation import Step

__all__ = [
    "BallotNotUnique",
    "DupPromiseCounted",
    "NextSlotFromOwnLog",
    "NoopOverwrites",
    "PhaseOneQuorumHalf",
    "PickLastArrived",
    "PickLowest",
    "PromiseHidesAccepted",
    "PromiseOmitsDecided",
    "PromiseReportsPromisedBallot",
    "StalePromiseCounted",
]


class PromiseHidesAccepted(MultiPaxos):
    """A promise reports no votes.

    The new leader hears of nothing that was chosen and proposes something new in its place, against
    P2c of Paxos Made Simple. Read in published code (roxel, krthk).
    """

    name = "promise_hides_accepted"

    def promise_of(self, replica: Replica) -> Promised:
        return replace(super().promise_of(replica), votes=())


class PromiseOmitsDecided(MultiPaxos):
    """A promise reports votes, but not the entries that are decided, whose votes it leaves out.

    The new leader takes the decided slots for free, against P2c of Paxos Made Simple. Read in
    published code and reproduced there (ailidani/paxi).
    """

    name = "promise_omits_decided"

    def promise_of(self, replica: Replica) -> Promised:
        return replace(super().promise_of(replica), decided=())


class PromiseReportsPromisedBallot(MultiPaxos):
    """An acceptor has one ballot variable, and reports its votes as if cast in the one it promised.

    An old vote then looks as new as the promise, and wins over one that was chosen in between:
    against P2c of Paxos Made Simple. Found in Egalitarian Paxos by P. Sutra (arXiv 1906.10917).
    """

    name = "promise_reports_promised_ballot"

    def promise_of(self, replica: Replica) -> Promised:
        promise = super().promise_of(replica)
        votes = tuple(replace(vote, ballot=replica.promised) for vote in promise.votes)
        return replace(promise, votes=votes)


class PickLastArrived(MultiPaxos):
    """A new leader takes the vote that it heard of last, whatever its ballot.

    An old vote that was never chosen wins over a newer one that was, against P2c of Paxos Made
    Simple. Read in published code (enriquefynn); reported as the bug that early model checkers for
    distributed systems planted in their Paxos.
    """

    name = "pick_last_arrived"

    def binding_vote(self, vote: Vote | None, other: Vote) -> Vote:
        return other


class PickLowest(MultiPaxos):
    """A new leader takes the vote with the lowest ballot: a comparison turned round.

    An old vote that was never chosen wins over a newer one that was, against P2c of Paxos Made
    Simple. A slip of our own making, of a common kind.
    """

    name = "pick_lowest"

    def binding_vote(self, vote: Vote | None, other: Vote) -> Vote:
        return other if vote is None or other.ballot < vote.ballot else vote


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


class PhaseOneQuorumHalf(MultiPaxos):
    """Half of the nodes, rounded down, are enough to lead.

    Such a quorum need not meet the one that chose (Paxos Made Simple, section 2.2: any two
    majorities have a member in common). Reproduced with a published state-reduced Paxos (paxosmmc).
    """

    name = "phase1_quorum_half"

    def enough_promises(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= len(nodes) // 2


class NoopOverwrites(MultiPaxos):
    """A new leader fills every undecided slot with a no-op, without reading the votes.

    What was chosen there is lost. No-ops are for the slots in which no vote was reported (Paxos
    Made Simple, section 3). Reported in the class of gap-filling and log-merging slips (OCons #21).
    """

    name = "noop_overwrites"

    def recovered_value(self, votes: tuple[Vote, ...], slot: Slot) -> Value:
        return NO_OP


class NextSlotFromOwnLog(MultiPaxos):
    """A leader's next free slot is the one after those it knows decided.

    It is not free if the leader has proposed there already: it then puts two values into one ballot
    and slot, against B1 of The Part-Time Parliament. Reported in the class of slips found in paxi.
    """

    name = "next_slot_from_own_log"

    def free_slot(self, replica: Replica) -> Slot:
        return self.missing_from(replica)
