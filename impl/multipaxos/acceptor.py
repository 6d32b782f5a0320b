"""Acceptor: promises and votes, and the rule that keeps both: save first, then speak.

``pledge`` is the only function that changes what a node has promised or voted, and so the only one
that persists. Nothing here knows how ballots are won or when a value is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from indelible.impl.multipaxos.ballot import Ballot
from indelible.impl.multipaxos.learner import Learner
from indelible.impl.multipaxos.log import at, placed
from indelible.impl.multipaxos.messages import (
    Accept,
    Accepted,
    CatchUp,
    Heartbeat,
    Prepare,
    Promised,
    Refused,
)
from indelible.impl.multipaxos.replica import FOLLOWER, Replica
from indelible.impl.multipaxos.timers import following
from indelible.model.effects import Persist, Promise, Send, Vote
from indelible.model.events import NodeId
from indelible.model.implementation import Step

__all__ = ["Acceptor"]


@dataclass(frozen=True)
class Acceptor(Learner):
    """The part of a node that promises and votes."""

    def on_prepare(self, replica: Replica, source: NodeId, prepare: Prepare) -> Step:
        """An acceptor answers the highest ballot it has seen, and no lower one ever again.

        Enabled when ``prepare.ballot >= replica.promised``; equal when the question comes twice,
        and the answer then costs nothing. The promise covers every slot of the log at once, also
        those not yet in use, so that a stable leader needs no other (Paxos Made Simple, section 3).
        Who has voted in the ballot need not answer again: the sender has won it (section 2.2).
        """
        if prepare.ballot < replica.promised:
            return self.refuse(replica, source, prepare.ballot)
        if any(vote.ballot == prepare.ballot for vote in replica.votes):
            return Step(replica)
        promised, saved = self.pledge(replica, prepare.ballot)
        answer = Send(source, self.promise_of(promised))
        return Step(promised, (*saved, answer, *following(replica.role)))

    def promise_of(self, replica: Replica) -> Promised:
        """What a promise reports: the latest vote in every slot, or the decided value itself.

        A new leader that hears a quorum must not miss a value that may be chosen (Paxos Made
        Simple, P2c). Where this node knows a value to be chosen, saying so binds at least as much.
        """
        return Promised(replica.promised, replica.open_votes, replica.decided)

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        """An acceptor votes for a leader's proposal, unless it has promised a higher ballot.

        Safe because a leader proposes one value per ballot and slot, and only one that no quorum
        can have voted against in a lower ballot. A repeated proposal is answered again.
        """
        if not self.may_accept(replica, accept):
            return self.refuse(replica, source, accept.ballot)
        vote = Vote(accept.slot, accept.ballot, accept.value)
        voted, saved = self.pledge(replica, accept.ballot, (vote,))
        answer = Send(source, Accepted(accept.ballot, accept.slot))
        return Step(voted, (*saved, answer, *following(replica.role)))

    def may_accept(self, replica: Replica, accept: Accept) -> bool:
        """Whether no promise forbids the vote (Paxos Made Simple, P1a)."""
        return accept.ballot >= replica.promised

    def on_heartbeat(self, replica: Replica, source: NodeId, heartbeat: Heartbeat) -> Step:
        """A follower leaves a living leader in peace, and asks it for the entries it misses.

        Enabled unless it has promised a higher ballot; then the sender is told that its time is
        over. To promise a ballot unasked is always safe: it only rules out votes.
        """
        if heartbeat.ballot < replica.promised:
            return self.refuse(replica, source, heartbeat.ballot)
        followed, saved = self.pledge(replica, heartbeat.ballot)
        missing = self.missing_from(replica)
        ask = (Send(source, CatchUp(missing)),) if missing < heartbeat.decided_count else ()
        return Step(followed, (*saved, *ask, *following(replica.role)))

    def refuse(self, replica: Replica, source: NodeId, ballot: Ballot) -> Step:
        """An acceptor says no, and names its promise, so that the next bid can be high enough."""
        return Step(replica, (Send(source, Refused(ballot, replica.promised)),))

    def pledge(self, replica: Replica, ballot: Ballot, votes: tuple[Vote, ...] = ()) -> Step:
        """A node binds itself to ``ballot`` and casts ``votes`` in it: it saves, then testifies.

        A promise to somebody else's higher ballot ends its own candidacy or leadership. The storage
        comes first among the effects, because a promise or vote that somebody has heard of and that
        a crash then undoes may undo a choice (Paxos Made Simple, section 2.5; the priests of The
        Part-Time Parliament note both in ink, in the back of the ledger). What it is bound to
        already costs nothing.
        """
        new = tuple(vote for vote in votes if at(replica.votes, vote.slot) != vote)
        higher = ballot > replica.promised
        if not new and not higher:
            return Step(replica)
        bound = replace(
            replica,
            promised=ballot if higher else replica.promised,
            votes=placed(replica.votes, new),
            role=FOLLOWER if higher else replica.role,
        )
        promises = (Promise(ballot),) if higher else ()
        return Step(bound, (Persist(bound.storage), *promises, *new))
