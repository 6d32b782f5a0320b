"""Exact counts beside their scope. A changed number needs a sentence in the commit that says why.

The plain twin counts the same: in the slow tests for all that it can count in a minute or so.
"""

from __future__ import annotations

import pytest

from indelible import FlexibleQuorums, Limits, Scope, explore
from indelible.checkers.breadth_first import explore_breadth_first
from indelible.checkers.properties import BUILT_IN
from indelible.impl.multipaxos import MultiPaxos

ELECTION = {"election": 1, "heartbeat": 0, "retransmit": 0}


def scope(**fields: object) -> Scope:
    """Three nodes, of which node 0 may bid once, and one command, unless said otherwise."""
    return Scope(**{"timeouts_max": ELECTION, "may_time_out": (0,), **fields})  # type: ignore[arg-type]


OURS = MultiPaxos()
FLEXIBLE = MultiPaxos(quorums=FlexibleQuorums(phase1_size=3, phase2_size=1))

# An implementation, a scope, and its states, transitions and depth.
PINNED = {
    "one election": (OURS, scope(), (104, 196, 11)),
    "two slots": (OURS, scope(commands=("a", "b")), (4_352, 12_976, 18)),
    "two candidates": (OURS, scope(may_time_out=(0, 1)), (22_452, 89_597, 19)),
    "two candidates, ordered": (
        OURS,
        scope(may_time_out=(0, 1), links="ordered"),
        (11_070, 30_682, 23),
    ),
    "two candidates, at most once": (
        OURS,
        scope(may_time_out=(0, 1), links="unordered"),
        (158_486, 650_789, 23),
    ),
    "two candidates, a restart": (
        OURS,
        scope(may_time_out=(0, 1), restarts_max=1),
        (182_061, 824_890, 22),
    ),
    "torn": (OURS, scope(restarts_max=1, torn=True), (913, 2_321, 12)),
    "torn, ordered": (OURS, scope(restarts_max=1, torn=True, links="ordered"), (817, 2_037, 13)),
    "restarts without bound": (OURS, scope(restarts_max=None), (390, 1_214, 14)),
    "submissions without bound": (OURS, scope(submissions_max=None), (80, 142, 11)),
    "every timer": (OURS, scope(timeouts_max={"election": 1}), (712, 1_669, 15)),
    "two nodes": (OURS, scope(nodes=2, may_time_out=None), (260, 505, 12)),
    "five nodes": (OURS, scope(nodes=5), (6_696, 23_346, 20)),
    "flexible quorums": (FLEXIBLE, scope(may_time_out=(0, 1)), (6_950, 26_937, 19)),
}
TWIN_MAX = 25_000
PROPERTIES = [BUILT_IN["agreement"], BUILT_IN["log_prefix"], BUILT_IN["votes_are_safe"]]


@pytest.mark.parametrize("name", PINNED)
def test_counts(name: str) -> None:
    implementation, bounds, counts = PINNED[name]
    verdict = explore(implementation, bounds, properties=PROPERTIES)
    assert verdict.outcome == "holds"
    assert (verdict.states_distinct, verdict.transitions, verdict.depth) == counts


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PINNED if PINNED[name][2][0] <= TWIN_MAX])
def test_the_plain_twin_counts_the_same(name: str) -> None:
    implementation, bounds, counts = PINNED[name]
    verdict = explore_breadth_first(implementation, bounds, (), Limits())
    assert (verdict.states_distinct, verdict.transitions, verdict.depth) == counts
