"""Fragment: whether a prover decides everything that is to be proved of a protocol.

Where something exists for every element of a sort, the sort it is of depends on that one. If no
sort depends on itself, only finitely many elements can be named, and Z3 always comes to an answer
(the effectively propositional fragment, EPR). That is a property of the text, and yet another
reading of it: a formula means which of its sorts depend on which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from indelible.checkers.lemmas.logic import (
    Element,
    Environment,
    Reading,
    Relation,
    Sort,
    Variable,
)
from indelible.checkers.lemmas.protocol import After, Protocol

__all__ = ["Dependencies", "circle", "dependencies"]

Edges: TypeAlias = frozenset[tuple[Sort, Sort]]
NO_SORTS: frozenset[Sort] = frozenset()
NO_EDGES: Edges = frozenset()


class Dependencies(NamedTuple):
    """What the quantifiers of a formula are about, and which sorts depend on which (as pairs:
    for every one of the first there is one of the second); of its negation, too, which turns
    every quantifier round."""

    universal: frozenset[Sort] = NO_SORTS
    existential: frozenset[Sort] = NO_SORTS
    edges: Edges = NO_EDGES
    edges_negated: Edges = NO_EDGES

    def negated(self) -> Dependencies:
        """Those of the negation."""
        return Dependencies(self.existential, self.universal, self.edges_negated, self.edges)


class _Alternation(Reading[Dependencies]):
    """Formulae as which of their sorts depend on which."""

    def atom(self, relation: Relation, arguments: tuple[Element, ...]) -> Dependencies:
        return Dependencies()

    def same(self, one: Element, other: Element) -> Dependencies:
        return Dependencies()

    def negation(self, truth: Dependencies) -> Dependencies:
        return truth.negated()

    def conjunction(self, parts: Iterable[Dependencies]) -> Dependencies:
        known = tuple(parts)
        return Dependencies(
            NO_SORTS.union(*(part.universal for part in known)),
            NO_SORTS.union(*(part.existential for part in known)),
            NO_EDGES.union(*(part.edges for part in known)),
            NO_EDGES.union(*(part.edges_negated for part in known)),
        )

    def disjunction(self, parts: Iterable[Dependencies]) -> Dependencies:
        return self.conjunction(parts)

    def for_all(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], Dependencies],
    ) -> Dependencies:
        within = body({**environment, **dict.fromkeys(variables)})
        sorts = frozenset(variable.sort for variable in variables)
        new = frozenset((sort, other) for sort in sorts for other in within.existential)
        return within._replace(universal=within.universal | sorts, edges=within.edges | new)

    def there_is(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], Dependencies],
    ) -> Dependencies:
        return self.for_all(variables, environment, lambda inner: body(inner).negated()).negated()


def dependencies(protocol: Protocol) -> Edges:
    """Which sorts depend on which in anything that is asked to prove the protocol safe."""
    reading = _Alternation()
    edges = NO_EDGES
    for law in (*protocol.axioms, *protocol.invariant):
        edges |= law.closed.read(reading, {}).edges
    for action in protocol.actions:
        binding = dict.fromkeys(action.parameters)
        edges |= action.is_enabled(reading, binding).edges
        for law in protocol.invariant:
            edges |= law.closed.read(After(reading, action, binding), {}).edges_negated
    return edges


def circle(edges: Edges) -> tuple[Sort, ...]:
    """Sorts of which each depends on the one before, and the first on the last; or nothing."""

    def walk(path: tuple[Sort, ...]) -> tuple[Sort, ...]:
        for first, second in sorted(edges, key=lambda edge: (edge[0].name, edge[1].name)):
            if first is path[-1]:
                if second in path:
                    return path[path.index(second) :]
                found = walk((*path, second))
                if found:
                    return found
        return ()

    starts = sorted({first for first, _ in edges}, key=lambda sort: sort.name)
    return next(filter(None, (walk((sort,)) for sort in starts)), ())
