"""Entries: what one line of a log tells, and the plain reader of lines.

An entry has what judges and the order of files need; what else a line says (storage, timers, the
contents of messages) is checked to be well formed, and let go. ``quick`` reads the same, ten times
as fast, and leaves to this reader whatever is not as usual.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from indelible.model.effects import Decide, Effect, Execute, Lead, Promise, Send, Vote
from indelible.model.errors import WireError
from indelible.model.events import Command, Event, NodeId, Receive, Restart, Submit, Torn
from indelible.model.node_json import (
    canonical_json,
    effects_from_json,
    event_from_json,
    jsonable,
    node_from_json,
)
from indelible.model.plain import Fields
from indelible.model.run import handled_event

__all__ = [
    "DECIDE",
    "EXECUTE",
    "LEAD",
    "NUMBER_MAX",
    "PROMISE",
    "SUBMIT",
    "VOTE",
    "Entry",
    "Links",
    "LoggedEvent",
    "Start",
    "Testimony",
    "entry_of",
    "event_of_line",
    "message_key",
    "plain_entry",
]

PROMISE: Final = 1
VOTE: Final = 2
LEAD: Final = 4
DECIDE: Final = 8
EXECUTE: Final = 16
SUBMIT: Final = 32
"""Kinds of testimony, as bits: all effects but this, which is an event."""

NUMBER_MAX: Final = 2**63 - 1
"""The highest slot or index that is judged."""

Testimony: TypeAlias = tuple[Any, ...]
"""One of the kinds, and the fields of the effect."""


@dataclass(frozen=True, slots=True)
class Start:
    """A node starts, with what it had persisted; ``None`` is its very first start."""

    nodes: tuple[NodeId, ...]
    storage: Hashable


LoggedEvent: TypeAlias = Event | Start


class Links(NamedTuple):
    """What an entry says of messages, each known by its key: (receiver, key) for each that is sent,
    (source, key) for the one that is received."""

    sent: tuple[tuple[NodeId, int], ...]
    received: tuple[NodeId, int] | None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line.

    - ``kind``: whether the node starts, restarts (maybe in the middle of a step), or goes on.
    - ``nodes`` and ``first``: of a start, who the nodes are, and whether it is the very first.
    - ``submitted``: the command that a client gave, as a tuple of one, or nothing.
    - ``testimony``: in order; ``before_crash`` of it came before the node started again.
    - ``links``: only where they were asked for.
    - ``time``: as logged, if it is a number; ``line``: as it was read, if that was asked for.
    """

    node: NodeId
    kind: Literal["event", "start", "restart"]
    testimony: tuple[Testimony, ...]
    before_crash: int = 0
    submitted: tuple[Command, ...] = ()
    nodes: tuple[NodeId, ...] = ()
    first: bool = False
    links: Links | None = None
    time: float | None = None
    line: bytes = b""


def plain_entry(line: bytes, *, links: bool) -> Entry:
    """What a line tells. Raises ``WireError``."""
    node, event, effects, time = event_of_line(line)
    return entry_of(node, event, effects, links=links, time=time)


def event_of_line(
    line: bytes,
) -> tuple[NodeId, LoggedEvent, tuple[Effect, ...], float | None]:
    """The node, event, effects and time of a line. Raises ``WireError``."""
    data = _parsed(line)
    if not isinstance(data, dict):
        raise WireError("a line is no object", available='{"node": …, "event": …, "effects": […]}')
    for name in ("node", "event", "effects"):
        if name not in data:
            raise WireError(f"a line has no {name!r}", available="node, event, effects")
    node = node_from_json(data["node"], "node")
    event = _event(data["event"])
    effects = effects_from_json(data["effects"])
    if isinstance(event, Torn) and event.kept > len(effects):
        raise WireError(f"event.kept is {event.kept}, but there are {len(effects)} effects")
    time = data.get("time")
    is_number = isinstance(time, int | float) and not isinstance(time, bool)
    return node, event, effects, time if is_number else None


def entry_of(
    node: NodeId,
    event: LoggedEvent,
    effects: tuple[Effect, ...],
    *,
    links: bool = False,
    time: float | None = None,
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
    return Entry(
        node,
        kind,
        _testimony(effects),
        before_crash,
        submitted,
        event.nodes if isinstance(event, Start) else (),
        isinstance(event, Start) and event.storage is None,
        _links(handled, effects) if links else None,
        time,
    )


def message_key(message: Any) -> int:
    """What a message, as a plain value, is known by: 64 bits of what it says."""
    message = jsonable(message)
    try:
        said = msgspec.json.encode(message, order="deterministic")
    except (ValueError, TypeError, RecursionError):  # Half a surrogate pair, for instance.
        said = canonical_json(message).encode("ascii")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little")


def _links(event: LoggedEvent, effects: tuple[Effect, ...]) -> Links:
    received = None
    if isinstance(event, Receive):
        received = (event.source, message_key(event.message))
    sends = [effect for effect in effects if isinstance(effect, Send)]
    return Links(tuple([(send.to, message_key(send.message)) for send in sends]), received)


def _testimony(effects: tuple[Effect, ...]) -> tuple[Testimony, ...]:
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
    return tuple(found)


def _place(number: int) -> int:
    if number > NUMBER_MAX:
        raise WireError(f"there is no slot or index {number}", available=f"0 to {NUMBER_MAX}")
    return number


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise WireError(f"not UTF-8: byte {error.start} of the line is not") from None
    except RecursionError:
        raise WireError("nested too deeply") from None
    except ValueError as error:
        raise WireError(f"no JSON: {error}") from None


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
    # Of storage that there is, only that matters here: it need not be turned into a value.
    return Start(named, None if data["storage"] is None else Fields({}))
