"""Timers: who runs which, and what each does when it fires."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.impl.multipaxos import (
    Accept,
    Ballot,
    Candidate,
    Follower,
    Heartbeat,
    Leader,
    MultiPaxos,
    Prepare,
    Proposal,
    Replica,
)
from indelible.impl.multipaxos.timers import (
    AWAIT_LEADER,
    SEND_AGAIN,
    SEND_HEARTBEAT,
    await_election,
    following,
)
from indelible.model.effects import CancelTimer, Send, SetTimer, Vote
from indelible.model.events import Receive, Timeout
from indelible.model.implementation import Step

NODES = (0, 1, 2)
PAXOS = MultiPaxos()
B10 = Ballot(1, 0)
FOLLOWER = Replica(0, NODES, B10)
CANDIDATE = replace(FOLLOWER, role=Candidate(frozenset({0, 2}), ()))
LEADER = replace(FOLLOWER, role=Leader())


def fire(replica: Replica, timer: object) -> Step:
    return PAXOS.handle(replica.node, replica, Timeout(timer))


def test_a_follower_outwaits_two_heartbeats() -> None:
    assert AWAIT_LEADER.after[0] > 2 * SEND_HEARTBEAT.after[1]


def test_candidates_do_not_wait_in_step() -> None:
    least, most = AWAIT_LEADER.after
    assert most >= 2 * least


def test_a_heartbeat_goes_to_everybody_and_is_armed_again() -> None:
    message = Heartbeat(B10, 0)
    assert fire(LEADER, "heartbeat") == Step(
        LEADER, (Send(1, message), Send(2, message), SEND_HEARTBEAT)
    )


def test_a_candidate_asks_those_again_who_have_not_promised() -> None:
    assert fire(CANDIDATE, "retransmit") == Step(CANDIDATE, (Send(1, Prepare(B10)), SEND_AGAIN))


def test_a_leader_asks_those_again_who_have_not_voted() -> None:
    votes = (Vote(0, B10, "a"), Vote(1, B10, "b"))
    nodes = (0, 1, 2, 3, 4)
    proposals = (Proposal(0, "a", frozenset({0, 1})), Proposal(1, "b", frozenset({0, 2, 3})))
    leader = Replica(0, nodes, B10, votes, role=Leader(proposals))
    assert fire(leader, "retransmit") == Step(
        leader,
        (
            Send(2, Accept(B10, 0, "a")),
            Send(3, Accept(B10, 0, "a")),
            Send(4, Accept(B10, 0, "a")),
            Send(1, Accept(B10, 1, "b")),
            Send(4, Accept(B10, 1, "b")),
            SEND_AGAIN,
        ),
    )


def test_an_idle_leader_keeps_the_timer_running() -> None:
    assert fire(LEADER, "retransmit") == Step(LEADER, (SEND_AGAIN,))


@pytest.mark.parametrize(
    ("replica", "timer"),
    [
        (LEADER, "election"),
        (FOLLOWER, "heartbeat"),
        (CANDIDATE, "heartbeat"),
        (FOLLOWER, "retransmit"),
        (FOLLOWER, "some other timer"),
    ],
)
def test_a_timer_that_the_role_does_not_run_changes_nothing(replica: Replica, timer: str) -> None:
    assert fire(replica, timer) == Step(replica)


def test_a_message_of_another_protocol_changes_nothing() -> None:
    assert PAXOS.handle(0, LEADER, Receive(1, ("AppendEntries", 7))) == Step(LEADER)


@pytest.mark.parametrize(
    ("role", "cancelled"),
    [
        (Follower(), ()),
        (Candidate(frozenset({0}), ()), (CancelTimer("retransmit"),)),
        (Leader(), (CancelTimer("heartbeat"), CancelTimer("retransmit"))),
    ],
)
def test_a_follower_runs_the_election_timer_only(
    role: Follower | Candidate | Leader, cancelled: tuple[CancelTimer, ...]
) -> None:
    assert following(role) == (*cancelled, AWAIT_LEADER)


@pytest.mark.parametrize(
    ("promised", "voted", "after"),
    [(1, 0, (10, 20)), (2, 0, (10, 40)), (4, 3, (10, 20)), (9, 3, (10, 320)), (99, 0, (10, 320))],
)
def test_the_range_doubles_with_each_round_since_the_last_vote(
    promised: int, voted: int, after: tuple[int, int]
) -> None:
    votes = (Vote(0, Ballot(voted, 1), "a"),) if voted else ()
    replica = Replica(0, NODES, Ballot(promised, 0), votes)
    assert await_election(replica) == SetTimer("election", after)
