"""Multi-Paxos: the reference implementation, and the first defendant.

Read it from the bottom up: ``ballot``, ``log``, ``messages`` and ``replica`` are values;
``learner``, ``acceptor`` and ``proposer`` are the protocol's steps, each built on the one before;
``protocol`` joins them to the contract.
"""

from indelible.impl.multipaxos.ballot import NO_BALLOT, Ballot
from indelible.impl.multipaxos.log import Entry
from indelible.impl.multipaxos.messages import (
    Accept,
    Accepted,
    CatchUp,
    Decided,
    Heartbeat,
    NotLeader,
    Prepare,
    Promised,
    Refused,
)
from indelible.impl.multipaxos.protocol import MultiPaxos
from indelible.impl.multipaxos.replica import (
    Candidate,
    Follower,
    Leader,
    Proposal,
    Replica,
    Storage,
)

__all__ = [
    "NO_BALLOT",
    "Accept",
    "Accepted",
    "Ballot",
    "Candidate",
    "CatchUp",
    "Decided",
    "Entry",
    "Follower",
    "Heartbeat",
    "Leader",
    "MultiPaxos",
    "NotLeader",
    "Prepare",
    "Promised",
    "Proposal",
    "Refused",
    "Replica",
    "Storage",
]
