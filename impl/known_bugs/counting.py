"""Bugs of counting votes: how a leader may believe a value to be chosen that is not.

Each class is the clean implementation with one method, or one setting, replaced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from indelible.impl.multipaxos import Accepted, MultiPaxos, Replica
from indelible.model.events import NodeId
from indelible.model.implementation import Step
from indelible.model.quorums import FlexibleQuorums, QuorumSystem

__all__ = [
    "AckAnyBallot",
    "DupAckCounted",
    "FlexMisconfig",
    "PhaseTwoQuorumHalf",
    "QuorumHalfEven",
]


APART: Final = FlexibleQuorums(phase1_size=1, phase2_size=2)


class DupAckCounted(MultiPaxos):
    """A leader counts votes, not the nodes that cast them.

    One vote delivered twice makes a quorum that is none, and the value is announced before it is
    chosen (Paxos Made Simple, section 2.2). Reproduced with published code (thomastiotto, ajdavis).
    """

    name = "dup_ack_counted"

    def count_vote(self, members: Collection[NodeId], node: NodeId) -> Collection[NodeId]:
        return (*members, node)


class AckAnyBallot(MultiPaxos):
    """A leader counts the votes for its proposals of earlier ballots too.

    Votes in different ballots do not add up, not even those for one value: it is announced before
    it is chosen (Paxos Made Simple, section 2.2). Reproduced with published code, where votes are
    counted by slot (enriquefynn).
    """

    name = "ack_any_ballot"

    def on_accepted(self, replica: Replica, source: NodeId, accepted: Accepted) -> Step:
        return super().on_accepted(replica, source, replace(accepted, ballot=replica.promised))


class PhaseTwoQuorumHalf(MultiPaxos):
    """Half of the nodes, rounded down, are enough to choose.

    Such a quorum need not meet the one that elects the next leader, which will not hear of the
    choice (Paxos Made Simple, section 2.2). Reported in the class of quorum slips found in 1Paxos.
    """

    name = "phase2_quorum_half"

    def enough_votes(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= len(nodes) // 2


class QuorumHalfEven(MultiPaxos):
    """Half of the nodes, rounded up, are enough to choose: of four nodes, two.

    With an odd number of nodes this is a majority, and with an even one it is not (Paxos Made
    Simple, section 2.2). Read in published code (raftos, enriquefynn).
    """

    name = "quorum_half_even"

    def enough_votes(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= (len(nodes) + 1) // 2


@dataclass(frozen=True)
class FlexMisconfig(MultiPaxos):
    """Quorums of different sizes for the two phases, too small to meet.

    The clean implementation, told to be content with one node of three in Phase 1 and two in Phase
    2. Safe are sizes whose sum exceeds the number of nodes (Flexible Paxos, section 3); reported as
    the precondition that configurations miss.
    """

    name = "flex_misconfig"

    quorums: QuorumSystem = APART
