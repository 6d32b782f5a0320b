"""Trace documents: evidence as ITF JSON and back, byte for byte. The format is docs/traces.md.

ITF is Apalache's Informal Trace Format (its ADR-015), with the names under which Quint tells what
was done in a step: ``mbt::actionTaken`` and ``mbt::nondetPicks``. What other tools have no place
for is under ``#meta``, ``indelible``. Nothing here touches a file, finds a target, or calls an
implementation. ``trace_reader`` reads what is written here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from indelible.model.cluster import LocalState
from indelible.model.effects import Effect
from indelible.model.events import Event, NodeId, Receive, Restart, Submit, Timeout, Torn
from indelible.model.itf_encoder import Encoder
from indelible.model.record import Record
from indelible.model.run import Run, RunStep, handled_event
from indelible.model.scope import Scope
from indelible.model.trace import Evidence, Moment, Violation

__all__ = [
    "FORMAT_VERSION",
    "PICKS",
    "RECORD_FIELDS",
    "VARIABLES",
    "document_data",
    "document_text",
]

FORMAT_VERSION: Final = 1

RECORD_FIELDS: Final = tuple(name for name in Record._fields if name not in ("sent", "received"))
"""What is kept of a record: not the messages, which the effects of the steps tell."""

PICKS: Final = ("node", "source", "message", "timer", "command", "kept")
"""What a step was chosen by; each is ``Some`` or ``None``."""

VARIABLES: Final = (
    "mbt::actionTaken",
    "mbt::nondetPicks",
    "states",
    "records",
    "effects",
    "lost",
    "restarted",
    "raised",
    "cause",
)

EXPANDED_TO: Final = 3
"""Down to which level each item has a line of its own: then a step is a few lines of a diff."""


def document_text(evidence: Evidence) -> str:
    """The document, in ASCII, ending with a line end. The same evidence gives the same text.

    Raises ``TraceError`` where a value contains itself, or nests too deep.
    """
    return f"{_laid_out(document_data(evidence), 0)}\n"


def document_data(evidence: Evidence) -> dict[str, Any]:
    """The document as plain dicts, lists and scalars. Raises ``TraceError`` as its text does."""
    encoder = Encoder()
    states = _states(evidence.run, encoder)
    about = _about(evidence, encoder)  # Before the types are asked for: it may add some.
    return {
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "description": evidence.trace.violation.explanation,
            "indelible": {**about, "types": encoder.types},
        },
        "vars": list(VARIABLES),
        "states": states,
    }


def _laid_out(value: Any, level: int) -> str:
    if level == EXPANDED_TO or not value or not isinstance(value, dict | list):
        return json.dumps(value)
    indent, end = " " * (level + 1), " " * level
    if isinstance(value, list):
        lines = [f"{indent}{_laid_out(item, level + 1)}" for item in value]
        return "[\n" + ",\n".join(lines) + f"\n{end}]"
    lines = [
        f"{indent}{json.dumps(name)}: {_laid_out(item, level + 1)}" for name, item in value.items()
    ]
    return "{\n" + ",\n".join(lines) + f"\n{end}}}"


def _about(evidence: Evidence, encoder: Encoder) -> dict[str, Any]:
    trace, explanation = evidence.trace, evidence.explanation
    return {
        "version": FORMAT_VERSION,
        "target": evidence.target,
        "implementation": trace.implementation,
        "property": evidence.property,
        "violation": _violation(trace.violation, encoder),
        "length": evidence.length,
        "fixed": evidence.fixed,
        "found": dict(evidence.found),
        "explanation": {
            "story": list(explanation.story),
            "milestones": [_moment(moment) for moment in explanation.milestones],
            "decisive": explanation.decisive and _moment(explanation.decisive),
        },
        "scope": _scope(trace.scope, encoder),
    }


def _moment(moment: Moment) -> dict[str, Any]:
    return {"step": moment.step, "says": moment.says}


def _violation(violation: Violation, encoder: Encoder) -> dict[str, Any]:
    return {
        "property": violation.property,
        "explanation": violation.explanation,
        "slot": violation.slot,
        "nodes": encoder.encode(violation.nodes, "violation.nodes"),
        "values": encoder.encode(violation.values, "violation.values"),
    }


def _scope(scope: Scope, encoder: Encoder) -> dict[str, Any]:
    """Every field, in order; what is said timer by timer or command by command as pairs."""
    values = {part.name: getattr(scope, part.name) for part in fields(scope)}
    for name in ("nodes", "may_submit", "may_time_out"):
        values[name] = None if values[name] is None else list(values[name])
    timeouts = scope.timeouts_max
    if isinstance(timeouts, Mapping):
        values["timeouts_max"] = [
            [encoder.encode(timer, "scope.timeouts_max"), most] for timer, most in timeouts.items()
        ]
    if isinstance(scope.may_submit, Mapping):
        # Where it names no command, every node will do: an empty list would be no node.
        values["may_submit"] = (
            None
            if not scope.may_submit
            else [
                [encoder.encode(command, "scope.may_submit"), list(nodes)]
                for command, nodes in scope.may_submit.items()
            ]
        )
    values["commands"] = encoder.encode(scope.commands, "scope.commands")
    return values


def _states(run: Run, encoder: Encoder) -> list[dict[str, Any]]:
    if run.initial is None:
        return []
    now = dict(zip(run.scope.nodes, run.initial.nodes, strict=True))
    started = dict(zip(run.scope.nodes, run.started, strict=True))
    states = [_state(0, None, now, started, encoder)]
    for step in run.steps:
        now[step.node] = step.after
        states.append(_state(step.number, step, now, {step.node: step.effects}, encoder))
    return states


def _state(
    index: int,
    step: RunStep | None,
    now: Mapping[NodeId, LocalState],
    effects: Mapping[NodeId, tuple[Effect, ...]],
    encoder: Encoder,
) -> dict[str, Any]:
    """The cluster after a step, or at the start, and what happened in it."""
    where = f"states[{index}]"
    event = None if step is None else step.event

    def by_node(name: str, values: Mapping[NodeId, Any]) -> dict[str, Any]:
        return {
            "#map": [
                [encoder.encode(node, where), encoder.encode(value, f"{where}.{name}[{node}]")]
                for node, value in values.items()
            ]
        }

    records = [
        [encoder.encode(node, where), _record(node, local.record, encoder, where)]
        for node, local in now.items()
    ]
    return {
        "#meta": {"index": index},
        "mbt::actionTaken": "init" if event is None else type(event).__name__,
        "mbt::nondetPicks": _picks(step, encoder, where),
        "states": by_node("states", {node: local.state for node, local in now.items()}),
        "records": {"#map": records},
        "effects": by_node("effects", effects),
        "lost": encoder.encode(() if step is None else step.lost, f"{where}.lost"),
        "restarted": encoder.encode(() if step is None else step.restarted, f"{where}.restarted"),
        "raised": "" if step is None else step.raised,
        "cause": encoder.encode(None if step is None else step.cause, f"{where}.cause"),
    }


def _record(node: NodeId, record: Record, encoder: Encoder, where: str) -> dict[str, Any]:
    return {
        name: encoder.encode(getattr(record, name), f"{where}.records[{node}].{name}")
        for name in RECORD_FIELDS
    }


def _picks(step: RunStep | None, encoder: Encoder, where: str) -> dict[str, Any]:
    picks: dict[str, Any] = {}
    if step is not None:
        picks = {"node": step.node, **_event_picks(step.event)}
    absent = encoder.encode(None)
    return {
        name: {"tag": "Some", "value": encoder.encode(picks[name], f"{where}.{name}")}
        if name in picks
        else absent
        for name in PICKS
    }


def _event_picks(event: Event) -> dict[str, Any]:
    picks: dict[str, Any] = {}
    match handled_event(event):
        case Receive(source, message):
            picks = {"source": source, "message": message}
        case Timeout(timer):
            picks = {"timer": timer}
        case Submit(command):
            picks = {"command": command}
        case Restart():
            pass
    return picks | ({"kept": event.kept} if isinstance(event, Torn) else {})
