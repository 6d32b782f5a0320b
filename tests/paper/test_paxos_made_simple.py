"""What Leslie Lamport's "Paxos Made Simple" (2001) holds us to; numbers are its sections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from indelible.impl.multipaxos import (
    Accept,
    Accepted,
    Ballot,
    Candidate,
    CatchUp,
    Decided,
    Entry,
    Follower,
    Heartbeat,
    Leader,
    MultiPaxos,
    NotLeader,
    Prepare,
    Promised,
    Proposal,
    Refused,
    Replica,
    Storage,
)
from indelible.model.effects import (
    NO_OP,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Reply,
    Send,
    Vote,
)
from indelible.model.events import Receive, Submit, Timeout
from indelible.model.implementation import Step

Make = Callable[..., Any]

PAXOS = MultiPaxos()
NODES = (0, 1, 2)


def receive(replica: Replica, source: int, message: object) -> Step:
    return PAXOS.handle(replica.node, replica, Receive(source, message))


def sends(effects: tuple[Effect, ...]) -> list[Send]:
    return [effect for effect in effects if isinstance(effect, Send)]


# 2.2 Choosing a value


def test_p1_the_first_proposal_is_accepted() -> None:
    """2.2, P1: "An acceptor must accept the first proposal that it receives." """
    state = receive(Replica(1, NODES), 0, Accept(Ballot(1, 0), 0, "a")).state
    assert state.votes == (Vote(0, Ballot(1, 0), "a"),)


@pytest.mark.parametrize(("round_asked", "accepts"), [(3, False), (6, False), (7, True), (8, True)])
def test_p1a_accept_unless_a_higher_prepare_was_answered(round_asked: int, accepts: bool) -> None:
    """2.2, P1a: it accepts n "iff it has not responded to a prepare request having a number
    greater than n"."""
    promised = receive(Replica(2, NODES), 1, Prepare(Ballot(7, 1))).state
    ballot = Ballot(round_asked, 1)
    state, effects = receive(promised, 1, Accept(ballot, 0, "a"))
    assert (state.votes == (Vote(0, ballot, "a"),)) is accepts
    assert (Send(1, Accepted(ballot, 0)) in effects) is accepts


def test_p2_what_is_chosen_stays_chosen_whoever_leads(scenario: Make) -> None:
    """2.2, P2: "If a proposal with value v is chosen, then every higher-numbered proposal that is
    chosen has value v." """
    run = scenario()
    run.elect(0)
    run.submit(0, "v")
    run.deliver_all()
    for successor in (1, 2, 1, 0):
        run.fire(successor, "election")
        run.deliver_all()
        run.submit(successor, f"from {successor}")
        run.deliver_all()
    assert all(run.decided(node)[0] == "v" for node in NODES)
    assert {vote[2] for node in NODES for vote in run.record(node).votes if vote[0] == 0} == {"v"}


def test_phase_1a_a_new_number_is_higher_than_any_seen() -> None:
    """2.2, phase 1 (a): "A proposer selects a proposal number n and sends a prepare request"."""
    state, effects = PAXOS.handle(0, Replica(0, NODES, Ballot(7, 2)), Timeout("election"))
    assert state.promised > Ballot(7, 2)
    assert [send.message for send in sends(effects)] == [Prepare(state.promised)] * 2


def test_phase_1b_a_promise_reports_the_highest_accepted_proposal() -> None:
    """2.2, phase 1 (b): the acceptor responds "with a promise not to accept any more proposals
    numbered less than n and with the highest-numbered proposal (if any) that it has accepted".

    Having accepted X at 3, its answer to prepare 7 reports (3, X).
    """
    voted = receive(Replica(2, NODES), 0, Accept(Ballot(3, 0), 0, "X")).state
    effects = receive(voted, 1, Prepare(Ballot(7, 1))).effects
    report = Promised(Ballot(7, 1), votes=(Vote(0, Ballot(3, 0), "X"),), decided=())
    assert sends(effects) == [Send(1, report)]


def test_phase_1b_of_two_accepted_proposals_the_later_is_reported() -> None:
    """2.2: "an acceptor needs to remember only the highest-numbered proposal that it has ever
    accepted and the number of the highest-numbered prepare request to which it has responded"."""
    replica = Replica(2, NODES)
    for ballot, value in ((Ballot(3, 0), "X"), (Ballot(5, 1), "Y")):
        replica = receive(replica, ballot.node, Accept(ballot, 0, value)).state  # type: ignore[arg-type]
    effects = receive(replica, 0, Prepare(Ballot(7, 0))).effects
    assert sends(effects)[0].message.votes == (Vote(0, Ballot(5, 1), "Y"),)  # type: ignore[attr-defined]


def test_phase_2a_the_highest_reported_value_is_proposed() -> None:
    """2.2, phase 2 (a): the value is that "of the highest-numbered proposal among the
    responses"."""
    five = (0, 1, 2, 3, 4)
    replica = Replica(0, five, Ballot(7, 0), role=Candidate(frozenset({0}), ()))
    replica = receive(replica, 1, Promised(Ballot(7, 0), (Vote(0, Ballot(5, 1), "Y"),), ())).state
    _, effects = receive(replica, 2, Promised(Ballot(7, 0), (Vote(0, Ballot(3, 0), "X"),), ()))
    assert {send.message for send in sends(effects)} == {Accept(Ballot(7, 0), 0, "Y")}


def test_phase_2a_without_a_reported_value_any_is_proposed() -> None:
    """2.2, phase 2 (a): "or is any value if the responses reported no proposals"."""
    candidate = Replica(0, NODES, Ballot(7, 0), role=Candidate(frozenset({0}), ()))
    leader, effects = receive(candidate, 1, Promised(Ballot(7, 0), (), ()))
    assert sends(effects) == []
    _, effects = PAXOS.handle(0, leader, Submit("mine"))
    assert {send.message for send in sends(effects)} == {Accept(Ballot(7, 0), 0, "mine")}


def test_one_promise_of_three_is_no_majority_and_the_proposer_tries_higher(scenario: Make) -> None:
    """2.2, phase 2 (a): a proposer needs "a response to its prepare requests (numbered n) from a
    majority of acceptors".

    The only promise is its own, so it does not lead, and its next bid has a higher number.
    """
    run = scenario()
    run.fire(0, "election")
    run.lose(Prepare)
    first = run.replica(0).promised
    assert isinstance(run.replica(0).role, Candidate)
    run.fire(0, "election")
    assert run.replica(0).promised > first
    run.deliver_all()
    assert run.record(0).leaderships == (run.replica(0).promised,)


def test_a_proposer_that_is_too_low_is_told_and_gives_up() -> None:
    """2.2: an acceptor that ignores a request because of a higher prepare "should probably inform
    the proposer, who should then abandon its proposal"."""
    acceptor = Replica(2, NODES, Ballot(9, 1))
    refusals = [
        sends(receive(acceptor, 0, request).effects)
        for request in (Prepare(Ballot(7, 0)), Accept(Ballot(7, 0), 0, "a"))
    ]
    refused = Refused(Ballot(7, 0), Ballot(9, 1))
    assert refusals == [[Send(0, refused)]] * 2
    proposal = Proposal(0, "a", frozenset({0}))
    votes = (Vote(0, Ballot(7, 0), "a"),)
    leader = Replica(0, NODES, Ballot(7, 0), votes, role=Leader((proposal,)))
    assert receive(leader, 2, refused).state.role == Follower()


# 2.3 Learning a chosen value


def test_a_value_is_learned_when_a_majority_has_accepted_it(scenario: Make) -> None:
    """2.3: "a learner must find out that a proposal has been accepted by a majority of
    acceptors"."""
    run = scenario(0, 1, 2, 3, 4)
    run.elect(0)
    run.submit(0, "a")
    run.deliver(Accept, to=1)
    run.deliver(Accepted)
    assert run.decided(0) == {}
    run.deliver(Accept, to=2)
    run.deliver(Accepted)
    assert run.decided(0) == {0: "a"}


def test_the_distinguished_learner_informs_the_others(scenario: Make) -> None:
    """2.3: acceptors answer "a distinguished learner, which in turn informs the other learners
    when a value has been chosen"."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a")
    run.deliver(Accept, to=1)
    run.deliver(Accepted)
    run.deliver(Decided)
    assert [run.decided(node) for node in NODES] == [{0: "a"}] * 3


def test_a_learner_that_missed_the_news_gets_it_later(scenario: Make) -> None:
    """2.3: "Because of message loss, a value could be chosen with no learner ever finding out."

    Here one learner knows; the next heartbeat makes the others ask for what they miss.
    """
    run = scenario()
    run.elect(0)
    run.submit(0, "a", "b")
    run.deliver(Accept)
    run.deliver(Accepted)
    run.lose(Decided)
    assert run.decided(1) == {}
    run.fire(0, "heartbeat")
    run.deliver_all()
    assert run.sent(CatchUp, source=1) == [CatchUp(0)]
    assert run.executed(1) == run.executed(2) == ["a", "b"]


# 2.4 Progress


def test_two_duelling_proposers_choose_nothing_until_one_is_left_alone(scenario: Make) -> None:
    """2.4: two proposers may "each keep issuing a sequence of proposals with increasing numbers,
    none of which are ever chosen", each ignored because of the other's next prepare."""
    run = scenario()
    run.elect(0)
    for turn in range(6):
        leader, rival = turn % 2, 1 - turn % 2
        run.submit(leader, f"turn {turn}")
        run.fire(rival, "election")
        run.deliver(Prepare)
        run.deliver(Promised)
        run.deliver(Accept, source=leader)
        assert len(run.sent(Refused)) == 2 * (turn + 1)
        run.lose()
        assert isinstance(run.replica(rival).role, Leader)
        assert all(run.decided(node) == {} for node in NODES)
    run.fire(rival, "retransmit")
    run.deliver_all()
    assert run.decided(0) == run.decided(1) == run.decided(2) != {}


def test_elections_use_time_and_randomness() -> None:
    """2.4: an election "must use either randomness or real time—for example, by using
    timeouts"."""
    (timer,) = PAXOS.start(0, NODES, None).effects
    least, most = timer.after  # type: ignore[union-attr]
    assert 0 < least < most


# 2.5 The implementation


@pytest.mark.parametrize("message", [Prepare(Ballot(1, 0)), Accept(Ballot(1, 0), 0, "a")])
def test_a_response_is_on_disk_before_it_is_sent(message: object) -> None:
    """2.5: "An acceptor records its intended response in stable storage before actually sending
    the response." """
    state, effects = receive(Replica(1, NODES), 0, message)
    kinds = [type(effect) for effect in effects]
    assert kinds.index(Persist) < kinds.index(Send)
    assert effects[0] == Persist(state.storage)


@pytest.mark.parametrize("kept", range(1, 4))
def test_a_crash_between_disk_and_network_breaks_no_promise(scenario: Make, kept: int) -> None:
    """2.5, the same sentence, with the acceptor cut short after each effect in turn."""
    run = scenario()
    run.fire(0, "election")
    run.crash_during(1, Receive(0, Prepare(Ballot(1, 0))), kept)
    assert run.replica(1).promised == run.record(1).promised == Ballot(1, 0)


def test_an_acceptor_remembers_over_a_restart(scenario: Make) -> None:
    """2.2: "an acceptor must remember this information even if it fails and then restarts"."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a")
    run.deliver(Accept, to=1)
    before = run.replica(1)
    run.restart(1)
    assert before.votes == (Vote(0, Ballot(1, 0), "a"),)
    assert run.replica(1).storage == before.storage == Storage(Ballot(1, 0), before.votes)


def test_no_two_proposers_share_a_number(scenario: Make) -> None:
    """2.5: "Different proposers choose their numbers from disjoint sets of numbers"."""
    run = scenario()
    for node in NODES:
        run.fire(node, "election")
    ballots = [run.replica(node).promised for node in NODES]
    assert len(set(ballots)) == 3


def test_no_proposer_uses_a_number_twice_even_after_a_restart(scenario: Make) -> None:
    """2.5: a proposer remembers, in stable storage, its highest number "and begins phase 1 with a
    higher proposal number than any it has already used"."""
    run = scenario()
    used = []
    for _ in range(3):
        run.fire(0, "election")
        used.append(run.replica(0).promised)
        run.restart(0)
    assert used == sorted(set(used))
    assert len(used) == 3


# 3 Implementing a state machine


def test_section_3_the_new_leader_of_the_paper() -> None:
    """3: "Suppose it knows commands 1-134, 138, and 139"; phase 1 determines 135 and 140; it then
    proposes no-ops as 136 and 137, "and it is free to propose any value" from 141 on.

    The paper counts commands from 1, we count slots from 0.
    """
    known = [*range(1, 135), 138, 139]
    old, new = Ballot(1, 1), Ballot(2, 0)
    decided = tuple(Entry(number - 1, f"command {number}") for number in known)
    votes = (Vote(134, old, "command 135"), Vote(139, old, "command 140"))
    candidate = Replica(
        0, NODES, new, decided=decided, role=Candidate(promised_by=frozenset({0}), votes=())
    )

    leader, effects = receive(candidate, 2, Promised(new, votes, ()))
    assert {(send.message.slot + 1, send.message.value) for send in sends(effects)} == {  # type: ignore[attr-defined]
        (135, "command 135"),
        (136, NO_OP),
        (137, NO_OP),
        (140, "command 140"),
    }

    executed: list[object] = []
    for number in (135, 140, 136, 137):
        leader, effects = receive(leader, 2, Accepted(new, number - 1))
        executed += [effect.command for effect in effects if isinstance(effect, Execute)]
        if number == 140:
            assert executed == ["command 135"], "it can't execute 138-140 yet"
    assert executed == ["command 135", "command 138", "command 139", "command 140"]

    _, effects = PAXOS.handle(0, leader, Submit("next"))
    assert Vote(140, new, "next") in effects


def test_a_new_leader_finds_a_chosen_entry_in_a_gap_and_keeps_it(scenario: Make) -> None:
    """3: the outcome of phase 1 may "determine the value to be proposed" in a slot of a gap.

    Entry 1 is chosen, and known to its leader alone; entry 0 never left it. The successor fills the
    gap at 0 with a no-op, and keeps what was chosen at 1.
    """
    run = scenario()
    run.elect(0)
    run.submit(0, "lost", "kept")
    run.lose(Accept, to=1)
    run.under_way = [way for way in run.under_way if way[2].slot == 1]
    run.deliver(Accept, to=2)
    run.deliver(Accepted)
    assert run.decided(0) == {1: "kept"}
    run.lose()

    run.fire(1, "election")
    run.lose(Prepare, to=0)
    run.deliver_all()
    assert run.decided(1) == run.decided(2) == {0: NO_OP, 1: "kept"}
    assert run.executed(1) == ["kept"]


def test_the_leader_may_get_several_commands_ahead(scenario: Make) -> None:
    """3: "The leader can propose command 142 before it learns that its proposed command 141 has
    been chosen." """
    run = scenario()
    run.elect(0)
    run.submit(0, "141", "142", "143")
    assert [accept.value for accept in run.sent(Accept)[::2]] == ["141", "142", "143"]
    assert run.decided(0) == {}


def test_lost_phase_2_messages_are_sent_again(scenario: Make) -> None:
    """3: "When the leader fails to receive the expected response to its phase 2 messages in
    instance 141, it will retransmit those messages." """
    run = scenario()
    run.elect(0)
    run.submit(0, "141")
    run.lose(Accept)
    run.fire(0, "retransmit")
    run.deliver_all()
    assert run.executed(1) == ["141"]


def test_one_short_message_prepares_all_instances(scenario: Make) -> None:
    """3: a new leader "can do this by sending a single reasonably short message to the other
    servers", and an acceptor "can respond for all instances" in one."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a", "b", "c")
    run.deliver(Accept)
    run.lose()
    run.fire(1, "election")
    assert len(run.sent(Prepare, source=1)) == len(NODES) - 1
    run.deliver(Prepare, to=2)
    (promised,) = run.sent(Promised, source=2)[1:]
    assert [vote.value for vote in promised.votes] == ["a", "b", "c"]


def test_an_acceptor_without_votes_answers_with_a_simple_ok() -> None:
    """3: "an acceptor responds with more than a simple OK only if it has already received a phase
    2 message from some proposer"."""
    effects = receive(Replica(2, NODES), 0, Prepare(Ballot(1, 0))).effects
    assert sends(effects) == [Send(0, Promised(Ballot(1, 0), votes=(), decided=()))]


def test_a_thousand_entries_cost_one_phase_1_and_a_thousand_phase_2(scenario: Make) -> None:
    """3: "the effective cost of executing a state machine command [...] is the cost of executing
    only phase 2 of the consensus algorithm"."""
    run = scenario()
    commands = [f"command {number}" for number in range(1000)]
    run.elect(0)
    for command in commands:
        run.submit(0, command)
        run.deliver_all()
    others = len(NODES) - 1
    assert len(run.sent(Prepare)) == len(run.sent(Promised)) == others
    assert len(run.sent(Accept)) == len(run.sent(Accepted)) == others * len(commands)
    assert run.record(0).leaderships == (Ballot(1, 0),)
    assert all(run.executed(node) == commands for node in NODES)


def test_clients_are_served_by_the_leader_only(scenario: Make) -> None:
    """3: "Clients send commands to the leader, who decides where in the sequence each command
    should appear." """
    run = scenario()
    run.elect(0)
    run.submit(1, "a")
    assert run.effects[-1] == (1, Reply("a", NotLeader(leader=0)))
    run.submit(0, "a")
    run.deliver_all()
    assert (0, Reply("a", 0)) in run.effects


def test_several_leaders_may_block_but_never_disagree(scenario: Make) -> None:
    """3: "two different servers will never disagree on the value chosen as the ith state machine
    command"."""
    run = scenario()
    run.fire(0, "election")
    run.deliver(Prepare, to=2)
    run.deliver(Promised)
    run.fire(1, "election")
    run.lose(Prepare, to=0)
    run.deliver(Prepare, to=2)
    run.deliver(Promised)
    leads = [effect.ballot for _, effect in run.effects if isinstance(effect, Lead)]
    assert leads == [Ballot(1, 0), Ballot(1, 1)]
    assert all(isinstance(run.replica(node).role, Leader) for node in (0, 1))
    run.submit(0, "of 0")
    run.submit(1, "of 1")
    run.deliver_all()
    decisions = {effect for _, effect in run.effects if isinstance(effect, Decide)}
    assert decisions == {Decide(0, "of 1")}


def test_heartbeats_keep_a_single_leader(scenario: Make) -> None:
    """2.4: "liveness can therefore be achieved by electing a single distinguished proposer"."""
    run = scenario()
    run.elect(0)
    run.fire(0, "heartbeat")
    run.deliver(Heartbeat)
    assert [effect for _, effect in run.effects if isinstance(effect, Lead)] == [Lead(Ballot(1, 0))]
    assert Promise(Ballot(1, 1)) not in [effect for _, effect in run.effects]
