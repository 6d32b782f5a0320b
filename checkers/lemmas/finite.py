"""Finite: a protocol in a finite universe, evaluated and searched in plain Python. Obvious, slow.

It is the third reading of the text that is proved: what a proof claims of all universes and a SAT
solver finds in one must agree with what is evaluated here, tuple by tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

from indelible.checkers.lemmas.logic import (
    Element,
    Environment,
    Reading,
    Relation,
    Sort,
    Variable,
    environments,
)
from indelible.checkers.lemmas.protocol import Action, Law, Protocol

__all__ = [
    "Facts",
    "Happening",
    "Instance",
    "Plain",
    "after",
    "broken_laws",
    "empty",
    "failed_guards",
    "happenings",
    "is_enabled",
    "levels",
]

Facts: TypeAlias = Mapping[Relation, frozenset[tuple[Element, ...]]]
"""Of which tuples each relation holds."""

Happening: TypeAlias = tuple[Action, tuple[Element, ...]]
"""An action with what its parameters stand for."""


@dataclass(frozen=True)
class Instance:
    """A protocol in a universe: the elements of each sort, and what holds of them for ever."""

    protocol: Protocol
    elements: Mapping[Sort, tuple[Element, ...]]
    rigid: Facts


class Plain(Reading[bool]):
    """Formulae as anybody would evaluate them, in one state of an instance."""

    def __init__(self, elements: Mapping[Sort, tuple[Element, ...]], facts: Facts) -> None:
        self._elements = elements
        self._facts = facts

    def atom(self, relation: Relation, arguments: tuple[Element, ...]) -> bool:
        return arguments in self._facts[relation]

    def same(self, one: Element, other: Element) -> bool:
        return bool(one == other)

    def negation(self, truth: bool) -> bool:
        return not truth

    def conjunction(self, parts: Iterable[bool]) -> bool:
        return all(parts)

    def disjunction(self, parts: Iterable[bool]) -> bool:
        return any(parts)

    def for_all(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], bool],
    ) -> bool:
        return all(map(body, environments(variables, environment, self._elements)))

    def there_is(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], bool],
    ) -> bool:
        return any(map(body, environments(variables, environment, self._elements)))


def empty(instance: Instance) -> Facts:
    """The initial state: nothing has happened."""
    return dict.fromkeys(instance.protocol.changing, frozenset())


def happenings(instance: Instance) -> Iterator[Happening]:
    """Every action with everything that its parameters can stand for, in order."""
    for action in instance.protocol.actions:
        sorts = (instance.elements[parameter.sort] for parameter in action.parameters)
        for arguments in product(*sorts):
            yield action, arguments


def is_enabled(instance: Instance, facts: Facts, happening: Happening) -> bool:
    """Whether it may happen in this state."""
    action, _ = happening
    return action.is_enabled(_plain(instance, facts), _binding(happening))


def failed_guards(instance: Instance, facts: Facts, happening: Happening) -> tuple[Law, ...]:
    """Why it may not happen in this state."""
    reading, binding = _plain(instance, facts), _binding(happening)
    return tuple(guard for guard in happening[0].guards if not guard.formula.read(reading, binding))


def after(instance: Instance, facts: Facts, happening: Happening) -> Facts:
    """The state after it, which is computed whether or not its guards are true."""
    action, _ = happening
    reading, binding = _plain(instance, facts), _binding(happening)
    changed = dict(facts)
    for update in action.updates:
        sorts = (instance.elements[sort] for sort in update.relation.sorts)
        changed[update.relation] = frozenset(
            arguments
            for arguments in product(*sorts)
            if update.formula.read(
                reading,
                {**binding, **dict(zip(update.parameters, arguments, strict=True))},
            )
        )
    return changed


def broken_laws(instance: Instance, facts: Facts, laws: Iterable[Law]) -> tuple[Law, ...]:
    """Those of the laws that are not true in this state."""
    reading = _plain(instance, facts)
    return tuple(law for law in laws if not law.closed.read(reading, {}))


def levels(instance: Instance, depth_max: int | None = None) -> Iterator[tuple[Facts, ...]]:
    """All states that can be reached, by how many actions that takes at least."""
    everything = tuple(happenings(instance))
    level = {_key(instance, empty(instance)): empty(instance)}
    seen = set(level)
    depth = 0
    while level:
        yield tuple(level.values())
        if depth == depth_max:
            return
        depth += 1
        following: dict[Any, Facts] = {}
        for facts in level.values():
            for happening in everything:
                if is_enabled(instance, facts, happening):
                    reached = after(instance, facts, happening)
                    key = _key(instance, reached)
                    if key not in seen:
                        seen.add(key)
                        following[key] = reached
        level = following


def _key(instance: Instance, facts: Facts) -> tuple[frozenset[tuple[Element, ...]], ...]:
    return tuple(facts[relation] for relation in instance.protocol.changing)


def _plain(instance: Instance, facts: Facts) -> Plain:
    return Plain(instance.elements, {**instance.rigid, **facts})


def _binding(happening: Happening) -> Environment:
    action, arguments = happening
    return dict(zip(action.parameters, arguments, strict=True))
