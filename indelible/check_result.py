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
    "GOOD",
    "WORST_FIRST",
    "Case",
    "CheckOutcome",
    "CheckResult",
    "Status",
    "cases_of",
    "error_result",
    "exit_code",
    "interrupted_result",
    "overall_outcome",
    "place_of",
    "result_of",
]

CheckOutcome: TypeAlias = Outcome | Literal["nothing found", "error"]
"""A verdict's; that of a random campaign without a failure, which proves less; or that there is
none, because the question or the tool went wrong."""

Status: TypeAlias = Literal["passed", "failed", "error", "skipped"]
"""Of a case: *error* is what was not decided and so keeps the check from holding, *skipped* what
was not decided and does not."""

EXIT_ERROR: Final = 2

WORST_FIRST: Final[tuple[CheckOutcome, ...]] = (
    "violated", "error", "inconclusive", "nothing found", "holds"
)  # fmt: skip
GOOD: Final[frozenset[CheckOutcome]] = frozenset({"nothing found", "holds"})

UNDECIDED: Final = "verdict"
"""The case that stands for a check in which nothing else shows that it does not hold."""


@dataclass(frozen=True, slots=True)
class Case:
    """One property in one check: what became of it, in a sentence, and the counterexamples.

    ``result`` is its own where it was skipped, since the check came to something else.
    """

    name: str
    status: Status
    says: str = ""
    evidence: tuple[Evidence, ...] = ()
    result: str = ""


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
        if any(_is_bad(case) for case in self.cases) != (self.outcome not in GOOD):
            raise ValueError(f"{self.name} {self.outcome}, and its cases say otherwise")


def result_of(
    name: str,
    implementation: Implementation,
    verdict: Verdict,
    evidence: Sequence[Evidence],
) -> CheckResult:
    """What one search came to; ``evidence`` is that of its counterexamples."""
    results = [(known, result_text(known, verdict)) for known in judged_properties(verdict)]
    return CheckResult(
        name=name,
        outcome=verdict.outcome,
        headline=headline(verdict),
        cases=cases_of(verdict.outcome, verdict.reason, results, evidence),
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
        place=place_of(implementation),
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
    if outcome == "error":
        return EXIT_ERROR
    return EXIT_CODES["holds" if outcome == "nothing found" else outcome]


def cases_of(
    outcome: CheckOutcome,
    reason: str,
    results: Sequence[tuple[PropertyResult, str]],
    evidence: Sequence[Evidence],
) -> tuple[Case, ...]:
    """A case for each property, given with what is known of it in words, and for whatever else the
    evidence shows to be violated."""
    cases = {known.name: _case(known, says, outcome, reason) for known, says in results}
    for each in evidence:  # Also of what did not end the search, where several were asked for.
        violation = each.trace.violation
        earlier = cases[violation.property].evidence if violation.property in cases else ()
        own = (*earlier, each)
        says = own[0].trace.violation.explanation
        cases[violation.property] = Case(violation.property, "failed", says, own)
    if outcome not in GOOD and not any(_is_bad(case) for case in cases.values()):
        # A limit was hit when whatever could be reached was, and nothing else could be seen.
        cases[UNDECIDED] = Case(UNDECIDED, "error", reason)
    return tuple(cases.values())


def _case(known: PropertyResult, says: str, outcome: CheckOutcome, reason: str) -> Case:
    match known.result:
        case "holds" | "reached":
            return Case(known.name, "passed")
        case "violated" | "unreached":
            return Case(known.name, "failed", says)
        case "inconclusive" if outcome == "nothing found":
            return Case(known.name, "passed")
        case _ if outcome == "inconclusive":
            return Case(known.name, "error", f"{says} ({reason})")
        case _:
            return Case(known.name, "skipped", says, result=known.result)


def _is_bad(case: Case) -> bool:
    return case.status in ("failed", "error")


def place_of(implementation: Implementation) -> tuple[str, int] | None:
    """Where the class on trial is written; nowhere, if it was made up while running."""
    try:
        kind = type(implementation)
        file = inspect.getsourcefile(kind)
        return None if file is None else (file, inspect.getsourcelines(kind)[1])
    except (TypeError, OSError):
        return None
