"""Replicas that take a dict for a queue: what they decide depends on the order of its keys."""

from __future__ import annotations

from typing import Any

from indelible import Scope
from indelible.adapters import ObjectAdapter, Outbox

__all__ = ["HostedQueues", "Node", "Queues"]


class Node:
    """Keeps what it is given in a dict, by arrival, and does nothing."""

    def __init__(self, outbox: Outbox, node: int, nodes: Any, storage: Any) -> None:
        self.outbox, self.node, self.nodes = outbox, node, nodes
        self.pending: dict[str, Any] = {}

    def put(self, command: str) -> None:
        self.pending[command] = True

    def on(self, message: Any) -> None:
        self.pending[message] = True

    def fire(self) -> None:
        """A timer."""

    def tell(self, message: Any) -> None:
        for node in self.nodes:
            if node != self.node:
                self.outbox.send(node, message)


class Queues(Node):
    """Two replicas that decide in the order of arrival: they come to disagree."""

    def put(self, command: str) -> None:
        self.tell(command)
        self.on(command)

    def on(self, message: Any) -> None:
        self.pending[message] = True
        if len(self.pending) == 2:
            self.outbox.set_timer("commit")

    def fire(self) -> None:
        for slot, command in enumerate(self.pending):
            self.outbox.decide(slot, command)
        self.pending.clear()


class HostedQueues(ObjectAdapter):
    """Hosts ``kind``."""

    crashes = False
    scope = Scope(
        nodes=2,
        commands=("a", "b"),
        links="ordered",
        may_submit={"a": [0], "b": [1]},
        timeouts_max=1,
    )
    kind: type[Node] = Queues

    def build(self, outbox: Outbox, node: Any, nodes: Any, storage: Any) -> Any:
        return self.kind(outbox, node, nodes, storage)

    def receive(self, instance: Any, source: Any, message: Any) -> None:
        instance.on(message)

    def timeout(self, instance: Any, timer: Any) -> None:
        instance.fire()

    def submit(self, instance: Any, command: Any) -> None:
        instance.put(command)
