"""Trace: what happened, as (node, event) pairs, and what it violates.

A plain value: replaying it on ``Cluster`` gives every state and effect again.
"""

from __future__ import annotations

from dataclasses import dataclass

from indelible.model.events import Action
from indelible.model.scope import Scope

__all__ = ["Trace", "Violation"]


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a property is false: in words, and by the slot, nodes and values that made it so.

    Properties yield it without ``property``; the checker that judges them fills in the name.
    """

    explanation: str
    slot: int | None = None
    nodes: tuple[object, ...] = ()
    values: tuple[object, ...] = ()
    property: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A run of ``implementation`` inside ``scope`` from the initial state, and how it ends."""

    implementation: str
    scope: Scope
    actions: tuple[Action, ...]
    violation: Violation

    def __len__(self) -> int:
        return len(self.actions)
