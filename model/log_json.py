"""Records: what happened to a node, and what it did, as recorded logs say it (docs/audit.md).

Values of Python become what JSON can say: named ones objects that tell their class as ``type``,
ballots arrays, which compare as tuples do. Who writes logs and who reads them meet here: a value is
the one that a log speaks of if it is written just so. Nothing here reads lines.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Set
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, TypeAlias

from indelible.model.canonical import canonical
from indelible.model.effects import Effect
from indelible.model.events import Event, NodeId, Receive, Submit, Timeout, Torn
from indelible.model.node_json import canonical_json, effect_to_json, event_to_json, jsonable
from indelible.model.plain import TYPE, Fields

__all__ = [
    "Install",
    "LoggedEffect",
    "LoggedEvent",
    "Start",
    "effect_json",
    "record_json",
    "recorded_effect",
    "recorded_event",
    "recorded_text",
    "recorded_value",
]


@dataclass(frozen=True, slots=True)
class Start:
    """A node starts, with what it had persisted; ``None`` is its very first start."""

    nodes: tuple[NodeId, ...]
    storage: Hashable


@dataclass(frozen=True, slots=True)
class Install:
    """A node's state machine becomes that of a snapshot, its own or another's, which contains the
    first ``index`` commands (InstallSnapshot of Raft); it goes on with the one of that index."""

    index: int


LoggedEvent: TypeAlias = Event | Start
LoggedEffect: TypeAlias = Effect | Install


def record_json(
    node: NodeId, event: LoggedEvent, effects: Iterable[LoggedEffect]
) -> dict[str, Any]:
    """A record as JSON-able data. Raises ``WireError`` for a value that JSON cannot say."""
    return {
        "node": node,
        "event": _event_json(event),
        "effects": [
            effect_json(effect if isinstance(effect, Install) else recorded_effect(effect))
            for effect in effects
        ],
    }


def effect_json(effect: LoggedEffect) -> dict[str, Any]:
    """An effect as a log has it. Raises ``WireError``."""
    if isinstance(effect, Install):
        return {"type": "install", "index": effect.index}
    return effect_to_json(effect)


def recorded_text(value: Any) -> str:
    """A value in one line of JSON, by which it is known. Raises ``WireError``."""
    return canonical_json(jsonable(recorded_value(value)))


def recorded_event(event: Event) -> Event:
    """The event, made of what a log says of its values."""
    match event:
        case Receive(source, message):
            return Receive(source, recorded_value(message))
        case Timeout(timer):
            return Timeout(recorded_value(timer))
        case Submit(command):
            return Submit(recorded_value(command))
        case Torn(whole, kept):
            plain_whole: Any = recorded_event(whole)
            return Torn(plain_whole, kept)
    return event


def recorded_effect(effect: Effect) -> Effect:
    """The effect, made of what a log says of its values."""
    said: dict[str, Any] = {}
    for part in fields(effect):
        value = getattr(effect, part.name)
        is_ballot = part.name == "ballot" and isinstance(value, tuple)
        said[part.name] = tuple(value) if is_ballot else recorded_value(value)
    made: Effect = type(effect)(**said)
    return made


def recorded_value(value: Any) -> Hashable:
    """What a log says of a value of Python, as a plain one."""
    if is_dataclass(value) and not isinstance(value, type):
        return _named(value, {part.name: getattr(value, part.name) for part in fields(value)})
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _named(value, dict(zip(value._fields, value, strict=True)))
    if isinstance(value, tuple | list):
        return tuple([recorded_value(part) for part in value])
    if isinstance(value, Set):
        return tuple([recorded_value(part) for part in canonical(value)])
    if isinstance(value, Mapping):
        return Fields({key: recorded_value(part) for key, part in value.items()})
    if isinstance(value, bytes):
        return Fields({TYPE: "bytes", "hex": value.hex()})
    if isinstance(value, Enum) and not isinstance(value, int | str):
        return Fields({TYPE: type(value).__name__, "name": value.name})
    plain: Hashable = value
    return plain


def _event_json(event: LoggedEvent) -> dict[str, Any]:
    if isinstance(event, Start):
        storage = jsonable(recorded_value(event.storage), "storage")
        return {"type": "start", "nodes": list(event.nodes), "storage": storage}
    return event_to_json(recorded_event(event))


def _named(value: object, parts: Mapping[str, Any]) -> Fields:
    said = {name: recorded_value(part) for name, part in parts.items()}
    return Fields({TYPE: type(value).__name__, **said})
