"""Words: how the judges name values, ballots and nodes in a sentence.

No address, no order of a set and no hash seed ever shows.
"""

from __future__ import annotations

from collections.abc import Iterable

from indelible.model.classes import plain_text
from indelible.model.effects import NO_OP, Ballot, Value
from indelible.model.events import NodeId, node_name

__all__ = ["ballot_said", "listed", "said"]


def said(value: Value) -> str:
    """A value of the log."""
    return "a no-op" if value is NO_OP else plain_text(value)


def ballot_said(ballot: Ballot) -> str:
    """A ballot: by its own ``__str__`` if it has one."""
    return ballot if isinstance(ballot, str) else plain_text(ballot)


def listed(nodes: Iterable[NodeId]) -> str:
    """Nodes as in ``n0, n1 and n2``."""
    names = [node_name(node) for node in nodes]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "nobody"
