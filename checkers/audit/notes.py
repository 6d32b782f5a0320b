"""Notes: what the rules say of the entry that is judged. They know no rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Finding", "Notes"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A property that is violated for the first time by the entry of this number (from 1).

    ``about`` is what it is violated for: the slot, index, ballot or nodes, by name.
    """

    property: str
    number: int
    about: Mapping[str, Any]


class Notes:
    """What the rules say of the entry that is judged, and of all before it."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self.number = 0
        self.suspects: dict[str, Finding] = {}
        self.unknown: dict[str, tuple[int, str]] = {}

    def violated(self, name: str, **about: Any) -> None:
        """The entry violates a property; the first time counts."""
        if name in self._names and name not in self.suspects:
            self.suspects[name] = Finding(name, self.number, about)

    def cannot_know(self, name: str, why: str) -> None:
        """Whether the entry violates a property depends on what the log does not say."""
        if name in self._names and name not in self.unknown:
            self.unknown[name] = (self.number, why)
