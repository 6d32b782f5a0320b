"""Bounded model checking: runs of a protocol in a finite universe, found by a SAT solver.

A run of so many steps is one formula: in every step exactly one action happens, its guards are
true, and a tuple holds afterwards where its update says so. It is asked for runs that end in a
broken law, the shortest first. What is found is replayed by plain evaluation before it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import z3

from indelible.checkers.lemmas.finite import (
    Facts,
    Happening,
    Instance,
    after,
    broken_laws,
    empty,
    happenings,
    is_enabled,
)
from indelible.checkers.lemmas.grounded import Grounded, Truth, all_true, opposite
from indelible.checkers.lemmas.logic import Element, Formula, Relation, relations_of
from indelible.checkers.lemmas.solving import checked, raise_if_stopped

__all__ = ["FoundRun", "count_states", "run_lines", "shortest_run", "shortest_violation"]

Tuple: TypeAlias = tuple[Relation, tuple[Element, ...]]


@dataclass(frozen=True)
class FoundRun:
    """What happened in an instance, one action after another, and the state at the end."""

    instance: Instance
    steps: tuple[Happening, ...]
    end: Facts


class Unrolled:
    """A run of an instance, one step longer with each call of ``extend``.

    ``state`` is what is true at its end, as formulae over what is chosen on the way; ``choices``
    are, step by step, what may happen, each with the variable that says that it does.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.solver = z3.SolverFor("QF_FD")
        self.choices: list[dict[str, tuple[z3.BoolRef, Happening]]] = []
        self.state: dict[Tuple, Truth] = {
            (relation, arguments): False
            for relation in instance.protocol.changing
            for arguments in product(*(instance.elements[sort] for sort in relation.sorts))
        }

    @property
    def reading(self) -> Grounded:
        """The state at the end of the run."""
        state, rigid = self.state, self.instance.rigid

        def holds(relation: Relation, arguments: tuple[Element, ...]) -> Truth:
            if relation in rigid:
                return arguments in rigid[relation]
            return state[relation, arguments]

        return Grounded(self.instance.elements, holds)

    def extend(self) -> None:
        """One more action happens."""
        number = len(self.choices)
        reading = self.reading
        choices: dict[str, tuple[z3.BoolRef, Happening]] = {}
        changes: dict[Tuple, list[tuple[z3.BoolRef, Truth]]] = {}
        for happening in happenings(self.instance):
            raise_if_stopped()
            action, arguments = happening
            binding = dict(zip(action.parameters, arguments, strict=True))
            enabled = action.is_enabled(reading, binding)
            if enabled is False:
                continue
            name = f"{action.name}({', '.join(arguments)})@{number}"
            choice = z3.Bool(name)
            choices[name] = (choice, happening)
            self.solver.add(z3.Implies(choice, enabled))
            for update in action.updates:
                for changed in product(
                    *(self.instance.elements[sort] for sort in update.relation.sorts)
                ):
                    inner = {**binding, **dict(zip(update.parameters, changed, strict=True))}
                    value = update.formula.read(reading, inner)
                    if value is not self.state[update.relation, changed]:
                        changes.setdefault((update.relation, changed), []).append((choice, value))
        happens = [choice for choice, _ in choices.values()]
        self.solver.add(z3.Or(*happens))
        if happens:
            self.solver.add(z3.AtMost(*happens, 1))
        self.choices.append(choices)
        self._change(number, changes)

    def _change(self, number: int, changes: dict[Tuple, list[tuple[z3.BoolRef, Truth]]]) -> None:
        following = dict(self.state)
        for (relation, arguments), causes in changes.items():
            known = z3.Bool(f"{relation.name}({', '.join(arguments)})@{number + 1}")
            following[relation, arguments] = known
            for choice, value in causes:
                self.solver.add(z3.Implies(choice, known == value))
            nobody = z3.Not(z3.Or(*(choice for choice, _ in causes)))
            self.solver.add(z3.Implies(nobody, known == self.state[relation, arguments]))
        self.state = following

    def found(self, model: z3.ModelRef) -> FoundRun:
        """The run of a model, replayed by plain evaluation."""
        facts = empty(self.instance)
        steps = []
        for choices in self.choices:
            happening = next(it for choice, it in choices.values() if z3.is_true(model[choice]))
            assert is_enabled(self.instance, facts, happening), "the run cannot be replayed"
            facts = after(self.instance, facts, happening)
            steps.append(happening)
        return FoundRun(self.instance, tuple(steps), facts)


def shortest_violation(
    instance: Instance, *, depth_max: int, timeout_seconds: float
) -> FoundRun | None:
    """The shortest run that ends in something unsafe, or ``None`` if none has ``depth_max`` steps.

    Raises ``TimeoutError`` when the time was too short to tell.
    """
    safety = instance.protocol.safety
    run = _shortest(
        instance,
        lambda reading: opposite(all_true(law.closed.read(reading, {}) for law in safety)),
        depth_max,
        timeout_seconds,
    )
    if run is not None:
        assert broken_laws(instance, run.end, safety), "nothing is wrong at the end"
    return run


def shortest_run(
    instance: Instance, goal: Formula, *, depth_max: int, timeout_seconds: float
) -> FoundRun | None:
    """The shortest run that reaches ``goal``. Raises ``TimeoutError``."""
    return _shortest(instance, lambda reading: goal.read(reading, {}), depth_max, timeout_seconds)


def _shortest(
    instance: Instance,
    wanted: Callable[[Grounded], Truth],
    depth_max: int,
    timeout_seconds: float,
) -> FoundRun | None:
    deadline = time.monotonic() + timeout_seconds
    run = Unrolled(instance)
    for depth in range(depth_max + 1):
        if depth:
            run.extend()
        run.solver.push()
        run.solver.add(wanted(run.reading))
        left = deadline - time.monotonic()
        run.solver.set("timeout", max(1, int(1000 * left)))
        found = checked(run.solver) if left > 0 else z3.unknown
        if found == z3.sat:
            return run.found(run.solver.model())
        if found == z3.unknown:
            raise TimeoutError(f"no run of fewer than {depth} steps; time was too short for longer")
        run.solver.pop()
    return None


def count_states(instance: Instance, depth_max: int) -> tuple[int, ...]:
    """How many states take 0, 1, … actions to reach: every one a solution, then ruled out."""
    counts: list[int] = []
    seen: list[frozenset[Tuple]] = []
    run = Unrolled(instance)
    for depth in range(depth_max + 1):
        if depth:
            run.extend()
        run.solver.push()
        for known in seen:
            run.solver.add(_differs(run, known))
        counts.append(0)
        while checked(run.solver) == z3.sat:
            model = run.solver.model()
            state = frozenset(
                known
                for known, truth in run.state.items()
                if truth is not False and z3.is_true(model.eval(truth, model_completion=True))
            )
            seen.append(state)
            counts[-1] += 1
            run.solver.add(_differs(run, state))
        run.solver.pop()
        if not counts[-1]:
            return tuple(counts[:-1])
    return tuple(counts)


def _differs(run: Unrolled, state: frozenset[Tuple]) -> z3.BoolRef:
    """That the run does not end in this state."""
    apart = [
        opposite(truth) if known in state else truth
        for known, truth in run.state.items()
        if truth is not False or known in state
    ]
    return z3.Or(*apart)


def run_lines(run: FoundRun) -> tuple[str, ...]:
    """The run as counterexamples are told: what happened, and what is wrong at its end, if
    anything is. It is called the shortest, which is what the searches here find."""
    broken = broken_laws(run.instance, run.end, run.instance.protocol.safety)
    count = len(run.steps)
    title = "Counterexample" if broken else "Run"
    lines = [f"{title}: {count} event{'s' if count != 1 else ''}, the shortest there is."]
    for number, (action, arguments) in enumerate(run.steps, start=1):
        names = dict(zip((known.name for known in action.parameters), arguments, strict=True))
        lines.append(f"{number:>4}  {action.says.format(**names)}")
    for law in broken:
        lines += ["", f"Violated: {law.name}", f"      {law.says}"]
        lines += [
            f"      {relation.says.format(*arguments)}"
            for relation in run.instance.protocol.changing
            if relation in relations_of(law.formula)
            for arguments in sorted(run.end[relation])
        ]
    return tuple(lines)
