"""Events: everything that can happen to a node.

A node reacts to ``Receive``, ``Timeout`` and ``Submit``; the world adds ``Restart`` and ``Torn``,
which a node never sees: it only finds itself started again. Events are plain immutable values.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Action",
    "Command",
    "Event",
    "InputEvent",
    "Message",
    "NodeId",
    "Receive",
    "Restart",
    "Submit",
    "Timeout",
    "Timer",
    "Torn",
    "node_name",
]

NodeId: TypeAlias = int | str
Message: TypeAlias = Hashable
Command: TypeAlias = Hashable
Timer: TypeAlias = Hashable


@dataclass(frozen=True, slots=True)
class Receive:
    """A message that ``source`` sent is delivered."""

    source: NodeId
    message: Message


@dataclass(frozen=True, slots=True)
class Timeout:
    """An armed timer fires; it is no longer armed when the node handles this."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Submit:
    """A client hands a command to this node. The command carries its own identity."""

    command: Command


InputEvent: TypeAlias = Receive | Timeout | Submit


@dataclass(frozen=True, slots=True)
class Restart:
    """The node's state is gone; ``start`` runs with what it last persisted."""


@dataclass(frozen=True, slots=True)
class Torn:
    """The node handles ``event``, crashes after its first ``kept`` effects, and is restarted."""

    event: InputEvent
    kept: int


Event: TypeAlias = Receive | Timeout | Submit | Restart | Torn
Action: TypeAlias = tuple[NodeId, Event]


def node_name(node: NodeId) -> str:
    """How people read a node: numbered ones as ``n0``, named ones by their name."""
    return f"n{node}" if isinstance(node, int) else node
