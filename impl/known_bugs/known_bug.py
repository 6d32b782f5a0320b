"""KnownBug: a broken variant, and where to find that it is broken. Plain values."""

from __future__ import annotations

import builtins
import inspect
from dataclasses import dataclass
from typing import Final

from indelible.impl.multipaxos import MultiPaxos
from indelible.model.scope import Scope

__all__ = ["KnownBug", "PendingBug"]

CLEAN: Final = MultiPaxos()


@dataclass(frozen=True, slots=True)
class KnownBug:
    """An implementation that violates ``property`` in ``scope``.

    ``source`` says where such a bug was seen; ``row`` is its number in the project's catalogue of
    known bugs, or ``None`` for one of our own. ``clean`` is the same without the bug: the reference
    implementation, with the quorums with which the bug shows soonest.
    """

    implementation: MultiPaxos
    property: str
    scope: Scope
    source: str
    row: int | None = None
    clean: MultiPaxos = CLEAN

    @builtins.property
    def name(self) -> str:
        """What reports and the registry call it."""
        return self.implementation.name

    @builtins.property
    def mechanism(self) -> str:
        """What it does wrong, in a sentence."""
        return (inspect.getdoc(type(self.implementation)) or "").split("\n", 1)[0]


@dataclass(frozen=True, slots=True)
class PendingBug:
    """A row of the catalogue that is no known bug yet, and ``reason``: what it waits for."""

    row: int
    name: str
    reason: str
