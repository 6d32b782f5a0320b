"""Small quorum systems, and what they mean, said once more and in another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Final, NamedTuple

from hypothesis import strategies as st

from indelible.model.events import NodeId
from indelible.model.quorums import (
    ExplicitQuorums,
    FlexibleQuorums,
    FormulaQuorums,
    GridQuorums,
    HierarchicalQuorums,
    JointQuorums,
    MajorityQuorums,
    Phases,
    ReadOneWriteAllQuorums,
    TreeQuorums,
    WeightedQuorums,
)
from indelible.model.thresholds import Formula, Threshold, is_satisfied

Set = frozenset[NodeId]


class Small(NamedTuple):
    """A system over few nodes, and who is a quorum of it, without any formula."""

    system: FormulaQuorums
    nodes: tuple[NodeId, ...]
    phase1: Callable[[Set], bool]
    phase2: Callable[[Set], bool]


def both(known: Callable[[Set], bool]) -> tuple[Callable[[Set], bool], Callable[[Set], bool]]:
    return known, known


def _tree(root: int, members: Set) -> bool:
    """Of a tree of seven nodes: a quorum of the tree that begins at this node."""
    if root > 2:
        return root in members
    left, right = _tree(2 * root + 1, members), _tree(2 * root + 2, members)
    return (root in members and (left or right)) or (left and right)


def _wide_tree(members: Set) -> bool:
    """Of a root with three children."""
    return members >= {1, 2, 3} or (0 in members and bool(members & {1, 2, 3}))


def _zones(members: Set, zones: int, in_each: int) -> bool:
    groups = ({"a1", "a2", "a3"}, {"b1", "b2", "b3"})
    return sum(len(members & group) >= in_each for group in groups) >= zones


ZONES: Final = (("a1", "a2", "a3"), ("b1", "b2", "b3"))
ALL_ZONES: Final = (*ZONES[0], *ZONES[1])
WEIGHTS: Final = {"a": 3, "b": 2, "c": 2, "d": 1, "e": 0}


def _weight(members: Set) -> int:
    return sum(weight for node, weight in WEIGHTS.items() if node in members)


SMALL: Final = {
    "majority of 1": Small(MajorityQuorums(), (0,), *both(lambda m: len(m) == 1)),
    "majority of 4": Small(MajorityQuorums(), (0, 1, 2, 3), *both(lambda m: len(m) >= 3)),
    "majority of 5": Small(MajorityQuorums(), (0, 1, 2, 3, 4), *both(lambda m: len(m) >= 3)),
    "flexible": Small(
        FlexibleQuorums(4, 2), (0, 1, 2, 3, 4), lambda m: len(m) >= 4, lambda m: len(m) >= 2
    ),
    "flexible, apart": Small(
        FlexibleQuorums(3, 2), (0, 1, 2, 3, 4), lambda m: len(m) >= 3, lambda m: len(m) >= 2
    ),
    "read one, write all": Small(
        ReadOneWriteAllQuorums(), (0, 1, 2), lambda m: len(m) >= 1, lambda m: len(m) == 3
    ),
    "weighted": Small(WeightedQuorums(WEIGHTS), tuple("abcde"), *both(lambda m: _weight(m) >= 5)),
    "weighted, apart": Small(
        WeightedQuorums(WEIGHTS, 3, 5),
        tuple("abcde"),
        lambda m: _weight(m) >= 3,
        lambda m: _weight(m) >= 5,
    ),
    "weighted, by luck": Small(
        WeightedQuorums({"a": 2, "b": 2, "c": 2}, 3, 3),
        tuple("abc"),
        *both(lambda m: len(m) >= 2),
    ),
    "explicit": Small(
        ExplicitQuorums([{0, 1}, {0, 2}], [[0], [1, 2], [0, 1]]),
        (0, 1, 2, 3),
        lambda m: 0 in m and bool(m & {1, 2}),
        lambda m: 0 in m or m >= {1, 2},
    ),
    "explicit, apart": Small(
        ExplicitQuorums([[0, 1], [2, 3]]),
        (0, 1, 2, 3),
        *both(lambda m: m >= {0, 1} or m >= {2, 3}),
    ),
    "grid": Small(
        GridQuorums(((0, 1, 2), (3, 4), (5,))),
        (0, 1, 2, 3, 4, 5),
        lambda m: bool(m & {0, 1, 2}) and bool(m & {3, 4}) and 5 in m,
        lambda m: m >= {0, 1, 2} or m >= {3, 4} or 5 in m,
    ),
    "tree": Small(TreeQuorums(tuple(range(7))), tuple(range(7)), *both(lambda m: _tree(0, m))),
    "wide tree": Small(TreeQuorums((0, 1, 2, 3), 3), (0, 1, 2, 3), *both(_wide_tree)),
    "hierarchical": Small(HierarchicalQuorums(ZONES), ALL_ZONES, *both(lambda m: _zones(m, 2, 2))),
    "hierarchical, by phase": Small(
        HierarchicalQuorums(ZONES, (2, 2), (1, 2)),
        ALL_ZONES,
        lambda m: _zones(m, 2, 2),
        lambda m: _zones(m, 1, 2),
    ),
    "hierarchical, apart": Small(
        HierarchicalQuorums(ZONES, (2, 1), (1, 2)),
        ALL_ZONES,
        lambda m: _zones(m, 2, 1),
        lambda m: _zones(m, 1, 2),
    ),
    "joint": Small(
        JointQuorums(MajorityQuorums(), (0, 1, 2), FlexibleQuorums(3, 1), (2, 3, 4)),
        (0, 1, 2, 3, 4),
        lambda m: len(m & {0, 1, 2}) >= 2 and m >= {2, 3, 4},
        lambda m: len(m & {0, 1, 2}) >= 2 and bool(m & {2, 3, 4}),
    ),
}
"""By name; those called *apart* have quorums that do not meet."""


class Made(FormulaQuorums):
    """Any two formulas."""

    def __init__(self, phase1: Formula, phase2: Formula) -> None:
        self.formulas = Phases(phase1, phase2)

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        return self.formulas


def subsets(nodes: tuple[NodeId, ...]) -> Iterator[Set]:
    """All of them, the smaller first."""
    for size in range(len(nodes) + 1):
        yield from map(frozenset, combinations(nodes, size))


def quorums(formula: Formula, nodes: tuple[NodeId, ...]) -> list[Set]:
    """All sets of nodes that satisfy it, the smaller first."""
    return [members for members in subsets(nodes) if is_satisfied(formula, members)]


def minimal(sets: list[Set]) -> set[Set]:
    return {one for one in sets if not any(other < one for other in sets)}


NODES: Final = (0, 1, 2, 3, 4, 5)


def _threshold(parts: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    @st.composite
    def build(draw: st.DrawFn) -> Formula:
        chosen = tuple(draw(st.lists(parts, min_size=1, max_size=4)))
        weights = tuple(draw(st.integers(0, 4)) for _ in chosen)
        if not any(weights):
            weights = (1,) * len(weights)
        return Threshold(draw(st.integers(1, sum(weights))), chosen, weights)

    return build()


formulas: st.SearchStrategy[Formula] = st.recursive(
    st.sampled_from(NODES), _threshold, max_leaves=9
)
"""Any formula over six nodes, which may each be named more than once."""
