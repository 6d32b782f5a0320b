"""Replica: everything one node knows, as a value. No protocol step lives here.

The state is the smallest that decides how the node behaves from now on. Nothing is kept that
follows from the rest (the ballot of a candidate or leader is its own promise; the executed commands
follow from the decided entries), and nothing that can matter no more (a leader forgets who
promised, and its proposal once it is decided). Two nodes that behave alike are therefore equal
values, which is what lets a checker visit all states.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

from indelible.impl.multipaxos.ballot import NO_BALLOT, Ballot
from indelible.impl.multipaxos.log import Decisions, Slotted, at
from indelible.model.effects import Slot, Value, Vote
from indelible.model.events import NodeId

__all__ = [
    "FOLLOWER",
    "Candidate",
    "Follower",
    "Leader",
    "Proposal",
    "Replica",
    "Role",
    "Storage",
]


@dataclass(frozen=True, slots=True)
class Follower:
    """Answers others, and waits to hear from a leader."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Bids for leadership with the ballot it has promised itself.

    ``promised_by`` are the nodes that have promised, itself among them; ``votes`` are the votes
    that bind it, so far: in each slot the one with the highest ballot that was reported.
    """

    promised_by: Collection[NodeId]
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value that the leader has proposed in ``slot``, and who has voted for it."""

    slot: Slot
    value: Value
    voters: Collection[NodeId]


@dataclass(frozen=True, slots=True)
class Leader:
    """Has won the ballot it has promised itself; ``proposals`` are those not yet decided."""

    proposals: tuple[Proposal, ...] = ()


Role: TypeAlias = Follower | Candidate | Leader

FOLLOWER: Final = Follower()


@dataclass(frozen=True, slots=True)
class Storage:
    """What must outlive a crash: the promise and, in every slot, the latest vote.

    A node's own round needs no place of its own, because a candidate first promises to itself.
    Decided entries need none either: a quorum's votes hold them, and catching up brings them back.
    """

    promised: Ballot
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Replica:
    """One node: acceptor (``promised``, ``votes``), learner (``decided``), proposer (``role``)."""

    node: NodeId
    nodes: tuple[NodeId, ...]
    promised: Ballot = NO_BALLOT
    votes: tuple[Vote, ...] = ()
    decided: Decisions = ()
    role: Role = FOLLOWER

    @property
    def peers(self) -> tuple[NodeId, ...]:
        """The other nodes."""
        return tuple(node for node in self.nodes if node != self.node)

    @property
    def leader(self) -> NodeId | None:
        """The node that is the leader for all this one knows, if that is another one."""
        if self.promised == NO_BALLOT or self.promised.node == self.node:
            return None
        return self.promised.node

    @property
    def storage(self) -> Storage:
        """What a restart must find again."""
        return Storage(self.promised, self.votes)

    @property
    def open_votes(self) -> tuple[Vote, ...]:
        """The votes in slots not known to be decided: all that may still bind a new leader."""
        if not self.decided:
            return self.votes
        return tuple(vote for vote in self.votes if at(self.decided, vote.slot) is None)

    def check(self) -> None:
        """Raise ``AssertionError`` unless the parts fit together."""
        _check_log(self.votes)
        _check_log(self.decided)
        assert all(vote.ballot <= self.promised for vote in self.votes), "a vote above the promise"
        if not isinstance(self.role, Follower):
            assert self.promised.node == self.node, "leads or bids with somebody else's ballot"
        if isinstance(self.role, Candidate):
            _check_log(self.role.votes)
            assert self.node in self.role.promised_by, "bids without its own promise"
        if isinstance(self.role, Leader):
            self._check_proposals(self.role.proposals)

    def _check_proposals(self, proposals: tuple[Proposal, ...]) -> None:
        _check_log(proposals)
        for proposal in proposals:
            vote = Vote(proposal.slot, self.promised, proposal.value)
            assert at(self.votes, proposal.slot) == vote, "proposes what it has not voted for"
            assert at(self.decided, proposal.slot) is None, "proposes in a decided slot"


def _check_log(log: tuple[Slotted, ...]) -> None:
    slots = [item.slot for item in log]
    assert slots == sorted(set(slots)), f"not sorted, or a slot twice: {slots}"
