"""Logic: the words in which protocols are written down to be proved. No meaning lives here.

First-order formulae over a few sorts: relations between variables, equality, *all of*, *any of*,
*none of*, *when … then*, *for all*, *there is*. There are no functions, and sorts have no elements
until a ``Reading`` gives them some: a prover reads a formula for every universe at once, a search
for one finite universe. Whoever reads, reads the same text: ``formula.read(reading, environment)``
is what the formula means where its free variables stand for what the environment says.

Sorts, variables and relations are themselves, not their names: two variables may share a name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Generic, TypeAlias, TypeVar

__all__ = [
    "Atom",
    "Element",
    "Environment",
    "Formula",
    "Reading",
    "Relation",
    "Sort",
    "Variable",
    "all_of",
    "any_of",
    "differ",
    "either",
    "environments",
    "for_all",
    "free_variables",
    "none_of",
    "relations_of",
    "same",
    "there_is",
    "when",
]

Truth = TypeVar("Truth")
Element: TypeAlias = Any
"""Whatever a reading takes for the elements of sorts."""


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """A kind of thing, such as *node*; ``letter`` starts the names of its elements."""

    name: str
    letter: str


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """Stands for one element of its sort."""

    name: str
    sort: Sort


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """What may be true of elements of these sorts; ``says`` is a sentence with ``{0}``, ``{1}``…"""

    name: str
    sorts: tuple[Sort, ...]
    says: str

    def __call__(self, *arguments: Variable) -> Atom:
        """That it is true of these. Raises ``TypeError`` where the sorts do not fit."""
        if tuple(argument.sort for argument in arguments) != self.sorts:
            given = ", ".join(f"{argument.name}: {argument.sort.name}" for argument in arguments)
            wanted = ", ".join(sort.name for sort in self.sorts)
            raise TypeError(f"{self.name}({given}), but it relates ({wanted})")
        return Atom(self, arguments)


@dataclass(frozen=True, slots=True)
class Atom:
    """A relation is true of these."""

    relation: Relation
    arguments: tuple[Variable, ...]

    def read(self, reading: Reading[Truth], environment: Environment) -> Truth:
        return reading.atom(self.relation, tuple([environment[known] for known in self.arguments]))


@dataclass(frozen=True, slots=True)
class Same:
    """Two variables stand for the same element."""

    one: Variable
    other: Variable

    def read(self, reading: Reading[Truth], environment: Environment) -> Truth:
        return reading.same(environment[self.one], environment[self.other])


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false."""

    part: Formula

    def read(self, reading: Reading[Truth], environment: Environment) -> Truth:
        return reading.negation(self.part.read(reading, environment))


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true."""

    parts: tuple[Formula, ...]

    def read(self, reading: Reading[Truth], environment: Environment) -> Truth:
        return reading.conjunction(part.read(reading, environment) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part is true."""

    parts: tuple[Formula, ...]

    def read(self, reading: Reading[Truth], environment: Environment) -> Truth:
        return reading.disjunction(part.read(reading, environment) for part in self.parts)


@dataclass(frozen=True, slots=True)
class ForAll:
    """The body is true whatever the variables stand for."""

    variables: tuple[Variable, ...]
    body: Formula

    def read(self, reading: Reading[Truth], environment: Environment) -> Truth:
        read = self.body.read
        return reading.for_all(self.variables, environment, lambda inner: read(reading, inner))


@dataclass(frozen=True, slots=True)
class ThereIs:
    """The variables can stand for something that makes the body true."""

    variables: tuple[Variable, ...]
    body: Formula

    def read(self, reading: Reading[Truth], environment: Environment) -> Truth:
        read = self.body.read
        return reading.there_is(self.variables, environment, lambda inner: read(reading, inner))


Formula: TypeAlias = Atom | Same | Not | All | AnyOf | ForAll | ThereIs
Environment: TypeAlias = Mapping[Variable, Element]
"""What each free variable stands for."""


def same(one: Variable, other: Variable) -> Formula:
    """They are the same element."""
    if one.sort is not other.sort:
        raise TypeError(f"{one.name} is a {one.sort.name}, {other.name} a {other.sort.name}")
    return Same(one, other)


def differ(one: Variable, other: Variable) -> Formula:
    """They are two elements."""
    return Not(same(one, other))


def all_of(*parts: Formula) -> Formula:
    """Every part is true."""
    return parts[0] if len(parts) == 1 else All(parts)


def any_of(*parts: Formula) -> Formula:
    """Some part is true."""
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def none_of(*parts: Formula) -> Formula:
    """No part is true."""
    return Not(any_of(*parts))


def when(*premises: Formula, then: Formula) -> Formula:
    """If all premises are true, so is what follows."""
    return AnyOf((Not(all_of(*premises)), then))


def either(condition: Formula, *, then: Formula, otherwise: Formula) -> Formula:
    """One thing where the condition is true, another where it is false."""
    return AnyOf((All((condition, then)), All((Not(condition), otherwise))))


def for_all(*variables: Variable, holds: Formula) -> Formula:
    """It holds whatever the variables stand for."""
    return ForAll(variables, holds) if variables else holds


def there_is(*variables: Variable, such_that: Formula) -> Formula:
    """The variables can stand for something of which it is true."""
    return ThereIs(variables, such_that)


class Reading(ABC, Generic[Truth]):
    """What formulae mean: what is true of which elements, and what truth is made of.

    ``conjunction`` and ``disjunction`` may leave off as soon as they know. ``for_all`` and
    ``there_is`` call ``body`` with the environment in which the variables stand for something.
    """

    @abstractmethod
    def atom(self, relation: Relation, arguments: tuple[Element, ...]) -> Truth: ...

    @abstractmethod
    def same(self, one: Element, other: Element) -> Truth: ...

    @abstractmethod
    def negation(self, truth: Truth) -> Truth: ...

    @abstractmethod
    def conjunction(self, parts: Iterable[Truth]) -> Truth: ...

    @abstractmethod
    def disjunction(self, parts: Iterable[Truth]) -> Truth: ...

    @abstractmethod
    def for_all(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], Truth],
    ) -> Truth: ...

    @abstractmethod
    def there_is(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], Truth],
    ) -> Truth: ...


def environments(
    variables: tuple[Variable, ...],
    environment: Environment,
    elements: Mapping[Sort, tuple[Element, ...]],
) -> Iterator[Environment]:
    """The environment with the variables standing for each choice of elements, in order.

    Each is good only until the next is asked for.
    """
    inner = dict(environment)
    for chosen in product(*(elements[variable.sort] for variable in variables)):
        inner.update(zip(variables, chosen, strict=True))
        yield inner


def free_variables(formula: Formula) -> tuple[Variable, ...]:
    """The variables that no quantifier binds, in the order of their first appearance."""
    return tuple(dict.fromkeys(_free(formula)))


def _free(formula: Formula) -> Iterator[Variable]:
    match formula:
        case Atom(_, arguments):
            yield from arguments
        case Same(one, other):
            yield from (one, other)
        case Not(part):
            yield from _free(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _free(part)
        case ForAll(variables, body) | ThereIs(variables, body):
            yield from (known for known in _free(body) if known not in variables)


def relations_of(formula: Formula) -> frozenset[Relation]:
    """The relations that the formula speaks of."""
    match formula:
        case Atom(relation, _):
            return frozenset({relation})
        case Same():
            return frozenset()
        case Not(part) | ForAll(_, part) | ThereIs(_, part):
            return relations_of(part)
        case All(parts) | AnyOf(parts):
            return frozenset().union(*map(relations_of, parts))
