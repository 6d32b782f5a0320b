"""Thresholds: what it takes to be a quorum, as a formula over nodes.

One shape says it all: a node, or a threshold over weighted parts, each of which is such a formula
again. Majorities, weights, grids, trees, hierarchies and lists of sets are all made of it, so that
whoever evaluates, measures or proves needs to know nothing else. Such a formula is monotone: nodes
that are added never make a quorum less of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from indelible.model.errors import ScopeError
from indelible.model.events import NodeId

__all__ = [
    "Formula",
    "Threshold",
    "all_of",
    "any_of",
    "at_least",
    "is_satisfied",
    "majority_of",
    "named_nodes",
]

Formula: TypeAlias = "NodeId | Threshold"
"""A node is satisfied by being there, a threshold by enough weight of satisfied parts."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Satisfied when the parts that are satisfied weigh at least ``least`` together.

    ``weights`` has a whole number, 0 or more, for each part. Raises ``ScopeError`` for a threshold
    that nothing, or that nobody, would reach.
    """

    least: int
    parts: tuple[Formula, ...]
    weights: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ScopeError("an empty system: there is nothing to make a quorum of")
        if len(self.parts) != len(self.weights):
            raise ScopeError(f"{len(self.parts)} parts have {len(self.weights)} weights")
        for weight in self.weights:
            if not _is_whole(weight) or weight < 0:
                raise ScopeError(
                    f"a weight of {weight!r}",
                    remedy="weights are whole numbers from 0; scale them all by one factor",
                )
        if not _is_whole(self.least) or self.least < 1:
            raise ScopeError(
                f"a quorum of weight {self.least!r} decides nothing",
                remedy="give a whole number of at least 1",
            )
        if self.least > self.total:
            raise ScopeError(
                f"a quorum of weight {self.least} out of {self.total} in all",
                cause="no set of nodes ever reaches it",
                remedy=f"ask for at most {self.total}" if self.total else "give some weight",
            )

    @property
    def total(self) -> int:
        """The weight of all parts."""
        return sum(self.weights)


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def at_least(least: int, parts: Iterable[Formula]) -> Threshold:
    """So many of the parts, whichever. Raises ``ScopeError`` where that can never be."""
    parts = tuple(parts)
    return Threshold(least, parts, (1,) * len(parts))


def any_of(parts: Iterable[Formula]) -> Threshold:
    """One of the parts."""
    return at_least(1, parts)


def all_of(parts: Iterable[Formula]) -> Threshold:
    """Every one of the parts."""
    parts = tuple(parts)
    return at_least(max(len(parts), 1), parts)


def majority_of(parts: Iterable[Formula]) -> Threshold:
    """More than half of the parts."""
    parts = tuple(parts)
    return at_least(len(parts) // 2 + 1, parts)


def is_satisfied(formula: Formula, members: AbstractSet[NodeId]) -> bool:
    """Whether ``members`` are, or contain, a quorum."""
    if not isinstance(formula, Threshold):
        return formula in members
    return formula.least <= sum(
        weight
        for part, weight in zip(formula.parts, formula.weights, strict=True)
        if is_satisfied(part, members)
    )


def named_nodes(formula: Formula) -> tuple[NodeId, ...]:
    """The nodes it speaks of, each once, in the order in which they first appear."""
    return tuple(dict.fromkeys(_leaves(formula)))


def _leaves(formula: Formula) -> Iterator[NodeId]:
    if not isinstance(formula, Threshold):
        yield formula
        return
    for part in formula.parts:
        yield from _leaves(part)
