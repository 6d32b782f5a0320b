"""The values Multi-Paxos is made of: ballots, logs, replicas. No protocol step."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible.impl.multipaxos import NO_BALLOT, Ballot, Candidate, Entry, Leader, Proposal, Replica
from indelible.impl.multipaxos.log import (
    at,
    decided_count,
    decided_prefix,
    next_slot,
    placed,
)
from indelible.impl.multipaxos.replica import FOLLOWER, Storage
from indelible.model.effects import Vote

NODES = (0, 1, 2)
LOGS = st.dictionaries(st.integers(0, 8), st.sampled_from("abc"), max_size=8)


def log_of(entries: dict[int, str]) -> tuple[Entry, ...]:
    return tuple(Entry(slot, entries[slot]) for slot in sorted(entries))


class TestBallot:
    def test_the_round_counts_first_and_then_the_node(self) -> None:
        assert sorted([Ballot(2, 0), Ballot(1, 1), Ballot(1, 0)]) == [
            Ballot(1, 0),
            Ballot(1, 1),
            Ballot(2, 0),
        ]

    def test_named_nodes_are_ordered_too(self) -> None:
        assert Ballot(1, "ann") < Ballot(1, "bob") < Ballot(2, "ann")

    def test_two_nodes_never_share_one(self) -> None:
        assert Ballot(1, 0) != Ballot(1, 1)

    @pytest.mark.parametrize("lowest", [Ballot(1, 0), Ballot(1, "ann")])
    def test_none_is_below_every_ballot(self, lowest: Ballot) -> None:
        assert lowest > NO_BALLOT

    def test_reads_round_dot_node(self) -> None:
        assert str(Ballot(2, 1)) == "2.1"


class TestLog:
    @given(LOGS, st.integers(0, 9))
    def test_at_is_a_dictionary_look_up(self, entries: dict[int, str], slot: int) -> None:
        found = at(log_of(entries), slot)
        assert (found and found.value) == entries.get(slot)

    @given(LOGS, LOGS)
    def test_placed_is_a_dictionary_update(self, old: dict[int, str], new: dict[int, str]) -> None:
        assert placed(log_of(old), log_of(new)) == log_of(old | new)

    @given(LOGS)
    def test_decided_count_is_the_first_slot_that_is_missing(self, entries: dict[int, str]) -> None:
        missing = next(slot for slot in range(10) if slot not in entries)
        assert decided_count(log_of(entries)) == missing
        assert decided_prefix(log_of(entries)) == log_of(entries)[:missing]

    def test_next_slot_is_after_everything_in_all_logs(self) -> None:
        assert next_slot() == 0
        assert next_slot((), ()) == 0
        assert next_slot(log_of({4: "a"}), log_of({1: "b", 2: "c"})) == 5


class TestReplica:
    def test_peers_are_the_others_in_order(self) -> None:
        assert Replica(1, NODES).peers == (0, 2)

    def test_leader_is_whom_the_promise_names(self) -> None:
        assert Replica(1, NODES).leader is None
        assert Replica(1, NODES, promised=Ballot(1, 1)).leader is None
        assert Replica(1, NODES, promised=Ballot(1, 0)).leader == 0

    def test_open_votes_are_those_in_slots_not_known_decided(self) -> None:
        votes = (Vote(0, Ballot(1, 0), "a"), Vote(1, Ballot(1, 0), "b"))
        replica = Replica(1, NODES, Ballot(1, 0), votes, (Entry(0, "a"),))
        assert replica.open_votes == (Vote(1, Ballot(1, 0), "b"),)

    def test_storage_is_the_promise_and_the_votes(self) -> None:
        votes = (Vote(0, Ballot(1, 0), "a"),)
        assert Replica(1, NODES, Ballot(2, 1), votes).storage == Storage(Ballot(2, 1), votes)

    def test_is_an_immutable_hashable_value(self) -> None:
        replica = Replica(1, NODES)
        assert hash(replica) == hash(Replica(1, NODES))
        with pytest.raises(dataclasses.FrozenInstanceError):
            replica.promised = Ballot(1, 1)  # type: ignore[misc]


VOTE = Vote(0, Ballot(1, 0), "a")
LED = Replica(0, NODES, Ballot(1, 0), (VOTE,), (), Leader((Proposal(0, "a", frozenset({0})),)))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"promised": NO_BALLOT, "role": FOLLOWER}, "above the promise"),
        ({"promised": Ballot(2, 1)}, "somebody else's ballot"),
        ({"votes": (VOTE, VOTE)}, "twice"),
        ({"decided": (Entry(1, "b"), Entry(0, "a")), "role": FOLLOWER}, "not sorted"),
        ({"votes": ()}, "has not voted for"),
        ({"decided": (Entry(0, "a"),)}, "in a decided slot"),
        ({"role": Candidate(frozenset({1}), ())}, "without its own promise"),
    ],
)
def test_check_finds_parts_that_do_not_fit(change: dict[str, object], complaint: str) -> None:
    LED.check()
    with pytest.raises(AssertionError, match=complaint):
        dataclasses.replace(LED, **change).check()  # type: ignore[arg-type]
