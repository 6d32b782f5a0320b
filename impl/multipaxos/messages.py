"""Messages: every word the nodes say to one another, and nothing of what they do about it.

All of them may be lost, delayed, reordered and delivered twice; each carries enough to be
understood alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from indelible.impl.multipaxos.ballot import Ballot
from indelible.impl.multipaxos.log import Decisions
from indelible.model.effects import Slot, Value, Vote
from indelible.model.events import NodeId

__all__ = [
    "Accept",
    "Accepted",
    "CatchUp",
    "Decided",
    "Heartbeat",
    "Message",
    "NotLeader",
    "Prepare",
    "Promised",
    "Refused",
]


@dataclass(frozen=True, slots=True)
class Prepare:
    """Phase 1a, for all slots at once: will you vote in no ballot below this one?"""

    ballot: Ballot


@dataclass(frozen=True, slots=True)
class Promised:
    """Phase 1b: I will not, and this is what I know.

    ``decided`` holds the entries the sender knows to be chosen, ``votes`` its latest vote in every
    other slot in which it has voted.
    """

    ballot: Ballot
    votes: tuple[Vote, ...]
    decided: Decisions


@dataclass(frozen=True, slots=True)
class Accept:
    """Phase 2a: please vote for ``value`` in ``slot``."""

    ballot: Ballot
    slot: Slot
    value: Value


@dataclass(frozen=True, slots=True)
class Accepted:
    """Phase 2b: I have voted for what the leader of ``ballot`` proposes in ``slot``."""

    ballot: Ballot
    slot: Slot


@dataclass(frozen=True, slots=True)
class Refused:
    """Your ``ballot`` is out of date: I have promised a higher one."""

    ballot: Ballot
    promised: Ballot


@dataclass(frozen=True, slots=True)
class Decided:
    """``value`` is chosen in ``slot``."""

    slot: Slot
    value: Value


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The leader of ``ballot`` is alive, and knows the first ``decided_count`` entries."""

    ballot: Ballot
    decided_count: int


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Tell me what is decided from ``slot`` on."""

    slot: Slot


Message: TypeAlias = (
    Prepare | Promised | Accept | Accepted | Refused | Decided | Heartbeat | CatchUp
)


@dataclass(frozen=True, slots=True)
class NotLeader:
    """The answer to a client that asked the wrong node; ``leader`` is whom to ask, if known."""

    leader: NodeId | None
