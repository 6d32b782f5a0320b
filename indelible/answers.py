"""Answers: what a configured check finds out about each of its properties, one by one.

A search ends at the first violation, and then knows nothing certain of the other properties. So
what is violated is set aside, and the rest is asked again, until each has an answer of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from indelible.checkers.explore import memory_default
from indelible.checkers.findings import RAISES
from indelible.checkers.limits import Limits
from indelible.checkers.properties import Property, default_properties
from indelible.checking import Asked, check_asked
from indelible.configuration import Check, ConfiguredScope, How
from indelible.model.errors import ConfigurationError
from indelible.model.trace import Evidence
from indelible.model.verdict import PropertyResult, Result, Verdict
from indelible.render.text import render_document
from indelible.report import headline, render_report
from indelible.targets import (
    DEFAULT_SCOPE,
    ROOMY_SCOPE,
    Target,
    find_property,
    find_target,
    on_trial,
)

if TYPE_CHECKING:
    from indelible.fuzzing import Fuzzed

__all__ = [
    "SEARCHES",
    "Answer",
    "Outcome",
    "Question",
    "answered",
    "counterexample_text",
    "facts_of",
    "memory_share",
    "property_names",
]

Outcome: TypeAlias = Literal["passed", "violated", "inconclusive", "not observable"]

OUTCOMES: Final[Mapping[Result, Outcome]] = {
    "holds": "passed",
    "reached": "passed",
    "violated": "violated",
    "unreached": "violated",
    "inconclusive": "inconclusive",
    "not observable": "not observable",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One target in one scope, and those of its properties that are asked for now.

    ``properties`` are names that find them; ``folder`` is where targets are imported from;
    ``limits`` are fields of ``Limits``; ``seed`` decides random runs; ``workers`` says among how
    many processes the machine is divided.
    """

    check: Check
    scope: ConfiguredScope
    properties: tuple[str, ...]
    folder: Path
    limits: Mapping[str, Any]
    seed: int = 0
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one property: ``verdict`` is the word for it, ``text`` all that a person
    needs, ``facts`` what a machine may want, and ``evidence`` the counterexample."""

    verdict: str
    outcome: Outcome
    text: str
    facts: Mapping[str, str | int]
    evidence: Evidence | None = None


Answers: TypeAlias = Mapping[str, Answer]
"""By the names that find the properties."""

Search: TypeAlias = Callable[[Question, Target, Mapping[str, Property]], Answers]
"""How a kind of check searches: answers for all of the properties, or for those that ended the
search before there was one for the others."""


def property_names(check: Check) -> Mapping[str, str]:
    """The names that find the check's properties, by the short ones that its tests have."""
    if check.properties is None:
        return {known.name: known.name for known in default_properties()}
    return {name.rpartition(":")[2]: name for name in check.properties}


def answered(question: Question) -> Answers:
    """An answer for each property of the question, by the name that finds it.

    Each search may use the whole of the limits. Raises ``IndelibleError``: the question makes no
    sense, or cannot be answered.
    """
    check = question.check
    search = SEARCHES[check.how]
    answers: dict[str, Answer] = {}
    with on_trial(), chdir(question.folder):
        target = find_target(check.target)
        properties = {name: find_property(name) for name in question.properties}
        while left := {name: properties[name] for name in properties if name not in answers}:
            found = search(question, target, left)
            if not found:
                raise RuntimeError(f"no answer to any of {', '.join(left)}")
            answers |= found
    return answers


def memory_share(workers: int) -> int | None:
    """What one of so many processes may use, where nothing else is said."""
    memory = memory_default()
    return None if memory is None else memory // workers


def explored(question: Question, target: Target, properties: Mapping[str, Property]) -> Answers:
    """Explore every behaviour in the scope."""
    scope = question.scope.completed(target.scope)
    limits = {"memory_bytes_max": memory_share(question.workers), **question.limits}
    asked = Asked(target, scope, tuple(properties.values()), tuple(properties))
    checked = check_asked(asked, Limits(**limits))
    verdict = checked.verdict
    if verdict.trace is not None:
        evidence = checked.evidence[0]
        text = counterexample_text(verdict, evidence)
        answer = Answer("violated", "violated", text, facts_of(verdict), evidence)
        return _violated(answer, evidence, properties)
    results = {known.name: known for known in verdict.properties}
    return {name: _result(verdict, results[known.name]) for name, known in properties.items()}


def fuzzed(question: Question, target: Target, properties: Mapping[str, Property]) -> Answers:
    """Random runs in the scope, up to the first that fails, or until the time is over."""
    from indelible import fuzz_workers
    from indelible.checkers.walks.runs import EVENTS_DEFAULT
    from indelible.checkers.walks.share import Bounds
    from indelible.fuzz_report import fuzz_headline
    from indelible.fuzzing import fuzz

    seconds = question.limits.get("seconds_max")
    if seconds is None:
        raise ConfigurationError(
            f"check {question.check.name}: random runs have no end", remedy="give it a time"
        )
    base = ROOMY_SCOPE if target.scope is DEFAULT_SCOPE else target.scope
    names = tuple(properties)
    asked = Asked(target, question.scope.completed(base), tuple(properties.values()), names)
    campaign = fuzz_workers.Question(
        target=target.name,
        scope_fields=dict(question.scope.fields),
        names=names,
        internal=True,
        seed=question.seed,
        strategy="mixed",
        events_max=EVENTS_DEFAULT,
    )
    # In this process alone: who runs tests on several cores divides these by tests.
    bounds = Bounds(seconds_max=seconds, first_only=True)
    came_to = fuzz(campaign, asked, bounds, required=False)
    facts = {"seed": question.seed, "runs": came_to.tally.runs, "events": came_to.tally.events}
    if came_to.evidence:
        evidence = came_to.evidence[0]
        text = f"{fuzz_headline(came_to)}\n\n{render_document(evidence)}"
        answer = Answer("violated", "violated", text, facts, evidence)
        return _violated(answer, evidence, properties)
    results = {known.name: known for known in came_to.properties}
    return {
        name: _result_by_chance(came_to, results[known.name], facts)
        for name, known in properties.items()
    }


SEARCHES: Final[Mapping[How, Search]] = {"explore": explored, "fuzz": fuzzed}
"""The kinds of checks."""


def _violated(answer: Answer, evidence: Evidence, properties: Mapping[str, Property]) -> Answers:
    """The answer for the property that the evidence violates; for all of them, if it raises an
    exception, which it would do again, whichever is asked for."""
    own = evidence.trace.violation.property
    return {name: answer for name, known in properties.items() if own in (known.name, RAISES)}


def facts_of(verdict: Verdict) -> dict[str, str | int]:
    """How much was covered."""
    return {"states_distinct": verdict.states_distinct, "depth": verdict.depth}


def counterexample_text(verdict: Verdict, evidence: Evidence) -> str:
    """What is violated, how, in which scope, and how it was found."""
    return f"{headline(verdict)}\n\n{render_document(evidence)}"


def _result(verdict: Verdict, known: PropertyResult) -> Answer:
    """What a search that found no violation knows of one property."""
    if known.result in ("holds", "reached"):
        text = f"{known.name} {known.result}: {verdict.reason}"
    elif known.result == "unreached":
        text = render_report(verdict)
    elif known.result == "not observable" and verdict.exhausted:
        text = f"not observable: {known.name}: {known.reason}"
    else:
        text = (
            f"inconclusive: {known.name}: {verdict.reason}\n"
            f"  so far: {verdict.states_distinct:,} states, to a depth of {verdict.depth} events\n"
            "  remedy: a smaller scope, a larger budget or another profile"
        )
    outcome = OUTCOMES[known.result]
    if outcome == "not observable" and not verdict.exhausted:
        outcome = "inconclusive"  # It may yet be observed.
    word = "inconclusive" if outcome == "inconclusive" else known.result
    return Answer(word, outcome, text, facts_of(verdict))


def _result_by_chance(
    came_to: Fuzzed, known: PropertyResult, facts: Mapping[str, str | int]
) -> Answer:
    """What random runs that found no violation say of one property."""
    from indelible.fuzz_report import fuzz_headline

    if known.result == "reached":
        return Answer("reached", "passed", f"{known.name} reached", facts)
    if known.result == "not observable":
        says = f"not observable: {known.name}: {known.reason}"
        return Answer("not observable", "not observable", says, facts)
    if came_to.outcome == "inconclusive":
        says = f"inconclusive: {known.name}: {came_to.reason}"
        return Answer("inconclusive", "inconclusive", says, facts)
    return Answer("nothing found", "passed", fuzz_headline(came_to), facts)
