"""Words: how the judges name values and nodes in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from indelible.model.effects import NO_OP, Value
from indelible.model.events import NodeId, node_name

__all__ = ["listed", "said"]


def said(value: Value) -> str:
    """A value of the log."""
    return "a no-op" if value is NO_OP else repr(value)


def listed(nodes: Iterable[NodeId]) -> str:
    """Nodes as in ``n0, n1 and n2``."""
    names = [node_name(node) for node in nodes]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "nobody"
