"""Fuzzing: a campaign of random runs from question to result, and what may be said of it.

A campaign proves nothing: at best no run showed a violation. One in which nothing was ever decided
did not even look, and one that somebody stopped, or a step that does not end, did not look as long
as it was told to; all these are *inconclusive*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from indelible.checkers.findings import RAISES
from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import Stage
from indelible.checkers.overdue import Overdue, watched_steps
from indelible.checkers.property import Property
from indelible.checkers.verdicts import question_notes
from indelible.checkers.walks.coverage import Coverage, Covered
from indelible.checkers.walks.failures import Kept, distinct_failures
from indelible.checkers.walks.runs import Failure
from indelible.checkers.walks.share import Bounds, Found, Hung, Tally
from indelible.checking import Asked
from indelible.evidence import evidence_of
from indelible.fuzz_workers import Question, run_campaign
from indelible.model.effects import Decide, Execute
from indelible.model.errors import ImplementationError
from indelible.model.implementation import implementation_name
from indelible.model.scope import Scope
from indelible.model.trace import Evidence
from indelible.model.verdict import EXIT_CODES, PropertyResult, Result

__all__ = ["FuzzOutcome", "Fuzzed", "fuzz"]

FuzzOutcome: TypeAlias = Literal["nothing found", "violated", "inconclusive"]

MINIMIZE: Final = Limits(states_max=5_000_000, seconds_max=20)
"""How far a shortest trace is searched for, for each failure."""


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What a campaign came to.

    - ``reason``: why it is violated or inconclusive, in a sentence.
    - ``kept``: the failures that differ, and ``evidence`` that of each.
    - ``tally`` and ``properties``: what the runs came to, and what is known of each property.
    - ``notes``: what a reader should know of.
    - ``covered``: how much of the scope they have seen, where that was asked for.
    """

    question: Question
    implementation: str
    scope: Scope
    outcome: FuzzOutcome
    reason: str
    tally: Tally
    properties: tuple[PropertyResult, ...]
    kept: tuple[Kept, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    workers: int = 1
    covered: Covered | None = None
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return EXIT_CODES["holds" if self.outcome == "nothing found" else self.outcome]


def fuzz(
    question: Question,
    asked: Asked,
    bounds: Bounds,
    *,
    workers: int = 1,
    distinct: int = 10,
    coverage: Coverage | None = None,
    required: bool | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    report: Callable[[Tally], None] | None = None,
    minimizing: Callable[[Stage], None] | None = None,
) -> Fuzzed:
    """Run the campaign, minimize up to ``distinct`` failures that differ, and conclude.

    ``coverage`` follows the runs, which then takes a single worker. ``required``: whether a
    property that is not observable makes it inconclusive; by default it does if properties were
    asked for by name. Raises ``ImplementationError`` and ``PropertyError``.
    """
    tally, found, hung = Tally(), list[Found](), list[Hung]()
    campaign = run_campaign(
        question,
        asked,
        bounds,
        workers=workers,
        interrupted=interrupted,
        follow=None if coverage is None else coverage.follow,
    )
    for message in campaign:
        if isinstance(message, Found):
            found.append(message)
        elif isinstance(message, Hung):
            hung.append(message)
        else:
            tally = message
            if report is not None:
                report(tally)
    stopped = interrupted()
    found = _observable(found, asked.properties, tally)
    tally = _settled(tally, asked.properties)
    if bounds.first_only:
        found = sorted(found)[:1]
    kept = _kept(asked, found, distinct, minimizing)
    properties = tuple(_result(known, tally, found) for known in asked.properties)
    required = bool(asked.references) if required is None else required
    given_up = tuple(_hang_text(question, each) for each in sorted(hung))
    ended_by = (*(("interrupted",) if stopped else ()), *given_up)
    outcome, reason = _outcome(kept, properties, tally, ended_by, required=required)
    return Fuzzed(
        question=question,
        implementation=implementation_name(asked.target.implementation),
        scope=asked.scope,
        outcome=outcome,
        reason=reason,
        tally=tally,
        properties=properties,
        kept=kept,
        evidence=tuple(_evidence(question, asked, each) for each in kept),
        workers=workers,
        covered=None if coverage is None else coverage.covered(),
        notes=(*question_notes(asked.target.implementation, asked.scope), *given_up),
    )


def _kept(
    asked: Asked,
    found: Sequence[Found],
    distinct: int,
    minimizing: Callable[[Stage], None] | None,
) -> tuple[Kept, ...]:
    try:
        with watched_steps():
            return distinct_failures(
                asked.target.implementation,
                asked.scope,
                asked.properties,
                found,
                most=distinct,
                limits=MINIMIZE,
                report=minimizing,
            )
    except Overdue as overdue:
        raise ImplementationError(
            f"while failures were minimized, {overdue}",
            cause="the step waits for something that does not come, or loops",
            remedy="let every step end; 'indelible fuzz --first' makes fewer of them",
        ) from None


def _hang_text(question: Question, hung: Hung) -> str:
    return (
        f"run {hung.number:,} of seed {question.seed} was given up: {hung.step} had not ended "
        f"after {hung.seconds:.1f} s, and may never end"
    )


def _given(properties: Sequence[Property], tally: Tally) -> frozenset[str]:
    """The names of those whose testimony somebody gave, and that of exceptions, which need none."""
    given = (known.name for known in properties if known.testimony <= tally.effect_types)
    return frozenset((*given, RAISES))


def _observable(
    found: Sequence[Found], properties: Sequence[Property], tally: Tally
) -> list[Found]:
    """The failures, without properties that turned out not to be observable."""
    given, observable = _given(properties, tally), []
    for each in found:
        violated = tuple(name for name in each.failure.violated if name in given)
        if violated:
            failure = Failure(each.failure.actions, violated)
            observable.append(Found(each.number, failure))
    return observable


def _settled(tally: Tally, properties: Sequence[Property]) -> Tally:
    """The tally once it is known which failures waited for testimony that came."""
    given = _given(properties, tally)
    came = {name: count for name, count in tally.waiting.items() if name in given}
    return replace(tally, failures=dict(Counter(tally.failures) + Counter(came)), waiting={})


def _result(known: Property, tally: Tally, found: Sequence[Found]) -> PropertyResult:
    result: Result = "inconclusive"
    reason = ""
    missing = sorted(kind.__name__ for kind in known.testimony - tally.effect_types)
    if known.name in tally.reached:
        result = "reached"
    elif any(known.name in each.failure.violated for each in found):
        result = "violated"
        if not any(known.name == each.failure.violated[0] for each in found):
            with_it = next(each for each in found if known.name in each.failure.violated)
            reason = f"in the same steps as {with_it.failure.violated[0]}"
    elif missing and not (known.kind == "sometimes" and known.testimony & {Decide, Execute}):
        result = "not observable"
        reason = f"the implementation never gave {' or '.join(missing)} in these runs"
    elif known.kind == "sometimes":
        result, reason = "unreached", known.says.rstrip(".")
    return PropertyResult(known.name, known.kind, result, reason)


def _outcome(
    kept: Sequence[Kept],
    properties: Sequence[PropertyResult],
    tally: Tally,
    ended_by: Sequence[str],
    *,
    required: bool,
) -> tuple[FuzzOutcome, str]:
    if kept:
        violation = kept[0].minimized.trace.violation
        return "violated", f"{violation.property}: {violation.explanation}"
    if ended_by:
        return "inconclusive", "; ".join(ended_by)
    if not tally.runs:
        return "inconclusive", "the time was over before the first run was"
    unreached = [known.name for known in properties if known.result == "unreached"]
    if unreached:
        return "inconclusive", f"no run reached {', '.join(unreached)}: they show nothing"
    unseen = [known for known in properties if known.result == "not observable"]
    if required and unseen:  # As exhaustive searches have it: each was asked for.
        says = "; ".join(f"{known.name} is not observable ({known.reason})" for known in unseen)
        return "inconclusive", says
    judged = [known for known in properties if known.kind == "always"]
    if judged and all(known.result == "not observable" for known in judged):
        return "inconclusive", "no property is observable: the implementation gives no testimony"
    return "nothing found", ""


def _evidence(question: Question, asked: Asked, kept: Kept) -> Evidence:
    trace = kept.minimized.trace
    by_name = {known.name: known for known in asked.properties}
    references = {
        known.name: name for known, name in zip(asked.properties, asked.references, strict=False)
    }
    violated = trace.violation.property
    return evidence_of(
        asked.target.implementation,
        trace,
        by_name.get(violated),
        target=asked.target.name,
        reference=references.get(violated, ""),
        length=kept.minimized.length,
        found={
            "by": "random testing",
            "seed": question.seed,
            "strategy": question.strategy,
            "run": kept.number,
            "events_max": question.events_max,
            "events_before": kept.minimized.before,
        },
    )
