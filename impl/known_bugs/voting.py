"""Bugs of Phase 2: how a leader may believe a value to be chosen that is not.

Each class is the clean implementation with one method replaced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from indelible.impl.multipaxos import Accept, Accepted, MultiPaxos, Replica
from indelible.model.effects import Send
from indelible.model.events import NodeId
from indelible.model.implementation import Step
from indelible.model.quorums import FlexibleQuorums, QuorumSystem

__all__ = [
    "AcceptBelowPromise",
    "AckWithoutStoring",
    "DupAckCounted",
    "FlexMisconfig",
    "PhaseTwoQuorumHalf",
]


APART: Final = FlexibleQuorums(phase1_size=1, phase2_size=2)


class AcceptBelowPromise(MultiPaxos):
    """An acceptor votes in any ballot, whatever it has promised.

    An old leader gets a value chosen that the new one, elected before that vote, has not heard of:
    against P1a of Paxos Made Simple. The textbook's own example of what a promise is for.
    """

    name = "accept_below_promise"

    def may_accept(self, replica: Replica, accept: Accept) -> bool:
        return True


class AckWithoutStoring(MultiPaxos):
    """An acceptor that refuses a proposal confirms it all the same.

    The leader counts a vote that nobody cast, and announces a value that is not chosen (Paxos Made
    Simple, section 2.2). Read in published code (dgkimura).
    """

    name = "ack_without_storing"

    def on_accept(self, replica: Replica, source: NodeId, accept: Accept) -> Step:
        state, effects = super().on_accept(replica, source, accept)
        answer = Send(source, Accepted(accept.ballot, accept.slot))
        return Step(state, effects if answer in effects else (*effects, answer))


class DupAckCounted(MultiPaxos):
    """A leader counts votes, not the nodes that cast them.

    One vote delivered twice makes a quorum that is none, and the value is announced before it is
    chosen (Paxos Made Simple, section 2.2). Reproduced with published code (thomastiotto, ajdavis).
    """

    name = "dup_ack_counted"

    def count_vote(self, members: Collection[NodeId], node: NodeId) -> Collection[NodeId]:
        return (*members, node)


class PhaseTwoQuorumHalf(MultiPaxos):
    """Half of the nodes, rounded down, are enough to choose.

    Such a quorum need not meet the one that elects the next leader, which will not hear of the
    choice (Paxos Made Simple, section 2.2). Reported in the class of quorum slips found in 1Paxos.
    """

    name = "phase2_quorum_half"

    def enough_votes(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= len(nodes) // 2


@dataclass(frozen=True)
class FlexMisconfig(MultiPaxos):
    """Quorums of different sizes for the two phases, too small to meet.

    The clean implementation, told to be content with one node of three in Phase 1 and two in Phase
    2. Safe are sizes whose sum exceeds the number of nodes (Flexible Paxos, section 3); reported as
    the precondition that configurations miss.
    """

    name = "flex_misconfig"

    quorums: QuorumSystem = APART
