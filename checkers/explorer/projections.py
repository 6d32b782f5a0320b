"""Projections: what properties read of local states, numbered, and the combinations of them.

A property that reads little sees the same in many states; here each such view has one number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.explorer.automata import LocalAutomata
from indelible.checkers.explorer.packed import PackedSet
from indelible.checkers.explorer.parts import Interner
from indelible.checkers.property import Property, View
from indelible.model.record import Record

__all__ = ["Combinations", "Projections"]


class Projections:
    """The ids (from 1) of what properties with the same ``fields`` read, per local state."""

    def __init__(self, fields: tuple[str, ...], automata: LocalAutomata) -> None:
        self.fields = fields
        self._reads_sent = "sent" in fields
        self._values_of = _reader(fields)
        self._automata = automata
        nodes = len(automata.automata)
        self.ids: list[Interner[tuple[Any, ...]]] = [Interner(first=1) for _ in range(nodes)]
        self.of_local: list[list[int]] = [[0] for _ in range(nodes)]
        self._by_parts: list[dict[Any, int]] = [{} for _ in range(nodes)]
        self._array: NDArray[np.int32] = np.zeros((nodes, 16), np.int32)
        self._copied = [1] * nodes

    def follow(self, index: int) -> range:
        """Number the local states of a node met since the last time; says which they are."""
        automaton = self._automata.automata[index]
        column, known = self.of_local[index], self._by_parts[index]
        first = len(column)
        last: Record | None = None
        for parts in automaton.locals.values[first - 1 :]:
            key = parts if self._reads_sent else parts.behaviour
            projection = known.get(key)
            if projection is None:
                record = automaton.behaviours[parts.behaviour].rest
                if self._reads_sent:
                    record = record._replace(sent=automaton.envelopes(parts.sent))
                if record is not last:
                    last, number = record, self.ids[index](self._values_of(record))
                projection = known[key] = number
            column.append(projection)
        return range(first, len(column))

    def view(self, index: int, projection: int) -> View:
        """What a property sees of one projection."""
        values = self.ids[index][projection]
        node = self._automata.scope.nodes[index]
        return View(node, dict(zip(self.fields, values, strict=True)))

    def array(self) -> NDArray[np.int32]:
        """``[node, local] -> projection``, for the kernel."""
        longest = max(len(column) for column in self.of_local)
        if longest > self._array.shape[1]:
            larger = np.zeros((len(self.of_local), 2 * longest), np.int32)
            larger[:, : self._array.shape[1]] = self._array
            self._array = larger
        for index, column in enumerate(self.of_local):
            start = self._copied[index]
            self._array[index, start : len(column)] = column[start:]
            self._copied[index] = len(column)
        return self._array


def _reader(fields: tuple[str, ...]) -> Callable[[Record], tuple[Any, ...]]:
    """What gets these fields of a record, together."""
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda record: tuple([getattr(record, name) for name in fields])


@dataclass(slots=True)
class Combinations:
    """The distinct tuples of projections among the global states, and which are wrong."""

    projections: Projections
    properties: list[Property]
    tuples: PackedSet
    judged: int = 0
    bad: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    pairs: dict[tuple[str, int, int, int, int], bool] = field(default_factory=dict)
