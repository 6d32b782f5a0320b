"""Timers: their names, their delays, and which of them run in which role. No clock lives here.

A delay is a range from which the world picks, so that two candidates do not bid in step for ever,
and a node's own steps stay deterministic.
"""

from __future__ import annotations

from typing import Final

from indelible.impl.multipaxos.replica import Candidate, Leader, Replica, Role
from indelible.model.effects import CancelTimer, Effect, SetTimer

__all__ = [
    "AWAIT_LEADER",
    "ELECTION",
    "HEARTBEAT",
    "RETRANSMIT",
    "SEND_AGAIN",
    "SEND_HEARTBEAT",
    "await_election",
    "following",
    "leading",
]

ELECTION: Final = "election"
HEARTBEAT: Final = "heartbeat"
RETRANSMIT: Final = "retransmit"

# A follower hears at least two heartbeats before it runs out of patience.
AWAIT_LEADER: Final = SetTimer(ELECTION, (10, 20))
SEND_HEARTBEAT: Final = SetTimer(HEARTBEAT, (4, 4))
SEND_AGAIN: Final = SetTimer(RETRANSMIT, (5, 5))

DOUBLINGS_MAX: Final = 4


def following(role: Role) -> tuple[Effect, ...]:
    """The timers of a node that was ``role`` and now gives a leader, or a candidate, its time."""
    if isinstance(role, Leader):
        return (CancelTimer(HEARTBEAT), CancelTimer(RETRANSMIT), AWAIT_LEADER)
    if isinstance(role, Candidate):
        return (CancelTimer(RETRANSMIT), AWAIT_LEADER)
    return (AWAIT_LEADER,)


def leading() -> tuple[Effect, ...]:
    """The timers of a candidate that has just won."""
    return (CancelTimer(ELECTION), SEND_HEARTBEAT, SEND_AGAIN)


def await_election(replica: Replica) -> SetTimer:
    """How long a candidate waits for its election before it bids again.

    The range doubles with each round since the last one in which this node voted for anything, up
    to a limit, because those are rounds in which candidates may have disturbed each other (Paxos
    Made Moderately Complex, section 3, lets the wait grow with the ballot too). The number follows
    from what is there; a counter of campaigns would multiply the states. A node that has
    voted above its promise, as only a broken one does, waits no longer than usual.
    """
    voted = max((vote.ballot.round for vote in replica.votes), default=0)
    doublings = min(max(0, replica.promised.round - voted - 1), DOUBLINGS_MAX)
    least, most = AWAIT_LEADER.after
    return SetTimer(ELECTION, (least, most << doublings))
