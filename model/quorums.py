"""Quorum systems: which sets of nodes may conclude phase 1, and which phase 2.

A value, used by the implementation to act and by the properties to judge. Safe when every phase-1
quorum meets every phase-2 quorum (Howard, Malkhi, Spiegelman: "Flexible Paxos", section 3).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from indelible.model.errors import ScopeError
from indelible.model.events import NodeId

__all__ = ["ExplicitQuorums", "FlexibleQuorums", "MajorityQuorums", "QuorumSystem"]


class QuorumSystem(Protocol):
    """Says whether the distinct nodes ``members`` out of ``nodes`` are enough."""

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool: ...

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool: ...


@dataclass(frozen=True, slots=True)
class MajorityQuorums:
    """More than half of the nodes, in both phases."""

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return 2 * len(members) > len(nodes)

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return 2 * len(members) > len(nodes)


@dataclass(frozen=True, slots=True)
class FlexibleQuorums:
    """Any ``phase1_size`` nodes for phase 1, any ``phase2_size`` for phase 2.

    Safe when the two sizes add up to more than the number of nodes; this is not enforced, because
    a checker must be able to judge a misconfigured system.
    """

    phase1_size: int
    phase2_size: int

    def __post_init__(self) -> None:
        if min(self.phase1_size, self.phase2_size) < 1:
            raise ScopeError(
                f"a quorum of {min(self.phase1_size, self.phase2_size)} nodes decides nothing",
                remedy="give sizes of at least 1",
            )

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= self.phase1_size

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return len(members) >= self.phase2_size


@dataclass(frozen=True, slots=True)
class ExplicitQuorums:
    """The quorums of either phase are those listed, and whatever contains one of them.

    So weights, grids and roles can be said: a node in no quorum only proposes. Safe when each
    listed for phase 1 meets each listed for phase 2; this is not enforced either.
    """

    phase1: tuple[tuple[NodeId, ...], ...]
    phase2: tuple[tuple[NodeId, ...], ...]

    def __post_init__(self) -> None:
        if not all((*self.phase1, *self.phase2)):
            raise ScopeError(
                "a quorum of 0 nodes decides nothing", remedy="list quorums of at least one node"
            )

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return _contains_one(members, self.phase1)

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        return _contains_one(members, self.phase2)


def _contains_one(members: Collection[NodeId], quorums: tuple[tuple[NodeId, ...], ...]) -> bool:
    return any(all(node in members for node in quorum) for quorum in quorums)
