"""Learning, message by message: Decided, CatchUp, Heartbeat, and what is executed when."""

from __future__ import annotations

from dataclasses import replace

from indelible.impl.multipaxos import (
    Ballot,
    Candidate,
    CatchUp,
    Decided,
    Entry,
    Follower,
    Heartbeat,
    Leader,
    MultiPaxos,
    Proposal,
    Refused,
    Replica,
    Storage,
)
from indelible.impl.multipaxos.timers import AWAIT_LEADER
from indelible.model.effects import (
    NO_OP,
    CancelTimer,
    Decide,
    Execute,
    Persist,
    Promise,
    Reply,
    Send,
    Vote,
)
from indelible.model.events import Receive, Timeout
from indelible.model.implementation import Step

NODES = (0, 1, 2)
PAXOS = MultiPaxos()
B10, B21 = Ballot(1, 0), Ballot(2, 1)
FOLLOWER = Replica(2, NODES, B10)


def receive(replica: Replica, source: int, message: object) -> Step:
    return PAXOS.handle(replica.node, replica, Receive(source, message))


def knowing(*entries: tuple[int, object]) -> Replica:
    return replace(FOLLOWER, decided=tuple(Entry(slot, value) for slot, value in entries))


class TestDecided:
    def test_an_entry_is_learned_and_executed(self) -> None:
        step = receive(FOLLOWER, 0, Decided(0, "a"))
        assert step == Step(knowing((0, "a")), (Decide(0, "a"), Execute(0, "a")))

    def test_the_same_entry_twice_changes_nothing(self) -> None:
        assert receive(knowing((0, "a")), 1, Decided(0, "a")) == Step(knowing((0, "a")))

    def test_an_entry_never_changes(self) -> None:
        assert receive(knowing((0, "a")), 1, Decided(0, "b")) == Step(knowing((0, "a")))

    def test_an_entry_beyond_a_gap_waits(self) -> None:
        step = receive(FOLLOWER, 0, Decided(1, "b"))
        assert step == Step(knowing((1, "b")), (Decide(1, "b"),))

    def test_filling_the_gap_executes_all_that_waited(self) -> None:
        effects = receive(knowing((1, "b"), (2, "c"), (4, "e")), 0, Decided(0, "a")).effects
        assert effects == (Decide(0, "a"), Execute(0, "a"), Execute(1, "b"), Execute(2, "c"))

    def test_a_no_op_is_decided_and_not_executed(self) -> None:
        assert receive(FOLLOWER, 0, Decided(0, NO_OP)).effects == (Decide(0, NO_OP),)
        after = receive(knowing((0, NO_OP)), 0, Decided(1, "b")).effects
        assert after == (Decide(1, "b"), Execute(0, "b"))

    def test_a_command_chosen_twice_is_executed_once(self) -> None:
        assert receive(knowing((0, "a")), 0, Decided(1, "a")).effects == (Decide(1, "a"),)

    def test_executed_skips_no_ops_and_repeats_and_stops_at_the_gap(self) -> None:
        values = ["a", NO_OP, "b", "a", "c"]
        decided = (*(Entry(slot, value) for slot, value in enumerate(values)), Entry(6, "d"))
        assert PAXOS.executed(decided) == ("a", "b", "c")

    def test_a_leader_drops_its_proposal_there_and_answers(self) -> None:
        own = frozenset({0})
        proposals = (Proposal(0, "a", own), Proposal(1, "b", own))
        votes = (Vote(0, B10, "a"), Vote(1, B10, "b"))
        leader = Replica(0, NODES, B10, votes, role=Leader(proposals))
        state, effects = receive(leader, 1, Decided(0, "a"))
        assert state.role == Leader(proposals[1:])
        assert effects == (Decide(0, "a"), Execute(0, "a"), Reply("a", 0))


class TestCatchUp:
    def test_everything_decided_from_the_slot_on_is_sent(self) -> None:
        known = knowing((0, "a"), (1, "b"), (3, "d"))
        sends = (Send(1, Decided(1, "b")), Send(1, Decided(3, "d")))
        assert receive(known, 1, CatchUp(1)) == Step(known, sends)

    def test_who_knows_no_more_says_nothing(self) -> None:
        assert receive(knowing((0, "a")), 1, CatchUp(1)) == Step(knowing((0, "a")))


class TestHeartbeat:
    def test_it_holds_off_the_election(self) -> None:
        assert receive(FOLLOWER, 0, Heartbeat(B10, 0)) == Step(FOLLOWER, (AWAIT_LEADER,))

    def test_who_misses_entries_asks_from_the_first_one_on(self) -> None:
        behind = knowing((0, "a"), (2, "c"))
        step = receive(behind, 0, Heartbeat(B10, 3))
        assert step == Step(behind, (Send(0, CatchUp(1)), AWAIT_LEADER))

    def test_who_knows_as_much_does_not_ask(self) -> None:
        known = knowing((0, "a"))
        assert receive(known, 0, Heartbeat(B10, 1)) == Step(known, (AWAIT_LEADER,))

    def test_a_count_decides_nothing_not_even_what_it_has_voted_for(self) -> None:
        voted = replace(FOLLOWER, promised=B21, votes=(Vote(0, B10, "a"),))
        state, effects = receive(voted, 1, Heartbeat(B21, 1))
        assert state == voted
        assert effects == (Send(1, CatchUp(0)), AWAIT_LEADER)

    def test_a_past_leader_is_told_so(self) -> None:
        bound = replace(FOLLOWER, promised=B21)
        assert receive(bound, 0, Heartbeat(B10, 5)) == Step(bound, (Send(0, Refused(B10, B21)),))

    def test_an_unknown_leader_is_promised_and_followed(self) -> None:
        state, effects = receive(FOLLOWER, 1, Heartbeat(B21, 0))
        assert state == replace(FOLLOWER, promised=B21)
        assert effects == (Persist(Storage(B21, ())), Promise(B21), AWAIT_LEADER)

    def test_a_candidate_and_a_leader_give_way_to_a_higher_ballot(self) -> None:
        for role in (Candidate(frozenset({0}), ()), Leader()):
            state, effects = receive(Replica(0, NODES, B10, role=role), 1, Heartbeat(B21, 0))
            assert state.role == Follower()
            assert CancelTimer("retransmit") in effects

    def test_a_leader_tells_how_many_entries_it_knows_without_a_gap(self) -> None:
        decided = (Entry(0, "a"), Entry(1, "b"), Entry(3, "d"))
        leader = Replica(0, NODES, B10, decided=decided, role=Leader())
        effects = PAXOS.handle(0, leader, Timeout("heartbeat")).effects
        assert effects[:2] == (Send(1, Heartbeat(B10, 2)), Send(2, Heartbeat(B10, 2)))
