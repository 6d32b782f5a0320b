"""Quorum systems: which sets of nodes may conclude phase 1, and which phase 2.

A value, used by the implementation to act, by the properties to judge, and by the prover: what it
takes is said once, as formulas (``thresholds.py``), and everybody reads those. Safe when every
phase-1 quorum meets every phase-2 quorum (Howard, Malkhi, Spiegelman: "Flexible Paxos", section 3).
That is not enforced, because a checker must be able to judge a misconfigured system.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeAlias

from indelible.model.errors import ScopeError
from indelible.model.events import NodeId
from indelible.model.thresholds import (
    Formula,
    Threshold,
    all_of,
    any_of,
    at_least,
    is_satisfied,
    majority_of,
    named_nodes,
)

__all__ = [
    "ExplicitQuorums",
    "FlexibleQuorums",
    "FormulaQuorums",
    "GridQuorums",
    "Group",
    "HierarchicalQuorums",
    "JointQuorums",
    "MajorityQuorums",
    "Phases",
    "QuorumSystem",
    "ReadOneWriteAllQuorums",
    "TreeQuorums",
    "WeightedQuorums",
    "phases_of",
]


class QuorumSystem(Protocol):
    """Says whether the distinct nodes ``members`` out of ``nodes`` are enough."""

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool: ...

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool: ...


class Phases(NamedTuple):
    """What it takes to conclude phase 1, and what phase 2."""

    phase1: Formula
    phase2: Formula


class FormulaQuorums(ABC):
    """A quorum system that says what it takes, so that it can be measured and proved.

    A class of one's own derives from this, is frozen and hashable, and has one method.
    """

    __slots__ = ()

    @abstractmethod
    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        """The formulas over these nodes. Raises ``ScopeError`` where one is never satisfied."""

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return is_satisfied(_phases(self, nodes).phase1, frozenset(members))

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return is_satisfied(_phases(self, nodes).phase2, frozenset(members))


@lru_cache(maxsize=256)
def _phases(system: FormulaQuorums, nodes: tuple[NodeId, ...]) -> Phases:
    return system.phases(nodes)


def phases_of(system: object, nodes: tuple[NodeId, ...]) -> Phases:
    """The formulas of a system over the nodes it is meant for: checked at the door.

    Raises ``ScopeError`` when it is no ``FormulaQuorums``, names a node that is not among
    ``nodes``, or has no quorum at all; and where a node has no name.
    """
    if not isinstance(system, FormulaQuorums):
        raise ScopeError(
            f"{type(system).__name__} does not say what its quorums are made of",
            cause="it can be asked about one set of nodes at a time, which proves nothing",
            remedy="derive it from FormulaQuorums, and give it the method phases",
        )
    if not nodes:
        raise ScopeError("an empty system: there are no nodes")
    if "" in nodes:
        raise ScopeError("a node has an empty name", remedy="give it one to be told by")
    phases = _phases(system, nodes)
    for formula in phases:
        unknown = [node for node in named_nodes(formula) if node not in nodes]
        if unknown:
            raise ScopeError(
                f"a quorum over {', '.join(map(repr, unknown))}, unknown here",
                available=", ".join(map(repr, nodes)),
            )
    return phases


# --- by size ------------------------------------------------------------------------------------


class _SizedQuorums(FormulaQuorums):
    """Any so many nodes: there is nothing to evaluate, so members are counted."""

    __slots__ = ()

    @abstractmethod
    def sizes(self, nodes: tuple[NodeId, ...]) -> tuple[int, int]:
        """How many nodes conclude phase 1, and how many phase 2."""

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        phase1_size, phase2_size = self.sizes(nodes)
        return Phases(at_least(phase1_size, nodes), at_least(phase2_size, nodes))

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= self.sizes(nodes)[0]

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= self.sizes(nodes)[1]


@dataclass(frozen=True, slots=True)
class MajorityQuorums(_SizedQuorums):
    """More than half of the nodes, in both phases."""

    def sizes(self, nodes: tuple[NodeId, ...]) -> tuple[int, int]:
        return len(nodes) // 2 + 1, len(nodes) // 2 + 1


@dataclass(frozen=True, slots=True)
class FlexibleQuorums(_SizedQuorums):
    """Any ``phase1_size`` nodes for phase 1, any ``phase2_size`` for phase 2.

    Safe when the two sizes add up to more than the number of nodes.
    """

    phase1_size: int
    phase2_size: int

    def __post_init__(self) -> None:
        for size in (self.phase1_size, self.phase2_size):
            if not isinstance(size, int) or isinstance(size, bool) or size < 1:
                raise ScopeError(
                    f"a quorum of {size!r} nodes decides nothing",
                    remedy="give sizes that are whole numbers of at least 1",
                )

    def sizes(self, nodes: tuple[NodeId, ...]) -> tuple[int, int]:
        return self.phase1_size, self.phase2_size


@dataclass(frozen=True, slots=True)
class ReadOneWriteAllQuorums(_SizedQuorums):
    """Any one node for phase 1, all of them for phase 2."""

    def sizes(self, nodes: tuple[NodeId, ...]) -> tuple[int, int]:
        return 1, len(nodes)


# --- by name ------------------------------------------------------------------------------------
# These name their nodes, and mean the same whatever other nodes there are.


def _refuse_twice(names: Iterable[NodeId]) -> None:
    seen: set[NodeId] = set()
    for name in names:
        if name in seen:
            raise ScopeError(f"node {name!r} is named twice", remedy="give it one place")
        seen.add(name)


@dataclass(frozen=True, init=False)
class WeightedQuorums(FormulaQuorums):
    """Nodes with votes of different weight (Gifford: "Weighted Voting for Replicated Data").

    ``phase1`` and ``phase2`` are the weights that a quorum has at least: more than half of all,
    where nothing is said. A node that is not named weighs nothing.
    """

    weights: tuple[tuple[NodeId, int], ...]
    phase1: int
    phase2: int

    def __init__(
        self,
        weights: Mapping[NodeId, int] | Iterable[tuple[NodeId, int]],
        phase1: int | None = None,
        phase2: int | None = None,
    ) -> None:
        pairs = tuple(weights.items() if isinstance(weights, Mapping) else weights)
        _refuse_twice(node for node, _ in pairs)
        by_node = dict(pairs)
        half = Threshold(1, tuple(by_node), tuple(by_node.values())).total // 2 + 1
        object.__setattr__(self, "weights", tuple(by_node.items()))
        object.__setattr__(self, "phase1", half if phase1 is None else phase1)
        object.__setattr__(self, "phase2", half if phase2 is None else phase2)
        self.phases(())

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        names = tuple(node for node, _ in self.weights)
        weights = tuple(weight for _, weight in self.weights)
        return Phases(
            Threshold(self.phase1, names, weights), Threshold(self.phase2, names, weights)
        )


@dataclass(frozen=True, init=False)
class ExplicitQuorums(FormulaQuorums):
    """The quorums, one by one; what contains one is a quorum too.

    Where ``phase2`` is not given, its quorums are those of phase 1. Kept in order, so that neither
    the order in which they are given nor that of a set makes a difference.
    """

    phase1: tuple[tuple[NodeId, ...], ...]
    phase2: tuple[tuple[NodeId, ...], ...]

    def __init__(
        self,
        phase1: Iterable[Iterable[NodeId]],
        phase2: Iterable[Iterable[NodeId]] | None = None,
    ) -> None:
        first = _ordered(phase1)
        object.__setattr__(self, "phase1", first)
        object.__setattr__(self, "phase2", first if phase2 is None else _ordered(phase2))
        self.phases(())

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        return Phases(any_of(map(all_of, self.phase1)), any_of(map(all_of, self.phase2)))


def _ordered(quorums: Iterable[Iterable[NodeId]]) -> tuple[tuple[NodeId, ...], ...]:
    """Each once, with its nodes in order: numbers before names."""

    def place(node: NodeId) -> tuple[bool, NodeId]:
        return isinstance(node, str), node

    ordered = {tuple(sorted(set(quorum), key=place)) for quorum in quorums}
    return tuple(sorted(ordered, key=lambda quorum: (len(quorum), tuple(map(place, quorum)))))


@dataclass(frozen=True, slots=True)
class GridQuorums(FormulaQuorums):
    """Nodes in rows: one of every row for phase 1, all of one row for phase 2.

    Rows may differ in length. In a square, a column is one of every row (Howard, Malkhi,
    Spiegelman: "Flexible Paxos", on grids).
    """

    rows: tuple[tuple[NodeId, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(map(tuple, self.rows)))
        _refuse_twice(node for row in self.rows for node in row)
        self.phases(())

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        return Phases(all_of(map(any_of, self.rows)), any_of(map(all_of, self.rows)))


@dataclass(frozen=True, slots=True)
class TreeQuorums(FormulaQuorums):
    """A path from the root to a leaf, each node that is missing replaced by paths from all its
    children (Agrawal, El Abbadi: "The Tree Quorum Protocol"). Both phases alike.

    ``names`` has the nodes from the root on, level by level; each has none or ``children`` of them.
    """

    names: tuple[NodeId, ...]
    children: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        _refuse_twice(self.names)
        if self.children < 2:
            raise ScopeError(
                f"a tree of {self.children} children a node", remedy="give 2 or more children"
            )
        if not self.names:
            raise ScopeError("an empty system: the tree has no nodes")
        if (len(self.names) - 1) % self.children:
            raise ScopeError(
                f"a tree of {len(self.names)} nodes with {self.children} children each",
                cause="then some node would have fewer children than the others",
                remedy=f"name 1 node and a multiple of {self.children}",
            )

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        tree = self._below(0)
        return Phases(tree, tree)

    def _below(self, place: int) -> Formula:
        """The root with one child's quorum, or the quorums of all children."""
        first = self.children * place + 1
        root = self.names[place]
        if first >= len(self.names):
            return root
        below = tuple(self._below(child) for child in range(first, first + self.children))
        weights = (self.children - 1,) + (1,) * self.children
        return Threshold(self.children, (root, *below), weights)


Group: TypeAlias = "NodeId | tuple[Group, ...]"


@dataclass(frozen=True, slots=True)
class HierarchicalQuorums(FormulaQuorums):
    """Groups of groups of nodes: so many groups, in each of them so many, down to the nodes.

    ``phase1`` and ``phase2`` say how many on each level, from the top; majorities where nothing is
    said (Kumar: "Hierarchical Quorum Consensus").
    """

    groups: tuple[Group, ...]
    phase1: tuple[int, ...] = ()
    phase2: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", _frozen(self.groups))
        depth = _depth(self.groups)
        for name, counts in (("phase1", self.phase1), ("phase2", self.phase2)):
            if counts and len(counts) != depth:
                raise ScopeError(
                    f"{name} says how many on {len(counts)} levels of {depth}",
                    remedy="give a number for each level, or none for majorities",
                )
        _refuse_twice(_members(self.groups))
        self.phases(())

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        return Phases(_enough_of(self.groups, self.phase1), _enough_of(self.groups, self.phase2))


def _frozen(group: Any) -> Any:
    return tuple(map(_frozen, group)) if isinstance(group, list | tuple) else group


def _members(group: Group) -> Iterator[NodeId]:
    if not isinstance(group, tuple):
        yield group
        return
    for part in group:
        yield from _members(part)


def _depth(group: Group) -> int:
    return 1 + max(map(_depth, group), default=0) if isinstance(group, tuple) else 0


def _enough_of(group: Group, counts: tuple[int, ...]) -> Formula:
    if not isinstance(group, tuple):
        return group
    parts = (_enough_of(part, counts[1:]) for part in group)
    return at_least(counts[0], parts) if counts else majority_of(parts)


@dataclass(frozen=True, slots=True)
class JointQuorums(FormulaQuorums):
    """During a change of membership: a quorum of the old configuration and one of the new.

    So it meets the quorums of either (Ongaro, Ousterhout: "In Search of an Understandable
    Consensus Algorithm", section 6).
    """

    old: FormulaQuorums
    old_nodes: tuple[NodeId, ...]
    new: FormulaQuorums
    new_nodes: tuple[NodeId, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "old_nodes", tuple(self.old_nodes))
        object.__setattr__(self, "new_nodes", tuple(self.new_nodes))
        self.phases(())

    def phases(self, nodes: tuple[NodeId, ...]) -> Phases:
        old = phases_of(self.old, self.old_nodes)
        new = phases_of(self.new, self.new_nodes)
        return Phases(all_of((old.phase1, new.phase1)), all_of((old.phase2, new.phase2)))
