"""Meeting: whether every quorum of one formula shares a node with every quorum of another.

Cheap and certain answers first: the shapes of the formulas, lists of quorums one by one, and two
disjoint quorums that are easily found. Then z3 is asked for a set that satisfies the one while the
other nodes satisfy the other: first over the reals, where a node may be split between the two (if
not even that is possible, nothing is), then over truth values. The model is the counterexample.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import z3

from indelible.checkers.lemmas.encodings import Number, as_numbers, as_truth
from indelible.checkers.lemmas.lemma import Found, decide, evaluate
from indelible.checkers.lemmas.obligation import Outcome
from indelible.checkers.lemmas.shapes import (
    is_flat,
    lightest_reaching,
    listed,
    shapes_meet,
)
from indelible.model.events import NodeId
from indelible.model.thresholds import Formula, Threshold, is_satisfied, named_nodes

__all__ = ["Meeting", "do_meet", "minimal_within"]

PAIRS_MAX: Final = 4_000_000
"""So many pairs of listed quorums are compared one by one."""

WEIGHT_MAX: Final = 2**31 - 1
"""Sums of truth values that z3 counts go no further."""


class Meeting(NamedTuple):
    """Whether quorums always meet; if not, two that are disjoint. ``how`` says by what means."""

    outcome: Outcome
    how: str
    disjoint: tuple[frozenset[NodeId], frozenset[NodeId]] | None = None


def do_meet(one: Formula, other: Formula, timeout_seconds: float) -> Meeting:
    """Whether all quorums of the two share a node. *Unknown* when z3 gives up, and only then."""
    if shapes_meet(one, other):
        return Meeting("proved", "by the shape of the formulas")
    found = _by_weight(one, other) or _one_by_one(one, other) or _at_hand(one, other)
    return found or _by_search(one, other, timeout_seconds)


def minimal_within(formula: Formula, members: Iterable[NodeId]) -> frozenset[NodeId]:
    """A minimal quorum among ``members``, who are one: the last ones are left out first."""
    kept = dict.fromkeys(members)
    for node in reversed(tuple(kept)):
        if is_satisfied(formula, kept.keys() - {node}):
            del kept[node]
    return frozenset(kept)


def _disjoint(one: Formula, other: Formula, members: Iterable[NodeId], how: str) -> Meeting | None:
    """Refuted, if ``members`` satisfy the one and all other nodes the other."""
    first = set(members)
    nodes = _nodes(one, other)
    inside = [node for node in nodes if node in first]
    outside = [node for node in nodes if node not in first]
    if not is_satisfied(one, set(inside)) or not is_satisfied(other, set(outside)):
        return None
    pair = minimal_within(one, inside), minimal_within(other, outside)
    return Meeting("refuted", how, pair)


def _by_weight(one: Formula, other: Formula) -> Meeting | None:
    """Of nodes with the same weights in both: the lightest quorum leaves most to the other."""
    if not (is_flat(one) and is_flat(other)):
        return None
    assert isinstance(one, Threshold)
    assert isinstance(other, Threshold)
    if (one.parts, one.weights) != (other.parts, other.weights):
        return None
    lightest = lightest_reaching(one.weights, one.least)
    if lightest is None:
        return None
    members = [part for place, part in enumerate(one.parts) if place in lightest[1]]
    return _disjoint(one, other, members, "by weight")  # type: ignore[arg-type]


def _one_by_one(one: Formula, other: Formula) -> Meeting | None:
    """Lists of quorums, compared as bit masks."""
    first, second = listed(one), listed(other)
    if first is None or second is None or len(first) * len(second) > PAIRS_MAX:
        return None
    bits = {node: 1 << place for place, node in enumerate(named_nodes(one) + named_nodes(other))}
    masks = [sum(bits[node] for node in quorum) for quorum in second]
    for quorum in first:
        mask = sum(bits[node] for node in quorum)
        for place, counterpart in enumerate(masks):
            if not mask & counterpart:
                return Meeting("refuted", "quorum by quorum", (quorum, second[place]))
    return Meeting("proved", "quorum by quorum")


def _at_hand(one: Formula, other: Formula) -> Meeting | None:
    """Whether a minimal quorum of one, taken from either end, leaves a quorum to the other."""
    nodes = _nodes(one, other)
    for members in (nodes, nodes[::-1]):
        found = _disjoint(one, other, minimal_within(one, members), "at the first try")
        if found:
            return found
    return None


def _by_search(one: Formula, other: Formula, timeout_seconds: float) -> Meeting:
    ends = time.monotonic() + timeout_seconds
    found = decide(_shared_out(one, other, z3.Real), timeout_seconds, "QF_LRA")
    if found.result == "unsat":
        return Meeting("proved", "by z3, over the reals")
    if max(_heaviest(one), _heaviest(other)) <= WEIGHT_MAX:
        return _over_truth_values(one, other, ends - time.monotonic())
    return _over_numbers(one, other, ends - time.monotonic())


def _over_truth_values(one: Formula, other: Formula, timeout_seconds: float) -> Meeting:
    in_one = {node: z3.Bool(f"{node!r} in one") for node in _nodes(one, other)}
    constraints = (
        as_truth(one, in_one.__getitem__),
        as_truth(other, lambda node: z3.Not(in_one[node])),
    )
    found = decide(constraints, timeout_seconds, "QF_FD")
    return _concluded(one, other, found, in_one, "by z3, over truth values")


def _over_numbers(one: Formula, other: Formula, timeout_seconds: float) -> Meeting:
    """Weights for which z3 has no room in sums of truth values."""
    in_one = {node: _share(node, z3.Int) == 1 for node in _nodes(one, other)}
    found = decide(_shared_out(one, other, z3.Int), timeout_seconds, "QF_LIA")
    return _concluded(one, other, found, in_one, "by z3, over whole numbers")


def _concluded(
    one: Formula, other: Formula, found: Found, in_one: Mapping[NodeId, z3.BoolRef], how: str
) -> Meeting:
    if found.result == "unsat":
        return Meeting("proved", how)
    if found.model is None:
        return Meeting("unknown", found.reason)
    members = [node for node, known in in_one.items() if z3.is_true(evaluate(found.model, known))]
    met = _disjoint(one, other, members, how)
    assert met is not None, "a model is a counterexample"
    return met


def _shared_out(one: Formula, other: Formula, number: Number) -> list[z3.BoolRef]:
    """Each node is shared out between the two formulas: satisfied as far as their parts are."""
    shares = {node: _share(node, number) for node in _nodes(one, other)}
    return [
        *(constraint for share in shares.values() for constraint in (share >= 0, share <= 1)),
        *as_numbers(one, shares.__getitem__, number, "one"),
        *as_numbers(other, lambda node: 1 - shares[node], number, "other"),
    ]


def _share(node: NodeId, number: Number) -> z3.ArithRef:
    return number(f"share of {node!r}")


def _nodes(one: Formula, other: Formula) -> tuple[NodeId, ...]:
    return tuple(dict.fromkeys((*named_nodes(one), *named_nodes(other))))


def _heaviest(formula: Formula) -> int:
    """The weight of all parts of the threshold that has most."""
    if not isinstance(formula, Threshold):
        return 1
    return max(formula.total, *map(_heaviest, formula.parts))
