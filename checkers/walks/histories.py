"""Histories: what nodes have testified, and what was done to them that changes seldom, as numbers.

A history is a record of which only the fields in ``HISTORY`` are filled in. It is told from others
by the numbers of its fields, so that a long field that a step leaves alone is not hashed again.
"""

from __future__ import annotations

from typing import Any, Final

from indelible.checkers.explorer.parts import Interner
from indelible.model.record import Record

__all__ = ["HISTORY", "Histories"]

HISTORY: Final = (
    *("decided", "executed", "votes", "promised", "leaderships"),
    *("submissions", "restarts"),
)
"""The fields of a record that are kept together as the history of a node. It is all that most
properties read."""

PLACES: Final = tuple(Record._fields.index(name) for name in HISTORY)


class Histories:
    """Distinct histories, numbered as they are met.

    ``fields`` has, by history, the numbers of what stands in each field; ``empty`` is the history
    of a node to which nothing has happened.
    """

    def __init__(self) -> None:
        self.fields: list[tuple[int, ...]] = []
        self._records: list[Record] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._values: tuple[Interner[Any], ...] = tuple(Interner() for _ in HISTORY)
        nothing = Record()
        fields = [values(nothing[at]) for values, at in zip(self._values, PLACES, strict=True)]
        self.empty = self._number(nothing, tuple(fields))

    def after(self, history: int, record: Record) -> int:
        """The number of ``record``, which a step made of ``history``."""
        before = self._records[history]
        fields = tuple(
            [
                known if record[at] is before[at] else values(record[at])
                for known, values, at in zip(
                    self.fields[history], self._values, PLACES, strict=True
                )
            ]
        )
        return self._number(record, fields)

    def __getitem__(self, history: int) -> Record:
        return self._records[history]

    def _number(self, record: Record, fields: tuple[int, ...]) -> int:
        new = len(self._records)
        known = self._numbers.setdefault(fields, new)
        if known == new:
            self._records.append(record)
            self.fields.append(fields)
        return known
