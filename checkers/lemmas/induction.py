"""Induction: that a protocol is safe in every state that can be reached, for any universe.

Of every conjunct of the invariant it is proved that it holds initially (*initiation*), and that no
action breaks it where all conjuncts hold before (*consecution*). Then it holds in every state that
can be reached, and so does what is wanted for itself, which is one of the conjuncts. Z3 is asked
for a state in which it is not so; if it finds none, there is none, of whatever size.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import count

import z3

from indelible.checkers.lemmas.fragment import circle, dependencies
from indelible.checkers.lemmas.induction_counterexample import Question, smallest_counterexample
from indelible.checkers.lemmas.logic import (
    Element,
    Environment,
    Reading,
    Relation,
    Sort,
    Variable,
    relations_of,
)
from indelible.checkers.lemmas.obligation import Answer, Obligation
from indelible.checkers.lemmas.protocol import Action, After, Law, Protocol
from indelible.checkers.lemmas.solving import checked

__all__ = ["Unbounded", "induction_obligations"]


class Unbounded(Reading[z3.BoolRef]):
    """Formulae as Z3 has them: over sorts of which nothing is known but what the axioms say."""

    def __init__(self, protocol: Protocol) -> None:
        self._fresh = count()
        self._sorts = {sort: z3.DeclareSort(sort.name) for sort in protocol.sorts}
        self._relations = {
            relation: z3.Function(
                relation.name, *(self._sorts[sort] for sort in relation.sorts), z3.BoolSort()
            )
            for relation in (*protocol.rigid, *protocol.changing)
        }

    def element(self, variable: Variable) -> z3.ExprRef:
        """A new name for an element, of which nothing is known."""
        return z3.Const(f"{variable.name}!{next(self._fresh)}", self._sorts[variable.sort])

    def universe_size(self, model: z3.ModelRef, sort: Sort) -> int:
        """How many elements a sort has in a model."""
        return len(model.get_universe(self._sorts[sort]) or ()) or 1

    def atom(self, relation: Relation, arguments: tuple[Element, ...]) -> z3.BoolRef:
        return self._relations[relation](*arguments)

    def same(self, one: Element, other: Element) -> z3.BoolRef:
        return one == other

    def negation(self, truth: z3.BoolRef) -> z3.BoolRef:
        return z3.Not(truth)

    def conjunction(self, parts: Iterable[z3.BoolRef]) -> z3.BoolRef:
        return z3.And(*parts)

    def disjunction(self, parts: Iterable[z3.BoolRef]) -> z3.BoolRef:
        return z3.Or(*parts)

    def for_all(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], z3.BoolRef],
    ) -> z3.BoolRef:
        elements = [self.element(variable) for variable in variables]
        inner = {**environment, **dict(zip(variables, elements, strict=True))}
        return z3.ForAll(elements, body(inner))

    def there_is(
        self,
        variables: tuple[Variable, ...],
        environment: Environment,
        body: Callable[[Environment], z3.BoolRef],
    ) -> z3.BoolRef:
        elements = [self.element(variable) for variable in variables]
        inner = {**environment, **dict(zip(variables, elements, strict=True))}
        return z3.Exists(elements, body(inner))


def induction_obligations(protocol: Protocol) -> tuple[Obligation, ...]:
    """Everything that is to be proved of a protocol, so that it is safe.

    Initiation and consecution of each conjunct; that all of them can be true at once, with
    something decided; and that the prover can be relied on for an answer.
    """
    return (
        _decidable(protocol),
        _satisfiable(protocol),
        *(_initiation(protocol, law) for law in protocol.invariant),
        *(
            _consecution(protocol, action, law)
            for action in protocol.actions
            for law in protocol.invariant
            if action.changes & relations_of(law.formula)
        ),
    )


def _decidable(protocol: Protocol) -> Obligation:
    def prove(_timeout_seconds: float) -> Answer:
        started = time.monotonic()
        found = circle(dependencies(protocol))
        seconds = time.monotonic() - started
        if not found:
            return Answer("proved", seconds)
        names = " → ".join(sort.name for sort in (*found, found[0]))
        return Answer("refuted", seconds, (f"these sorts depend on one another: {names}",))

    says = "No sort depends on itself through quantifiers, so that Z3 comes to an answer."
    return Obligation(protocol.name, "decidable", says, prove)


def _satisfiable(protocol: Protocol) -> Obligation:
    """Whatever follows from hypotheses that contradict each other says nothing."""

    def prove(timeout_seconds: float) -> Answer:
        reading = Unbounded(protocol)
        solver = _solver(timeout_seconds)
        for law in (*protocol.axioms, *protocol.invariant):
            solver.add(law.closed.read(reading, {}))
        solver.add(protocol.decision.read(reading, {}))
        started = time.monotonic()
        found = checked(solver)
        seconds = time.monotonic() - started
        if found == z3.sat:
            return Answer("proved", seconds)
        if found == z3.unsat:
            return Answer("refuted", seconds, ("axioms and invariant leave room for no decision",))
        return Answer("unknown", seconds, reason=solver.reason_unknown())

    says = "Axioms and invariant can all be true, with something decided."
    return Obligation(protocol.name, "satisfiable", says, prove)


def _initiation(protocol: Protocol, law: Law) -> Obligation:
    def prove(timeout_seconds: float) -> Answer:
        reading = Initially(protocol)
        solver = _solver(timeout_seconds)
        for axiom in protocol.axioms:
            solver.add(axiom.closed.read(reading, {}))
        solver.add(z3.Not(law.closed.read(reading, {})))
        return _answer(solver, lambda _: (f"initially it is false: {law.says}",))

    return Obligation(protocol.name, f"initially/{law.name}", law.says, prove)


def _consecution(protocol: Protocol, action: Action, law: Law) -> Obligation:
    def prove(timeout_seconds: float) -> Answer:
        reading = Unbounded(protocol)
        solver = _solver(timeout_seconds)
        for known in (*protocol.axioms, *protocol.invariant):
            solver.add(known.closed.read(reading, {}))
        binding = {parameter: reading.element(parameter) for parameter in action.parameters}
        solver.add(action.is_enabled(reading, binding))
        solver.add(z3.Not(law.closed.read(After(reading, action, binding), {})))

        def shown(model: z3.ModelRef) -> tuple[str, ...]:
            sizes = {sort: reading.universe_size(model, sort) for sort in protocol.sorts}
            milliseconds = int(1000 * timeout_seconds)
            return smallest_counterexample(Question(protocol, action, law), sizes, milliseconds)

        return _answer(solver, shown)

    return Obligation(protocol.name, f"{action.name}/{law.name}", law.says, prove)


class Initially(Unbounded):
    """The initial state: no relation that may change holds of anything."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        self._changing = frozenset(protocol.changing)

    def atom(self, relation: Relation, arguments: tuple[Element, ...]) -> z3.BoolRef:
        if relation in self._changing:
            return z3.BoolVal(False)
        return super().atom(relation, arguments)


def _solver(timeout_seconds: float) -> z3.Solver:
    solver = z3.Solver()
    solver.set("timeout", max(1, int(1000 * timeout_seconds)))
    return solver


def _answer(solver: z3.Solver, shown: Callable[[z3.ModelRef], tuple[str, ...]]) -> Answer:
    """What comes of looking for a counterexample; none is a proof, and *unknown* is not."""
    started = time.monotonic()
    found = checked(solver)
    seconds = time.monotonic() - started
    if found == z3.unsat:
        return Answer("proved", seconds)
    if found == z3.unknown:
        return Answer("unknown", seconds, reason=solver.reason_unknown())
    try:
        return Answer("refuted", seconds, shown(solver.model()))
    except TimeoutError as error:
        return Answer("unknown", time.monotonic() - started, reason=str(error))
