"""Phase 2, message by message: Submit, Accept, Accepted, Refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.impl.multipaxos import (
    Accept,
    Accepted,
    Ballot,
    Candidate,
    Decided,
    Entry,
    Follower,
    Leader,
    MultiPaxos,
    NotLeader,
    Proposal,
    Refused,
    Replica,
    Storage,
)
from indelible.impl.multipaxos.timers import AWAIT_LEADER
from indelible.model.effects import (
    CancelTimer,
    Decide,
    Execute,
    Persist,
    Promise,
    Reply,
    Send,
    Vote,
)
from indelible.model.events import Receive, Submit
from indelible.model.implementation import Step
from indelible.model.quorums import FlexibleQuorums

NODES = (0, 1, 2)
PAXOS = MultiPaxos()
B10, B11, B20, B21 = Ballot(1, 0), Ballot(1, 1), Ballot(2, 0), Ballot(2, 1)
LEADER = Replica(0, NODES, B10, role=Leader())
FOLLOWER = Replica(2, NODES, B10)


def receive(replica: Replica, source: int, message: object, paxos: MultiPaxos = PAXOS) -> Step:
    return paxos.handle(replica.node, replica, Receive(source, message))


def submit(replica: Replica, command: str, paxos: MultiPaxos = PAXOS) -> Step:
    return paxos.handle(replica.node, replica, Submit(command))


def proposing(*values: str, nodes: tuple[int, ...] = NODES) -> Replica:
    """Node 0 as leader of ballot 1.0 that has proposed ``values`` in the first slots."""
    own = frozenset({0})
    votes = tuple(Vote(slot, B10, value) for slot, value in enumerate(values))
    proposals = tuple(Proposal(slot, value, own) for slot, value in enumerate(values))
    return Replica(0, nodes, B10, votes, role=Leader(proposals))


class TestSubmit:
    def test_a_leader_votes_saves_and_asks_for_votes(self) -> None:
        state, effects = submit(LEADER, "a")
        assert state == proposing("a")
        assert effects == (
            Persist(Storage(B10, (Vote(0, B10, "a"),))),
            Vote(0, B10, "a"),
            Send(1, Accept(B10, 0, "a")),
            Send(2, Accept(B10, 0, "a")),
        )

    def test_the_next_command_does_not_wait_for_the_first(self) -> None:
        state, effects = submit(proposing("a"), "b")
        assert state == proposing("a", "b")
        assert Send(1, Accept(B10, 1, "b")) in effects

    def test_the_next_slot_is_after_decided_ones_too(self) -> None:
        leader = replace(LEADER, decided=(Entry(0, "x"), Entry(4, "y")))
        assert submit(leader, "a").state.votes == (Vote(5, B10, "a"),)

    def test_an_executed_command_is_answered_again_and_not_proposed(self) -> None:
        leader = replace(LEADER, decided=(Entry(0, "a"), Entry(1, "b")))
        assert submit(leader, "b") == Step(leader, (Reply("b", 1),))

    def test_a_command_under_way_is_left_alone(self) -> None:
        assert submit(proposing("a", "b"), "a") == Step(proposing("a", "b"))

    def test_a_command_decided_beyond_a_gap_is_left_alone(self) -> None:
        leader = replace(LEADER, decided=(Entry(1, "b"),))
        assert submit(leader, "b") == Step(leader)

    @pytest.mark.parametrize(
        ("replica", "leader"),
        [
            (Replica(2, NODES), None),
            (FOLLOWER, 0),
            (Replica(2, NODES, Ballot(3, 2), role=Candidate(frozenset({2}), ())), None),
        ],
        ids=["nobody known", "follower", "candidate"],
    )
    def test_others_refuse_and_name_the_leader(self, replica: Replica, leader: int | None) -> None:
        assert submit(replica, "a") == Step(replica, (Reply("a", NotLeader(leader)),))

    def test_a_node_alone_decides_at_once(self) -> None:
        state, effects = submit(Replica(0, (0,), B10, role=Leader()), "a")
        vote = Vote(0, B10, "a")
        assert state == Replica(0, (0,), B10, (vote,), (Entry(0, "a"),), Leader())
        assert effects == (
            Persist(Storage(B10, (vote,))),
            vote,
            Decide(0, "a"),
            Execute(0, "a"),
            Reply("a", 0),
        )


class TestAccept:
    def test_a_vote_is_saved_before_it_is_told(self) -> None:
        vote = Vote(0, B10, "a")
        state, effects = receive(FOLLOWER, 0, Accept(B10, 0, "a"))
        assert state == replace(FOLLOWER, votes=(vote,))
        assert effects == (
            Persist(Storage(B10, (vote,))),
            vote,
            Send(0, Accepted(B10, 0)),
            AWAIT_LEADER,
        )

    def test_the_same_proposal_gets_the_same_answer_for_free(self) -> None:
        voted = receive(FOLLOWER, 0, Accept(B10, 0, "a")).state
        again = receive(voted, 0, Accept(B10, 0, "a"))
        assert again == Step(voted, (Send(0, Accepted(B10, 0)), AWAIT_LEADER))

    def test_a_higher_ballot_is_promised_with_the_vote(self) -> None:
        vote = Vote(0, B21, "a")
        state, effects = receive(FOLLOWER, 1, Accept(B21, 0, "a"))
        assert state == replace(FOLLOWER, promised=B21, votes=(vote,))
        assert effects[:3] == (Persist(Storage(B21, (vote,))), Promise(B21), vote)

    def test_a_lower_ballot_is_refused_with_the_promise(self) -> None:
        bound = replace(FOLLOWER, promised=B21)
        step = receive(bound, 0, Accept(B10, 0, "a"))
        assert step == Step(bound, (Send(0, Refused(B10, B21)),))

    def test_a_later_vote_takes_the_place_of_an_earlier_one_in_its_slot_only(self) -> None:
        votes = (Vote(0, B10, "a"), Vote(1, B10, "b"))
        voted = receive(replace(FOLLOWER, votes=votes), 1, Accept(B21, 0, "c")).state
        assert voted.votes == (Vote(0, B21, "c"), Vote(1, B10, "b"))

    def test_a_leader_that_votes_for_another_steps_down(self) -> None:
        state, effects = receive(proposing("a"), 1, Accept(B11, 0, "b"))
        assert state.role == Follower()
        assert state.votes == (Vote(0, B11, "b"),)
        assert effects[-3:] == (CancelTimer("heartbeat"), CancelTimer("retransmit"), AWAIT_LEADER)


class TestAccepted:
    def test_a_majority_decides_tells_executes_and_answers(self) -> None:
        state, effects = receive(proposing("a"), 2, Accepted(B10, 0))
        assert state == replace(proposing("a"), decided=(Entry(0, "a"),), role=Leader())
        assert effects == (
            Send(1, Decided(0, "a")),
            Send(2, Decided(0, "a")),
            Decide(0, "a"),
            Execute(0, "a"),
            Reply("a", 0),
        )

    def test_less_than_a_majority_is_only_counted(self) -> None:
        leader = proposing("a", nodes=(0, 1, 2, 3, 4))
        state, effects = receive(leader, 2, Accepted(B10, 0))
        assert state.role == Leader((Proposal(0, "a", frozenset({0, 2})),))
        assert effects == ()

    def test_the_same_vote_twice_counts_once(self) -> None:
        once = receive(proposing("a", nodes=(0, 1, 2, 3, 4)), 2, Accepted(B10, 0)).state
        assert receive(once, 2, Accepted(B10, 0)) == Step(once)

    def test_a_vote_after_the_decision_changes_nothing(self) -> None:
        decided = receive(proposing("a"), 2, Accepted(B10, 0)).state
        assert receive(decided, 1, Accepted(B10, 0)) == Step(decided)

    def test_a_vote_in_another_ballot_counts_nothing(self) -> None:
        leader = Replica(0, NODES, B20, (Vote(0, B20, "b"),), role=proposing("b").role)
        assert receive(leader, 2, Accepted(B10, 0)) == Step(leader)

    @pytest.mark.parametrize("role", [Follower(), Candidate(frozenset({0}), ())])
    def test_only_a_leader_counts(self, role: Follower | Candidate) -> None:
        replica = replace(proposing("a"), role=role)
        assert receive(replica, 2, Accepted(B10, 0)) == Step(replica)

    def test_entries_decided_out_of_order_are_executed_in_order(self) -> None:
        first, effects = receive(proposing("a", "b"), 2, Accepted(B10, 1))
        assert effects[-1:] == (Decide(1, "b"),)
        assert receive(first, 2, Accepted(B10, 0)).effects[2:] == (
            Decide(0, "a"),
            Execute(0, "a"),
            Reply("a", 0),
            Execute(1, "b"),
            Reply("b", 1),
        )

    def test_phase_2_takes_what_the_quorum_system_says(self) -> None:
        paxos = MultiPaxos(FlexibleQuorums(phase1_size=1, phase2_size=3))
        two = receive(proposing("a"), 1, Accepted(B10, 0), paxos).state
        assert two.decided == ()
        assert receive(two, 2, Accepted(B10, 0), paxos).state.decided == (Entry(0, "a"),)

    def test_where_one_vote_is_a_quorum_a_leader_decides_as_it_proposes(self) -> None:
        paxos = MultiPaxos(FlexibleQuorums(phase1_size=3, phase2_size=1))
        state, effects = submit(LEADER, "a", paxos)
        assert state.decided == (Entry(0, "a"),)
        assert effects.index(Send(1, Accept(B10, 0, "a"))) < effects.index(Decide(0, "a"))


class TestRefused:
    @pytest.mark.parametrize(
        ("role", "cancelled"),
        [
            (Candidate(frozenset({0}), ()), (CancelTimer("retransmit"),)),
            (Leader(), (CancelTimer("heartbeat"), CancelTimer("retransmit"))),
        ],
        ids=["candidate", "leader"],
    )
    def test_a_higher_promise_ends_candidacy_and_leadership(
        self, role: Candidate | Leader, cancelled: tuple[CancelTimer, ...]
    ) -> None:
        replica = replace(LEADER, role=role)
        state, effects = receive(replica, 1, Refused(B10, Ballot(4, 1)))
        assert state == Replica(0, NODES, Ballot(4, 1))
        assert effects == (
            Persist(Storage(Ballot(4, 1), ())),
            Promise(Ballot(4, 1)),
            *cancelled,
            AWAIT_LEADER,
        )

    def test_a_refusal_of_an_earlier_ballot_changes_nothing(self) -> None:
        leader = replace(LEADER, promised=B20)
        assert receive(leader, 1, Refused(B10, B11)) == Step(leader)

    def test_a_follower_has_nothing_left_to_lose(self) -> None:
        follower = Replica(0, NODES, B10)
        assert receive(follower, 1, Refused(B10, B21)) == Step(follower)

    def test_proposals_are_forgotten_but_votes_are_not(self) -> None:
        state = receive(proposing("a"), 1, Refused(B10, B11)).state
        assert state.role == Follower()
        assert state.votes == (Vote(0, B10, "a"),)
