"""Smallest: the fewest nodes that satisfy a formula.

Of the formula itself that is a smallest quorum; of its dual, the fewest nodes whose loss leaves no
quorum, so that one fewer can always be lost.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Final

import z3

from indelible.checkers.lemmas.encodings import as_numbers
from indelible.checkers.lemmas.shapes import is_any_of, names_each_once, weighty_parts
from indelible.checkers.lemmas.solving import checked
from indelible.model.events import NodeId
from indelible.model.thresholds import Formula, Threshold, is_satisfied, named_nodes

__all__ = ["fewest_nodes"]

WEIGHTS_MAX: Final = 20_000
"""So many different weights are looked at on one level; with more z3 is asked."""


def fewest_nodes(formula: Formula, timeout_seconds: float) -> frozenset[NodeId] | None:
    """A smallest set of nodes that satisfies it, or ``None`` if it is not found in time.

    Exact: of alternatives the smallest; by weight, level by level, where no node is named twice;
    otherwise z3 minimizes.
    """
    ends = time.monotonic() + timeout_seconds
    if is_any_of(formula):
        assert isinstance(formula, Threshold)
        found = [fewest_nodes(part, ends - time.monotonic()) for _, part in weighty_parts(formula)]
        known = [nodes for nodes in found if nodes is not None]
        return min(known, key=len) if len(known) == len(found) else None
    by_level = _by_level(formula) if names_each_once(formula) else None
    return by_level if by_level is not None else _by_search(formula, ends - time.monotonic())


def _by_level(formula: Formula) -> frozenset[NodeId] | None:
    if not isinstance(formula, Threshold):
        return frozenset({formula})
    parts: list[tuple[int, frozenset[NodeId]]] = []
    for weight, part in weighty_parts(formula):
        inner = _by_level(part)
        if inner is None:
            return None
        parts.append((weight, inner))
    alike = len({len(inner) for _, inner in parts}) == 1
    return _heaviest(parts, formula.least) if alike else _by_weight(parts, formula.least)


def _heaviest(parts: list[tuple[int, frozenset[NodeId]]], least: int) -> frozenset[NodeId]:
    """Where each part takes as many nodes, the heaviest ones are the fewest."""
    chosen: frozenset[NodeId] = frozenset()
    for weight, inner in parts:
        if least > 0:
            chosen |= inner
            least -= weight
    return chosen


def _by_weight(parts: list[tuple[int, frozenset[NodeId]]], least: int) -> frozenset[NodeId] | None:
    # By weight, up to what is asked for: the fewest nodes with which parts weigh so much.
    fewest: dict[int, frozenset[NodeId]] = {0: frozenset()}
    for weight, inner in parts:
        if len(fewest) > WEIGHTS_MAX:
            return None
        for before, nodes in tuple(fewest.items()):
            reached = min(before + weight, least)
            rival = fewest.get(reached)
            if before < least and (rival is None or len(nodes) + len(inner) < len(rival)):
                fewest[reached] = nodes | inner
    return fewest[least]


def _by_search(formula: Formula, timeout_seconds: float) -> frozenset[NodeId] | None:
    if timeout_seconds <= 0:
        return None
    nodes = named_nodes(formula)
    context = z3.Context()
    chosen = {node: z3.Int(f"{node!r} is in it", context) for node in nodes}
    program = z3.Optimize(ctx=context)
    program.set("timeout", max(1, int(timeout_seconds * 1000)))
    program.add(*(z3.And(known >= 0, known <= 1) for known in chosen.values()))
    program.add(*as_numbers(formula, chosen.__getitem__, partial(z3.Int, ctx=context), "it"))
    program.minimize(z3.Sum(*chosen.values()))
    # Only when it is done does z3 say that it is satisfied; a model before that is any model.
    if checked(program) != z3.sat:
        return None
    model = program.model()
    found = frozenset(node for node in nodes if model.eval(chosen[node]).as_long())
    assert is_satisfied(formula, found)
    return found
