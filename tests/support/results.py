"""Results of checks, of every kind, for what renders them."""

from __future__ import annotations

from dataclasses import replace

from indelible.check_result import CheckResult, result_of
from indelible.model.scope import Scope
from indelible.model.trace import Evidence
from indelible.model.verdict import PropertyResult, Verdict

__all__ = ["GAVE_UP", "HOLDS", "violated_by"]


class Thing:
    """On trial; nothing calls it."""


HOLDS = Verdict(
    implementation="thing",
    scope=Scope(),
    outcome="holds",
    reason="the scope was exhausted",
    properties=(
        PropertyResult("agreement", "always", "holds"),
        PropertyResult("votes_are_safe", "always", "not observable", "never gave Vote"),
        PropertyResult("entry_decided", "sometimes", "reached"),
    ),
    states_distinct=1234567,
    transitions=7654321,
    depth=12,
    exhausted=True,
    seconds=2.0,
)
GAVE_UP = replace(
    HOLDS,
    outcome="inconclusive",
    reason="the limit of 10 states was reached",
    exhausted=False,
    properties=(
        PropertyResult("agreement", "always", "inconclusive"),
        PropertyResult("votes_are_safe", "always", "not observable", "never gave Vote so far"),
        PropertyResult("entry_decided", "sometimes", "reached"),
    ),
)


def violated_by(evidence: Evidence, name: str = "mine:Thing") -> CheckResult:
    """A check that ended with this evidence."""
    trace = evidence.trace
    verdict = replace(
        HOLDS,
        outcome="violated",
        reason=f"{trace.violation.property}: {trace.violation.explanation}",
        exhausted=False,
        trace=trace,
        properties=(
            PropertyResult("stability", "always", "inconclusive"),
            PropertyResult(trace.violation.property, "always", "violated"),
        ),
    )
    return result_of(name, Thing(), verdict, [evidence])  # type: ignore[arg-type]
