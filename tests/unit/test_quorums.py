"""Quorums: which sets of nodes conclude a phase, and that none of no nodes does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest

from indelible import ExplicitQuorums, FlexibleQuorums, MajorityQuorums, QuorumSystem, ScopeError
from indelible.bug_hunt import catch

NODES = (0, 1, 2, 3)


def smallest(is_quorum: Callable[[set[int]], bool]) -> list[set[int]]:
    """The sets that are a quorum, and of which no part is; that what holds one is one too."""
    every = [set(some) for size in range(len(NODES) + 1) for some in combinations(NODES, size)]
    quorums = [some for some in every if is_quorum(some)]
    assert all(more in quorums for some in quorums for more in every if some <= more)
    return [some for some in quorums if not any(other < some for other in quorums)]


PAIRS = [set(pair) for pair in combinations(NODES, 2)]
TRIPLES = [set(triple) for triple in combinations(NODES, 3)]


@pytest.mark.parametrize(
    ("quorums", "phase1", "phase2"),
    [
        (MajorityQuorums(), TRIPLES, TRIPLES),
        (FlexibleQuorums(phase1_size=3, phase2_size=2), TRIPLES, PAIRS),
        (
            ExplicitQuorums(phase1=((0, 1), (3, 0, 2)), phase2=((0,), (1, 2), (3, 1))),
            [{0, 1}, {0, 2, 3}],
            [{0}, {1, 2}, {1, 3}],
        ),
        (ExplicitQuorums(phase1=((0, 9),), phase2=()), [], []),
    ],
    ids=["majorities", "flexible", "explicit", "none"],
)
def test_the_smallest_quorums_of_four_nodes(
    quorums: QuorumSystem, phase1: list[set[int]], phase2: list[set[int]]
) -> None:
    assert smallest(lambda nodes: quorums.is_phase1_quorum(nodes, NODES)) == phase1
    assert smallest(lambda nodes: quorums.is_phase2_quorum(nodes, NODES)) == phase2


@pytest.mark.parametrize(
    "make",
    [
        lambda: FlexibleQuorums(phase1_size=0, phase2_size=2),
        lambda: ExplicitQuorums(phase1=((0, 1),), phase2=((0,), ())),
    ],
    ids=["flexible", "explicit"],
)
def test_no_nodes_are_no_quorum(make: Callable[[], QuorumSystem]) -> None:
    with pytest.raises(ScopeError) as caught:
        make()
    assert caught.value.fact == "a quorum of 0 nodes decides nothing"


def test_a_hunt_says_which_quorums_a_bug_needs() -> None:
    assert catch("dup_promise_counted", None).needs.endswith("; quorums of 3 and 1")
    assert catch("keep_old_promises", None).needs.endswith("; quorums n0+n1, then n0 or n1")
