"""Bugs of what a leader proposes: how it may misread what it has heard, or overwrite its own.

Each class is the clean implementation with one method replaced.
"""

from __future__ import annotations

from indelible.impl.multipaxos import Entry, Leader, MultiPaxos, Promised, Replica
from indelible.model.effects import NO_OP, Slot, Value, Vote
from indelible.model.events import NodeId
from indelible.model.implementation import Step

__all__ = [
    "ChooseLongestLog",
    "LatePromiseRewrites",
    "NextSlotFromOwnLog",
    "NoopOverwrites",
    "PickLastArrived",
    "PickLowest",
]


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


class ChooseLongestLog(MultiPaxos):
    """A new leader adopts the longest log of votes that it is shown, whatever the ballots in it.

    Of two logs that are equally long it takes the one it is shown, and an old vote that was never
    chosen wins over a newer one that was: against P2c of Paxos Made Simple. Logs must be compared
    by their last ballot first. Read in published code (vsr-trio); reported for neon (#296).
    """

    name = "choose_longest_log"

    def binding_votes(
        self, votes: tuple[Vote, ...], reported: tuple[Vote, ...]
    ) -> tuple[Vote, ...]:
        return max(reported, votes, key=len)


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


class LatePromiseRewrites(MultiPaxos):
    """A leader that hears a promise after its election proposes the votes it reports, once more.

    They come too late to bind: the slots hold other values in this very ballot, against B1 of The
    Part-Time Parliament. Read in published code (thomastiotto, dgkimura).
    """

    name = "late_promise_rewrites"

    def on_promised(self, replica: Replica, source: NodeId, promised: Promised) -> Step:
        if not isinstance(replica.role, Leader) or promised.ballot != replica.promised:
            return super().on_promised(replica, source, promised)
        return self.propose(replica, tuple(Entry(vote.slot, vote.value) for vote in promised.votes))
