"""Objects: a mutable node with methods as an ``Implementation``.

The adapter says how to build a node and how to pass it what happens; the node is a value to
everybody else: what it is (``freeze``) and a copy of it to go on from. Issue 6.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from typing import Any

from indelible.impl.adapters.freeze import freeze
from indelible.impl.adapters.outbox import Outbox
from indelible.impl.adapters.values import MEMO_MAX, copied, thawed, value_of
from indelible.model.effects import Effect, Storage
from indelible.model.errors import ImplementationError
from indelible.model.events import InputEvent, NodeId, Receive, Submit, Timeout
from indelible.model.plain import Fields, Snapshot

__all__ = ["ObjectAdapter"]


class ObjectAdapter:
    """Hosts a mutable object per node. Derive from it, and say how (``build`` and the three after).

    What a node asks for goes into the outbox that ``build`` is given, or is returned by a method.
    Optional attributes as for every ``Implementation``: ``links``, ``crashes``, ``quorums``,
    ``scope``, ``name``.
    """

    def __init__(self) -> None:
        self._outboxes: dict[NodeId, Outbox] = {}
        self._snapshots: dict[bytes, Snapshot] = {}

    def build(self, outbox: Outbox, node: NodeId, nodes: tuple[NodeId, ...], storage: Any) -> Any:
        """The node as it starts, first or after a crash; ``storage`` is what it last persisted."""
        raise NotImplementedError

    def receive(self, instance: Any, source: NodeId, message: Any) -> Iterable[Effect] | None:
        """A message arrives."""
        raise _missing(self, "receive(instance, source, message)")

    def timeout(self, instance: Any, timer: Any) -> Iterable[Effect] | None:
        """A timer fires."""
        raise _missing(self, "timeout(instance, timer)")

    def submit(self, instance: Any, command: Any) -> Iterable[Effect] | None:
        """A client hands a command to the node."""
        raise _missing(self, "submit(instance, command)")

    fingerprint: Callable[[Any], Any] | None = None
    """``fingerprint(instance)``, if given: what decides how the node goes on, instead of all of
    it. Nodes of the same fingerprint must behave alike."""

    # --- the contract --------------------------------------------------------------------------

    def start(
        self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Build the node. Raises ``ImplementationError`` if there is none."""
        outbox = self._outbox(node)
        with outbox.opened() as effects:
            instance = self.build(outbox, node, nodes, thawed(storage))
        if instance is None:
            raise ImplementationError(
                f"{type(self).__name__}.build returned None",
                cause="a node is whatever build returns",
                remedy="return the object that the other methods are given",
            )
        return self._snapshot(instance), tuple(effects)

    def handle(
        self, node: NodeId, state: Snapshot, event: InputEvent
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Pass the event to a copy of the node."""
        outbox = self._outbox(node)
        instance = pickle.loads(state.origin)
        with outbox.opened() as effects:
            outbox.extend(self._passed(instance, event))
        return self._snapshot(instance), tuple(effects)

    def _passed(self, instance: Any, event: InputEvent) -> Iterable[Effect] | None:
        match event:
            case Receive(source, message):
                return self.receive(instance, source, thawed(message))
            case Timeout(timer):
                return self.timeout(instance, timer)
            case Submit(command):
                return self.submit(instance, thawed(command))

    def _outbox(self, node: NodeId) -> Outbox:
        if node not in self._outboxes:
            self._outboxes[node] = Outbox(node)
        return self._outboxes[node]

    def _snapshot(self, instance: Any) -> Snapshot:
        data = copied(instance)
        known = self._snapshots.get(data)
        if known is None:
            if len(self._snapshots) >= MEMO_MAX:
                self._snapshots.clear()
            known = self._snapshots[data] = self._frozen(instance)
        return known

    def _frozen(self, instance: Any) -> Snapshot:
        if self.fingerprint is None:
            content = freeze(instance, known={Outbox: str}, reorder=True)
        else:
            content = value_of(self.fingerprint(instance))
        fields = content if isinstance(content, Fields) else {"state": content}
        return Snapshot(fields, copied(instance))


def _missing(adapter: ObjectAdapter, method: str) -> ImplementationError:
    return ImplementationError(
        f"{type(adapter).__name__} has no {method}",
        cause="an event happened that the adapter does not know how to pass on",
        remedy="define it, if only to do nothing",
    )
