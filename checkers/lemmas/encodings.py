"""Encodings: a formula of thresholds in the terms of z3, over truth values or over numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import z3

from indelible.checkers.lemmas.shapes import is_all_of, is_any_of
from indelible.model.events import NodeId
from indelible.model.thresholds import Formula, Threshold

__all__ = ["Number", "as_numbers", "as_truth"]

Number: TypeAlias = Callable[[str], z3.ArithRef]
"""``z3.Int`` or ``z3.Real``."""


def as_truth(formula: Formula, node_is_in: Callable[[NodeId], z3.BoolRef]) -> z3.BoolRef:
    """The formula over truth values, one for each node."""
    if not isinstance(formula, Threshold):
        return node_is_in(formula)
    weighty = [
        (as_truth(part, node_is_in), weight)
        for part, weight in zip(formula.parts, formula.weights, strict=True)
        if weight
    ]
    if is_all_of(formula):
        return z3.And([part for part, _ in weighty])
    if is_any_of(formula):
        return z3.Or([part for part, _ in weighty])
    return z3.PbGe(weighty, formula.least)


def as_numbers(
    formula: Formula, node_share: Callable[[NodeId], z3.ArithRef], number: Number, name: str
) -> list[z3.BoolRef]:
    """That the formula is satisfied, where each node is a number from 0 to 1.

    Each threshold is such a number too, and 1 for the formula itself: its parts come to at least
    that share of what it asks for. With whole numbers this says the same as the formula; over the
    reals it follows from it, and is quickly decided.
    """
    constraints: list[z3.BoolRef] = []

    def share(formula: Formula) -> z3.ArithRef:
        if not isinstance(formula, Threshold):
            return node_share(formula)
        reached = number(f"{name} {len(constraints)}")
        constraints.extend((reached >= 0, reached <= 1))
        weights = zip(formula.parts, formula.weights, strict=True)
        parts = [weight * share(part) for part, weight in weights if weight]
        constraints.append(z3.Sum(parts) >= formula.least * reached)
        return reached

    return [share(formula) == 1, *constraints]
