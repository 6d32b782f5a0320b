"""Parts: the values that local automata are made of, as numbers and as what the numbers stand for.

Immutable all, but for the ``Interner``, which gives out the numbers.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from indelible.model.errors import ImplementationRaised
from indelible.model.events import Event
from indelible.model.record import Record

__all__ = [
    "Behaviour",
    "Branching",
    "Interner",
    "LocalParts",
    "Move",
    "Occurrence",
    "Reaction",
    "Sent",
]

T = TypeVar("T", bound=Hashable)


class Interner(Generic[T]):
    """Distinct values numbered from ``first`` in the order in which they were met."""

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self.values: list[T] = []
        self.ids: dict[T, int] = {}

    def __call__(self, value: T) -> int:
        new = len(self.values) + self._first
        known = self.ids.setdefault(value, new)
        if known == new:
            self.values.append(value)
        return known

    def __getitem__(self, number: int) -> T:
        return self.values[number - self._first]

    def __len__(self) -> int:
        return len(self.values)


class Behaviour(NamedTuple):
    """What decides the next steps of a node: its state, and its record but for what it sent."""

    state: int
    rest: Record


class LocalParts(NamedTuple):
    """A local state as two numbers of its node: a behaviour, and what it has sent."""

    behaviour: int
    sent: int


class Occurrence(NamedTuple):
    """An event as the kernels know it: with the number of the envelope, where links need one."""

    event: Event
    number: int


class Move(NamedTuple):
    """The next behaviour of a reaction, and the number of the effects that took place."""

    behaviour: int
    effects: int


class Reaction(NamedTuple):
    """What one occurrence does to one behaviour, if it is possible: ``whole``, and when ``torn``
    by a crash after so many effects; ``raised`` as in ``Branching``."""

    whole: Move | None = None
    torn: tuple[tuple[int, Move], ...] = ()
    raised: tuple[tuple[int | None, ImplementationRaised], ...] = ()


@dataclass(frozen=True, slots=True)
class Branching:
    """A local step that a crash may cut, or in which the implementation raised.

    ``whole`` is the next local id, or 0 where nothing changes; ``torn`` are the (effects kept,
    next local id or 0) of crashes inside the step; ``raised`` holds exceptions, by effects kept
    (``None``: the whole step).
    """

    whole: int
    torn: tuple[tuple[int, int], ...]
    raised: tuple[tuple[int | None, ImplementationRaised], ...]


Sent: TypeAlias = tuple[int, ...]
"""What a node has sent, as a bit set per receiving node: the occurrences it allows there. Each
envelope is one occurrence at its receiver, so this says the same as the record's ``sent``."""
