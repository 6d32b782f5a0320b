"""Objects: a mutable node with methods as an ``Implementation``.

The adapter says how to build a node and how to pass it what happens; the node is a value to
everybody else: what it is (``freeze``), and the way back to an object that is that (``hosting``).
Issue 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, Self

from indelible.impl.adapters.hosting import Host
from indelible.impl.adapters.outbox import Outbox
from indelible.impl.adapters.replaying import Started
from indelible.impl.adapters.values import thawed
from indelible.model.effects import Effect, Storage
from indelible.model.errors import ImplementationError
from indelible.model.events import InputEvent, NodeId, Receive, Submit, Timeout
from indelible.model.plain import Snapshot

__all__ = ["ObjectAdapter"]


class ObjectAdapter:
    """Hosts a mutable object per node. Derive from it, and say how (``build`` and the three after).

    What a node asks for goes into the outbox that ``build`` is given, or is returned by a method.
    Optional attributes as for every ``Implementation``: ``links``, ``crashes``, ``quorums``,
    ``scope``, ``name``.
    """

    snapshots: Literal["copy", "replay"] | None = None
    """How to get back to a state: by a copy of the node, or by letting its history happen again.
    ``None``: by a copy wherever one is as good as the node, else by its history."""

    dict_order: Literal["counts", "ignored"] | None = None
    """Whether the order in which keys were put into dicts tells states apart. ``"counts"``: it
    does, in nodes, messages and storage. ``"ignored"``: it does not, and decides nothing, says who
    sets it. ``None``: it does not, and it is an error if it is seen to decide anything."""

    may_change: tuple[str, ...] = ()
    """What nodes may change though it is kept outside of them, since it decides nothing (caches):
    names as ``module.NAME``, ``module.Class.attribute`` and ``adapter.attribute``."""

    fingerprint: Callable[[Any], Any] | None = None
    """``fingerprint(instance)``, if given: what decides how the node goes on, instead of all of
    it. Nodes of the same fingerprint must behave alike, and ``dict_order`` is about the dicts in
    what is returned."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """With a host, whether or not ``__init__`` is that of this class."""
        self = super().__new__(cls)
        self._host = Host(self)
        return self

    _host: Host
    _own: frozenset[str] = frozenset({"_host"})
    """Attributes of the adapter that are ours, and that no node keeps anything in."""

    def build(self, outbox: Outbox, node: NodeId, nodes: tuple[NodeId, ...], storage: Any) -> Any:
        """The node as it starts, first or after a crash; ``storage`` is what it last persisted."""
        raise _missing(self, "build(outbox, node, nodes, storage)")

    def receive(self, instance: Any, source: NodeId, message: Any) -> Iterable[Effect] | None:
        """A message arrives."""
        raise _missing(self, "receive(instance, source, message)")

    def timeout(self, instance: Any, timer: Any) -> Iterable[Effect] | None:
        """A timer fires."""
        raise _missing(self, "timeout(instance, timer)")

    def submit(self, instance: Any, command: Any) -> Iterable[Effect] | None:
        """A client hands a command to the node."""
        raise _missing(self, "submit(instance, command)")

    def clock(self, instance: Any) -> float:
        """What ``time.monotonic()`` is while the node runs, in seconds; it stands still at 0."""
        return 0.0

    # --- the contract --------------------------------------------------------------------------

    def start(
        self, node: NodeId, nodes: tuple[NodeId, ...], storage: Storage | None
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Build the node. Raises ``ImplementationError`` if there is none."""
        return self._host.start(Started(node, nodes, storage))

    def handle(
        self, node: NodeId, state: Snapshot, event: InputEvent
    ) -> tuple[Snapshot, tuple[Effect, ...]]:
        """Pass the event to a node that is in that state."""
        return self._host.handle(node, state, event)

    def concluding(self) -> tuple[str, ...]:
        """What a verdict should say besides. Raises ``ImplementationError`` for leaks."""
        return self._host.concluding()

    @property
    def snapshots_in_use(self) -> Literal["copy", "replay"]:
        """How the states met so far are got back to."""
        return self._host.in_use

    # --- what the host asks --------------------------------------------------------------------

    def _built(self, outbox: Outbox, started: Started) -> Any:
        instance = self.build(outbox, started.node, started.nodes, thawed(started.storage))
        if instance is None:
            raise ImplementationError(
                f"{type(self).__name__}.build returned None",
                cause="a node is whatever build returns",
                remedy="return the object that the other methods are given",
            )
        return instance

    def _passed(self, instance: Any, event: InputEvent) -> Iterable[Effect] | None:
        match event:
            case Receive(source, message):
                return self.receive(instance, source, thawed(message))
            case Timeout(timer):
                return self.timeout(instance, thawed(timer))
            case Submit(command):
                return self.submit(instance, thawed(command))


def _missing(adapter: ObjectAdapter, method: str) -> ImplementationError:
    return ImplementationError(
        f"{type(adapter).__name__} has no {method}",
        cause="the adapter is asked to pass something on, and does not say how",
        remedy="define it, if only to do nothing",
    )
