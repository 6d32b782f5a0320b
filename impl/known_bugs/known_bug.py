"""KnownBug: a broken variant, and where to find that it is broken. A plain value."""

from __future__ import annotations

import builtins
import inspect
from dataclasses import dataclass

from indelible.impl.multipaxos import MultiPaxos
from indelible.model.scope import Scope

__all__ = ["KnownBug"]


@dataclass(frozen=True, slots=True)
class KnownBug:
    """An implementation that violates ``property`` in ``scope``.

    ``source`` says where such a bug was seen; ``row`` is its number in the project's catalogue of
    known bugs, or ``None`` for one of our own.
    """

    implementation: MultiPaxos
    property: str
    scope: Scope
    source: str
    row: int | None = None

    @builtins.property
    def name(self) -> str:
        """What reports and the registry call it."""
        return self.implementation.name

    @builtins.property
    def mechanism(self) -> str:
        """What it does wrong, in a sentence."""
        return (inspect.getdoc(type(self.implementation)) or "").split("\n", 1)[0]
