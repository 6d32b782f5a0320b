"""A log against a target: does that do what was recorded, and if the log violates a property, the
shortest run of the target that does.

What is compared is for ``checkers.audit.conformance`` to say; here is what may be concluded of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from indelible.checkers.audit.as_trace import as_trace
from indelible.checkers.audit.audit import ASKED_EVERY, Audit, Seen
from indelible.checkers.audit.conformance import HAPPENED_MAX, Comparison, Difference
from indelible.checkers.audit.entry import INSTALL, event_of_line
from indelible.checkers.audit.lines import Again, Lost
from indelible.checkers.audit.merge import Placed
from indelible.checkers.audit.notes import Place
from indelible.checkers.audit.sequences import Sequences
from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import Minimized, minimize
from indelible.checkers.properties import BUILT_IN
from indelible.evidence import evidence_of
from indelible.model.effects import Effect
from indelible.model.errors import ScopeError, TraceError, WireError
from indelible.model.events import node_name
from indelible.model.log_json import Install
from indelible.model.trace import Evidence
from indelible.model.verdict import PropertyResult
from indelible.render.records import difference_text
from indelible.targets import PROCESS, Target

__all__ = ["CONFORMANCE", "Counterexample", "Held", "held_against", "with_target"]

CONFORMANCE: Final = "conformance"
"""What reports call it, among the properties."""

SNAPSHOT: Final = "it installed a snapshot, and no target is told what that contains"

MINIMIZE: Final = Limits(states_max=5_000_000, seconds_max=20)
"""How far a shortest trace is searched for."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A run of the target that violates what the log violates."""

    minimized: Minimized
    evidence: Evidence
    saved: Path | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What became of a log that was held against a target.

    - ``compared`` records are as the target does it, ``skipped`` could not be compared;
      ``left_out``: kinds of effects that no record has, and the target gives.
    - ``counterexample``, where a property is violated, or ``no_trace``: why there is none.
    """

    target: Target
    result: PropertyResult
    compared: int
    skipped: int
    left_out: tuple[str, ...]
    difference: Difference | None
    counterexample: Counterexample | None = None
    no_trace: str = ""


def held_against(
    target: Target,
    audit: Audit,
    lines: Iterable[Placed],
    kinds: Set[type[Effect]],
    names: tuple[str, ...],
    *,
    place_text: Callable[[Place], str],
    interrupted: Callable[[], bool] = lambda: False,
    report: Callable[[Seen], None] = lambda _: None,
) -> Held:
    """Hold the records that were judged against a target; ``lines`` are those of the log, in the
    same order, each entry with its line, and ``kinds`` the kinds of effects in any of them.

    Raises ``ImplementationError``, and ``WireError`` for values of it that no log can say.
    """
    commands, plain = target.scope.commands, target.name.startswith(PROCESS)
    comparison = Comparison(target.implementation, kinds, commands, plain=plain)
    stopped = _compare_all(comparison, audit, lines, interrupted, report)
    result = _result(comparison, audit, kinds, target.name, stopped=stopped, place_text=place_text)
    held = Held(
        target=target,
        result=result,
        compared=comparison.compared,
        skipped=comparison.skipped,
        left_out=tuple(sorted(kind.__name__ for kind in comparison.left_out)),
        difference=comparison.difference,
    )
    if audit.finding is None:
        return held
    try:
        found = _counterexample(target, audit, comparison, names, place_text, interrupted)
    except (TraceError, ScopeError) as error:
        return replace(held, no_trace=error.fact)
    return replace(held, counterexample=found)


def with_target(audit: Audit, held: Held) -> Audit:
    """The audit, with what the target says. A property that is violated is told first."""
    outcome, reason = audit.outcome, audit.reason
    if outcome != "violated" and held.result.result != "holds":
        worse = held.result.result == "violated"
        if worse or outcome == "holds":
            outcome = "violated" if worse else "inconclusive"
            reason = f"{CONFORMANCE}: {held.result.reason}"
    return replace(
        audit, outcome=outcome, reason=reason, properties=(*audit.properties, held.result)
    )


def _compare_all(
    comparison: Comparison,
    audit: Audit,
    lines: Iterable[Placed],
    interrupted: Callable[[], bool],
    report: Callable[[Seen], None],
) -> bool:
    """Compare the records that were judged; says whether somebody stopped it."""
    records, before, sequences = 0, dict[int, bytes](), Sequences()
    for count, (place, told, _) in enumerate(lines):
        if not count % ASKED_EVERY:
            report(Seen(records, place))
            if interrupted():
                return True
        if isinstance(told, Lost):
            comparison.lose(place, told.says)
            continue
        entry = told.entry if isinstance(told, Again) else told
        try:
            node, event, effects = event_of_line(entry.line)
        except WireError as error:  # The quick reader skips what nobody judges.
            comparison.lose(place, error.fact)
        else:
            gap = sequences.gap(entry)
            if gap:
                comparison.lose(place, gap, node)
            repeats = before.get(place[0]) == entry.line
            if entry.kinds & INSTALL:
                comparison.lose(place, SNAPSHOT, node)
            said = tuple([each for each in effects if not isinstance(each, Install)])
            comparison.take(place, node, event, said, repeats=repeats)
        before[place[0]] = entry.line
        records += 1
        if comparison.difference is not None or (
            records == audit.records and not audit.is_complete
        ):
            break
    return False


def _result(
    comparison: Comparison,
    audit: Audit,
    kinds: Set[type[Effect]],
    name: str,
    *,
    stopped: bool,
    place_text: Callable[[Place], str],
) -> PropertyResult:
    def inconclusive(why: str = "") -> PropertyResult:
        return PropertyResult(CONFORMANCE, "always", "inconclusive", why)

    found = comparison.difference
    left_out = ", ".join(sorted(kind.__name__ for kind in comparison.left_out))
    if found is not None:
        says = f"{difference_text(found, name)} ({place_text(found.place)})"
        return PropertyResult(CONFORMANCE, "always", "violated", says)
    if comparison.unknown is not None:
        place, why = comparison.unknown
        return inconclusive(f"from {place_text(place)} on: {why}")
    if comparison.missing:
        names = ", ".join(map(node_name, comparison.missing))
        return inconclusive(f"there is no record of {names}")
    if stopped or not audit.is_complete:
        return inconclusive("" if audit.finding else "interrupted" if stopped else audit.reason)
    if not comparison.compared:
        return inconclusive("there is no record")
    if left_out and not kinds:
        return inconclusive(f"no record has an effect, and the target gives {left_out}")
    says = f"but for {left_out}, which no record has" if left_out else ""
    return PropertyResult(CONFORMANCE, "always", "holds", says)


def _counterexample(
    target: Target,
    audit: Audit,
    comparison: Comparison,
    names: tuple[str, ...],
    place_text: Callable[[Place], str],
    interrupted: Callable[[], bool],
) -> Counterexample:
    """The run that the log is of, minimized. Raises ``TraceError`` if it is none."""
    assert audit.finding is not None, "it is asked for where something is violated"
    if comparison.difference is not None:
        raise TraceError("the target does not do what was recorded")
    if comparison.happened is None:
        why = comparison.unknown and comparison.unknown[1]
        raise TraceError(why or f"more than {HAPPENED_MAX:,} events come before the violation")
    known = BUILT_IN[audit.finding.property]
    implementation = target.implementation
    trace = as_trace(implementation, target.scope, comparison.nodes, comparison.happened, known)
    limits = replace(MINIMIZE, interrupted=interrupted).from_now()
    smaller = minimize(implementation, trace, known, limits=limits)
    evidence = evidence_of(
        implementation,
        smaller.trace,
        known,
        target=target.name,
        length=smaller.length,
        found={
            "by": "recorded log",
            "files": list(names),
            "record": place_text(audit.finding.place),
            "events_before": smaller.before,
        },
    )
    return Counterexample(smaller, evidence)
