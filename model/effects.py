"""Effects: everything a node can ask of the world, in the order in which it asks.

The order is part of the contract: a crash may keep any prefix, so a ``Persist`` that follows the
``Send`` that reveals it is a bug that can be observed. ``Promise``, ``Vote`` and ``Lead`` are
testimony: they change nothing in the world, and let stronger properties be judged.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from indelible.model.events import Command, Message, NodeId, Timer

__all__ = [
    "EFFECT_TYPES",
    "NO_OP",
    "Ballot",
    "CancelTimer",
    "Decide",
    "Effect",
    "Execute",
    "Lead",
    "Persist",
    "Promise",
    "Reply",
    "Send",
    "SetTimer",
    "Slot",
    "Storage",
    "Value",
    "Vote",
    "outlives_crash",
]

Slot: TypeAlias = int
# Ballots are opaque but must be hashable and totally ordered by ``<`` within one implementation.
Ballot: TypeAlias = Any
Value: TypeAlias = Hashable
Storage: TypeAlias = Hashable

NO_OP: Final = None
"""The value of an entry that fills a gap: decided like any other, never executed."""


@dataclass(frozen=True, slots=True)
class Send:
    """Hand ``message`` to the link towards ``to`` (a node may send to itself)."""

    to: NodeId
    message: Message


@dataclass(frozen=True, slots=True)
class Persist:
    """Replace this node's durable storage, at once and as a whole."""

    storage: Storage


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Arm ``timer``, or arm it anew.

    ``after`` is the range (least, most) of ticks, whole numbers from 0, from which the world picks
    the delay, so that a node needs no randomness of its own. Where no clock is modelled it may fire
    at any time.
    """

    timer: Timer
    after: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Disarm ``timer``; nothing happens if it is not armed."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Decide:
    """This node knows that ``value`` is chosen in ``slot`` (counted from 0)."""

    slot: Slot
    value: Value


@dataclass(frozen=True, slots=True)
class Execute:
    """This node's state machine applies ``command`` as its ``index``-th one, counted from 0.

    No-ops and repeated commands are not executed, so the index may be smaller than the slot. A
    restarted node may execute its log again from index 0.
    """

    index: int
    command: Command


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the client that submitted ``command``."""

    command: Command
    result: Hashable


@dataclass(frozen=True, slots=True)
class Promise:
    """Testimony: this node will never again vote below ``ballot``."""

    ballot: Ballot


@dataclass(frozen=True, slots=True)
class Vote:
    """Testimony: this node votes for ``value`` in ``slot`` at ``ballot``."""

    slot: Slot
    ballot: Ballot
    value: Value


@dataclass(frozen=True, slots=True)
class Lead:
    """Testimony: this node has won ``ballot`` and may propose in it."""

    ballot: Ballot


Effect: TypeAlias = (
    Send | Persist | SetTimer | CancelTimer | Decide | Execute | Reply | Promise | Vote | Lead
)

EFFECT_TYPES: Final = (
    Send,
    Persist,
    SetTimer,
    CancelTimer,
    Decide,
    Execute,
    Reply,
    Promise,
    Vote,
    Lead,
)


def outlives_crash(effect: Effect) -> bool:
    """Whether anything of the effect is left once its node has crashed and restarted."""
    return not isinstance(effect, SetTimer | CancelTimer | Reply)
