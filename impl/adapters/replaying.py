"""Replaying: a node is made anew by letting happen again what happened to it since it started.

That is always possible, costs as many steps as its history has, and shows whether the node is
deterministic: what is made must be what was there. Knows no adapter.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from indelible.model.effects import Storage
from indelible.model.events import InputEvent, NodeId
from indelible.model.plain import Snapshot

__all__ = ["Happened", "History", "Live", "Started"]

LIVE_MAX: Final = 256
"""How many nodes are kept as they are when nobody has gone on with them: a search goes on from the
states that it met last, and soon."""


class Started(NamedTuple):
    """How a node was started."""

    node: NodeId
    nodes: tuple[NodeId, ...]
    storage: Storage | None


Happened: TypeAlias = Started | InputEvent


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What happened last to a node, and what before; it began by being started."""

    last: Happened
    before: History | None = None

    def in_order(self) -> list[Happened]:
        """All that happened, the start first."""
        happened: list[Happened] = []
        at: History | None = self
        while at is not None:
            happened.append(at.last)
            at = at.before
        return happened[::-1]


class Live:
    """Nodes as some steps left them, by the state that they are in; each can be used once."""

    def __init__(self) -> None:
        self._nodes: OrderedDict[tuple[NodeId, Snapshot], Any] = OrderedDict()

    def put(self, node: NodeId, state: Snapshot, instance: Any) -> None:
        """Keep an instance that is in this state."""
        self._nodes[node, state] = instance
        self._nodes.move_to_end((node, state))
        if len(self._nodes) > LIVE_MAX:
            self._nodes.popitem(last=False)

    def take(self, node: NodeId, state: Snapshot) -> Any:
        """An instance that is in this state, or ``None``; nobody gets it again."""
        return self._nodes.pop((node, state), None)
