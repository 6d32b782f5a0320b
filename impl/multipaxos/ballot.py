"""Ballots: the numbers of leaderships. Only their order and their uniqueness live here.

A ballot knows nothing of who has seen it; that a node never uses one twice is the business of its
durable promise (``acceptor.py``), from which it computes its next one (``proposer.py``).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from indelible.model.events import NodeId

__all__ = ["NO_BALLOT", "Ballot"]


class Ballot(NamedTuple):
    """One node's bid for leadership, ordered by round and then by node.

    No two nodes share a ballot, because each signs its own; and whatever a node has seen, a higher
    ballot of its own exists, because rounds have no end. The nodes of one cluster are all numbered
    or all named, so that any two compare.
    """

    round: int
    node: NodeId

    def __str__(self) -> str:
        """The second round of node 1 reads ``2.1``."""
        if self == NO_BALLOT:
            return "none"
        return f"{self.round}.{self.node}"


NO_BALLOT: Final = Ballot(0, "")
"""What a node has promised that has promised nothing: below every ballot, and nobody's."""
