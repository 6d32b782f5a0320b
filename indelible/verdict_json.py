"""A verdict as one JSON object: the schema, version 1, and the only code that writes it.

Documented for readers in docs/json.md. Fields may be added within a version; none changes its
meaning. Values of an implementation (commands, ballots, messages, …) are opaque: numbers, strings,
booleans and null stand for themselves, everything else is text for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any, Final

from indelible.model.effects import Effect
from indelible.model.events import Event, Torn
from indelible.model.implementation import Implementation
from indelible.model.plain import Boolean
from indelible.model.run import RunStep, replayed
from indelible.model.scope import Scope
from indelible.model.trace import Trace, Violation
from indelible.model.verdict import PropertyResult, Verdict
from indelible.render.values import text_of
from indelible.render.words import state_changes

__all__ = [
    "SCHEMA_VERSION",
    "opaque",
    "property_objects",
    "scope_object",
    "trace_object",
    "verdict_json",
    "verdict_object",
    "violation_object",
]

SCHEMA_VERSION: Final = 1


def verdict_json(
    implementation: Implementation, verdict: Verdict, saved: Sequence[Path] = ()
) -> str:
    """The object as text, in ASCII, so that it survives every stream."""
    return json.dumps(verdict_object(implementation, verdict, saved), indent=2)


def verdict_object(
    implementation: Implementation, verdict: Verdict, saved: Sequence[Path] = ()
) -> dict[str, Any]:
    """The object, of plain dicts, lists and scalars; ``saved`` are files that keep its traces."""
    trace = verdict.trace
    return {
        "version": SCHEMA_VERSION,
        "implementation": verdict.implementation,
        "outcome": verdict.outcome,
        "exit_code": verdict.exit_code,
        "reason": verdict.reason,
        "exhausted": verdict.exhausted,
        "scope": scope_object(verdict.scope),
        "properties": property_objects(verdict.properties),
        "states_distinct": verdict.states_distinct,
        "transitions": verdict.transitions,
        "depth": verdict.depth,
        "states_local": verdict.states_local,
        "steps_learned": verdict.steps_learned,
        "calls": verdict.calls,
        "seconds": round(verdict.seconds, 3),
        "memory_bytes": verdict.memory_bytes,
        "notes": list(verdict.notes),
        "violation": None if trace is None else violation_object(trace.violation),
        "trace": None if trace is None else trace_object(implementation, trace),
        "others": [
            {
                "difference": difference,
                "violation": violation_object(other.violation),
                "trace": trace_object(implementation, other),
            }
            for other, difference in zip(verdict.others, verdict.differences, strict=True)
        ],
        "saved": [str(path) for path in saved],
    }


def property_objects(results: Sequence[PropertyResult]) -> list[dict[str, str]]:
    """What is known of each property."""
    return [
        {"name": known.name, "kind": known.kind, "result": known.result, "reason": known.reason}
        for known in results
    ]


def scope_object(scope: Scope) -> dict[str, Any]:
    """A scope, of plain dicts, lists and scalars."""
    timeouts = scope.timeouts_max
    return {
        "nodes": list(scope.nodes),
        "commands": [opaque(command) for command in scope.commands],
        "submissions_max": scope.submissions_max,
        "may_submit": _may_submit(scope),
        "timeouts_max": (
            {str(timer): most for timer, most in timeouts.items()}
            if isinstance(timeouts, Mapping)
            else timeouts
        ),
        "may_time_out": None if scope.may_time_out is None else list(scope.may_time_out),
        "restarts_max": scope.restarts_max,
        "torn": scope.torn,
        "links": scope.links,
    }


def _may_submit(scope: Scope) -> Any:
    allowed = scope.may_submit
    if isinstance(allowed, Mapping):
        return {text_of(command): list(nodes) for command, nodes in allowed.items()}
    return None if allowed is None else list(allowed)


def violation_object(violation: Violation) -> dict[str, Any]:
    """What a trace violates."""
    return {
        "property": violation.property,
        "explanation": violation.explanation,
        "slot": violation.slot,
        "nodes": [opaque(node) for node in violation.nodes],
        "values": [opaque(value) for value in violation.values],
    }


def trace_object(implementation: Implementation, trace: Trace) -> list[dict[str, Any]]:
    """What happens in a trace, step by step."""
    return [_step(step) for step in replayed(implementation, trace.scope, trace.actions).steps]


def _step(step: RunStep) -> dict[str, Any]:
    return {
        "number": step.number,
        "node": step.node,
        "event": _event(step.event),
        "changes": [change._asdict() for change in state_changes(step)],
        "effects": [_effect(effect) for effect in step.effects],
        "effects_lost": [_effect(effect) for effect in step.lost],
        "effects_restart": [_effect(effect) for effect in step.restarted],
        "raised": step.raised or None,
    }


def _event(event: Event) -> dict[str, Any]:
    if isinstance(event, Torn):
        return {"type": "Torn", "event": _event(event.event), "kept": event.kept}
    return _parts(event)


def _effect(effect: Effect) -> dict[str, Any]:
    return _parts(effect)


def _parts(value: Event | Effect) -> dict[str, Any]:
    """The name of the event or effect as ``type``, and its fields."""
    named = {part.name: opaque(getattr(value, part.name)) for part in fields(value)}
    return {"type": type(value).__name__, **named}


def opaque(value: object) -> Any:
    """An implementation's own value: as it is, or as text for people."""
    if isinstance(value, Boolean):
        return value.value
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float and isfinite(value):
        return value
    return text_of(value)
