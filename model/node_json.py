"""Events, effects and values as JSON and back: what processes and recorded logs are written in.

The format is docs/process-protocol.md. Names and fields are those of ``events`` and ``effects``;
values are plain (``plain.py``): an object becomes ``Fields``, an array a tuple. Values are equal if
they say the same in JSON: 1.0 is 1, and true is no number. What is not just so is a ``WireError``
that names the field. Nothing here reads lines, or knows who wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from math import isfinite
from typing import Any, Final, NoReturn, TypeAlias

from indelible.model.effects import EFFECT_TYPES, Ballot, Effect, SetTimer
from indelible.model.errors import WireError, closest_first
from indelible.model.events import (
    Event,
    InputEvent,
    NodeId,
    Receive,
    Restart,
    Submit,
    Timeout,
    Torn,
)
from indelible.model.plain import Boolean, Fields

__all__ = [
    "EFFECT_KINDS",
    "ballot_from_json",
    "canonical_json",
    "effect_from_json",
    "effect_to_json",
    "effects_from_json",
    "event_from_json",
    "event_to_json",
    "jsonable",
    "node_from_json",
    "plain",
]

Reader: TypeAlias = Callable[[Mapping[str, Any], str, str], Any]

AFTER_DEFAULT: Final = (1, 1)
"""What ``set_timer`` means where it does not say after how many ticks."""

SCALARS: Final = frozenset({str, int, type(None)})
"""Types of parsed JSON that are plain values as they are: of parts of these nobody asks where they
are."""


def plain(value: Any, where: str = "value") -> Hashable:
    """Parsed JSON as a plain value. ``WireError`` for numbers that JSON does not have."""
    return _plain(value, where, Boolean)


def _plain(value: Any, where: str, boolean: Callable[[bool], Hashable]) -> Hashable:
    if type(value) in SCALARS:
        return value  # type: ignore[no-any-return]
    if isinstance(value, dict):
        # These compare types themselves.
        fields = {
            key: part if type(part) in SCALARS else _plain(part, f"{where}.{key}", bool)
            for key, part in value.items()
        }
        return Fields(fields)
    if isinstance(value, list):
        parts = [
            part if type(part) in SCALARS else _plain(part, f"{where}[{at}]", boolean)
            for at, part in enumerate(value)
        ]
        return tuple(parts)
    if isinstance(value, bool):
        return boolean(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise WireError(
                f"{where} is {value}, which is no number of JSON", remedy="write null, or a string"
            )
        return int(value) if value.is_integer() else value
    return value  # type: ignore[no-any-return]


def ballot_from_json(data: Any, where: str = "ballot") -> Ballot:
    """The ballot that ``data`` says. Raises ``WireError`` for what has no order."""
    parts = [data]
    for part in parts:
        if isinstance(part, list):
            parts += part
        elif isinstance(part, bool) or not isinstance(part, int | float | str):
            raise WireError(
                f"{where} is {json.dumps(data)}, which has no order",
                available="a number, a string, or an array of those",
            )
    return plain(data, where)


def jsonable(value: Any, where: str = "value") -> Any:
    """A plain value as JSON-able data. ``WireError`` for what JSON cannot say."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Boolean):
        return value.value
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return [jsonable(part, f"{where}[{index}]") for index, part in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: jsonable(part, f"{where}.{key}") for key, part in value.items()}
    raise WireError(
        f"{where} is {value!r}, of type {type(value).__name__}, which JSON cannot say",
        cause="a process and a log know only null, true, false, numbers, text, arrays and objects",
        remedy="use those: commands of a scope, for instance, can be text",
    )


def canonical_json(value: Any) -> str:
    """JSON-able data in one line of ASCII, by which equal data is known: keys are sorted."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def event_to_json(event: Event) -> dict[str, Any]:
    """The event as JSON-able data. Raises ``WireError``."""
    match event:
        case Receive(source, message):
            return {"type": "receive", "source": source, "message": jsonable(message, "message")}
        case Timeout(timer):
            return {"type": "timeout", "timer": jsonable(timer, "timer")}
        case Submit(command):
            return {"type": "submit", "command": jsonable(command, "command")}
        case Restart():
            return {"type": "restart"}
        case Torn(whole, kept):
            return {"type": "torn", "event": event_to_json(whole), "kept": kept}


def event_from_json(data: Any, where: str = "event") -> Event:
    """The event that ``data`` says. Raises ``WireError``."""
    kind = _kind(data, _EVENT_FIELDS, where)
    match kind:
        case "receive":
            return Receive(_node(data, "source", where), plain(data["message"], f"{where}.message"))
        case "timeout":
            return Timeout(plain(data["timer"], f"{where}.timer"))
        case "submit":
            return Submit(plain(data["command"], f"{where}.command"))
        case "restart":
            return Restart()
    whole = event_from_json(data["event"], f"{where}.event")
    if not isinstance(whole, InputEvent):
        _wrong(f"{where}.event", data["event"]["type"], "receive, timeout or submit")
    return Torn(whole, _count(data, "kept", where))


def effect_to_json(effect: Effect) -> dict[str, Any]:
    """The effect as JSON-able data. Raises ``WireError``."""
    said: dict[str, Any] = {"type": _EFFECT_NAMES[type(effect)]}
    for part in fields(effect):
        said[part.name] = jsonable(getattr(effect, part.name), part.name)
    return said


def effects_from_json(data: Any, where: str = "effects") -> tuple[Effect, ...]:
    """The effects that ``data`` says, in order. Raises ``WireError``."""
    if not isinstance(data, list):
        _wrong(where, data, "an array of effects, in order")
    return tuple([effect_from_json(each, f"{where}[{at}]") for at, each in enumerate(data)])


def effect_from_json(data: Any, where: str = "effect") -> Effect:
    """The effect that ``data`` says. Raises ``WireError``."""
    name = _kind(data, _EFFECT_FIELDS, where)
    values = [_reader(part)(data, part, where) for part in _EFFECT_FIELDS[name]]
    effect: Effect = EFFECT_KINDS[name](*values)
    return effect


def node_from_json(data: Any, where: str = "node") -> NodeId:
    """The node that ``data`` names. Raises ``WireError``."""
    if isinstance(data, bool) or not isinstance(data, int | str):
        _wrong(where, data, "a node: a whole number or a string")
    return data


def _wire_name(kind: type) -> str:
    """``SetTimer`` is written ``set_timer``."""
    return "".join(
        f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__
    )[1:]


EFFECT_KINDS: Final[dict[str, type[Effect]]] = {_wire_name(kind): kind for kind in EFFECT_TYPES}
"""Effects by the names they have in JSON."""

_EFFECT_NAMES: Final = {kind: _wire_name(kind) for kind in EFFECT_TYPES}
_EFFECT_FIELDS: Final = {
    name: tuple(part.name for part in fields(kind)) for kind, name in _EFFECT_NAMES.items()
}
_EVENT_FIELDS: Final = {
    "receive": ("source", "message"),
    "timeout": ("timer",),
    "submit": ("command",),
    "restart": (),
    "torn": ("event", "kept"),
}
_OPTIONAL: Final = {(_wire_name(SetTimer), "after")}


def _kind(data: Any, known: Mapping[str, tuple[str, ...]], where: str) -> str:
    """What ``data`` says it is, with all the fields of that and no other."""
    if not isinstance(data, dict):
        _wrong(where, data, "an object with a 'type'")
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in known:
        _wrong(f"{where}.type", kind, closest_first(str(kind), known))
    wanted = known[kind]
    for name in wanted:
        if name not in data and (kind, name) not in _OPTIONAL:
            raise WireError(
                f"{where} ({kind}) has no {name!r}", available=", ".join(("type", *wanted))
            )
    for name in data:
        if name != "type" and name not in wanted:
            raise WireError(
                f"{where} ({kind}) has {name!r}, which is no part of it",
                available=", ".join(("type", *wanted)),
            )
    return kind


def _value(data: Mapping[str, Any], name: str, where: str) -> Hashable:
    return plain(data[name], f"{where}.{name}")


def _node(data: Mapping[str, Any], name: str, where: str) -> NodeId:
    return node_from_json(data[name], f"{where}.{name}")


def _ballot(data: Mapping[str, Any], name: str, where: str) -> Ballot:
    return ballot_from_json(data[name], f"{where}.{name}")


def _count(data: Mapping[str, Any], name: str, where: str) -> int:
    count = data[name]
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        _wrong(f"{where}.{name}", count, "a whole number from 0")
    return count


def _after(data: Mapping[str, Any], name: str, where: str) -> tuple[int, int]:
    after = data.get(name, AFTER_DEFAULT)
    ticks = tuple(after) if isinstance(after, list | tuple) else ()
    if len(ticks) != 2 or any(
        isinstance(each, bool) or not isinstance(each, int) for each in ticks
    ):
        _wrong(f"{where}.{name}", after, "two whole numbers: the least and the most ticks")
    return ticks


def _reader(name: str) -> Reader:
    return _READ.get(name, _value)


_READ: Final[dict[str, Reader]] = {
    "to": _node,
    "slot": _count,
    "index": _count,
    "after": _after,
    "ballot": _ballot,
}


def _wrong(where: str, found: object, available: str) -> NoReturn:
    raise WireError(f"{where} is {json.dumps(found, default=repr)}", available=available)
