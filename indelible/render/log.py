"""A trace as a recorded log (docs/audit.md): what ``indelible audit`` reads, a line for each event.

Values of Python become what JSON can say: named ones objects that tell their class as ``type``,
ballots arrays, which compare as tuples do.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from indelible.model.canonical import canonical
from indelible.model.effects import Effect
from indelible.model.events import Event, NodeId, Receive, Submit, Timeout, Torn
from indelible.model.node_json import canonical_json, effect_to_json, event_to_json
from indelible.model.plain import TYPE, Fields
from indelible.model.run import Run
from indelible.model.trace import Evidence

__all__ = ["log_lines", "render_log"]


def render_log(evidence: Evidence) -> str:
    """The log of a trace. Raises ``WireError`` for a value that JSON cannot say."""
    return "\n".join(log_lines(evidence.run))


def log_lines(run: Run) -> Iterator[str]:
    """The lines of a log of a run: every node starts, then what happened step by step."""
    nodes = list(run.scope.nodes)
    for node, effects in zip(run.scope.nodes, run.started, strict=True):
        yield _line(node, {"type": "start", "nodes": nodes, "storage": None}, effects)
    for step in run.steps:
        if not step.raised:
            yield _line(step.node, event_to_json(_plain_event(step.event)), step.all_effects)


def _line(node: NodeId, event: dict[str, Any], effects: tuple[Effect, ...]) -> str:
    said = [effect_to_json(_plain_effect(effect)) for effect in effects]
    return canonical_json({"node": node, "event": event, "effects": said})


def _plain_event(event: Event) -> Event:
    match event:
        case Receive(source, message):
            return Receive(source, _plain(message))
        case Timeout(timer):
            return Timeout(_plain(timer))
        case Submit(command):
            return Submit(_plain(command))
        case Torn(whole, kept):
            plain_whole: Any = _plain_event(whole)
            return Torn(plain_whole, kept)
    return event


def _plain_effect(effect: Effect) -> Effect:
    said: dict[str, Any] = {}
    for part in fields(effect):
        value = getattr(effect, part.name)
        is_ballot = part.name == "ballot" and isinstance(value, tuple)
        said[part.name] = tuple(value) if is_ballot else _plain(value)
    made: Effect = type(effect)(**said)
    return made


def _plain(value: Any) -> Hashable:
    if is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: getattr(value, part.name) for part in fields(value)}
        return _named(value, parts)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _named(value, dict(zip(value._fields, value, strict=True)))
    if isinstance(value, tuple):
        return tuple([_plain(part) for part in value])
    if isinstance(value, frozenset):
        return tuple([_plain(part) for part in canonical(value)])
    if isinstance(value, Mapping):
        return Fields({key: _plain(part) for key, part in value.items()})
    plain: Hashable = value
    return plain


def _named(value: object, parts: Mapping[str, Any]) -> Fields:
    said = {name: _plain(part) for name, part in parts.items()}
    return Fields({TYPE: type(value).__name__, **said})
