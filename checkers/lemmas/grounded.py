"""Grounded: formulae in a finite universe as Z3's propositional logic has them.

Quantifiers are written out, and what is known already is folded: a truth is a Python Boolean where
nothing about it is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import z3

from indelible.checkers.lemmas.logic import (
    Element,
    Environment,
    Reading,
    Relation,
    Sort,
    Variable,
    environments,
)

__all__ = ["Grounded", "Truth", "all_true", "any_true", "opposite"]

Truth: TypeAlias = bool | z3.BoolRef


def opposite(truth: Truth) -> Truth:
    """That it is false."""
    return not truth if isinstance(truth, bool) else z3.Not(truth)


def all_true(parts: Iterable[Truth]) -> Truth:
    """That all are true."""
    open_parts: list[z3.BoolRef] = []
    for part in parts:
        if isinstance(part, bool):
            if not part:
                return False
        else:
            open_parts.append(part)
    if not open_parts:
        return True
    return open_parts[0] if len(open_parts) == 1 else z3.And(*open_parts)


def any_true(parts: Iterable[Truth]) -> Truth:
    """That some is true."""
    open_parts: list[z3.BoolRef] = []
    for part in parts:
        if isinstance(part, bool):
            if part:
                return True
        else:
            open_parts.append(part)
    if not open_parts:
        return False
    return open_parts[0] if len(open_parts) == 1 else z3.Or(*open_parts)


class Grounded(Reading[Truth]):
    """Formulae in one state of a finite universe; ``holds`` says what is known of each tuple."""

    def __init__(
        self,
        elements: Mapping[Sort, tuple[Element, ...]],
        holds: Callable[[Relation, tuple[Element, ...]], Truth],
    ) -> None:
        self._elements = elements
        self._holds = holds

    def atom(self, relation: Relation, arguments: tuple[Element, ...]) -> Truth:
        return self._holds(relation, arguments)

    def same(self, one: Element, other: Element) -> Truth:
        return bool(one == other)

    def negation(self, truth: Truth) -> Truth:
        return opposite(truth)

    def conjunction(self, parts: Iterable[Truth]) -> Truth:
        return all_true(parts)

    def disjunction(self, parts: Iterable[Truth]) -> Truth:
        return any_true(parts)

    def for_all(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], Truth],
    ) -> Truth:
        return all_true(map(body, environments(variables, environment, self._elements)))

    def there_is(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], Truth],
    ) -> Truth:
        return any_true(map(body, environments(variables, environment, self._elements)))
