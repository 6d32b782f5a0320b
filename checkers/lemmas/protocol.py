"""Protocols: what is proved about, as a text of laws and actions. No reading of it lives here.

A state says which tuples each relation holds of. Initially no changing relation holds of any; the
*rigid* ones, which no action changes, hold of whatever the axioms allow. An action may happen where
its guards are true, and gives relations a new meaning, all at once. The conjuncts of the invariant
are meant to hold in every state that can be reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from indelible.checkers.lemmas.logic import (
    Atom,
    Element,
    Environment,
    Formula,
    Reading,
    Relation,
    Sort,
    Variable,
    all_of,
    any_of,
    for_all,
    free_variables,
    same,
)
from indelible.model.errors import ProofError

__all__ = ["Action", "After", "Law", "Protocol", "Update", "adds", "becomes"]

Truth = TypeVar("Truth")


@dataclass(frozen=True)
class Law:
    """An axiom, a guard or a conjunct: ``says`` is a sentence, and ``formula`` the same, exactly.

    An axiom or conjunct speaks of whatever its free variables may stand for; those of a guard are
    the parameters of its action.
    """

    name: str
    says: str
    formula: Formula

    @cached_property
    def closed(self) -> Formula:
        """The formula, true of whatever its free variables stand for."""
        return for_all(*free_variables(self.formula), holds=self.formula)


@dataclass(frozen=True, slots=True)
class Update:
    """Afterwards ``relation`` holds of ``parameters`` where ``formula`` was true before."""

    relation: Relation
    parameters: tuple[Variable, ...]
    formula: Formula


def becomes(atom: Atom, formula: Formula) -> Update:
    """Afterwards the relation holds where the formula was true before."""
    return Update(atom.relation, atom.arguments, formula)


def adds(atom: Atom) -> Update:
    """Afterwards the relation holds of these, too."""
    parameters = tuple(
        Variable(f"{atom.relation.name}.{place}", sort)
        for place, sort in enumerate(atom.relation.sorts)
    )
    is_new = all_of(*map(same, parameters, atom.arguments))
    return Update(atom.relation, parameters, any_of(Atom(atom.relation, parameters), is_new))


@dataclass(frozen=True, slots=True)
class Action:
    """Something that may happen: ``says`` tells it, with the parameters in braces by their name."""

    name: str
    says: str
    parameters: tuple[Variable, ...]
    guards: tuple[Law, ...]
    updates: tuple[Update, ...]

    def __post_init__(self) -> None:
        for guard in self.guards:
            self._check(guard.name, guard.formula, ())
        for update in self.updates:
            parameters = (*self.parameters, *update.parameters)
            if len(set(parameters)) != len(parameters):
                raise ValueError(f"{update.relation.name} of {self.name} uses a variable twice")
            self._check(update.relation.name, update.formula, update.parameters)

    def _check(self, what: str, formula: Formula, bound: tuple[Variable, ...]) -> None:
        known = {*self.parameters, *bound}
        loose = [free.name for free in free_variables(formula) if free not in known]
        if loose:
            raise ValueError(f"{what} of action {self.name} speaks of {', '.join(loose)}")

    @property
    def changes(self) -> frozenset[Relation]:
        """The relations that it gives a new meaning."""
        return frozenset(update.relation for update in self.updates)

    def is_enabled(self, reading: Reading[Truth], binding: Environment) -> Truth:
        """Whether all guards are true, where the parameters stand for what ``binding`` says."""
        return reading.conjunction(guard.formula.read(reading, binding) for guard in self.guards)


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol, and why it is safe: ``safety`` are the conjuncts that are wanted for themselves.

    ``order`` is the relation by which ballots are compared, for numbering them in what is shown.
    ``decision`` says that something was achieved: where it cannot become true, all else is empty.
    """

    name: str
    sorts: tuple[Sort, ...]
    rigid: tuple[Relation, ...]
    changing: tuple[Relation, ...]
    axioms: tuple[Law, ...]
    actions: tuple[Action, ...]
    conjuncts: tuple[Law, ...]
    safety: tuple[Law, ...]
    order: Relation
    decision: Formula

    def __post_init__(self) -> None:
        changed = {relation for action in self.actions for relation in action.changes}
        if changed != set(self.changing):
            raise ValueError(f"{self.name}: actions change other relations than it says")
        names = list(self.names())
        if len(names) != len(set(names)):
            raise ValueError(f"{self.name}: two laws have one name")

    @property
    def invariant(self) -> tuple[Law, ...]:
        """Everything that is claimed of every reachable state."""
        return (*self.safety, *self.conjuncts)

    def action(self, name: str) -> Action:
        """The action of this name."""
        return next(action for action in self.actions if action.name == name)

    def names(self) -> Iterator[str]:
        """What can be left out: axioms, guards (as ``action.guard``) and conjuncts."""
        yield from (law.name for law in self.axioms)
        yield from (
            f"{action.name}.{guard.name}" for action in self.actions for guard in action.guards
        )
        yield from (law.name for law in self.conjuncts)

    def without(self, name: str) -> Protocol:
        """The protocol without one axiom, guard or conjunct. Raises ``ProofError``."""
        if name not in self.names():
            raise ProofError(
                f"{self.name} has no axiom, guard or conjunct {name!r}",
                available=", ".join(self.names()),
            )
        actions = tuple(
            replace(
                action,
                guards=tuple(
                    guard for guard in action.guards if f"{action.name}.{guard.name}" != name
                ),
            )
            for action in self.actions
        )
        return replace(
            self,
            axioms=_others(self.axioms, name),
            actions=actions,
            conjuncts=_others(self.conjuncts, name),
        )


def _others(laws: Iterable[Law], name: str) -> tuple[Law, ...]:
    return tuple(law for law in laws if law.name != name)


class After(Reading[Truth]):
    """The state after an action, read in the state before it: by substitution.

    A relation that the action changes holds where the formula of its update is true before. So
    there is no second copy of the relations, and nothing need be said of what stays the same.
    """

    def __init__(self, before: Reading[Truth], action: Action, binding: Environment) -> None:
        self._before = before
        self._updates = {update.relation: update for update in action.updates}
        self._binding = binding

    def atom(self, relation: Relation, arguments: tuple[Element, ...]) -> Truth:
        update = self._updates.get(relation)
        if update is None:
            return self._before.atom(relation, arguments)
        environment = {**self._binding, **dict(zip(update.parameters, arguments, strict=True))}
        return update.formula.read(self._before, environment)

    def same(self, one: Element, other: Element) -> Truth:
        return self._before.same(one, other)

    def negation(self, truth: Truth) -> Truth:
        return self._before.negation(truth)

    def conjunction(self, parts: Iterable[Truth]) -> Truth:
        return self._before.conjunction(parts)

    def disjunction(self, parts: Iterable[Truth]) -> Truth:
        return self._before.disjunction(parts)

    def for_all(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], Truth],
    ) -> Truth:
        return self._before.for_all(variables, environment, body)

    def there_is(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], Truth],
    ) -> Truth:
        return self._before.there_is(variables, environment, body)
