"""Quorum systems: who is a quorum, said in two ways; and what is refused at the door."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible import explore
from indelible.impl.multipaxos import MultiPaxos
from indelible.model.errors import ScopeError
from indelible.model.itf_encoder import Encoder
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    GridQuorums,
    HierarchicalQuorums,
    JointQuorums,
    MajorityQuorums,
    TreeQuorums,
    WeightedQuorums,
    phases_of,
)
from indelible.model.scope import Scope
from indelible.model.thresholds import Formula, Threshold, at_least, is_satisfied, named_nodes
from support.quorum_systems import NODES, SMALL, formulas, subsets


@pytest.mark.parametrize("name", SMALL)
def test_who_is_a_quorum(name: str) -> None:
    small = SMALL[name]
    phases = phases_of(small.system, small.nodes)
    for members in subsets(small.nodes):
        assert small.system.is_phase1_quorum(members, small.nodes) == small.phase1(members)
        assert small.system.is_phase2_quorum(members, small.nodes) == small.phase2(members)
        # The formula that is proved says what the method says that is acted by.
        assert is_satisfied(phases.phase1, members) == small.phase1(members)
        assert is_satisfied(phases.phase2, members) == small.phase2(members)


@given(formulas, st.sets(st.sampled_from(NODES)), st.sampled_from(NODES))
def test_another_node_never_makes_it_less_of_a_quorum(
    formula: Formula, members: set[int], other: int
) -> None:
    if is_satisfied(formula, members):
        assert is_satisfied(formula, members | {other})
    assert is_satisfied(formula, {*members, *named_nodes(formula)})


def test_members_may_be_given_in_any_collection() -> None:
    grid = GridQuorums(((0, 1), (2, 3)))
    for members in ((0, 1), [1, 0], {0, 1}):
        assert grid.is_phase2_quorum(members, (0, 1, 2, 3))
        assert not grid.is_phase1_quorum(members, (0, 1, 2, 3))


def test_a_system_is_a_value() -> None:
    for small in SMALL.values():
        again = pickle.loads(pickle.dumps(small.system))
        assert again == small.system
        assert hash(again) == hash(small.system)
    assert MajorityQuorums() == MajorityQuorums()
    assert FlexibleQuorums(2, 3) == FlexibleQuorums(phase1_size=2, phase2_size=3)
    # However it is written down, and whatever the order of a set.
    assert ExplicitQuorums([[2, 0], [1, 0]]) == ExplicitQuorums([{0, 1}, {0, 2}, {2, 0}])
    assert GridQuorums([[0, 1], [2]]) == GridQuorums(((0, 1), (2,)))  # type: ignore[arg-type]
    assert HierarchicalQuorums([["a"], ["b"]]).groups == (("a",), ("b",))  # type: ignore[arg-type]
    assert ExplicitQuorums([["b", 1, "a", 0]]).phase1 == ((0, 1, "a", "b"),)


def test_those_of_before_are_written_as_before() -> None:
    encoder = Encoder()
    written = encoder.encode((MajorityQuorums(), FlexibleQuorums(1, 2)))
    assert written == {
        "#tup": [
            {"tag": "MajorityQuorums", "value": {}},
            {
                "tag": "FlexibleQuorums",
                "value": {"phase1_size": {"#bigint": "1"}, "phase2_size": {"#bigint": "2"}},
            },
        ]
    }
    assert set(encoder.types.values()) == {
        "dataclass indelible.model.quorums:MajorityQuorums",
        "dataclass indelible.model.quorums:FlexibleQuorums",
    }


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no nodes": (lambda: phases_of(MajorityQuorums(), ()), "an empty system"),
    "no quorums": (lambda: ExplicitQuorums([]), "an empty system"),
    "no rows": (lambda: GridQuorums(()), "an empty system"),
    "no tree": (lambda: TreeQuorums(()), "an empty system"),
    "no groups": (lambda: HierarchicalQuorums(()), "an empty system"),
    "an empty quorum": (lambda: ExplicitQuorums([[]]), "an empty system"),
    "an empty row": (lambda: GridQuorums(((0,), ())), "an empty system"),
    "no weights": (lambda: WeightedQuorums({}), "an empty system"),
    "a negative weight": (lambda: WeightedQuorums({0: 2, 1: -1}), "a weight of -1"),
    "a weight that is text": (lambda: WeightedQuorums({0: "1"}), "a weight of '1'"),  # type: ignore[dict-item]
    "a fraction": (lambda: WeightedQuorums({0: 0.5}), "a weight of 0.5"),  # type: ignore[dict-item]
    "nothing weighs": (lambda: WeightedQuorums({0: 0}), "a quorum of weight 1 out of 0"),
    "too much": (lambda: WeightedQuorums({0: 1, 1: 1}, 3), "a quorum of weight 3 out of 2"),
    "nothing asked": (lambda: WeightedQuorums({0: 1}, 1, 0), "a quorum of weight 0"),
    "weights missing": (lambda: Threshold(1, (0, 1), (1,)), "2 parts have 1 weights"),
    "none of them": (lambda: at_least(0, (0, 1)), "a quorum of weight 0 decides nothing"),
    "size as text": (
        lambda: FlexibleQuorums("2", 2),  # type: ignore[arg-type]
        "a quorum of '2' nodes decides nothing",
    ),
    "size not whole": (
        lambda: FlexibleQuorums(2, 2.5),  # type: ignore[arg-type]
        "a quorum of 2.5 nodes decides nothing",
    ),
    "weighed twice": (
        lambda: WeightedQuorums([("a", 1), ("a", 5)]),
        "node 'a' is named twice",
    ),
    "no name": (
        lambda: phases_of(MajorityQuorums(), ("a", "")),
        "a node has an empty name",
    ),
    "size 0": (lambda: FlexibleQuorums(0, 1), "a quorum of 0 nodes decides nothing"),
    "too many": (
        lambda: phases_of(FlexibleQuorums(4, 1), (0, 1, 2)),
        "a quorum of weight 4 out of 3",
    ),
    "unknown": (
        lambda: phases_of(ExplicitQuorums([[0, 7], ["x"]]), (0, 1)),
        "a quorum over 'x', 7, unknown here",
    ),
    "one child": (lambda: TreeQuorums((0, 1), 1), "a tree of 1 children a node"),
    "half a tree": (lambda: TreeQuorums((0, 1)), "a tree of 2 nodes with 2 children each"),
    "twice in a tree": (lambda: TreeQuorums((0, 1, 1)), "node 1 is named twice"),
    "twice in a grid": (lambda: GridQuorums(((0, 1), (1,))), "node 1 is named twice"),
    "twice in groups": (lambda: HierarchicalQuorums((("a",), ("a",))), "node 'a' is named twice"),
    "levels": (
        lambda: HierarchicalQuorums((("a",), ("b",)), (1,)),
        "phase1 says how many on 1 levels of 2",
    ),
    "too many on a level": (
        lambda: HierarchicalQuorums((("a",), ("b",)), phase2=(1, 2)),
        "a quorum of weight 2 out of 1",
    ),
    "joint": (
        lambda: JointQuorums(MajorityQuorums(), (0,), GridQuorums(((5,),)), (1,)),
        "a quorum over 5, unknown here",
    ),
    "no formula": (lambda: phases_of(object(), (0,)), "object does not say"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused(name: str) -> None:
    build, says = REFUSED[name]
    with pytest.raises(ScopeError) as caught:
        build()
    assert caught.value.fact.startswith(says)


def test_a_search_refuses_quorums_of_other_nodes() -> None:
    with pytest.raises(ScopeError, match="a quorum over 3, unknown here"):
        explore(MultiPaxos(GridQuorums(((0, 1), (2, 3)))), Scope(nodes=3))
    with pytest.raises(ScopeError, match="a quorum of weight 4 out of 3"):
        explore(MultiPaxos(FlexibleQuorums(4, 1)), Scope(nodes=3))
