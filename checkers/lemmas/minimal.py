"""Minimal quorums: those of which no node can be spared, listed up to a limit, and counted.

Where no node is named twice they are counted by weight, level by level, however many there are;
otherwise by listing them all, if they are not too many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from indelible.checkers.lemmas.meeting import minimal_within
from indelible.checkers.lemmas.shapes import names_each_once, weighty_parts
from indelible.model.events import NodeId
from indelible.model.thresholds import Formula, Threshold, named_nodes

__all__ = ["CANDIDATES_MAX", "MinimalQuorums", "all_minimal_quorums", "minimal_quorums"]

CANDIDATES_MAX: Final = 2_000
"""So many sets are listed, where they must be listed to be counted."""

WEIGHTS_MAX: Final = 50_000
"""So many different weights are looked at on one level, to count by weight."""


@dataclass(frozen=True, slots=True)
class MinimalQuorums:
    """Some of the minimal quorums, the smaller first, and how many there are.

    ``count`` is ``None`` if there are too many to tell.
    """

    quorums: tuple[tuple[NodeId, ...], ...]
    count: int | None


def minimal_quorums(formula: Formula, most: int) -> MinimalQuorums:
    """At most so many minimal quorums, each with its nodes in the order of the formula."""
    if names_each_once(formula):
        nodes = named_nodes(formula)
        return MinimalQuorums(_in_order(islice(_sets(formula), most), nodes), _counted(formula))
    known = all_minimal_quorums(formula)
    if known is not None:
        return MinimalQuorums(known[:most], len(known))
    return MinimalQuorums(_some(formula, most), None)


def all_minimal_quorums(formula: Formula) -> tuple[tuple[NodeId, ...], ...] | None:
    """All of them, the smaller first, or ``None`` where too many sets would have to be listed."""
    candidates = tuple(islice(_sets(formula), CANDIDATES_MAX + 1))
    if len(candidates) > CANDIDATES_MAX:
        return None
    # A node named twice serves for two parts, so that a candidate may contain another one.
    return _in_order(_without_supersets(candidates), named_nodes(formula))


def _some(formula: Formula, most: int) -> tuple[tuple[NodeId, ...], ...]:
    nodes = named_nodes(formula)
    some = dict.fromkeys(
        minimal_within(formula, [node for node in nodes if node in candidate])
        for candidate in islice(_sets(formula), most)
    )
    return _in_order(some, nodes)


def _in_order(
    quorums: Iterable[frozenset[NodeId]], nodes: tuple[NodeId, ...]
) -> tuple[tuple[NodeId, ...], ...]:
    """The smaller first, then as the nodes come."""
    places = sorted(
        ([place for place, node in enumerate(nodes) if node in quorum] for quorum in quorums),
        key=lambda known: (len(known), known),
    )
    return tuple(tuple(nodes[place] for place in known) for known in places)


def _sets(formula: Formula) -> Iterator[frozenset[NodeId]]:
    """Every way of satisfying it with no part to spare."""
    if not isinstance(formula, Threshold):
        yield frozenset({formula})
        return
    parts = weighty_parts(formula)
    left = [sum(weight for weight, _ in parts[place:]) for place in range(len(parts) + 1)]

    def chosen(place: int, missing: int) -> Iterator[frozenset[NodeId]]:
        """From this part on. The heaviest come first, so that the last one is never to spare."""
        if missing <= 0:
            yield frozenset()
            return
        for taken in range(place, len(parts)):
            if left[taken] < missing:
                return
            weight, part = parts[taken]
            for inner in _sets(part):
                for rest in chosen(taken + 1, missing - weight):
                    yield inner | rest

    yield from chosen(0, formula.least)


def _counted(formula: Formula) -> int | None:
    if not isinstance(formula, Threshold):
        return 1
    # By weight, below what is asked for: in how many ways parts weigh so much.
    ways = {0: 1}
    complete = 0
    for weight, part in weighty_parts(formula):
        inner = _counted(part)
        if inner is None or len(ways) > WEIGHTS_MAX:
            return None
        for before, known in tuple(ways.items()):
            if before + weight >= formula.least:
                complete += known * inner
            else:
                ways[before + weight] = ways.get(before + weight, 0) + known * inner
    return complete


def _without_supersets(sets: Iterable[frozenset[NodeId]]) -> list[frozenset[NodeId]]:
    kept: list[frozenset[NodeId]] = []
    for candidate in sorted(dict.fromkeys(sets), key=len):
        if not any(smaller <= candidate for smaller in kept):
            kept.append(candidate)
    return kept
