"""Bugs of voting: how an acceptor may break its promise, or confirm or lose a vote.

Each class is the clean implementation with one method replaced.
"""

from __future__ import annotations

from dataclasses import replace

from indelible.impl.multipaxos import (
    NO_BALLOT,
    Accept,
    Accepted,
    Ballot,
    Leader,
    MultiPaxos,
    Replica,
)
from indelible.impl.multipaxos.log import at
from indelible.impl.multipaxos.timers import following
from indelible.model.effects import Send, Vote
from indelible.model.events import NodeId
from indelible.model.implementation import Step

__all__ = [
    "AcceptBelowPromise",
    "AcceptNoBump",
    "AckByValue",
    "AckWithoutStoring",
    "ElectionByProposedTerm",
    "RollbackCommittedOnStepdown",
    "TruncateOnOldAppend",
]


class AcceptBelowPromise(MultiPaxos):
    """An acceptor votes in any ballot, whatever it has promised.

    An old leader gets a value chosen that the new one, elected before that vote, has not heard of:
    against P1a of Paxos Made Simple. The textbook's own example of what a promise is for.
    """

    name = "accept_below_promise"

    def may_accept(self, replica: Replica, accept: Accept) -> bool:
        return True


class AcceptNoBump(MultiPaxos):
    """An acceptor that votes in a higher ballot than it has promised does not promise it thereby.

    It may vote in a lower one next, and that vote overwrites the newer one, by which a value was
    chosen: against P1a of Paxos Made Simple. Read in published code (gdub, thomastiotto, dgkimura);
    described by M. Brooker (2021), judged harmless in CASSANDRA-17162.
    """

    name = "accept_no_bump"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        if not self.may_accept(replica, accept):
            return self.refuse(replica, source, accept.ballot)
        vote = Vote(accept.slot, accept.ballot, accept.value)
        voted, saved = self.pledge(replica, replica.promised, (vote,))
        return Step(voted, (*saved, Send(source, Accepted(accept.ballot, accept.slot))))


class ElectionByProposedTerm(MultiPaxos):
    """An acceptor keeps one number for elections and another for votes, and never compares the two.

    Its promise binds it in no vote: an old leader gets a value chosen that the new one has not
    heard of, against P1a of Paxos Made Simple. Reported for nebula (#685), whose elections went by
    one term, and whose appends by another.
    """

    name = "election_by_proposed_term"

    def may_accept(self, replica: Replica, accept: Accept) -> bool:
        return accept.ballot >= max((vote.ballot for vote in replica.votes), default=NO_BALLOT)


class AckWithoutStoring(MultiPaxos):
    """An acceptor that refuses a proposal confirms it all the same.

    The leader counts a vote that nobody cast, and announces a value that is not chosen (Paxos Made
    Simple, section 2.2). Read in published code (dgkimura).
    """

    name = "ack_without_storing"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        if self.may_accept(replica, accept):
            return super().on_accept(replica, source, accept)
        return Step(replica, (Send(source, Accepted(accept.ballot, accept.slot)),))


class AckByValue(MultiPaxos):
    """An acceptor that has voted for the same value before confirms it, and does not vote again.

    Votes for one value in different ballots do not add up: a leader of a ballot between need not
    hear of any (Paxos Made Simple, section 2.2). Read in published code, where votes are counted by
    slot and value (sagelywizard); figure 8 of the Raft paper, met in logcabin #44, async-raft #108
    and canonical/raft #220.
    """

    name = "ack_by_value"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        vote = at(replica.votes, accept.slot)
        if vote is None or vote.value != accept.value or not self.may_accept(replica, accept):
            return super().on_accept(replica, source, accept)
        promised, saved = self.pledge(replica, accept.ballot)
        answer = Send(source, Accepted(accept.ballot, accept.slot))
        return Step(promised, (*saved, answer, *following(replica.role)))


class TruncateOnOldAppend(MultiPaxos):
    """An acceptor drops its votes in all later slots when it votes in one.

    A proposal that was overtaken on its way thus undoes votes that were counted already, and what
    they chose is lost: against section 2.5 of Paxos Made Simple, by which a vote outlives all else.
    Reproduced with published code (pysyncobj).
    """

    name = "truncate_on_old_append"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        if self.may_accept(replica, accept):
            kept = tuple(vote for vote in replica.votes if vote.slot <= accept.slot)
            replica = replace(replica, votes=kept)
        return super().on_accept(replica, source, accept)


class RollbackCommittedOnStepdown(MultiPaxos):
    """A leader that steps down rolls its log back to where its ballot began.

    It forgets what was chosen there since, and its answers to the next leader omit it: against P1a
    and P2c of Paxos Made Simple. Reported for CCF (#5674), whose leaders cut off entries that were
    chosen.
    """

    name = "rollback_committed_on_stepdown"

    def pledge(self, replica: Replica, ballot: Ballot, votes: tuple[Vote, ...] = ()) -> Step:
        if isinstance(replica.role, Leader) and ballot > replica.promised:
            kept = tuple(vote for vote in replica.votes if vote.ballot < replica.promised)
            before = tuple(entry for entry in replica.decided if at(kept, entry.slot) is not None)
            replica = replace(replica, votes=kept, decided=before)
        return super().pledge(replica, ballot, votes)
