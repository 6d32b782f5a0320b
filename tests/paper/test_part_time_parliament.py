"""What Leslie Lamport's "The Part-Time Parliament" (1998) holds us to; numbers are its sections.

Priests and legislators are nodes, a decree is an entry, its number the slot, the president is the
leader, a ledger the decided entries. NextBallot is our Prepare, LastVote Promised, BeginBallot
Accept, Voted Accepted, Success Decided; the back of the ledger is the storage.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from indelible.impl.multipaxos import (
    Accept,
    Accepted,
    Ballot,
    Candidate,
    Decided,
    Entry,
    Leader,
    MultiPaxos,
    Prepare,
    Promised,
    Refused,
    Replica,
    Storage,
)
from indelible.model.effects import NO_OP, Persist, Promise, Send, Vote
from indelible.model.events import Receive
from indelible.model.implementation import Step

Make = Callable[..., Any]

PAXOS = MultiPaxos()
PRIESTS = ("A", "B", "Γ", "Δ", "E")
NODES = (0, 1, 2)


def receive(replica: Replica, source: object, message: object) -> Step:
    return PAXOS.handle(replica.node, replica, Receive(source, message))  # type: ignore[arg-type]


# 1 The problem


def test_no_two_ledgers_contradict_each_other(scenario: Make) -> None:
    """1.2: "no two ledgers could contain contradictory information"."""
    run = scenario(*PRIESTS)
    for round_of, president in enumerate(("A", "E", "B")):
        run.elect(president)
        run.submit(president, f"decree of {president}")
        run.deliver_all() if round_of else run.deliver(Accept, to="Γ")
        run.lose()
    ledgers = [run.decided(priest) for priest in PRIESTS]
    for one, other in combinations(ledgers, 2):
        assert all(one[slot] == other[slot] for slot in one.keys() & other.keys())
    assert len(ledgers[1]) == 3


def test_an_entry_in_the_ledger_is_never_changed() -> None:
    """1.3: each legislator received a ledger and "a supply of indelible ink"."""
    ledger = receive(Replica(1, NODES), 0, Decided(0, "olives")).state
    assert receive(ledger, 2, Decided(0, "goats")).state.decided == (Entry(0, "olives"),)


def test_slips_of_paper_may_be_lost_and_the_ledger_may_not(scenario: Make) -> None:
    """1.3: notes on a slip of paper "he might (or might not) lose if he left the Chamber"."""
    run = scenario()
    run.elect(0)
    run.submit(0, "a")
    run.deliver(Accept, to=1)
    assert isinstance(run.replica(0).role, Leader)
    run.restart(0)
    assert run.replica(0) == Replica(0, NODES, Ballot(1, 0), (Vote(0, Ballot(1, 0), "a"),))


def test_a_messenger_may_deliver_again(scenario: Make) -> None:
    """1.3: "he might forget that he had already delivered a message, and deliver it again".

    Each message is delivered twice, and the second time changes nothing.
    """
    run = scenario(*PRIESTS)
    run.fire("A", "election")
    for decree in (None, "first", "second"):
        if decree:
            run.submit("A", decree)
        while run.under_way:
            source, to, message = run.under_way.pop(0)
            run.receive(to, source, message)
            before = run.replica(to)
            run.receive(to, source, message)
            assert run.replica(to) == before
    assert run.executed("E") == ["first", "second"]


# 2.1 Mathematical results


def test_b1_each_ballot_has_a_unique_number(scenario: Make) -> None:
    """2.1, B1: "Each ballot in β has a unique ballot number." """
    run = scenario(*PRIESTS)
    for priest in PRIESTS * 2:
        run.fire(priest, "election")
    bids = {(node, e.ballot) for node, e in run.effects if isinstance(e, Promise)}
    assert len(bids) == len({ballot for _, ballot in bids}) == 10


def test_b2_any_two_quorums_have_a_priest_in_common() -> None:
    """2.1, B2: "The quorums of any two ballots in β have at least one priest in common." """
    quorums = [
        set(members)
        for size in range(len(PRIESTS) + 1)
        for members in combinations(PRIESTS, size)
        if PAXOS.enough_promises(members, PRIESTS) or PAXOS.enough_votes(members, PRIESTS)
    ]
    assert len(quorums) == 16
    assert all(one & other for one in quorums for other in quorums)


@pytest.mark.parametrize(
    ("number", "reports", "decree"),
    [
        (5, {"B": None, "Γ": None, "E": None}, None),
        (14, {"B": None, "Δ": (2, "alpha"), "E": None}, "alpha"),
        (27, {"A": None, "Γ": (5, "beta"), "Δ": (2, "alpha")}, "beta"),
        (29, {"B": (14, "alpha"), "Γ": (27, "beta"), "Δ": (27, "beta")}, "beta"),
    ],
    ids=["ballot 5", "ballot 14", "ballot 27", "ballot 29"],
)
def test_b3_the_decree_is_that_of_the_latest_earlier_ballot(
    number: int, reports: dict[str, tuple[int, str] | None], decree: str | None
) -> None:
    """2.1, B3: if any priest in the quorum voted in an earlier ballot, "then the decree of B equals
    the decree of the latest of those earlier ballots". The ballots are those of figure 1.

    A candidate promises to itself, so the first of the quorum is the one who bids. Ballot 5 is
    held with three of its four priests, which are a majority already.
    """
    candidate, *others = reports
    ballot = Ballot(number, candidate)

    def votes(priest: str) -> tuple[Vote, ...]:
        vote = reports[priest]
        return () if vote is None else (Vote(0, Ballot(vote[0], "?"), vote[1]),)

    own = votes(candidate)
    role = Candidate(frozenset({candidate}), own)
    replica = Replica(candidate, PRIESTS, ballot, own, role=role)
    for priest in others:
        replica = receive(replica, priest, Promised(ballot, votes(priest), ())).state
    proposed = [] if decree is None else [(0, decree)]
    assert isinstance(replica.role, Leader)
    assert [(open.slot, open.value) for open in replica.role.proposals] == proposed


# 2.2 and 2.3 The protocols


def test_ballot_numbers_are_pairs_in_lexicographical_order() -> None:
    """2.2: a ballot number may be "a pair consisting of an integer and a priest, using a
    lexicographical ordering", as in (13, Γραι) < (13, Λινσει) < (15, Γραι)."""
    assert Ballot(13, "Γραι") < Ballot(13, "Λινσει") < Ballot(15, "Γραι")


def test_step_2_a_last_vote_is_a_promise() -> None:
    """2.3, step 2: q "sets nextBal[q] to b and sends a LastVote(b, v) message to p, where v equals
    prevVote[q]"; lower ballots get no vote from then on."""
    previous = Vote(0, Ballot(2, 0), "alpha")
    priest = Replica(2, NODES, Ballot(2, 0), (previous,))
    state, effects = receive(priest, 1, Prepare(Ballot(5, 1)))
    assert state.promised == Ballot(5, 1)
    assert Send(1, Promised(Ballot(5, 1), (previous,), ())) in effects
    assert receive(state, 0, Accept(Ballot(4, 0), 0, "beta")).state.votes == (previous,)


def test_step_4_a_vote_is_written_down_and_sent() -> None:
    """2.3, step 4: q "casts his vote in ballot number b, sets prevVote[q] to this vote, and sends a
    Voted(b, q) message to p"."""
    ballot = Ballot(5, 1)
    state, effects = receive(Replica(2, NODES, ballot), 1, Accept(ballot, 0, "beta"))
    vote = Vote(0, ballot, "beta")
    assert state.votes == (vote,)
    assert effects[0] == Persist(Storage(ballot, (vote,)))
    assert Send(1, Accepted(ballot, 0)) in effects


def test_steps_5_and_6_success_is_entered_everywhere(scenario: Make) -> None:
    """2.3, steps 5 and 6: with all votes of a quorum he "writes d in his ledger and sends a
    Success(d) message to every priest", who "enters decree d in his ledger"."""
    run = scenario(*PRIESTS)
    run.elect("A")
    run.submit("A", "d")
    run.deliver(Accept, to="B")
    run.deliver(Accept, to="Γ")
    run.deliver(Accepted)
    assert run.decided("A") == {0: "d"}
    assert len(run.sent(Decided)) == 4
    run.deliver(Decided)
    assert [run.decided(priest) for priest in PRIESTS] == [{0: "d"}] * 5


def test_only_the_ballot_last_tried_is_conducted() -> None:
    """2.3: a priest conducts one ballot at a time, lastTried[p], and "ignores messages that pertain
    to any other ballot that he had previously initiated"."""
    bidding = Replica(0, NODES, Ballot(4, 0), role=Candidate(frozenset({0}), ()))
    for stale in (
        Promised(Ballot(1, 0), (), ()),
        Accepted(Ballot(1, 0), 0),
        Refused(Ballot(1, 0), Ballot(2, 1)),
    ):
        assert receive(bidding, 1, stale) == Step(bidding)


def test_the_complete_protocol_a_low_bidder_is_told_the_number_to_beat(scenario: Make) -> None:
    """2.4: whoever gets a message with b < nextBal[q] sends "a message containing nextBal[q]", and
    p "would then initiate a new ballot with a larger ballot number"."""
    run = scenario()
    run.elect(1)
    run.restart(1)
    run.elect(1)
    run.fire(0, "election")
    run.lose()
    assert run.replica(2).promised == Ballot(2, 1)
    bid = run.replica(0).promised
    assert bid > Ballot(2, 1)
    run.fire(2, "election")
    run.deliver(Prepare, to=1)
    run.deliver(Promised)
    run.submit(2, "a")
    run.deliver(Accept, to=0)
    assert run.replica(0).promised > bid


# 3 The multi-decree parliament


def test_one_message_is_next_ballot_for_all_instances(scenario: Make) -> None:
    """3.1: a new president sends "a single message that serves as the NextBallot(b) message for all
    instances of the Synod protocol"."""
    run = scenario()
    run.elect(0)
    prepares = len(run.sent(Prepare))
    run.submit(0, *(f"decree {number}" for number in range(20)))
    run.deliver_all()
    assert prepares == len(run.sent(Prepare)) == 2


def test_the_reply_tells_ledger_and_votes(scenario: Make) -> None:
    """3.1: q "informs p of all decrees [...] that already appear in q's ledger (in addition to
    sending the usual LastVote information for decrees not in his ledger)"."""
    run = scenario()
    run.elect(0)
    run.submit(0, "passed")
    run.deliver_all()
    run.submit(0, "voted")
    run.deliver(Accept, to=2)
    run.lose()
    run.fire(1, "election")
    run.deliver(Prepare, to=2)
    (promised,) = run.sent(Promised, source=2)[1:]
    assert promised.decided == (Entry(0, "passed"),)
    assert promised.votes == (Vote(1, Ballot(1, 0), "voted"),)


def test_a_decree_whose_outcome_is_known_is_not_put_to_vote_again(scenario: Make) -> None:
    """3.1: "There is no reason to go through the Synod protocol for a decree number whose outcome
    is already known." """
    run = scenario()
    run.elect(0)
    run.submit(0, "known")
    run.deliver_all()
    asked = len(run.sent(Accept))
    run.elect(1)
    assert len(run.sent(Accept)) == asked


def test_the_president_immediately_performs_step_3_where_b3_binds(scenario: Make) -> None:
    """3.1: "For some finite number of instances [...] the choice of decree in step 3 will be
    determined by B3. The president immediately performs step 3 for each of those"."""
    run = scenario()
    run.elect(0)
    run.submit(0, "one", "two")
    run.deliver(Accept)
    run.lose()
    run.fire(1, "election")
    run.deliver(Prepare, to=2)
    run.deliver(Promised)
    assert {(a.slot, a.value) for a in run.sent(Accept, source=1)} == {(0, "one"), (1, "two")}


def test_olive_day_fills_the_gap() -> None:
    """3.1: decree 126 is passed while 125 is unknown; "a new president would fill any gaps in his
    ledger by passing the 'olive-day' decree", which makes no difference to anyone."""
    new = Ballot(2, 0)
    passed = tuple(Entry(number, f"decree {number}") for number in (*range(125), 126))
    role = Candidate(frozenset({0}), ())
    president = Replica(0, NODES, new, decided=passed, role=role)
    elected, effects = receive(president, 1, Promised(new, (), ()))
    assert [e.message for e in effects if isinstance(e, Send)] == [Accept(new, 125, NO_OP)] * 2
    passed_all = receive(elected, 1, Accepted(new, 125)).state
    assert passed_all.decided[125] == Entry(125, NO_OP)
    assert PAXOS.executed(passed_all.decided)[-1] == "decree 126"
    assert len(PAXOS.executed(passed_all.decided)) == 126


def test_an_important_decree_comes_after_all_that_passed_before_it_was_proposed(
    scenario: Make,
) -> None:
    """3.2.1: "If decrees A and B are important and decree A was passed before decree B was
    proposed, then A has a lower decree number than B." """
    run = scenario()
    run.elect(0)
    run.submit(0, "never heard of", "A")
    run.lose(Accept, to=1)
    run.under_way = [way for way in run.under_way if way[2].slot == 1]
    run.deliver(Accept)
    run.deliver(Accepted)
    run.lose()
    assert run.decided(0) == {1: "A"}
    run.fire(1, "election")
    run.deliver(Prepare, to=2)
    run.deliver(Promised)
    run.submit(1, "B")
    run.lose(Prepare)
    run.deliver_all()
    assert run.decided(2) == {0: NO_OP, 1: "A", 2: "B"}


def test_behind_closed_doors_a_decree_takes_three_message_delays(scenario: Make) -> None:
    """3.2.2: BeginBallot, Voted, Success: "a total of three message delays and about 3N
    messages"."""
    run = scenario(*PRIESTS)
    run.elect("A")
    before = len([effect for _, effect in run.effects if isinstance(effect, Send)])
    run.submit("A", "decree")
    delays = 0
    while any(run.decided(priest) == {} for priest in PRIESTS):
        run.deliver()
        delays += 1
    sends = [effect for _, effect in run.effects if isinstance(effect, Send)]
    assert delays == 3
    assert len(sends) - before == 3 * (len(PRIESTS) - 1)


def test_decrees_are_taken_into_the_law_in_order_only() -> None:
    """3.3.2: of decree 1302 he "would write it down in the back of the ledger and wait until he
    learned about decrees 1300 and 1301 before incorporating" it."""
    legislator = Replica(1, NODES, decided=tuple(Entry(n, f"decree {n}") for n in range(1300)))
    ahead = receive(legislator, 0, Decided(1302, "decree 1302")).state
    assert len(PAXOS.executed(ahead.decided)) == 1300
    for number in (1301, 1300):
        ahead = receive(ahead, 0, Decided(number, f"decree {number}")).state
    assert PAXOS.executed(ahead.decided)[-3:] == ("decree 1300", "decree 1301", "decree 1302")
