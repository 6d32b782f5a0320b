"""Ballots of a log: whether any two of them can be compared, be they compared or not.

A shape is a number, a string, or an array whose parts have shapes. Two ballots can be compared if
at each position that both have the shapes are the same; or else if one is below the other by what
comes before, as ``[0, ""]`` is below ``[1, 2]``. Of each shape only the lowest and the highest are
kept: those of shapes that differ must not lie among each other.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from indelible.model.effects import Ballot

__all__ = ["Ballots"]

MET_MAX: Final = 4096
"""So many ballots are remembered that were met lately."""

Shape: TypeAlias = type | tuple[Any, ...]


class Ballots:
    """Those that were ``met``, and how far those of each shape reach."""

    def __init__(self) -> None:
        self.met: set[Ballot] = set()
        self._ranges: dict[Shape, tuple[Ballot, Ballot]] = {}

    def meet(self, ballot: Ballot) -> None:
        """Note a ballot that is not among ``met``. Raises ``TypeError`` where it may not compare
        with one before."""
        shape = _shape(ballot)
        low, high = self._ranges.get(shape, (ballot, ballot))
        low, high = min(low, ballot), max(high, ballot)
        for other, (lowest, highest) in self._ranges.items():
            if not _are_alike(shape, other) and not (high < lowest or highest < low):
                raise TypeError(f"{ballot!r} is among ballots of another shape")
        self._ranges[shape] = (low, high)
        if len(self.met) >= MET_MAX:
            self.met.clear()
        self.met.add(ballot)


def _shape(ballot: Ballot) -> Shape:
    if isinstance(ballot, tuple):
        return tuple([_shape(part) for part in ballot])
    return str if isinstance(ballot, str) else float


def _are_alike(one: Shape, other: Shape) -> bool:
    """Whether the shapes are the same wherever both have one."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return all(map(_are_alike, one, other))
    return one == other
