"""Logs: tuples of things that have a slot, sorted by it, one thing per slot.

Votes, decided entries and proposals are all kept in this form: an immutable value, equal to every
other that says the same, and with no order but that of the slots. Nothing here knows of ballots.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import reduce
from operator import attrgetter
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from indelible.model.effects import Slot, Value

__all__ = [
    "Decisions",
    "Entry",
    "Slotted",
    "at",
    "decided_count",
    "decided_prefix",
    "next_slot",
    "placed",
]


class Slotted(Protocol):
    """Anything that belongs to one slot of the log."""

    @property
    def slot(self) -> Slot: ...


class Entry(NamedTuple):
    """A value and its place in the log."""

    slot: Slot
    value: Value


Decisions: TypeAlias = tuple[Entry, ...]
"""The entries that a node knows to be chosen, sorted by slot; there may be gaps."""

S = TypeVar("S", bound=Slotted)

_slot = attrgetter("slot")


def at(log: tuple[S, ...], slot: Slot) -> S | None:
    """What stands in ``slot``, if anything does."""
    index = bisect_left(log, slot, key=_slot)
    return log[index] if index < len(log) and log[index].slot == slot else None


def placed(log: tuple[S, ...], items: Iterable[S]) -> tuple[S, ...]:
    """The log with each item in its slot, in place of what stood there."""
    return reduce(_placed_one, items, log)


def _placed_one(log: tuple[S, ...], item: S) -> tuple[S, ...]:
    start = bisect_left(log, item.slot, key=_slot)
    replaces = start < len(log) and log[start].slot == item.slot
    return (*log[:start], item, *log[start + replaces :])


def next_slot(*logs: tuple[Slotted, ...]) -> Slot:
    """The first slot after everything in ``logs``."""
    return max((log[-1].slot + 1 for log in logs if log), default=0)


def decided_count(decided: Decisions) -> int:
    """How many entries are decided from slot 0 on without a gap."""
    # Slots are distinct and sorted, so that ``decided[index].slot >= index``, and from the first
    # gap on it is greater: the end of the prefix can be found by bisection.
    return bisect_left(range(len(decided)), True, key=lambda index: decided[index].slot > index)


def decided_prefix(decided: Decisions) -> Decisions:
    """The entries before the first gap."""
    return decided[: decided_count(decided)]
