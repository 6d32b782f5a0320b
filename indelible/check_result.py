"""What a check or a campaign came to, as systems for continuous integration tell it: case by case.

A plain value, made once from a verdict and rendered as JUnit XML, as annotations and as a step
summary. Its law: a check that does not hold has a case that fails or is in error, so that nothing
unfinished passes, whatever a reader counts.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from indelible.model.implementation import Implementation
from indelible.model.trace import Evidence
from indelible.model.verdict import EXIT_CODES, Outcome, PropertyResult, Verdict
from indelible.report import headline, judged_properties, result_text, scope_summary

__all__ = [
    "EXIT_ERROR",
    "WORST_FIRST",
    "Case",
    "CheckOutcome",
    "CheckResult",
    "Status",
    "error_result",
    "exit_code",
    "interrupted_result",
    "overall_outcome",
    "result_of",
]

CheckOutcome: TypeAlias = Outcome | Literal["error"]
"""A verdict's, or that there is none, because the question or the tool went wrong."""

Status: TypeAlias = Literal["passed", "failed", "error", "skipped"]
"""Of a case: *error* is what was not decided and so keeps the check from holding, *skipped* what
was not decided and does not."""

EXIT_ERROR: Final = 2

WORST_FIRST: Final[tuple[CheckOutcome, ...]] = ("violated", "error", "inconclusive", "holds")

UNDECIDED: Final = "verdict"
"""The case that stands for a check in which nothing else shows that it does not hold."""


@dataclass(frozen=True, slots=True)
class Case:
    """One property in one check: what became of it, in a sentence, and the counterexamples."""

    name: str
    status: Status
    says: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check or campaign.

    - ``name`` is how people call it; ``headline`` the outcome in one line, beginning with its word.
    - ``covered`` and ``scope``: how far it looked and inside what, in a few words each.
    - ``facts``: what else is worth keeping, as (name, value).
    - ``place``: the file and line of the code on trial, where it has some.
    """

    name: str
    outcome: CheckOutcome
    headline: str
    cases: tuple[Case, ...]
    covered: str = ""
    scope: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    place: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        bad = any(case.status in ("failed", "error") for case in self.cases)
        if bad != (self.outcome != "holds"):
            raise ValueError(f"{self.name} {self.outcome}, and its cases say otherwise")


def result_of(
    name: str,
    implementation: Implementation,
    verdict: Verdict,
    evidence: Sequence[Evidence],
) -> CheckResult:
    """What one search came to; ``evidence`` is that of its counterexamples."""
    cases = [_case(known, verdict, evidence) for known in judged_properties(verdict)]
    if verdict.outcome != "holds" and all(case.status in ("passed", "skipped") for case in cases):
        # A limit was hit when whatever could be reached was, and nothing else could be seen.
        cases.append(Case(UNDECIDED, "error", verdict.reason))
    return CheckResult(
        name=name,
        outcome=verdict.outcome,
        headline=headline(verdict),
        cases=tuple(cases),
        covered=f"{verdict.states_distinct:,} states, to a depth of {verdict.depth:,}",
        scope=scope_summary(verdict.scope),
        facts=(
            ("implementation", verdict.implementation),
            ("states", str(verdict.states_distinct)),
            ("transitions", str(verdict.transitions)),
            ("depth", str(verdict.depth)),
            *((f"scope.{bound}", says) for bound, says in verdict.scope.lines()),
            *(("note", note) for note in verdict.notes),
        ),
        seconds=verdict.seconds,
        place=_place(implementation),
    )


def error_result(name: str, error: str) -> CheckResult:
    """A check without a verdict: the question, or the tool, went wrong."""
    first, *_ = error.splitlines() or [error]
    return CheckResult(name, "error", f"error: {first}", (Case(UNDECIDED, "error", error),))


def interrupted_result(name: str) -> CheckResult:
    """A check that did not begin, because somebody stopped those before it."""
    says = "interrupted before it began"
    cases = (Case(UNDECIDED, "error", says),)
    return CheckResult(name, "inconclusive", f"inconclusive: {says}", cases)


def overall_outcome(results: Iterable[CheckResult]) -> CheckOutcome:
    """The worst of them: a violation, then an error, then what is inconclusive."""
    outcomes = {result.outcome for result in results}
    return next((known for known in WORST_FIRST if known in outcomes), "holds")


def exit_code(results: Iterable[CheckResult]) -> int:
    """That of the worst of them."""
    outcome = overall_outcome(results)
    return EXIT_ERROR if outcome == "error" else EXIT_CODES[outcome]


def _case(known: PropertyResult, verdict: Verdict, evidence: Sequence[Evidence]) -> Case:
    own = tuple(each for each in evidence if each.trace.violation.property == known.name)
    says = result_text(known, verdict)
    if own:  # Where several counterexamples were asked for, also of what did not end the search.
        return Case(known.name, "failed", own[0].trace.violation.explanation, own)
    match known.result:
        case "holds" | "reached":
            return Case(known.name, "passed")
        case "violated" | "unreached":
            return Case(known.name, "failed", says)
        case _ if verdict.outcome == "inconclusive":
            return Case(known.name, "error", f"{says} ({verdict.reason})")
        case _:
            return Case(known.name, "skipped", says)


def _place(implementation: Implementation) -> tuple[str, int] | None:
    """Where the class on trial is written; nowhere, if it was made up while running."""
    try:
        kind = type(implementation)
        file = inspect.getsourcefile(kind)
        return None if file is None else (file, inspect.getsourcelines(kind)[1])
    except (TypeError, OSError):
        return None
