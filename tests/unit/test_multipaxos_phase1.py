"""Phase 1, message by message: Prepare, Promised, and winning a ballot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.impl.multipaxos import (
    NO_BALLOT,
    Accept,
    Ballot,
    Candidate,
    Decided,
    Entry,
    Follower,
    Leader,
    MultiPaxos,
    Prepare,
    Promised,
    Proposal,
    Refused,
    Replica,
    Storage,
)
from indelible.impl.multipaxos.timers import AWAIT_LEADER, SEND_AGAIN, SEND_HEARTBEAT
from indelible.model.effects import (
    NO_OP,
    CancelTimer,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    SetTimer,
    Vote,
)
from indelible.model.events import Receive, Timeout
from indelible.model.implementation import Step
from indelible.model.quorums import FlexibleQuorums

NODES = (0, 1, 2)
FIVE = (0, 1, 2, 3, 4)
PAXOS = MultiPaxos()
B10, B11, B20, B21 = Ballot(1, 0), Ballot(1, 1), Ballot(2, 0), Ballot(2, 1)
FRESH = Replica(0, NODES)
TIMERS_OF_A_NEW_LEADER = (CancelTimer("election"), SEND_HEARTBEAT, SEND_AGAIN)


def receive(replica: Replica, source: int, message: object, paxos: MultiPaxos = PAXOS) -> Step:
    return paxos.handle(replica.node, replica, Receive(source, message))


def campaign(replica: Replica, paxos: MultiPaxos = PAXOS) -> Step:
    return paxos.handle(replica.node, replica, Timeout("election"))


def bidding(*votes: Vote, nodes: tuple[int, ...] = NODES, ballot: Ballot = B20) -> Replica:
    """Node 0 as a candidate that has heard of ``votes`` from itself only."""
    role = Candidate(frozenset({0}), votes)
    return Replica(0, nodes, ballot, votes, role=role)


class TestCampaign:
    def test_a_follower_promises_to_itself_then_asks_the_others(self) -> None:
        state, effects = campaign(FRESH)
        assert state == replace(FRESH, promised=B10, role=Candidate(frozenset({0}), ()))
        assert effects == (
            Persist(Storage(B10, ())),
            Promise(B10),
            Send(1, Prepare(B10)),
            Send(2, Prepare(B10)),
            SEND_AGAIN,
            AWAIT_LEADER,
        )

    def test_it_bids_above_what_it_has_promised_to_others(self) -> None:
        assert campaign(replace(FRESH, promised=Ballot(6, 2))).state.promised == Ballot(7, 0)

    def test_it_signs_the_ballot_with_its_own_name(self) -> None:
        assert campaign(Replica(2, NODES)).state.promised == Ballot(1, 2)
        assert campaign(Replica("b", ("a", "b"))).state.promised == Ballot(1, "b")

    def test_its_own_votes_count_like_reported_ones(self) -> None:
        votes = (Vote(0, B11, "a"), Vote(1, B11, "b"))
        follower = replace(FRESH, promised=B11, votes=votes, decided=(Entry(0, "a"),))
        assert campaign(follower).state.role == Candidate(frozenset({0}), votes[1:])

    def test_a_candidate_that_waited_in_vain_forgets_the_old_bid(self) -> None:
        five = replace(bidding(nodes=FIVE), role=Candidate(frozenset({0, 3}), ()))
        state, effects = campaign(five)
        assert state.promised == Ballot(3, 0)
        assert state.role == Candidate(frozenset({0}), ())
        assert Send(3, Prepare(Ballot(3, 0))) in effects

    def test_a_leader_does_not_bid(self) -> None:
        leader = replace(FRESH, promised=B10, role=Leader())
        assert campaign(leader) == Step(leader)

    def test_a_node_alone_wins_at_once(self) -> None:
        state, effects = campaign(Replica(0, (0,)))
        assert state == Replica(0, (0,), B10, role=Leader())
        assert effects == (
            Persist(Storage(B10, ())),
            Promise(B10),
            SEND_AGAIN,
            AWAIT_LEADER,
            Lead(B10),
            *TIMERS_OF_A_NEW_LEADER,
        )


class TestPrepare:
    def test_a_higher_ballot_is_promised_saved_first(self) -> None:
        state, effects = receive(FRESH, 1, Prepare(B11))
        assert state == replace(FRESH, promised=B11)
        assert effects == (
            Persist(Storage(B11, ())),
            Promise(B11),
            Send(1, Promised(B11, (), ())),
            AWAIT_LEADER,
        )

    def test_the_same_question_gets_the_same_answer_for_free(self) -> None:
        state, effects = receive(replace(FRESH, promised=B11), 1, Prepare(B11))
        assert state == replace(FRESH, promised=B11)
        assert effects == (Send(1, Promised(B11, (), ())), AWAIT_LEADER)

    def test_who_has_voted_in_the_ballot_does_not_answer_again(self) -> None:
        voted = Replica(0, NODES, B11, (Vote(0, B11, "a"),))
        assert receive(voted, 1, Prepare(B11)) == Step(voted)

    def test_a_lower_ballot_is_refused_with_the_promise(self) -> None:
        bound = replace(FRESH, promised=B21)
        assert receive(bound, 1, Prepare(B11)) == Step(bound, (Send(1, Refused(B11, B21)),))

    def test_the_promise_reports_votes_and_instead_of_some_the_decision(self) -> None:
        votes = (Vote(0, B10, "a"), Vote(1, B10, "b"), Vote(3, B10, "d"))
        decided = (Entry(0, "a"), Entry(2, "c"))
        follower = Replica(2, NODES, B10, votes, decided)
        effects = receive(follower, 1, Prepare(B21)).effects
        assert Send(1, Promised(B21, votes[1:], decided)) in effects

    def test_votes_survive_a_promise_in_state_and_storage(self) -> None:
        votes = (Vote(0, B10, "a"),)
        state, effects = receive(Replica(2, NODES, B10, votes), 1, Prepare(B21))
        assert state.votes == votes
        assert effects[0] == Persist(Storage(B21, votes))

    @pytest.mark.parametrize(
        ("role", "cancelled"),
        [
            (Candidate(frozenset({0}), ()), (CancelTimer("retransmit"),)),
            (Leader(), (CancelTimer("heartbeat"), CancelTimer("retransmit"))),
        ],
    )
    def test_a_candidate_or_leader_that_promises_steps_down(
        self, role: Candidate | Leader, cancelled: tuple[Effect, ...]
    ) -> None:
        state, effects = receive(replace(FRESH, promised=B10, role=role), 1, Prepare(B11))
        assert state == replace(FRESH, promised=B11)
        assert effects[-len(cancelled) - 1 :] == (*cancelled, AWAIT_LEADER)

    def test_a_leader_refuses_a_lower_ballot_and_goes_on(self) -> None:
        leader = replace(FRESH, promised=B20, role=Leader())
        assert receive(leader, 1, Prepare(B11)) == Step(leader, (Send(1, Refused(B11, B20)),))


class TestPromised:
    def test_a_majority_elects(self) -> None:
        state, effects = receive(bidding(), 1, Promised(B20, (), ()))
        assert state == Replica(0, NODES, B20, role=Leader())
        assert effects == (Lead(B20), *TIMERS_OF_A_NEW_LEADER)

    def test_less_than_a_majority_does_not(self) -> None:
        candidate = bidding(nodes=FIVE)
        state, effects = receive(candidate, 1, Promised(B20, (), ()))
        assert state == replace(candidate, role=Candidate(frozenset({0, 1}), ()))
        assert effects == ()

    def test_the_same_promise_twice_counts_once(self) -> None:
        once = receive(bidding(nodes=FIVE), 1, Promised(B20, (), ())).state
        assert receive(once, 1, Promised(B20, (), ())) == Step(once)

    def test_a_promise_to_an_earlier_ballot_counts_nothing(self) -> None:
        assert receive(bidding(), 1, Promised(B10, (), ())) == Step(bidding())

    @pytest.mark.parametrize(
        "replica",
        [
            replace(FRESH, promised=B20),
            replace(FRESH, promised=B20, role=Leader()),
        ],
        ids=["follower", "leader"],
    )
    def test_a_promise_nobody_waits_for_changes_nothing(self, replica: Replica) -> None:
        late = Promised(B20, (Vote(0, B11, "late"),), (Entry(1, "b"),))
        assert receive(replica, 1, late) == Step(replica)

    @pytest.mark.parametrize("reverse", [False, True])
    def test_of_the_votes_for_a_slot_the_highest_ballot_binds(self, reverse: bool) -> None:
        answers = [
            (1, Promised(B20, (Vote(0, B10, "old"),), ())),
            (2, Promised(B20, (Vote(0, B11, "new"),), ())),
        ]
        replica = bidding(nodes=FIVE)
        for source, promised in reversed(answers) if reverse else answers:
            replica = receive(replica, source, promised).state
        assert replica.votes == (Vote(0, B20, "new"),)

    def test_its_own_vote_binds_if_it_is_the_highest(self) -> None:
        candidate = bidding(Vote(0, B11, "own"))
        answer = Promised(B20, (Vote(0, B10, "theirs"),), ())
        assert receive(candidate, 2, answer).state.votes == (Vote(0, B20, "own"),)

    def test_what_may_be_chosen_is_proposed_again_and_gaps_are_filled(self) -> None:
        candidate = bidding(Vote(0, B10, "a"))
        state, effects = receive(candidate, 1, Promised(B20, (Vote(2, B11, "c"),), ()))
        votes = (Vote(0, B20, "a"), Vote(1, B20, NO_OP), Vote(2, B20, "c"))
        assert state.votes == votes
        assert state.role == Leader(
            tuple(Proposal(vote.slot, vote.value, frozenset({0})) for vote in votes)
        )
        assert effects == (
            Lead(B20),
            Persist(Storage(B20, votes)),
            *votes,
            *(Send(peer, Accept(B20, vote.slot, vote.value)) for vote in votes for peer in (1, 2)),
            *TIMERS_OF_A_NEW_LEADER,
        )

    def test_decided_entries_are_adopted_and_not_proposed_again(self) -> None:
        answer = Promised(B20, (Vote(2, B11, "c"),), (Entry(1, "b"),))
        state, effects = receive(bidding(Vote(1, B10, "b")), 1, answer)
        assert state.decided == (Entry(1, "b"),)
        assert [(open.slot, open.value) for open in state.role.proposals] == [(0, NO_OP), (2, "c")]
        assert effects[0] == Decide(1, "b")

    def test_gaps_below_a_decided_entry_are_filled_too(self) -> None:
        state = receive(bidding(), 1, Promised(B20, (), (Entry(1, "b"),))).state
        assert state.votes == (Vote(0, B20, NO_OP),)

    def test_decided_entries_are_executed_before_the_election_is_won(self) -> None:
        candidate = bidding(nodes=FIVE)
        state, effects = receive(candidate, 1, Promised(B20, (), (Entry(0, "a"),)))
        assert state.decided == (Entry(0, "a"),)
        assert effects == (Decide(0, "a"), Execute(0, "a"))


class TestQuorums:
    def test_phase_1_takes_what_the_quorum_system_says(self) -> None:
        paxos = MultiPaxos(FlexibleQuorums(phase1_size=3, phase2_size=1))
        two = receive(bidding(), 1, Promised(B20, (), ()), paxos).state
        assert isinstance(two.role, Candidate)
        assert isinstance(receive(two, 2, Promised(B20, (), ()), paxos).state.role, Leader)

    def test_a_new_leader_decides_alone_where_one_vote_is_a_quorum(self) -> None:
        paxos = MultiPaxos(FlexibleQuorums(phase1_size=2, phase2_size=1))
        state, effects = receive(bidding(Vote(0, B10, "a")), 1, Promised(B20, (), ()), paxos)
        assert state.decided == (Entry(0, "a"),)
        assert state.role == Leader()
        assert [effect for effect in effects if isinstance(effect, Decide | Execute | Reply)] == [
            Decide(0, "a"),
            Execute(0, "a"),
            Reply("a", 0),
        ]
        assert Send(2, Decided(0, "a")) in effects


def test_a_bid_waits_longer_with_each_round_that_led_nowhere() -> None:
    waits = []
    replica = FRESH
    for _ in range(7):
        replica, effects = campaign(replica)
        waits += [e.after for e in effects if isinstance(e, SetTimer) and e.timer == "election"]
    assert waits == [(10, 20), (10, 40), (10, 80), (10, 160), (10, 320), (10, 320), (10, 320)]


def test_a_round_that_got_a_vote_makes_the_next_bid_impatient_again() -> None:
    voted = Replica(0, NODES, Ballot(5, 1), (Vote(0, Ballot(5, 1), "a"),))
    assert campaign(voted).effects[-1] == AWAIT_LEADER


def test_nobody_has_promised_anything_at_the_start() -> None:
    assert PAXOS.start(0, NODES, None) == Step(FRESH, (AWAIT_LEADER,))
    assert FRESH.promised == NO_BALLOT
    assert FRESH.role == Follower()
