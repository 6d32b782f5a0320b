"""What became of a log that was held against a target, as text and as a JSON object. Pure
functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indelible.audit_report import counted_records, place_object, place_text
from indelible.audit_target import Counterexample, Held
from indelible.checkers.audit.conformance import Difference
from indelible.model.log_json import record_json
from indelible.render.records import difference_lines, record_text, short_text
from indelible.render.text import CLAIMS, render_text
from indelible.replays import minimized_object
from indelible.report import events_text, saved_lines, table_lines
from indelible.verdict_json import trace_object

__all__ = ["held_object", "held_sections"]


def held_sections(held: Held, names: Sequence[str]) -> list[list[str]]:
    """The difference, the counterexample, and how far it was compared; each part in lines."""
    name = held.target.name
    rows = [("target", name), ("compared", f"{counted_records(held.compared)}, as it does")]
    if held.skipped:
        rows.append(("not compared", counted_records(held.skipped)))
    if held.left_out:
        rows.append(("not recorded", f"{', '.join(held.left_out)}: it gives some, no record has"))
    if held.no_trace:
        rows.append(("no trace", short_text(held.no_trace)))
    found, difference = held.counterexample, held.difference
    return [
        [] if difference is None else _difference(difference, name, names),
        [] if found is None else _counterexample(found),
        ["Conformance", *table_lines(rows)],
    ]


def _difference(difference: Difference, name: str, names: Sequence[str]) -> list[str]:
    place = place_text(names, difference.place)
    return [
        f"The first record that is not as {name} does it:",
        f"  {place}  {record_text(difference.node, difference.event)}",
        *(f"      {short_text(line)}" for line in difference_lines(difference)),
    ]


def _counterexample(found: Counterexample) -> list[str]:
    smaller = found.minimized
    before, after = events_text(smaller.before), len(smaller.trace)
    title = f"The log is a run of the target: {before}, made {after}{CLAIMS[smaller.length]}."
    saved = [] if found.saved is None else saved_lines([found.saved])
    return [
        title,
        "",
        render_text(found.evidence),
        *saved,
    ]


def held_object(held: Held, names: Sequence[str]) -> dict[str, Any]:
    """The same as plain dicts, lists and scalars."""
    found, difference = held.counterexample, held.difference
    return {
        "target": held.target.name,
        "result": held.result.result,
        "reason": held.result.reason,
        "compared": held.compared,
        "not_compared": held.skipped,
        "not_recorded": list(held.left_out),
        "difference": None if difference is None else _difference_object(difference, names),
        "counterexample": None if found is None else _counterexample_object(held, found),
        "no_trace": held.no_trace or None,
    }


def _difference_object(difference: Difference, names: Sequence[str]) -> dict[str, Any]:
    recorded = record_json(difference.node, difference.event, difference.recorded)
    expected = record_json(difference.node, difference.event, difference.expected)
    return {
        **place_object(names, difference.place),
        "node": difference.node,
        "event": recorded["event"],
        "recorded": recorded["effects"],
        "expected": None if difference.raised else expected["effects"],
        "raised": difference.raised or None,
    }


def _counterexample_object(held: Held, found: Counterexample) -> dict[str, Any]:
    return {
        **minimized_object(found.minimized),
        "trace": trace_object(held.target.implementation, found.minimized.trace),
        "saved": None if found.saved is None else str(found.saved),
    }
