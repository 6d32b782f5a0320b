"""Results: nothing unfinished passes, whatever a reader counts."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from indelible.check_result import (
    Case,
    CheckResult,
    error_result,
    exit_code,
    result_of,
)
from indelible.model.trace import Evidence
from indelible.model.verdict import PropertyResult, Verdict
from support.results import GAVE_UP, HOLDS, Thing, violated_by

THING = Thing()


def statuses(verdict: Verdict) -> dict[str, str]:
    result = result_of("x", THING, verdict, ())  # type: ignore[arg-type]
    return {case.name: case.status for case in result.cases}


def test_what_holds_passes_and_what_nobody_could_see_is_skipped() -> None:
    assert statuses(HOLDS) == {
        "agreement": "passed", "votes_are_safe": "skipped", "entry_decided": "passed"
    }  # fmt: skip


def test_what_a_limit_cut_short_is_an_error() -> None:
    assert statuses(GAVE_UP) == {
        "agreement": "error", "votes_are_safe": "error", "entry_decided": "passed"
    }  # fmt: skip


def test_what_had_to_be_seen_and_was_not_is_an_error() -> None:
    asked_for = replace(HOLDS, outcome="inconclusive", reason="votes_are_safe is not observable")
    assert statuses(asked_for)["votes_are_safe"] == "error"


def test_what_was_never_reached_fails() -> None:
    vacuous = replace(
        HOLDS,
        outcome="violated",
        properties=(PropertyResult("entry_decided", "sometimes", "unreached", "never"),),
    )
    assert statuses(vacuous) == {"entry_decided": "failed"}


def test_a_limit_is_told_even_where_no_property_waits_for_more() -> None:
    reached = replace(GAVE_UP, properties=GAVE_UP.properties[2:])
    assert statuses(reached) == {"entry_decided": "passed", "verdict": "error"}


def test_beside_a_violation_the_rest_is_not_decided(dup_ack_counted: Evidence) -> None:
    result = violated_by(dup_ack_counted)
    assert [(case.name, case.status) for case in result.cases] == [
        ("stability", "skipped"), (dup_ack_counted.trace.violation.property, "failed")
    ]  # fmt: skip


def test_an_exception_is_a_case_of_its_own(raised: Evidence) -> None:
    verdict = replace(HOLDS, outcome="violated", exhausted=False, trace=raised.trace)
    result = result_of("x", THING, verdict, [raised])  # type: ignore[arg-type]
    assert (result.cases[0].name, result.cases[0].status) == ("raises", "failed")


def test_further_counterexamples_fail_what_they_violate(
    dup_ack_counted: Evidence, revealed_before_saved: Evidence
) -> None:
    first, other = dup_ack_counted.trace, revealed_before_saved.trace
    names = [first.violation.property, other.violation.property]
    verdict = replace(
        HOLDS,
        outcome="violated",
        exhausted=False,
        trace=first,
        others=(other,),
        properties=(
            PropertyResult(names[0], "always", "violated"),
            PropertyResult(names[1], "always", "inconclusive"),
        ),
    )
    both = [dup_ack_counted, revealed_before_saved]
    result = result_of("x", THING, verdict, both)  # type: ignore[arg-type]
    assert [case.status for case in result.cases] == ["failed", "failed"]


@pytest.mark.parametrize("outcome", ["violated", "inconclusive", "error"])
def test_no_result_hides_its_outcome(outcome: str) -> None:
    with pytest.raises(ValueError, match="cases say otherwise"):
        CheckResult("x", outcome, "x", (Case("a", "passed"), Case("b", "skipped")))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cases say otherwise"):
        CheckResult("x", "holds", "x", (Case("a", "error"),))


def test_the_exit_code_is_that_of_the_worst(dup_ack_counted: Evidence) -> None:
    holds = result_of("x", THING, HOLDS, ())  # type: ignore[arg-type]
    gave_up = result_of("x", THING, GAVE_UP, ())  # type: ignore[arg-type]
    worst_first = [
        (violated_by(dup_ack_counted), 1), (error_result("x", "no"), 2), (gave_up, 3), (holds, 0)
    ]  # fmt: skip
    for at, (_, code) in enumerate(worst_first):
        for order in permutations(result for result, _ in worst_first[at:]):
            assert exit_code(order) == code


def test_the_place_is_where_the_class_is_written() -> None:
    place = result_of("x", THING, HOLDS, ()).place  # type: ignore[arg-type]
    assert place is not None
    assert place[0].endswith("results.py")
    made_up = type("MadeUp", (), {"__module__": "nowhere"})()
    assert result_of("x", made_up, HOLDS, ()).place is None
