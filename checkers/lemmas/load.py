"""Load: the share of the work that the busiest node has, if quorums are used as evenly as possible.

Naor, Wool: "The Load, Capacity, and Availability of Quorum Systems". A strategy uses each quorum
with some probability; the load of a node is that of being in the quorum used. Exact, in fractions:
level by level where all parts of a level weigh the same and no node is named twice; otherwise as a
linear program over the minimal quorums, if those can be listed. Its dual is solved: prices of the
nodes, 1 in all, at which the cheapest quorum is as expensive as possible.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import NamedTuple

import z3

from indelible.checkers.lemmas.minimal import CANDIDATES_MAX, all_minimal_quorums
from indelible.checkers.lemmas.shapes import names_each_once, weighty_parts
from indelible.checkers.lemmas.solving import checked
from indelible.model.events import NodeId
from indelible.model.thresholds import Formula, Threshold, named_nodes

__all__ = ["Load", "load_of"]


class Load(NamedTuple):
    """The load, and how it was computed; or ``None``, and why it was not."""

    value: Fraction | None
    how: str


def load_of(formula: Formula, timeout_seconds: float) -> Load:
    """The least load of any strategy."""
    if names_each_once(formula):
        value = _by_level(formula)
        if value is not None:
            return Load(value, "by the shape of the formula")
    quorums = all_minimal_quorums(formula)
    if quorums is None:
        return Load(None, f"more than {CANDIDATES_MAX:,} sets of nodes to weigh up")
    return _by_linear_program(named_nodes(formula), quorums, timeout_seconds)


def _by_level(formula: Formula) -> Fraction | None:
    """``None`` where weights differ.

    If parts have loads l and k of them are needed, a part that is used with probability p has a
    node with load p * l. So p is 1, or what keeps that at the load of the whole; they sum up to k.
    """
    if not isinstance(formula, Threshold):
        return Fraction(1)
    weighty = weighty_parts(formula)
    weight = weighty[0][0]
    if weighty[-1][0] != weight:
        return None
    needed = -(-formula.least // weight)
    loads: list[Fraction] = []
    for _, part in weighty:
        inner = _by_level(part)
        if inner is None:
            return None
        loads.append(inner)
    loads.sort()
    for always in range(needed):
        level = (needed - always) / sum(1 / known for known in loads[always:])
        if level <= loads[always]:
            return Fraction(level)
    return loads[needed - 1]


def _by_linear_program(
    nodes: tuple[NodeId, ...], quorums: tuple[tuple[NodeId, ...], ...], timeout_seconds: float
) -> Load:
    """Quorums are added one by one, each time the cheapest at the prices found so far."""
    ends = time.monotonic() + timeout_seconds
    context = z3.Context()
    prices = {node: z3.Real(f"price of {node!r}", context) for node in nodes}
    cheapest = z3.Real("cheapest", context)
    program = z3.Optimize(ctx=context)
    program.add(*(price >= 0 for price in prices.values()), z3.Sum(*prices.values()) == 1)
    program.add(cheapest <= 1)
    program.maximize(cheapest)
    while (left := ends - time.monotonic()) > 0:
        program.set("timeout", max(1, int(left * 1000)))
        if checked(program) != z3.sat:
            return Load(None, f"z3 gave up: {program.reason_unknown()}")
        model = program.model()
        found = {node: _fraction(model, price) for node, price in prices.items()}
        costs = [sum((found[node] for node in quorum), Fraction(0)) for quorum in quorums]
        least = min(costs)
        if least >= _fraction(model, cheapest):
            return Load(least, f"by a linear program over {len(quorums):,} minimal quorums")
        quorum = quorums[costs.index(least)]
        program.add(cheapest <= z3.Sum([prices[node] for node in quorum]))
    return Load(None, "it took too long")


def _fraction(model: z3.ModelRef, number: z3.ArithRef) -> Fraction:
    value = model.eval(number, model_completion=True)
    assert isinstance(value, z3.RatNumRef)
    return Fraction(value.as_fraction())
