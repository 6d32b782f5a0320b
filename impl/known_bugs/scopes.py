"""Scopes: where the known bugs show, each as small as its bugs allow. Values only.

A scope is also explored with the clean implementation, to the end. So it has no more nodes,
candidates, commands and restarts than its bugs take, links that keep the order where no message
need be overtaken, and quorums other than majorities where that saves a node or an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from indelible.model.quorums import ExplicitQuorums, FlexibleQuorums
from indelible.model.scope import Links, Scope

__all__ = [
    "ALL_OF_THREE_ELECT",
    "ALL_OF_TWO_CHOOSE",
    "ALL_OF_TWO_ELECT",
    "FOUR_NODES",
    "FOUR_NODES_AGAIN",
    "LEADER_RESTARTS",
    "LOG_RESTARTS",
    "ONE_COMMAND",
    "ONE_LEADER",
    "RESTART",
    "SAME_COMMAND_TWICE",
    "THREE_CANDIDATES",
    "THREE_COMMANDS",
    "TORN_PAIR",
    "TWO_BIDS_EACH",
    "TWO_BIDS_FOR_TWO_VOTERS",
    "TWO_LEADERS",
    "TWO_LEADERS_ANY_ORDER",
    "TWO_VOTERS_OF_THREE",
]

ALL_OF_TWO_ELECT: Final = FlexibleQuorums(phase1_size=2, phase2_size=1)
ALL_OF_TWO_CHOOSE: Final = FlexibleQuorums(phase1_size=1, phase2_size=2)
ALL_OF_THREE_ELECT: Final = FlexibleQuorums(phase1_size=3, phase2_size=1)
TWO_VOTERS_OF_THREE: Final = ExplicitQuorums(phase1=((0, 1),), phase2=((0,), (1,)))
"""Node 2 only proposes: it takes both of the others to elect, and either of them to choose."""


APART: Final = {"a": (0,), "b": (1,)}
"""Who is given which command: where two leaders disagree it does not matter who has which. Where
three bid it may: a trace may be an event shorter with other nodes."""


def _scope(
    *,
    nodes: int = 3,
    commands: tuple[str, ...] = ("a", "b"),
    submissions_max: int = 1,
    may_submit: tuple[int, ...] | Mapping[str, tuple[int, ...]] = APART,
    candidates: tuple[int, ...] = (0, 1),
    elections: int = 1,
    restarts: int = 0,
    torn: bool = False,
    links: Links = "ordered",
) -> Scope:
    """Two nodes that may each bid once and are given a command, and whatever else a bug needs."""
    return Scope(
        nodes=nodes,
        commands=commands,
        submissions_max=submissions_max,
        may_submit=may_submit,
        timeouts_max={"election": elections, "heartbeat": 0, "retransmit": 0},
        may_time_out=candidates,
        restarts_max=restarts,
        torn=torn,
        links=links,
    )


# One leader.

ONE_LEADER: Final = _scope(may_submit=(0,), candidates=(0,), links="unordered_duplicating")
SAME_COMMAND_TWICE: Final = _scope(
    commands=("a",), submissions_max=2, may_submit=(0,), candidates=(0,)
)
FOUR_NODES: Final = _scope(
    nodes=4, commands=("a",), may_submit=(0,), candidates=(0,), links="unordered_duplicating"
)

# One leader, elected again after a restart.

LEADER_RESTARTS: Final = _scope(may_submit=(0,), candidates=(0,), elections=2, restarts=1)
FOUR_NODES_AGAIN: Final = _scope(
    nodes=4,
    commands=("a",),
    may_submit=(0,),
    candidates=(0,),
    elections=2,
    restarts=1,
    links="unordered_duplicating",
)
LOG_RESTARTS: Final = _scope(
    may_submit=(0,), candidates=(0,), restarts=1, links="unordered_duplicating"
)

# Two leaders.

ONE_COMMAND: Final = _scope(commands=("a",), may_submit=(0, 1))
TWO_LEADERS: Final = _scope()
TWO_LEADERS_ANY_ORDER: Final = _scope(links="unordered_duplicating")
THREE_COMMANDS: Final = _scope(
    nodes=2, commands=("a", "b", "c"), may_submit=(0, 1), links="unordered_duplicating"
)
RESTART: Final = _scope(restarts=1)
TORN_PAIR: Final = _scope(nodes=2, restarts=1, torn=True, links="unordered_duplicating")

# Three bids.

TWO_BIDS_EACH: Final = _scope(nodes=2, elections=2, links="unordered_duplicating")
TWO_BIDS_FOR_TWO_VOTERS: Final = _scope(
    may_submit={"a": (2,), "b": (0,)}, candidates=(0, 2), elections=2
)
THREE_CANDIDATES: Final = _scope(candidates=(0, 1, 2))
