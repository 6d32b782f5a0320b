"""Exact counts of our Multi-Paxos: distinct states, transitions and depth, beside their scope.

They change with the protocol, with what a message says, with what a record remembers, and with what
counts as a transition; never with how fast or in what order a search goes about it. A number that
changes needs a sentence, in the commit that changes it, that says why.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from indelible import FlexibleQuorums, Limits, Scope, explore
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.impl.multipaxos import MultiPaxos


class Pinned(NamedTuple):
    scope: Scope
    states_distinct: int
    transitions: int
    depth: int
    implementation: MultiPaxos = MultiPaxos()
    slow: bool = False
    """Whether the plain search takes longer than a few seconds."""
    plain_depth: int | None = None
    """How far the plain search goes where the whole scope would take it a minute."""


ONE_ELECTION = {"election": 1, "heartbeat": 0, "retransmit": 0}


def scope(
    *,
    nodes: int = 3,
    commands: tuple[str, ...] = ("a",),
    candidates: tuple[int, ...] = (0,),
    timeouts_max: int | dict[str, int] = ONE_ELECTION,
    **fields: object,
) -> Scope:
    """Clients submit to node 0 alone, and the candidates bid once, unless it says otherwise."""
    asked = {"may_submit": (0,), "may_time_out": candidates, "timeouts_max": timeouts_max} | fields
    return Scope(nodes=nodes, commands=commands, **asked)  # type: ignore[arg-type]


PINNED = {
    "one node": Pinned(scope(nodes=1, commands=("a", "b"), restarts_max=1), 38, 48, 4),
    # By hand: node 0 bids, node 1 promises, node 0 leads, the command is submitted, node 1 votes,
    # both decide. Before there is a leader a submission changes nothing, if it is not counted.
    "two nodes, unbounded submissions": Pinned(scope(nodes=2, submissions_max=None), 8, 7, 7),
    # Where it is, it may be used up in vain in the first three of those states. They come once more
    # with it used up, and so does the fourth, in which node 0 leads.
    "two nodes": Pinned(scope(nodes=2), 12, 13, 7),
    "two nodes, submitting to both": Pinned(scope(nodes=2, may_submit=None), 16, 20, 7),
    "two nodes, two candidates": Pinned(
        scope(nodes=2, candidates=(0, 1), may_submit=None), 260, 505, 12
    ),
    "two nodes, every timer once": Pinned(
        scope(nodes=2, timeouts_max={"election": 1, "heartbeat": 1, "retransmit": 1}), 42, 69, 10
    ),
    "heartbeats and repetitions without bound": Pinned(
        scope(timeouts_max={"election": 1}), 686, 1_603, 15
    ),
    "two commands": Pinned(scope(commands=("a", "b")), 3_968, 11_884, 18),
    "three nodes": Pinned(scope(), 88, 158, 11),
    "three nodes, two candidates": Pinned(scope(candidates=(0, 1)), 11_262, 45_419, 19, slow=True),
    "three nodes, two candidates, submitting to all": Pinned(
        scope(candidates=(0, 1), may_submit=None), 22_452, 89_597, 19, slow=True
    ),
    "at most once": Pinned(scope(links="unordered"), 200, 456, 12),
    "at most once, sent again": Pinned(
        scope(
            nodes=2,
            timeouts_max={"election": 1, "heartbeat": 0, "retransmit": 1},
            links="unordered",
        ),
        54,
        75,
        10,
    ),
    "at most once, two candidates": Pinned(
        scope(candidates=(0, 1), links="unordered"),
        82_053,
        338_207,
        23,
        slow=True,
        plain_depth=11,
    ),
    "in order": Pinned(scope(links="ordered"), 68, 130, 12),
    "in order, two candidates": Pinned(
        scope(candidates=(0, 1), links="ordered"), 6_037, 16_563, 23, slow=True
    ),
    "a restart": Pinned(scope(restarts_max=1), 510, 1_191, 12),
    "two restarts": Pinned(scope(nodes=2, restarts_max=2), 106, 197, 9),
    "unbounded restarts": Pinned(scope(restarts_max=None), 360, 1_136, 14),
    "a restart, two candidates": Pinned(
        scope(candidates=(0, 1), restarts_max=1),
        91_939,
        419_724,
        22,
        slow=True,
        plain_depth=10,
    ),
    "a torn step": Pinned(scope(restarts_max=1, torn=True), 817, 2_025, 12),
    "a torn step, in order": Pinned(
        scope(restarts_max=1, torn=True, links="ordered"), 677, 1_627, 13
    ),
    "a torn step, at most once": Pinned(
        scope(
            nodes=2, candidates=(0, 1), timeouts_max=1, restarts_max=1, torn=True, links="unordered"
        ),
        753,
        1_411,
        13,
    ),
    "two bids of each, at most once": Pinned(
        scope(
            nodes=2,
            candidates=(0, 1),
            timeouts_max=ONE_ELECTION | {"election": 2},
            links="unordered",
        ),
        23_805,
        58_741,
        22,
        slow=True,
    ),
    "one promise, three votes": Pinned(scope(), 58, 91, 10, MultiPaxos(FlexibleQuorums(1, 3))),
    "three promises, one vote": Pinned(
        scope(candidates=(0, 1)), 3_331, 12_844, 19, MultiPaxos(FlexibleQuorums(3, 1))
    ),
    "three promises, two votes of four": Pinned(
        scope(nodes=4), 690, 1_929, 16, MultiPaxos(FlexibleQuorums(3, 2))
    ),
    "five nodes": Pinned(scope(nodes=5), 6_456, 22_398, 20, slow=True),
    "five nodes, in order": Pinned(scope(nodes=5, links="ordered"), 2_300, 8_596, 22),
}


@pytest.mark.parametrize("name", PINNED)
def test_pinned(name: str) -> None:
    pinned = PINNED[name]
    verdict = explore(pinned.implementation, pinned.scope, limits=Limits())
    assert verdict.outcome == "holds"
    assert (verdict.states_distinct, verdict.transitions, verdict.depth) == pinned[1:4]


def by_time(name: str) -> object:
    return pytest.param(name, marks=[pytest.mark.slow] if PINNED[name].slow else [])


@pytest.mark.parametrize("name", [by_time(name) for name in PINNED])
def test_the_plain_search_counts_the_same(name: str) -> None:
    """Without properties, which count nothing."""
    pinned = PINNED[name]
    question = pinned.implementation, pinned.scope
    limits = Limits(depth_max=pinned.plain_depth)
    verdict = explore_breadth_first(*question, (), limits)
    expected = pinned[1:4]
    if pinned.plain_depth is not None:
        fast = explore(*question, properties=[], limits=limits)
        expected = (fast.states_distinct, fast.transitions, fast.depth)
        assert fast.depth == pinned.plain_depth
    assert verdict.exhausted == (pinned.plain_depth is None)
    assert (verdict.states_distinct, verdict.transitions, verdict.depth) == expected
