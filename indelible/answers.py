"""Answers: what a configured check finds out about each of its properties, one by one.

A search ends at the first violation, and then knows nothing certain of the other properties. So
what is violated is set aside, and the rest is asked again, until each has an answer of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from indelible.checkers.explore import memory_default
from indelible.checkers.findings import RAISES
from indelible.checkers.limits import Limits
from indelible.checkers.properties import Property, default_properties
from indelible.checking import Asked, check_asked
from indelible.configuration import Check, ConfiguredScope
from indelible.model.errors import ConfigurationError
from indelible.model.scope import Scope
from indelible.model.trace import Evidence
from indelible.model.verdict import PropertyResult, Result, Verdict
from indelible.render.text import render_document
from indelible.report import headline, render_report
from indelible.targets import Target, closest_first, find_property, find_target, on_trial

__all__ = [
    "RUNNERS",
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
    ``limits`` are fields of ``Limits``; ``workers`` says among how many processes the machine is
    divided.
    """

    check: Check
    scope: ConfiguredScope
    properties: tuple[str, ...]
    folder: Path
    limits: Mapping[str, Any]
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


Runner: TypeAlias = Callable[
    [Target, Scope, Mapping[str, Property], Mapping[str, Any]], Mapping[str, Answer]
]
"""An answer for each property, which are given by the names that find them, within limits."""


def property_names(check: Check) -> Mapping[str, str]:
    """The names that find the check's properties, by the short ones that its tests have."""
    if check.properties is None:
        return {known.name: known.name for known in default_properties()}
    return {name.rpartition(":")[2]: name for name in check.properties}


def answered(question: Question) -> Mapping[str, Answer]:
    """An answer for each property of the question, by the name that finds it.

    Raises ``IndelibleError``: the question makes no sense, or cannot be answered.
    """
    check = question.check
    if check.how not in RUNNERS:
        raise ConfigurationError(
            f"check {check.name}: {check.how!r} is not there yet",
            available=closest_first(check.how, RUNNERS),
        )
    with on_trial():
        with chdir(question.folder):
            target = find_target(check.target)
            properties = {name: find_property(name) for name in question.properties}
        limits = {"memory_bytes_max": memory_share(question.workers), **question.limits}
        scope = question.scope.completed(target.scope)
        return RUNNERS[check.how](target, scope, properties, limits)


def memory_share(workers: int) -> int | None:
    """What one of so many processes may use, where nothing else is said."""
    memory = memory_default()
    return None if memory is None else memory // workers


def explored(
    target: Target, scope: Scope, properties: Mapping[str, Property], limits: Mapping[str, Any]
) -> Mapping[str, Answer]:
    """Every behaviour in the scope is explored, again without what is violated until all the
    others have an answer. Each search may use the whole of the limits."""
    answers: dict[str, Answer] = {}
    while left := {name: known for name, known in properties.items() if name not in answers}:
        asked = Asked(target, scope, tuple(left.values()), tuple(left))
        checked = check_asked(asked, Limits(**limits))
        verdict = checked.verdict
        if verdict.trace is not None:
            answer = _counterexample(verdict, checked.evidence[0])
            # Whatever raises an exception does so again, whichever property is asked for.
            own = verdict.trace.violation.property
            ended = [name for name, known in left.items() if own in (known.name, RAISES)]
            answers.update(dict.fromkeys(ended, answer))
            continue
        for name, known in left.items():
            (result,) = (each for each in verdict.properties if each.name == known.name)
            answers[name] = _result(verdict, result)
    return answers


RUNNERS: Final[Mapping[str, Runner]] = {"explore": explored}
"""The kinds of checks: what answers for each."""


def facts_of(verdict: Verdict) -> dict[str, str | int]:
    """How much was covered."""
    return {"states_distinct": verdict.states_distinct, "depth": verdict.depth}


def _counterexample(verdict: Verdict, evidence: Evidence) -> Answer:
    text = counterexample_text(verdict, evidence)
    return Answer("violated", "violated", text, facts_of(verdict), evidence)


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
    return Answer(known.result, outcome, text, facts_of(verdict))
