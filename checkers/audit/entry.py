"""Entries: what one line of a log tells, and the plain reader of lines.

An entry has what judges and the order of files need; what else a line says (storage, timers, the
contents of messages) is checked to be well formed, and let go. ``quick`` reads the same, ten times
as fast, and leaves to this reader whatever is not as usual.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal, TypeAlias

import msgspec

from indelible.model.effects import Decide, Execute, Lead, Promise, Send, Vote
from indelible.model.errors import WireError
from indelible.model.events import Command, NodeId, Receive, Restart, Submit, Torn
from indelible.model.log_json import Install, LoggedEffect, LoggedEvent, Start
from indelible.model.node_json import (
    canonical_json,
    effect_from_json,
    effects_from_json,
    event_from_json,
    jsonable,
    node_from_json,
    plain,
)
from indelible.model.run import handled_event
from indelible.model.strict_json import loads

__all__ = [
    "DECIDE",
    "EXECUTE",
    "INSTALL",
    "LEAD",
    "NUMBER_MAX",
    "PROMISE",
    "SUBMIT",
    "VOTE",
    "Entry",
    "Link",
    "Testimony",
    "entry_of",
    "event_of_line",
    "json_key",
    "message_key",
    "plain_entry",
]

PROMISE: Final = 1
VOTE: Final = 2
LEAD: Final = 4
DECIDE: Final = 8
EXECUTE: Final = 16
SUBMIT: Final = 32
INSTALL: Final = 64
"""Kinds of testimony, as bits: all effects but ``SUBMIT``, which is an event."""

NUMBER_MAX: Final = 2**63 - 1
"""The highest slot or index that is judged."""

Testimony: TypeAlias = tuple[Any, ...]
"""One of the kinds, and the fields of the effect."""


Link: TypeAlias = tuple[NodeId, NodeId, int]
"""A message by which it is known in this process: from whom, to whom, and the key of it."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line.

    - ``kind``: whether the node starts, restarts (maybe in the middle of a step), or goes on.
    - ``nodes`` and ``first``: of a start, who the nodes are, and whether it is the very first.
    - ``submitted``: the command that a client gave, as a tuple of one, or nothing.
    - ``testimony``: in order; ``before_crash`` of it came before the node started again.
    - ``sent`` and ``received``: messages, only where they were asked for.
    - ``kinds``: the kinds of its testimony, as bits.
    - ``time`` and ``sequence``: as logged, if they are numbers.
    - ``line``: as it was read, if that was asked for.
    """

    node: NodeId
    kind: Literal["event", "start", "restart"]
    testimony: tuple[Testimony, ...]
    kinds: int = 0
    before_crash: int = 0
    submitted: tuple[Command, ...] = ()
    nodes: tuple[NodeId, ...] = ()
    first: bool = False
    sent: tuple[Link, ...] = ()
    received: Link | None = None
    time: float | None = None
    sequence: int | None = None
    line: bytes = b""


def plain_entry(line: bytes, *, links: bool) -> Entry:
    """What a line tells. Raises ``WireError``."""
    try:
        data = _parsed(line)
        node, event, effects = _event_of(data)
        time, sequence = data.get("time"), data.get("sequence")
        return entry_of(
            node,
            event,
            effects,
            links=links,
            time=time if type(time) in (int, float) else None,
            sequence=sequence if type(sequence) is int else None,
        )
    except RecursionError:
        raise WireError("nested too deeply") from None


def event_of_line(line: bytes) -> tuple[NodeId, LoggedEvent, tuple[LoggedEffect, ...]]:
    """The node, event and effects of a line. Raises ``WireError``."""
    try:
        return _event_of(_parsed(line))
    except RecursionError:
        raise WireError("nested too deeply") from None


def entry_of(
    node: NodeId,
    event: LoggedEvent,
    effects: tuple[LoggedEffect, ...],
    *,
    links: bool = False,
    time: float | None = None,
    sequence: int | None = None,
) -> Entry:
    """What an event with its effects tells."""
    handled = event if isinstance(event, Start) else handled_event(event)
    kept = event.kept if isinstance(event, Torn) else 0
    before_crash = len(_testimony(effects[:kept]))
    submitted = (handled.command,) if isinstance(handled, Submit) else ()
    kind: Literal["event", "start", "restart"] = "event"
    if isinstance(event, Start):
        kind = "start"
    elif isinstance(event, Restart | Torn):
        kind = "restart"
    testimony = _testimony(effects)
    return Entry(
        node,
        kind,
        testimony,
        _kinds(testimony),
        before_crash,
        submitted,
        event.nodes if isinstance(event, Start) else (),
        isinstance(event, Start) and event.storage is None,
        _sent(node, effects) if links else (),
        _received(node, handled) if links else None,
        time,
        sequence,
    )


def message_key(message: Any) -> int:
    """What a message, as a plain value, is known by in this process: 64 bits of what it says."""
    return json_key(jsonable(message))


def json_key(message: Any) -> int:
    """The same of JSON-able data in which no whole number is a float."""
    try:
        return hash(msgspec.json.encode(message, order="deterministic"))
    except (ValueError, TypeError, RecursionError):  # Half a surrogate pair, for instance.
        return hash(canonical_json(message).encode("ascii"))


def _sent(node: NodeId, effects: tuple[LoggedEffect, ...]) -> tuple[Link, ...]:
    sends = [effect for effect in effects if isinstance(effect, Send)]
    return tuple([(node, send.to, message_key(send.message)) for send in sends])


def _received(node: NodeId, event: LoggedEvent) -> Link | None:
    if not isinstance(event, Receive):
        return None
    return event.source, node, message_key(event.message)


def _testimony(effects: tuple[LoggedEffect, ...]) -> tuple[Testimony, ...]:
    found: list[Testimony] = []
    for effect in effects:
        match effect:
            case Promise(ballot):
                found.append((PROMISE, ballot))
            case Vote(slot, ballot, value):
                found.append((VOTE, _place(slot), ballot, value))
            case Lead(ballot):
                found.append((LEAD, ballot))
            case Decide(slot, value):
                found.append((DECIDE, _place(slot), value))
            case Execute(index, command):
                found.append((EXECUTE, _place(index), command))
            case Install(index):
                found.append((INSTALL, _place(index)))
    return tuple(found)


def _kinds(testimony: tuple[Testimony, ...]) -> int:
    kinds = 0
    for said in testimony:
        kinds |= said[0]
    return kinds


def _place(number: int) -> int:
    if number > NUMBER_MAX:
        raise WireError(f"there is no slot or index {number}", available=f"0 to {NUMBER_MAX}")
    return number


def _parsed(line: bytes) -> Any:
    try:
        return loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise WireError(f"not UTF-8: byte {error.start} of the line is not") from None
    except ValueError as error:
        raise WireError(f"no JSON: {error}") from None


def _event_of(data: Any) -> tuple[NodeId, LoggedEvent, tuple[LoggedEffect, ...]]:
    if not isinstance(data, dict):
        raise WireError("a line is no object", available='{"node": …, "event": …, "effects": […]}')
    for name in ("node", "event", "effects"):
        if name not in data:
            raise WireError(f"a line has no {name!r}", available="node, event, effects")
    node = node_from_json(data["node"], "node")
    event = _event(data["event"])
    effects = _effects(data["effects"])
    if isinstance(event, Torn) and event.kept > len(effects):
        raise WireError(f"event.kept is {event.kept}, but there are {len(effects)} effects")
    return node, event, effects


def _effects(data: Any) -> tuple[LoggedEffect, ...]:
    if not isinstance(data, list):
        return effects_from_json(data)
    return tuple([_effect(each, f"effects[{at}]") for at, each in enumerate(data)])


def _effect(data: Any, where: str) -> LoggedEffect:
    if not isinstance(data, dict) or data.get("type") != "install":
        return effect_from_json(data, where)
    if set(data) != {"type", "index"} or type(data["index"]) is not int or data["index"] < 0:
        raise WireError(
            f"{where} (install) is {json.dumps(data)}",
            available='{"type": "install", "index": how many commands the snapshot contains}',
        )
    return Install(data["index"])


def _event(data: Any) -> LoggedEvent:
    if not isinstance(data, dict) or data.get("type") != "start":
        return event_from_json(data)
    unknown = [name for name in data if name not in ("type", "nodes", "storage")]
    missing = [name for name in ("nodes", "storage") if name not in data]
    if unknown or missing:
        says = f"has {unknown[0]!r}" if unknown else f"has no {missing[0]!r}"
        raise WireError(f"event (start) {says}", available="type, nodes, storage")
    nodes = data["nodes"]
    if not isinstance(nodes, list) or not nodes:
        raise WireError(f"event.nodes is {json.dumps(nodes)}", available="an array of all nodes")
    named = tuple([node_from_json(node, "event.nodes") for node in nodes])
    if len(set(named)) < len(named):
        raise WireError("event.nodes names a node twice")
    return Start(named, plain(data["storage"], "event.storage"))
