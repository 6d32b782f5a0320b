"""Shapes: what can be read off formulas of thresholds without any search.

Quorums of two formulas of one shape meet if the thresholds leave no room for two disjoint choices
of parts, and the parts that both choose meet in turn: the lemmas about weights and about
hierarchies (``counting.weighted``, ``nesting.hierarchical``), applied level by level. That covers
majorities, weights, grids, trees and hierarchies of every size.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from indelible.model.events import NodeId
from indelible.model.thresholds import Formula, Threshold, is_satisfied, named_nodes

__all__ = [
    "dual",
    "is_all_of",
    "is_any_of",
    "is_flat",
    "lightest_reaching",
    "listed",
    "names_each_once",
    "shapes_meet",
    "weighty_parts",
]

SUMS_MAX: Final = 50_000
"""So many different weights of sets of parts are looked at, and no more."""


def weighty_parts(threshold: Threshold) -> tuple[tuple[int, Formula], ...]:
    """The parts that weigh something, with their weights, the heaviest first."""
    weighty = ((w, part) for w, part in zip(threshold.weights, threshold.parts, strict=True) if w)
    return tuple(sorted(weighty, key=lambda known: -known[0]))


def is_all_of(formula: Formula) -> bool:
    """Whether it takes every part that weighs something."""
    return isinstance(formula, Threshold) and all(
        formula.total - weight < formula.least for weight in formula.weights if weight
    )


def is_any_of(formula: Formula) -> bool:
    """Whether any part that weighs something is enough."""
    return isinstance(formula, Threshold) and all(
        weight >= formula.least for weight in formula.weights if weight
    )


def is_flat(formula: Formula) -> bool:
    """Whether it is a threshold over nodes, each named once."""
    return (
        isinstance(formula, Threshold)
        and not any(isinstance(part, Threshold) for part in formula.parts)
        and names_each_once(formula)
    )


def names_each_once(formula: Formula) -> bool:
    """Whether no node is named twice, so that the parts have nothing to do with each other."""
    return _leaf_count(formula) == len(named_nodes(formula))


def _leaf_count(formula: Formula) -> int:
    return sum(map(_leaf_count, formula.parts)) if isinstance(formula, Threshold) else 1


def dual(formula: Formula) -> Formula:
    """What it takes to stop it: a set satisfies this if the other nodes do not satisfy that."""
    if not isinstance(formula, Threshold):
        return formula
    least = formula.total - formula.least + 1
    return Threshold(least, tuple(map(dual, formula.parts)), formula.weights)


def listed(formula: Formula) -> tuple[frozenset[NodeId], ...] | None:
    """The quorums, where the formula lists them one by one; ``None`` where it does not."""
    if _is_set(formula):
        return (_as_set(formula),)
    if not is_any_of(formula):
        return None
    assert isinstance(formula, Threshold)
    parts = [part for _, part in weighty_parts(formula)]
    return tuple(map(_as_set, parts)) if all(map(_is_set, parts)) else None


def _is_set(formula: Formula) -> bool:
    if not isinstance(formula, Threshold):
        return True
    return is_all_of(formula) and not any(isinstance(part, Threshold) for part in formula.parts)


def _as_set(formula: Formula) -> frozenset[NodeId]:
    if not isinstance(formula, Threshold):
        return frozenset({formula})
    return frozenset(part for _, part in weighty_parts(formula) if not isinstance(part, Threshold))


def lightest_reaching(weights: tuple[int, ...], least: int) -> tuple[int, tuple[int, ...]] | None:
    """The smallest weight from ``least`` on that some parts have, and which parts those are.

    ``None`` where there are too many different weights to look at.
    """
    chosen: dict[int, tuple[int, int] | None] = {0: None}
    best: int | None = None
    for place, weight in enumerate(weights):
        for before in tuple(chosen):
            if weight and before < least:
                chosen.setdefault(before + weight, (before, place))
        if len(chosen) > SUMS_MAX:
            return None
    best = min((reached for reached in chosen if reached >= least), default=None)
    if best is None:
        return None
    places: list[int] = []
    step = chosen[best]
    while step is not None:
        before, place = step
        places.append(place)
        step = chosen[before]
    return best, tuple(sorted(places))


@lru_cache(maxsize=4096)
def shapes_meet(one: Formula, other: Formula) -> bool:
    """Whether their shapes alone show that quorums of the two always share a node.

    ``False`` means that they do not show it; the quorums may meet nevertheless.
    """
    if not isinstance(one, Threshold):
        return _always_in(one, other)
    if not isinstance(other, Threshold):
        return _always_in(other, one)
    return (
        _level_by_level(one, other)
        or (is_all_of(one) and any(shapes_meet(part, other) for _, part in weighty_parts(one)))
        or (is_all_of(other) and any(shapes_meet(one, part) for _, part in weighty_parts(other)))
    )


def _always_in(node: NodeId, formula: Formula) -> bool:
    """Whether every quorum of ``formula`` has ``node`` in it."""
    return not is_satisfied(formula, set(named_nodes(formula)) - {node})


def _level_by_level(one: Threshold, other: Threshold) -> bool:
    if one.weights != other.weights:
        return False
    lightest = lightest_reaching(one.weights, one.least)
    least = one.least if lightest is None else lightest[0]
    return least + other.least > one.total and all(
        shapes_meet(part, counterpart)
        for weight, part, counterpart in zip(one.weights, one.parts, other.parts, strict=True)
        if weight
    )
