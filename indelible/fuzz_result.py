"""What a campaign came to, as systems for continuous integration tell it. A pure function."""

from __future__ import annotations

from dataclasses import replace

from indelible.check_result import CheckResult, cases_of, place_of
from indelible.fuzz_report import fuzz_headline
from indelible.fuzzing import Fuzzed
from indelible.model.implementation import Implementation
from indelible.model.verdict import PropertyResult
from indelible.report import counted, events_text, scope_summary

__all__ = ["fuzz_result"]


def fuzz_result(name: str, implementation: Implementation, fuzzed: Fuzzed) -> CheckResult:
    """The result of a campaign, under the name that people use.

    What no run reached was not decided, rather than violated: another run may reach it.
    """
    tally, question = fuzzed.tally, fuzzed.question
    results = [_in_words(known) for known in fuzzed.properties]
    return CheckResult(
        name=name,
        outcome=fuzzed.outcome,
        headline=fuzz_headline(fuzzed),
        cases=cases_of(fuzzed.outcome, fuzzed.reason, results, fuzzed.evidence),
        covered=f"{counted(tally.runs, 'run')}, {events_text(tally.events)}, seed {question.seed}",
        scope=scope_summary(fuzzed.scope),
        facts=(
            ("implementation", fuzzed.implementation),
            ("seed", str(question.seed)),
            ("strategy", question.strategy),
            ("runs", str(tally.runs)),
            ("events", str(tally.events)),
            *((f"scope.{bound}", says) for bound, says in fuzzed.scope.lines()),
        ),
        seconds=tally.seconds,
        place=place_of(implementation),
    )


def _in_words(known: PropertyResult) -> tuple[PropertyResult, str]:
    if known.result == "unreached":
        return replace(known, result="inconclusive"), f"never reached: {known.reason}"
    says = "no violation found" if known.result == "inconclusive" else known.result
    return known, f"{says}: {known.reason}" if known.reason else says
