"""Lemma: hypotheses, a conclusion, and how to try them on z3.

A lemma stands for more than one obligation, since an implication is easily proved for a bad reason:
that its hypotheses imply the conclusion; that they can be met at all, for else anything would
follow; and that it is *tight*: with weaker ones in the place of some, a counterexample is found,
and shown. No lemma is stated here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, TypeAlias

import z3

from indelible.checkers.lemmas.obligation import Answer, Obligation
from indelible.checkers.lemmas.solving import checked

__all__ = ["Found", "Lemma", "Lines", "decide", "evaluate", "lemma_obligations"]

Lines: TypeAlias = tuple[str, ...]

SMALLEST_TRIED: Final = 12
"""Up to which size a smaller counterexample is looked for, one size after the other."""


class Found(NamedTuple):
    """What z3 says of constraints: a model, that there is none, or why it does not know."""

    result: Literal["sat", "unsat", "unknown"]
    model: z3.ModelRef | None
    reason: str


def evaluate(model: z3.ModelRef, known: z3.ExprRef) -> z3.ExprRef:
    """What an expression of the main context is in a model that ``decide`` found; anything that
    fits, where the model does not say."""
    return model.eval(known.translate(model.ctx), model_completion=True)


def decide(
    constraints: Iterable[z3.BoolRef], timeout_seconds: float, logic: str | None = None
) -> Found:
    """Try to satisfy all the constraints. Whatever stops z3 before the end is *unknown*.

    They are tried in a context of their own, which the model stays in, so that neither depends on
    what z3 was asked before.
    """
    if timeout_seconds <= 0:
        return Found("unknown", None, "there was no time left")
    context = z3.Context()
    solver = z3.Solver(ctx=context) if logic is None else z3.SolverFor(logic, ctx=context)
    # Whole milliseconds: 0 would mean no limit at all.
    solver.set("timeout", max(1, int(timeout_seconds * 1000)))
    solver.add(*(constraint.translate(context) for constraint in constraints))
    result = checked(solver)
    if result == z3.sat:
        return Found("sat", solver.model(), "")
    if result == z3.unsat:
        return Found("unsat", None, "")
    return Found("unknown", None, f"z3 gave up: {solver.reason_unknown()}")


@dataclass(frozen=True, slots=True)
class Lemma:
    """From all that is ``given`` follows ``then``.

    - ``given``: the hypotheses, each by a short name.
    - ``weaker``: what is not enough in place of the hypotheses of the same names.
    - ``where``: what the words mean, and what every case shares.
    - ``show``: a model, in lines that a person reads.
    - ``up_to``: the constraint that a model has no more than that size, to find a small one.
    """

    name: str
    says: str
    given: Mapping[str, z3.BoolRef]
    then: z3.BoolRef
    show: Callable[[z3.ModelRef], Lines]
    up_to: Callable[[int], z3.BoolRef]
    weaker: tuple[Mapping[str, z3.BoolRef], ...] = ()
    where: tuple[z3.BoolRef, ...] = ()

    def without(self, name: str) -> Lemma:
        """The lemma with a hypothesis dropped."""
        given = {other: known for other, known in self.given.items() if other != name}
        return replace(self, given=given, weaker=tuple(w for w in self.weaker if name not in w))

    def weakened(self, weaker: Mapping[str, z3.BoolRef]) -> Lemma:
        """The lemma with weaker hypotheses in the place of some."""
        return replace(self, given={**self.given, **weaker})

    def text(self) -> Lines:
        """The lemma as it is given to z3."""
        return (
            f"{self.name}: {self.says}",
            *(f"  given {name}: {_one_line(known)}" for name, known in self.given.items()),
            f"  then {_one_line(self.then)}",
            *(f"  not enough: {_one_line_of(weaker)}" for weaker in self.weaker),
        )

    def hypotheses(self, timeout_seconds: float) -> Found:
        """An instance of the hypotheses, the smallest that is easily found."""
        return self._smallest((), timeout_seconds)

    def refutation(self, timeout_seconds: float) -> Found:
        """An instance in which the hypotheses hold and the conclusion does not."""
        return self._smallest((z3.Not(self.then),), timeout_seconds)

    def _smallest(self, also: tuple[z3.BoolRef, ...], timeout_seconds: float) -> Found:
        ends = time.monotonic() + timeout_seconds
        constraints = (*self.where, *self.given.values(), *also)
        found = decide(constraints, timeout_seconds)
        if found.result != "sat":
            return found
        for size in range(1, SMALLEST_TRIED + 1):
            smaller = decide((*constraints, self.up_to(size)), ends - time.monotonic())
            if smaller.result == "sat":
                return smaller
        return found


def _one_line_of(formulas: Mapping[str, z3.BoolRef]) -> str:
    return " and ".join(map(_one_line, formulas.values()))


def _one_line(formula: z3.BoolRef) -> str:
    return " ".join(str(formula).split())


def lemma_obligations(lemma: Lemma, group: str) -> Iterator[Obligation]:
    """All that is to be proved of a lemma."""
    yield Obligation(group, lemma.name, lemma.says, lambda limit: _follows(lemma, limit))
    yield Obligation(
        group,
        f"{lemma.name}: not vacuous",
        "the hypotheses can be met",
        lambda limit: _has_instance(lemma.hypotheses, lemma, limit, "the hypotheses contradict"),
    )
    for weaker in lemma.weaker:
        yield _tight(lemma, weaker, group)


def _tight(lemma: Lemma, hypotheses: Mapping[str, z3.BoolRef], group: str) -> Obligation:
    weaker = lemma.weakened(hypotheses)
    return Obligation(
        group,
        f"{lemma.name}: tight in {' and '.join(hypotheses)}",
        f"{_one_line_of(hypotheses)} would not be enough",
        lambda limit: _has_instance(weaker.refutation, weaker, limit, "the weaker lemma holds too"),
    )


def _follows(lemma: Lemma, timeout_seconds: float) -> Answer:
    began = time.monotonic()
    found = lemma.refutation(timeout_seconds)
    seconds = time.monotonic() - began
    if found.model is not None:
        return Answer("refuted", seconds, lemma.show(found.model))
    if found.result == "unsat":
        return Answer("proved", seconds)
    return Answer("unknown", seconds, reason=found.reason)


def _has_instance(
    search: Callable[[float], Found], lemma: Lemma, timeout_seconds: float, otherwise: str
) -> Answer:
    began = time.monotonic()
    found = search(timeout_seconds)
    seconds = time.monotonic() - began
    if found.model is not None:
        return Answer("proved", seconds, lemma.show(found.model))
    if found.result == "unsat":
        return Answer("refuted", seconds, (otherwise,))
    return Answer("unknown", seconds, reason=found.reason)
