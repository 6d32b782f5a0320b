"""One definition of quorums for all: what is proved of a system is what the explorer finds.

Multi-Paxos with quorums that are proved to meet holds; with others, there is a counterexample.
"""

from __future__ import annotations

import pytest

from indelible import explore
from indelible.checkers.lemmas.meeting import do_meet
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.events import NodeId
from indelible.model.quorums import (
    ExplicitQuorums,
    FormulaQuorums,
    GridQuorums,
    HierarchicalQuorums,
    JointQuorums,
    MajorityQuorums,
    ReadOneWriteAllQuorums,
    TreeQuorums,
    WeightedQuorums,
    phases_of,
)
from indelible.model.scope import Scope

EXPLORED: dict[str, tuple[FormulaQuorums, int, tuple[NodeId, NodeId]]] = {
    "grid": (GridQuorums(((0, 1), (2,))), 3, (0, 2)),
    "tree": (TreeQuorums((0, 1, 2)), 3, (0, 1)),
    "hierarchical": (HierarchicalQuorums(((0, 1), (2,))), 3, (0, 2)),
    "weighted": (WeightedQuorums({0: 2, 1: 1, 2: 1}), 3, (0, 1)),
    "read one, write all": (ReadOneWriteAllQuorums(), 3, (0, 1)),
    "explicit": (ExplicitQuorums([[0, 1], [0, 2]], [[0], [1, 2]]), 3, (0, 1)),
    "joint": (JointQuorums(MajorityQuorums(), (0, 1, 2), MajorityQuorums(), (2, 3)), 4, (0, 2)),
    "rows only": (ExplicitQuorums([[0, 1], [2, 3]]), 4, (0, 2)),
    "too little weight": (WeightedQuorums({0: 2, 1: 1, 2: 1}, 2, 2), 3, (0, 1)),
    "one zone each": (HierarchicalQuorums(((0, 1), (2,)), (1, 1), (1, 1)), 3, (0, 2)),
}


def scope(nodes: int, leaders: tuple[NodeId, NodeId]) -> Scope:
    """Two nodes that may each lead once, and are given a command each."""
    return Scope(
        nodes=nodes,
        commands=("a", "b"),
        may_submit={"a": leaders[:1], "b": leaders[1:]},
        timeouts_max={"election": 1, "heartbeat": 0, "retransmit": 0},
        may_time_out=leaders,
        links="ordered",
    )


@pytest.mark.parametrize("name", EXPLORED)
def test_what_is_proved_holds_and_what_is_refuted_is_violated(name: str) -> None:
    quorums, nodes, leaders = EXPLORED[name]
    met = do_meet(*phases_of(quorums, tuple(range(nodes))), 10)
    verdict = explore(MultiPaxos(quorums), scope(nodes, leaders))
    assert (met.outcome, verdict.outcome) in {("proved", "holds"), ("refuted", "violated")}
    if met.outcome == "refuted":
        # Not only a rule of Paxos is broken: two nodes decide differently.
        worse = explore(MultiPaxos(quorums), scope(nodes, leaders), properties=["agreement"])
        assert worse.outcome == "violated"


def test_both_outcomes_occur() -> None:
    outcomes = [
        do_meet(*phases_of(quorums, tuple(range(nodes))), 10).outcome
        for quorums, nodes, _ in EXPLORED.values()
    ]
    assert outcomes == ["proved"] * 7 + ["refuted"] * 3
