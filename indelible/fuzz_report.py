"""What a campaign came to, as text and as one JSON object. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from indelible.checkers.findings import RAISES
from indelible.checkers.walks.coverage import Covered, Share
from indelible.checkers.walks.runs import events_most
from indelible.checkers.walks.share import Tally
from indelible.fuzz_workers import Question
from indelible.fuzzing import Fuzzed
from indelible.model.implementation import Implementation
from indelible.model.verdict import PropertyResult
from indelible.render.values import text_of
from indelible.report import (
    MARKS,
    counted,
    events_text,
    saved_lines,
    scope_lines,
    table_lines,
    time_text,
)
from indelible.verdict_json import (
    SCHEMA_VERSION,
    opaque,
    property_objects,
    scope_object,
    trace_object,
    violation_object,
)

__all__ = ["fuzz_headline", "fuzz_json", "fuzz_object", "render_fuzz", "tally_text"]

ABOUT: Final = (
    "Random runs prove nothing: what they did not show may still happen. 'indelible check' "
    "explores a smaller scope to its end."
)


def fuzz_headline(fuzzed: Fuzzed) -> str:
    """The outcome in one line, which begins with it."""
    if fuzzed.outcome == "nothing found":
        return f"nothing found: no violation in {_runs(fuzzed.tally)}"
    return f"{fuzzed.outcome}: {' '.join(fuzzed.reason.split())}"


def tally_text(tally: Tally) -> str:
    """Where a campaign is, in one line."""
    ballot = "none" if tally.ballot_highest is None else text_of(tally.ballot_highest)
    failed = ", ".join(f"{name} {count:,}" for name, count in sorted(tally.failures.items()))
    return (
        f"{tally.runs:,} runs  {_rate(tally):,.0f} events/s  highest ballot {ballot}  "
        f"at most {tally.decided_most} decided  {tally.node_states:,} node states  "
        f"failures: {failed or 'none'}  {time_text(tally.seconds)}"
    )


def render_fuzz(
    fuzzed: Fuzzed,
    traces: Sequence[str],
    saved: Sequence[Path] | None = None,
    *,
    by_hand: bool = False,
) -> str:
    """Everything a person needs to know of a campaign; ``traces`` are the texts of its failures,
    ``saved`` the files that keep them, where they were to be kept; ``by_hand``: whether to say how
    these are replayed."""
    sections = [
        [fuzz_headline(fuzzed)],
        *_failures(fuzzed, traces),
        [] if saved is None else saved_lines(saved, fuzzed.evidence if by_hand else ()),
        list(_campaign(fuzzed)),
        [] if fuzzed.covered is None else list(_covered(fuzzed.covered)),
        list(scope_lines(fuzzed.scope)),
        list(_properties(fuzzed)),
        [f"note: {note}" for note in fuzzed.notes],
        [ABOUT],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def fuzz_object(
    implementation: Implementation, fuzzed: Fuzzed, saved: Sequence[Path] = ()
) -> dict[str, Any]:
    """A campaign, of plain dicts, lists and scalars (docs/json.md)."""
    tally, question = fuzzed.tally, fuzzed.question
    return {
        "version": SCHEMA_VERSION,
        "implementation": fuzzed.implementation,
        "outcome": fuzzed.outcome,
        "exit_code": fuzzed.exit_code,
        "reason": fuzzed.reason,
        "seed": question.seed,
        "strategy": question.strategy,
        "events_max": question.events_max,
        "events_most": events_most(question.strategy, question.events_max),
        "workers": fuzzed.workers,
        "runs": tally.runs,
        "events": tally.events,
        "seconds": round(tally.seconds, 3),
        "ballot_highest": opaque(tally.ballot_highest),
        "decided_most": tally.decided_most,
        "node_states": tally.node_states,
        "failures": dict(sorted(tally.failures.items())),
        "coverage": None if fuzzed.covered is None else _covered_object(fuzzed.covered),
        "scope": scope_object(fuzzed.scope),
        "properties": property_objects(fuzzed.properties),
        "notes": list(fuzzed.notes),
        "kept": [
            {
                "run": kept.number,
                "difference": kept.difference,
                "events_before": kept.minimized.before,
                "length": kept.minimized.length,
                "scope": scope_object(kept.minimized.trace.scope),
                "violation": violation_object(kept.minimized.trace.violation),
                "trace": trace_object(implementation, kept.minimized.trace),
            }
            for kept in fuzzed.kept
        ],
        "saved": [str(path) for path in saved],
    }


def fuzz_json(implementation: Implementation, fuzzed: Fuzzed, saved: Sequence[Path] = ()) -> str:
    """The object as text, in ASCII, so that it survives every stream."""
    return json.dumps(fuzz_object(implementation, fuzzed, saved), indent=2)


def _failures(fuzzed: Fuzzed, traces: Sequence[str]) -> Iterator[list[str]]:
    for kept, trace in zip(fuzzed.kept, traces, strict=True):
        differs = f", which differs in its {kept.difference}" if kept.difference else ""
        before = events_text(kept.minimized.before)
        yield [f"Run {kept.number:,}{differs}; minimized, of {before}:", trace]


def _campaign(fuzzed: Fuzzed) -> Iterator[str]:
    tally, question = fuzzed.tally, fuzzed.question
    failed = ", ".join(f"{name} in {count:,}" for name, count in sorted(tally.failures.items()))
    ballot = "nobody led" if tally.ballot_highest is None else text_of(tally.ballot_highest)
    yield "Campaign"
    yield from table_lines(
        (
            ("implementation", fuzzed.implementation),
            ("seed", f"{question.seed}, strategy {question.strategy}"),
            ("runs", f"{tally.runs:,}, {_events_most(question)}"),
            ("failed runs", failed or "none"),
            ("events", f"{tally.events:,}, {_rate(tally):,.0f}/s"),
            ("time", f"{time_text(tally.seconds)} on {counted(fuzzed.workers, 'worker')}"),
            ("highest ballot", ballot),
            ("decided", f"at most {_entries(tally.decided_most)} in a run"),
            ("node states", f"{tally.node_states:,} distinct of the implementation, in one worker"),
        )
    )


def _events_most(question: Question) -> str:
    most = events_most(question.strategy, question.events_max)
    text = f"of at most {events_text(question.events_max)}"
    return text if most == question.events_max else f"{text}, or {most:,} if targeted"


def _covered(covered: Covered) -> Iterator[str]:
    yield "Covered, of the scope as the explorer exhausts it"
    yield from table_lines(
        (
            ("global states", _share_text(covered.global_states)),
            ("local states", _share_text(covered.local_states)),
            ("local steps", _share_text(covered.local_steps)),
        )
    )


def _share_text(share: Share) -> str:
    return f"{share.ratio:.2%}: {share.seen:,} of {share.total:,}"


def _covered_object(covered: Covered) -> dict[str, dict[str, int]]:
    named = (
        ("global_states", covered.global_states),
        ("local_states", covered.local_states),
        ("local_steps", covered.local_steps),
    )
    return {name: {"seen": share.seen, "total": share.total} for name, share in named}


def _properties(fuzzed: Fuzzed) -> Iterator[str]:
    results = fuzzed.properties
    if RAISES in fuzzed.tally.failures:
        results = (PropertyResult(RAISES, "always", "violated"), *results)
    width = max((len(known.name) for known in results), default=0)
    yield "Properties"
    for known in results:
        yield f"  {MARKS[known.result]} {known.name:<{width}}  {_result_text(known)}"


def _result_text(known: PropertyResult) -> str:
    says = "no violation found" if known.result == "inconclusive" else known.result
    return f"{says}: {known.reason}" if known.reason else says


def _entries(count: int) -> str:
    return f"{count:,} entr{'y' if count == 1 else 'ies'}"


def _runs(tally: Tally) -> str:
    return f"{counted(tally.runs, 'run')} of {events_text(tally.events)} in all"


def _rate(tally: Tally) -> float:
    return tally.events / tally.seconds if tally.seconds else 0
