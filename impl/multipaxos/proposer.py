"""Proposer: how a ballot is bid for and won, and how its leader gets entries chosen.

Phase 1 runs once per ballot, for the whole log; Phase 2 once per entry. A candidate or leader is
its own acceptor: it saves its promise or vote before it asks others for theirs, and sends itself
no messages.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from indelible.impl.multipaxos.acceptor import Acceptor
from indelible.impl.multipaxos.ballot import Ballot
from indelible.impl.multipaxos.log import Decisions, Entry, at, next_slot, placed
from indelible.impl.multipaxos.messages import (
    Accept,
    Accepted,
    Decided,
    Heartbeat,
    Message,
    NotLeader,
    Prepare,
    Promised,
    Refused,
)
from indelible.impl.multipaxos.replica import Candidate, Follower, Leader, Proposal, Replica
from indelible.impl.multipaxos.timers import (
    SEND_AGAIN,
    SEND_HEARTBEAT,
    await_election,
    following,
    leading,
)
from indelible.model.effects import NO_OP, Effect, Lead, Reply, Send, Slot, Value, Vote
from indelible.model.events import Command, NodeId
from indelible.model.implementation import Step
from indelible.model.quorums import MajorityQuorums, QuorumSystem

__all__ = ["Proposer"]

MAJORITIES: Final = MajorityQuorums()


@dataclass(frozen=True)
class Proposer(Acceptor):
    """The part of a node that bids and leads."""

    quorums: QuorumSystem = MAJORITIES

    # Phase 1: winning a ballot.

    def campaign(self, replica: Replica) -> Step:
        """A node that has heard no leader for too long bids for leadership with a higher ballot.

        Enabled unless it leads. It promises to itself first, and this is also what saves its round:
        no ballot is used twice, whatever crashes.
        """
        if isinstance(replica.role, Leader):
            return Step(replica)
        promised, saved = self.pledge(replica, self.next_ballot(replica))
        own = Candidate(frozenset({replica.node}), replica.open_votes)
        candidate = replace(promised, role=own)
        prepares = _sends(replica.peers, Prepare(candidate.promised))
        timers = (SEND_AGAIN, await_election(candidate))
        return self.lead_if_elected(candidate, (*saved, *prepares, *timers))

    def next_ballot(self, replica: Replica) -> Ballot:
        """The lowest own ballot above everything this node has promised."""
        return Ballot(replica.promised.round + 1, replica.node)

    def on_promised(self, replica: Replica, source: NodeId, promised: Promised) -> Step:
        """A candidate collects promises for its ballot, and what they report.

        Enabled while it still bids with that very ballot: a promise to an earlier one says nothing
        about votes cast since, and one that comes after the election changes nothing any more.
        """
        bid = replica.role
        if not isinstance(bid, Candidate) or promised.ballot != replica.promised:
            return Step(replica)
        learned, effects = self.learn(replica, promised.decided)
        heard = Candidate(
            promised_by=self.count_promise(bid.promised_by, source),
            votes=self.binding_votes(bid.votes, promised.votes),
        )
        return self.lead_if_elected(replace(learned, role=heard), effects)

    def count_promise(self, members: Collection[NodeId], node: NodeId) -> Collection[NodeId]:
        """Who has promised, with one more; a node that says so twice counts once."""
        return frozenset({*members, node})

    def binding_votes(
        self, votes: tuple[Vote, ...], reported: tuple[Vote, ...]
    ) -> tuple[Vote, ...]:
        """In every slot, the one of the votes heard of so far that binds a new leader."""
        return placed(votes, (self.binding_vote(at(votes, vote.slot), vote) for vote in reported))

    def binding_vote(self, vote: Vote | None, other: Vote) -> Vote:
        """The vote with the higher ballot.

        If any value was chosen below the candidate's ballot, the highest vote that a quorum reports
        is for that value (Paxos Made Simple, P2c).
        """
        return other if vote is None or other.ballot > vote.ballot else vote

    def lead_if_elected(self, replica: Replica, effects: tuple[Effect, ...]) -> Step:
        """A candidate becomes leader once a phase-1 quorum has promised; ``effects`` come first."""
        bid = replica.role
        assert isinstance(bid, Candidate)
        if not self.enough_promises(bid.promised_by, replica.nodes):
            return Step(replica, effects)
        led, more = self.lead(replica, bid.votes)
        return Step(led, (*effects, *more))

    def enough_promises(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        """Whether the promises meet every quorum that may have chosen something before."""
        return self.quorums.is_phase1_quorum(members, nodes)

    def lead(self, replica: Replica, votes: tuple[Vote, ...]) -> Step:
        """A new leader proposes, in its own ballot, whatever may be chosen already, all at once.

        It cannot tell which of the values it has heard of are chosen, so it treats all as if they
        were; they go through Phase 2 again beside whatever new commands arrive.
        """
        leader = replace(replica, role=Leader())
        proposed, effects = self.propose(leader, self.recovered(replica.decided, votes))
        return Step(proposed, (Lead(replica.promised), *effects, *leading()))

    def recovered(self, decided: Decisions, votes: tuple[Vote, ...]) -> Decisions:
        """An entry for every slot that is not decided, up to the last that anybody has used."""
        slots = range(next_slot(decided, votes))
        return tuple(
            Entry(slot, self.recovered_value(votes, slot))
            for slot in slots
            if at(decided, slot) is None
        )

    def recovered_value(self, votes: tuple[Vote, ...], slot: Slot) -> Value:
        """The value of the vote that binds, or a no-op where nothing can have been chosen.

        Without the no-op, later entries could not be executed until a client happened to fill the
        gap, and would then be overtaken by a younger command (Paxos Made Simple, section 3).
        """
        vote = at(votes, slot)
        return NO_OP if vote is None else vote.value

    # Phase 2: getting entries chosen.

    def on_submit(self, replica: Replica, command: Command) -> Step:
        """A leader proposes a client's command in the next free slot; others name the leader.

        A command that is executed is only answered again. One that is under way is left alone: the
        answer will follow its execution.
        """
        if not isinstance(replica.role, Leader):
            return Step(replica, (Reply(command, NotLeader(replica.leader)),))
        done = self.executed(replica.decided)
        if command in done:
            return Step(replica, (Reply(command, done.index(command)),))
        under_way = {entry.value for entry in replica.decided}
        under_way |= {proposal.value for proposal in replica.role.proposals}
        if self.is_repeat(command, under_way):
            return Step(replica)
        return self.propose(replica, (Entry(self.free_slot(replica), command),))

    def free_slot(self, replica: Replica) -> Slot:
        """The slot after all that are decided or proposed.

        A leader has proposed in every slot in which a value may be chosen, so this one is free.
        """
        assert isinstance(replica.role, Leader)
        return next_slot(replica.decided, replica.role.proposals)

    def propose(self, replica: Replica, entries: Decisions) -> Step:
        """A leader votes for the entries, and asks all others for their votes.

        Enabled for slots in which it has proposed nothing in this ballot, since a ballot must not
        hold two values in one slot. Several entries may be under way, in any number of slots.
        """
        assert isinstance(replica.role, Leader)
        votes = tuple(Vote(slot, replica.promised, value) for slot, value in entries)
        voted, saved = self.pledge(replica, replica.promised, votes)
        own = frozenset({replica.node})
        new = tuple(Proposal(slot, value, own) for slot, value in entries)
        leader = replace(voted, role=Leader(placed(replica.role.proposals, new)))
        accepts = (accept for proposal in new for accept in _accepts(leader, proposal))
        decided, effects = self.decide_chosen(leader, new)
        return Step(decided, (*saved, *accepts, *effects))

    def on_accepted(self, replica: Replica, source: NodeId, accepted: Accepted) -> Step:
        """A leader counts the votes for a proposal of its ballot that is still open.

        Votes in other ballots are for other proposals, even in the same slot.
        """
        if not isinstance(replica.role, Leader) or accepted.ballot != replica.promised:
            return Step(replica)
        open_proposals = replica.role.proposals
        proposal = at(open_proposals, accepted.slot)
        if proposal is None:
            return Step(replica)
        counted = replace(proposal, voters=self.count_vote(proposal.voters, source))
        leader = replace(replica, role=Leader(placed(open_proposals, (counted,))))
        return self.decide_chosen(leader, (counted,))

    def count_vote(self, members: Collection[NodeId], node: NodeId) -> Collection[NodeId]:
        """Who has voted, with one more; a node that says so twice counts once."""
        return frozenset({*members, node})

    def decide_chosen(self, replica: Replica, proposals: tuple[Proposal, ...]) -> Step:
        """A leader knows a value is chosen once a phase-2 quorum has voted, and tells everybody."""
        chosen = tuple(
            Entry(proposal.slot, proposal.value)
            for proposal in proposals
            if self.enough_votes(proposal.voters, replica.nodes)
        )
        learned, effects = self.learn(replica, chosen)
        news = (send for entry in chosen for send in _sends(replica.peers, Decided(*entry)))
        return Step(learned, (*news, *effects))

    def enough_votes(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        """Whether the votes choose: no leader to come can win without hearing of one of them."""
        return self.quorums.is_phase2_quorum(members, nodes)

    # Keeping going, and letting go.

    def on_refused(self, replica: Replica, refused: Refused) -> Step:
        """A candidate or leader that is told of a higher ballot steps down, and promises it.

        Enabled while it still bids or leads with the refused ballot. Thanks to the promise its next
        bid will be higher than what it was refused for.
        """
        if isinstance(replica.role, Follower) or refused.ballot != replica.promised:
            return Step(replica)
        followed, saved = self.pledge(replica, refused.promised)
        return Step(followed, (*saved, *following(replica.role)))

    def heartbeat(self, replica: Replica) -> Step:
        """A leader holds elections off, and lets others notice what they have missed."""
        if not isinstance(replica.role, Leader):
            return Step(replica)
        message = Heartbeat(replica.promised, self.missing_from(replica))
        return Step(replica, (*_sends(replica.peers, message), SEND_HEARTBEAT))

    def retransmit(self, replica: Replica) -> Step:
        """A candidate or leader asks again those whose answer it still needs.

        Safe because every message may be delivered twice anyhow.
        """
        match replica.role:
            case Candidate(promised_by, _):
                silent = tuple(node for node in replica.nodes if node not in promised_by)
                return Step(replica, (*_sends(silent, Prepare(replica.promised)), SEND_AGAIN))
            case Leader(proposals):
                accepts = (again for open in proposals for again in _accepts(replica, open))
                return Step(replica, (*accepts, SEND_AGAIN))
        return Step(replica)


def _sends(nodes: tuple[NodeId, ...], message: Message) -> tuple[Send, ...]:
    return tuple(Send(node, message) for node in nodes)


def _accepts(leader: Replica, proposal: Proposal) -> tuple[Send, ...]:
    """The proposal, to everybody who has not voted for it."""
    silent = tuple(node for node in leader.nodes if node not in proposal.voters)
    return _sends(silent, Accept(leader.promised, proposal.slot, proposal.value))
