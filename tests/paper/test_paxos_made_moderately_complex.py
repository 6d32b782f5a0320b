"""What "Paxos Made Moderately Complex" (van Renesse and Altinbuken, 2015) holds us to.

Its replicas, acceptors, leaders, scouts and commanders are all one node here: a scout is a
candidacy, a commander a proposal, a pvalue a vote. The invariants R1 to R4, A1 to A5, C1 and C2
are cited by their numbers in section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

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
    Prepare,
    Promised,
    Proposal,
    Refused,
    Replica,
)
from indelible.model.effects import Execute, Promise, Reply, Send, SetTimer, Vote
from indelible.model.events import Receive, Submit, Timeout
from indelible.model.implementation import Step

Make = Callable[..., Any]

PAXOS = MultiPaxos()
NODES = (0, 1, 2)


def receive(replica: Replica, source: int, message: object) -> Step:
    return PAXOS.handle(replica.node, replica, Receive(source, message))


# 2.1 Replicas


def test_r1_no_two_commands_are_decided_for_one_slot(scenario: Make) -> None:
    """R1: "There are no two different commands decided for the same slot", whoever asks."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a")
    run.deliver(Accept, to=1)
    run.lose()
    run.fire(2, "election")
    run.deliver(Prepare, to=1)
    run.deliver(Promised)
    run.submit(2, "b")
    run.lose(Prepare)
    run.deliver_all()
    assert [run.decided(node) for node in NODES] == [{0: "a", 1: "b"}] * 3


def test_r2_and_r3_the_state_results_from_all_commands_up_to_the_slot() -> None:
    """R2, R3: all commands up to slot_out are decided, and the state is "the result of applying the
    commands" in order."""
    replica = Replica(1, NODES)
    executed: list[tuple[int, object]] = []
    for slot in (3, 1, 0, 2):
        replica, effects = receive(replica, 0, Decided(slot, f"c{slot}"))
        executed += [(e.index, e.command) for e in effects if isinstance(e, Execute)]
        prefix = PAXOS.missing_from(replica)
        assert executed == [(index, f"c{index}") for index in range(prefix)]
    assert len(executed) == 4


def test_r4_the_slot_never_decreases(scenario: Make) -> None:
    """R4: "slot_out cannot decrease over time", as long as the replica lives."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a", "b", "c")
    slots = []
    while run.under_way:
        run.deliver(to=2)
        slots.append(PAXOS.missing_from(run.replica(2)))
        run.deliver(to=0)
        run.deliver(to=1)
    assert all(earlier <= later for earlier, later in pairwise(slots))
    assert (slots[0], slots[-1]) == (0, 3)


def test_perform_a_command_decided_in_two_slots_is_applied_once(scenario: Make) -> None:
    """2.1, perform(): a command that was performed in a lower slot only moves the slot on.

    The client has no answer from its first leader, and asks the second one, which has not heard of
    the command; the first one comes back, finds it in one slot and has it still in another.
    """
    run = scenario()
    run.elect(0)
    run.submit(0, "x", "pay")
    run.lose(Accept)
    run.fire(1, "election")
    run.lose(Prepare, to=0)
    run.deliver(Prepare, Promised)
    run.deliver(Prepare, Promised)
    run.submit(1, "pay")
    run.deliver(Accept, to=2)
    run.lose()
    run.fire(0, "retransmit")
    run.deliver(Accept, to=2)
    run.deliver(Refused)
    run.fire(0, "election")
    run.lose(to=1)
    run.deliver_all()
    assert run.decided(0) == run.decided(2) == {0: "pay", 1: "pay"}
    assert run.executed(0) == run.executed(2) == ["pay"]


def test_perform_answers_a_client_that_asks_again() -> None:
    """2.1, perform(): the client gets its result, although nothing is applied a second time."""
    leader = Replica(
        0, NODES, Ballot(1, 0), decided=(Entry(0, "a"), Entry(1, "pay")), role=Leader()
    )
    assert PAXOS.handle(0, leader, Submit("pay")) == Step(leader, (Reply("pay", 1),))


# 2.2 The Synod protocol, ballots, and acceptors


def test_a1_an_acceptor_adopts_strictly_increasing_ballots(scenario: Make) -> None:
    """A1: "an acceptor can only adopt strictly increasing ballot numbers", over restarts too."""
    run = scenario()
    for candidate in (2, 0, 1, 0):
        run.fire(candidate, "election")
        run.deliver_all()
        run.restart(1)
    promises = [e.ballot for node, e in run.effects if node == 1 and isinstance(e, Promise)]
    adopted = [later for earlier, later in pairwise(promises) if later != earlier]
    assert adopted == sorted(set(adopted))
    assert len(adopted) >= 3


def test_a2_an_acceptor_votes_in_the_ballot_it_has_adopted_only() -> None:
    """A2: an acceptor accepts <b, s, c> only if b is the ballot it has adopted: it adopts it with
    the vote, or does not vote."""
    for ballot in (Ballot(1, 1), Ballot(2, 0), Ballot(3, 1)):
        state = receive(Replica(2, NODES, Ballot(2, 0)), 1, Accept(ballot, 0, "c")).state
        assert all(vote.ballot == state.promised for vote in state.votes)
        assert bool(state.votes) == (ballot >= Ballot(2, 0))


def test_a3_votes_are_replaced_by_later_ones_and_never_removed(scenario: Make) -> None:
    """A3, as relaxed in 4.1: an acceptor need keep only the pvalue with the highest ballot in each
    slot."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a", "b")
    run.deliver(Accept, to=2)
    run.lose()
    before = run.replica(2).votes
    run.fire(1, "election")
    run.lose(Prepare, to=0)
    run.deliver_all()
    after = run.replica(2).votes
    assert [vote.slot for vote in before] == [vote.slot for vote in after] == [0, 1]
    assert all(new.ballot > old.ballot for old, new in zip(before, after, strict=True))


def test_a4_one_command_per_ballot_and_slot(scenario: Make) -> None:
    """A4: with <b, s, c> and <b, s, c'> accepted anywhere, c = c': a leader never gives a slot of
    its ballot away twice."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a", "b")
    run.deliver(Accept, to=1)
    run.submit(0, "c")
    run.deliver_all()
    run.submit(0, "d")
    proposed: dict[object, str] = {}
    for accept in run.sent(Accept):
        assert proposed.setdefault((accept.ballot, accept.slot), accept.value) == accept.value
    assert sorted(proposed.values()) == ["a", "b", "c", "d"]


def test_a5_after_a_majority_accepted_later_ballots_say_the_same(scenario: Make) -> None:
    """A5: if a majority accepted <b, s, c>, then b' > b and <b', s, c'> imply c = c'."""
    run = scenario()
    run.elect(0)
    run.submit(0, "c")
    run.deliver(Accept, to=1)
    run.lose()
    for leader in (2, 1):
        while not isinstance(run.replica(leader).role, Leader):
            run.fire(leader, "election")
            run.deliver(Prepare, to=0)
            run.deliver(Promised, Refused)
            run.lose()
        assert run.replica(leader).votes[0] == Vote(0, run.replica(leader).promised, "c")


@pytest.mark.parametrize("crashes", [1, 2])
def test_2f_plus_1_acceptors_tolerate_f_crashes(scenario: Make, crashes: int) -> None:
    """2.2: "to tolerate f crash failures, Paxos needs at least 2f + 1 acceptors"."""
    nodes = tuple(range(2 * crashes + 1))
    run = scenario(*nodes)
    down = nodes[-crashes:]

    def deliver_to_the_living() -> None:
        while run.under_way:
            for node in down:
                run.lose(to=node)
            run.deliver()

    run.fire(0, "election")
    deliver_to_the_living()
    run.submit(0, "a")
    deliver_to_the_living()
    assert run.decided(0) == run.decided(1) == {0: "a"}
    assert run.decided(down[0]) == {}


def test_ballots_and_slots_are_orthogonal(scenario: Make) -> None:
    """2.2: "Do not confuse ballot numbers and slot numbers; they are orthogonal concepts." """
    run = scenario()
    run.elect(0)
    run.submit(0, "a", "b")
    run.deliver_all()
    run.elect(1)
    run.submit(1, "c")
    run.deliver_all()
    votes = run.record(2).votes
    assert votes == ((0, Ballot(1, 0), "a"), (1, Ballot(1, 0), "b"), (2, Ballot(2, 1), "c"))


# 2.3 to 2.5 Commanders, scouts, leaders


def test_c1_at_most_one_command_per_ballot_and_slot_is_proposed_again_and_again() -> None:
    """C1: for any b and s "at most one command c is selected": what is sent again is the same."""
    votes = (Vote(0, Ballot(1, 0), "a"),)
    proposals = (Proposal(0, "a", frozenset({0})),)
    leader = Replica(0, NODES, Ballot(1, 0), votes, role=Leader(proposals))
    effects = PAXOS.handle(0, leader, Timeout("retransmit")).effects
    again = [effect.message for effect in effects if isinstance(effect, Send)]
    assert again == [Accept(Ballot(1, 0), 0, "a")] * 2


def test_a_commander_is_preempted_by_a_higher_ballot(scenario: Make) -> None:
    """2.3: a commander that is answered with another ballot preempts its leader: that stops,
    and never uses its ballot again."""
    run = scenario()
    run.elect(0)
    run.fire(1, "election")
    run.lose(Prepare, to=0)
    run.deliver_all()
    run.submit(0, "late")
    run.deliver(Accept, to=2)
    run.deliver(Refused, to=0)
    assert run.replica(0).role == Follower()
    assert run.replica(0).promised == Ballot(2, 1)


def test_a_scout_waits_for_a_majority_and_keeps_the_highest_pvalues() -> None:
    """2.4 and 2.5, pmax(): of the pvalues that a majority reports, the one with the highest ballot
    is kept in each slot."""
    five = (0, 1, 2, 3, 4)
    mine = Ballot(9, 0)
    scout = Replica(0, five, mine, role=Candidate(frozenset({0}), ()))
    first = (Vote(0, Ballot(1, 1), "a1"), Vote(1, Ballot(5, 2), "b5"))
    second = (Vote(0, Ballot(4, 3), "a4"), Vote(1, Ballot(2, 1), "b2"), Vote(2, Ballot(2, 1), "c2"))
    waiting = receive(scout, 1, Promised(mine, first, ())).state
    assert isinstance(waiting.role, Candidate)
    adopted = receive(waiting, 2, Promised(mine, second, ())).state
    assert [vote.value for vote in adopted.votes] == ["a4", "b5", "c2"]


def test_a_passive_leader_proposes_nothing(scenario: Make) -> None:
    """2.5: a leader in passive mode does not spawn commanders; before its ballot is adopted, it
    proposes nothing."""
    run = scenario()
    run.fire(0, "election")
    run.submit(0, "a")
    assert run.sent(Accept) == []


def test_an_active_leader_spawns_a_commander_for_every_proposal(scenario: Make) -> None:
    """2.5: once adopted, it proposes for every slot it has to, and then each new request, without
    waiting for earlier ones."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a", "b")
    run.deliver(Accept, to=2)
    run.lose()
    run.fire(1, "election")
    run.deliver(Prepare, to=2)
    run.deliver(Promised)
    run.submit(1, "c")
    proposals = run.replica(1).role.proposals
    assert [(open.slot, open.value) for open in proposals] == [(0, "a"), (1, "b"), (2, "c")]


# 3 When Paxos works


def test_ping_pong_may_go_on_and_a_preempted_leader_bids_higher(scenario: Make) -> None:
    """3: "This ping-pong scenario can be continued indefinitely, with no ballot ever succeeding in
    choosing a pvalue." """
    run = scenario()
    ballots = []
    for turn in range(6):
        bidder, rival = turn % 2, 1 - turn % 2
        run.fire(bidder, "election")
        run.deliver(Prepare)
        run.deliver(Promised)
        assert isinstance(run.replica(bidder).role, Leader)
        assert not isinstance(run.replica(rival).role, Leader)
        ballots.append(run.replica(bidder).promised)
        run.submit(bidder, f"turn {turn}")
        run.lose()
    assert ballots == sorted(set(ballots))
    assert all(run.decided(node) == {} for node in NODES)


def test_the_higher_the_ballot_the_longer_the_wait() -> None:
    """3: "the higher the competing ballot number, the longer a leader waits before trying to
    preempt it with a higher ballot number"."""

    def wait_after(promised: Ballot) -> tuple[int, int]:
        effects = PAXOS.handle(0, Replica(0, NODES, promised), Timeout("election")).effects
        (timer,) = [e for e in effects if isinstance(e, SetTimer) and e.timer == "election"]
        return timer.after

    waits = [wait_after(Ballot(round_of, 1)) for round_of in range(4)]
    assert waits == sorted(set(waits))


def test_a_process_that_recovers_from_disk_is_only_slow(scenario: Make) -> None:
    """3: a process that recovers from disk "is not theoretically considered crashed—it is simply
    slow for a while"."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a")
    run.deliver(Accept)
    for node in NODES:
        run.restart(node)
    run.lose()
    run.elect(1)
    assert [run.executed(node) for node in NODES] == [["a"]] * 3


# 4 Paxos made pragmatic


def test_state_reduction_acceptors_answer_with_the_latest_pvalue_per_slot() -> None:
    """4.1: an acceptor's answer need only hold, per slot, the pvalue of the highest ballot."""
    acceptor = Replica(2, NODES)
    for round_of, value in ((1, "a"), (2, "b"), (3, "c")):
        acceptor = receive(acceptor, 0, Accept(Ballot(round_of, 0), 0, value)).state
    effects = receive(acceptor, 1, Prepare(Ballot(9, 1))).effects
    assert Send(1, Promised(Ballot(9, 1), (Vote(0, Ballot(3, 0), "c"),), ())) in effects


def test_state_reduction_a_leader_forgets_what_is_decided(scenario: Make) -> None:
    """4.1: a leader need keep no proposal for a slot that is decided."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a", "b")
    run.deliver(Accept, to=1)
    accepted = Accepted(Ballot(1, 0), 0)
    run.receive(0, 1, accepted)
    assert [open.slot for open in run.replica(0).role.proposals] == [1]


def test_colocated_roles_send_no_messages_to_themselves(scenario: Make) -> None:
    """4.4: a leader is usually colocated with an acceptor and a replica, and need send no messages
    to itself."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a")
    run.deliver_all()
    run.fire(0, "heartbeat")
    run.fire(0, "retransmit")
    assert all(effect.to != node for node, effect in run.effects if isinstance(effect, Send))
    assert run.replica(0) == replace(
        Replica(0, NODES, Ballot(1, 0), (Vote(0, Ballot(1, 0), "a"),), (Entry(0, "a"),)),
        role=Leader(),
    )
