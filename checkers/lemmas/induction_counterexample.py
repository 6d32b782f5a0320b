"""Counterexamples to induction: a small state in which all is well, and a step that ends that.

Whether such a state can be reached is another question (``bounded`` answers it); here it is a
state that the invariant does not rule out. The universe is made as small as can be, sort by sort,
then the state as empty as can be, tuple by tuple; what is shown was checked by plain evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import z3

from indelible.checkers.lemmas.finite import Facts, Instance, after, broken_laws, is_enabled
from indelible.checkers.lemmas.grounded import Grounded, all_true, opposite
from indelible.checkers.lemmas.logic import Element, Relation, Sort
from indelible.checkers.lemmas.protocol import Action, After, Law, Protocol
from indelible.checkers.lemmas.solving import checked

__all__ = ["Question", "smallest_counterexample"]

Elements: TypeAlias = Mapping[Sort, tuple[Element, ...]]


@dataclass(frozen=True)
class Question:
    """Can ``law`` be broken by ``action`` where all laws of the protocol hold before?"""

    protocol: Protocol
    action: Action
    law: Law

    @property
    def before(self) -> tuple[Law, ...]:
        """What holds before the action."""
        return (*self.protocol.axioms, *self.protocol.invariant)


def smallest_counterexample(
    question: Question, sizes: Mapping[Sort, int], milliseconds: int
) -> tuple[str, ...]:
    """The lines that show it. ``sizes`` is a universe in which there is one.

    Raises ``TimeoutError`` when the time was too short to look at that universe.
    """
    best = _first(question, sizes, milliseconds)
    for sort in question.protocol.sorts:
        for size in range(1, best.sizes[sort]):
            smaller = _Search(question, {**best.sizes, sort: size}, milliseconds)
            if smaller.is_possible():
                best = smaller
                break
    facts, arguments = best.emptiest()
    names = _in_order(question.protocol, best.elements, facts)
    renamed = {
        relation: frozenset(tuple(map(names.__getitem__, known)) for known in held)
        for relation, held in facts.items()
    }
    instance = Instance(question.protocol, best.elements, {})
    return tuple(_lines(question, instance, renamed, tuple(map(names.__getitem__, arguments))))


def _first(question: Question, sizes: Mapping[Sort, int], milliseconds: int) -> _Search:
    """Some counterexample: in a small universe, if one has any, because large ones are slow."""
    for most in (2, 3, max(sizes.values())):
        search = _Search(
            question, {sort: min(size, most) for sort, size in sizes.items()}, milliseconds
        )
        if search.is_possible():
            return search
    raise TimeoutError("no counterexample was found in a universe of the size it must have")


def _in_order(protocol: Protocol, elements: Elements, facts: Facts) -> dict[Element, Element]:
    """New names, so that the ballots are numbered from the lowest."""
    names = {name: name for known in elements.values() for name in known}
    ballots = elements[protocol.order.sorts[0]]
    below_count = {name: sum(pair[1] == name for pair in facts[protocol.order]) for name in ballots}
    names.update(zip(sorted(ballots, key=below_count.__getitem__), ballots, strict=True))
    return names


class _Search:
    """The question in one finite universe."""

    def __init__(self, question: Question, sizes: Mapping[Sort, int], milliseconds: int) -> None:
        self.question = question
        self.sizes = sizes
        self.elements: Elements = {
            sort: tuple(f"{sort.letter}{number}" for number in range(size))
            for sort, size in sizes.items()
        }
        protocol = question.protocol
        self.tuples = {
            (relation, arguments): z3.Bool(f"{relation.name}({', '.join(arguments)})")
            for relation in (*protocol.changing, *protocol.rigid)
            for arguments in product(*(self.elements[sort] for sort in relation.sorts))
        }
        self._solver = z3.SolverFor("QF_FD")
        self._solver.set("timeout", milliseconds)
        self._binding: tuple[Element, ...] | None = None

    def is_possible(self) -> bool:
        """Whether this universe has a counterexample; then that is what the search is left with."""
        reading = self._reading()
        action = self.question.action
        for law in self.question.before:
            self._solver.add(law.closed.read(reading, {}))
        # Without loss of generality: which of two elements comes first says nothing about them.
        for arguments in self._bindings(action):
            binding = dict(zip(action.parameters, arguments, strict=True))
            broken = opposite(self.question.law.closed.read(After(reading, action, binding), {}))
            happens = all_true((action.is_enabled(reading, binding), broken))
            if happens is False:
                continue
            self._solver.push()
            self._solver.add(happens)
            if checked(self._solver) == z3.sat:
                self._binding = arguments
                return True
            self._solver.pop()
        return False

    def emptiest(self) -> tuple[Facts, tuple[Element, ...]]:
        """The state before, with no tuple that could be left out, and the action's arguments."""
        assert self._binding is not None
        model = self._model()
        for known in self.tuples.values():
            if not z3.is_true(model.eval(known, model_completion=True)):
                self._solver.add(z3.Not(known))
                continue
            self._solver.push()
            self._solver.add(z3.Not(known))
            if checked(self._solver) == z3.sat:
                model = self._model()
            else:
                self._solver.pop()
                self._solver.add(known)
        facts: dict[Relation, set[tuple[Element, ...]]] = {}
        for (relation, arguments), known in self.tuples.items():
            holding = facts.setdefault(relation, set())
            if z3.is_true(model.eval(known, model_completion=True)):
                holding.add(arguments)
        return {relation: frozenset(held) for relation, held in facts.items()}, self._binding

    def _model(self) -> z3.ModelRef:
        if checked(self._solver) != z3.sat:
            raise TimeoutError("a counterexample was found, but there was no time to make it small")
        return self._solver.model()

    def _reading(self) -> Grounded:
        return Grounded(self.elements, lambda relation, arguments: self.tuples[relation, arguments])

    def _bindings(self, action: Action) -> Iterator[tuple[Element, ...]]:
        """What the parameters may stand for, up to a renaming of the elements of each sort."""
        choices = (self.elements[parameter.sort] for parameter in action.parameters)
        for arguments in product(*choices):
            met: dict[Sort, int] = {}
            for parameter, element in zip(action.parameters, arguments, strict=True):
                number = self.elements[parameter.sort].index(element)
                if number > met.get(parameter.sort, 0):
                    break
                met[parameter.sort] = max(met.get(parameter.sort, 0), number + 1)
            else:
                yield arguments


def _lines(
    question: Question, instance: Instance, before: Facts, arguments: tuple[Element, ...]
) -> Iterator[str]:
    """The counterexample for a person to read, once plain evaluation agrees that it is one."""
    action, law = question.action, question.law
    happening = (action, arguments)
    behind = after(instance, before, happening)
    assert not broken_laws(instance, before, question.before), "something is wrong before already"
    assert is_enabled(instance, before, happening), "the action is not enabled"
    assert broken_laws(instance, behind, (law,)), "nothing is wrong afterwards"
    names = dict(zip((known.name for known in action.parameters), arguments, strict=True))
    yield f"{action.name} breaks {law.name}: {law.says}"
    yield "universe  " + ", ".join(
        name for elements in instance.elements.values() for name in elements
    )
    yield from _section("always    ", _facts(before, question.protocol.rigid))
    yield from _section("before    ", _facts(before, question.protocol.changing))
    yield f"step      {action.says.format(**names)}"
    changed = [relation for relation in question.protocol.changing if relation in action.changes]
    new = {known: behind[known] - before[known] for known in changed}
    gone = {known: before[known] - behind[known] for known in changed}
    yield from _section("no longer ", _facts(gone, changed))
    yield from _section("then      ", _facts(new, changed))


def _facts(facts: Facts, relations: Any) -> list[str]:
    return [
        relation.says.format(*arguments)
        for relation in relations
        for arguments in sorted(facts[relation])
    ]


def _section(title: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield (title if number == 0 else " " * len(title)) + line
