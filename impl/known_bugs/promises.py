"""Bugs of what a promise reports: how a new leader is misinformed of what may be chosen already.

Each class is the clean implementation with one method replaced. All break agreement, since a leader
that has not heard what was chosen proposes something else in its place.
"""

from __future__ import annotations

from dataclasses import replace

from indelible.impl.multipaxos import NO_BALLOT, Ballot, MultiPaxos, Prepare, Promised, Replica
from indelible.impl.multipaxos.replica import Candidate
from indelible.model.events import NodeId
from indelible.model.implementation import Step

__all__ = [
    "BallotZeroIgnored",
    "PromiseForgottenOnStepdown",
    "PromiseHidesAccepted",
    "PromiseOmitsDecided",
    "PromiseReportsPromisedBallot",
]


class PromiseHidesAccepted(MultiPaxos):
    """A promise reports no votes.

    The new leader hears of nothing that was chosen and proposes something new in its place, against
    P2c of Paxos Made Simple. Read in published code (roxel, krthk).
    """

    name = "promise_hides_accepted"

    def promise_of(self, replica: Replica) -> Promised:
        return replace(super().promise_of(replica), votes=())


class BallotZeroIgnored(MultiPaxos):
    """A promise leaves out the votes of the very first ballot, taking the lowest number for none.

    What was chosen in that ballot is lost to the next leader, against P2c of Paxos Made Simple.
    Read in published code, where a ballot or slot of zero is false (sagelywizard, 500lines).
    """

    name = "ballot_zero_ignored"

    def promise_of(self, replica: Replica) -> Promised:
        promise = super().promise_of(replica)
        first = Ballot(1, replica.nodes[0])
        return replace(promise, votes=tuple(vote for vote in promise.votes if vote.ballot > first))


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


class PromiseForgottenOnStepdown(MultiPaxos):
    """A candidate that gives way to a higher ballot forgets, with its bid, what it has promised.

    A follower again, it takes part in ballots below the one it has just helped to elect, against
    P1a of Paxos Made Simple. Reproduced with published code, where a node that becomes a follower
    forgets whom it has voted for (raftos); reported for akka-raft (#56).
    """

    name = "promise_forgotten_on_stepdown"

    def on_prepare(self, replica: Replica, source: NodeId, prepare: Prepare) -> Step:
        state, effects = super().on_prepare(replica, source, prepare)
        gave_way = isinstance(replica.role, Candidate) and state.role != replica.role
        return Step(replace(state, promised=NO_BALLOT) if gave_way else state, effects)
