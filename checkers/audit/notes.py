"""Notes: what the rules say of the entry that is judged. They know no rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

__all__ = ["NODES_UNKNOWN", "SAID_AGAIN", "Finding", "Notes", "Place"]


NODES_UNKNOWN: Final = "no record says who the nodes are"
NOT_MET: Final = "a node may have acted before its log begins, or has none"
SAID_AGAIN: Final = (
    "the line is the same as the one before it: it happened twice, or was written twice"
)

Place: TypeAlias = tuple[int, int]
"""Where a line is: the number of its file (from 0), and its own (from 1)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A property that is violated for the first time by the entry of this number (from 1).

    ``about`` is what it is violated for: the slot, index, ballot or nodes, by name.
    """

    property: str
    number: int
    place: Place
    about: Mapping[str, Any]


@dataclass(slots=True)
class _Open:
    """A violation by what is not there, while records may turn out to be missing that had it.

    - ``awaited``: nodes, as bits, whose next record tells by its number; ``lost``: those of which
      records are missing.
    - ``is_filled``: whether it may be no violation, if records of these nodes are missing.
    """

    finding: Finding
    awaited: int
    is_filled: Callable[[int], bool]
    lost: int = 0


class Notes:
    """What the rules say of the entry that is judged, and of all before it.

    - ``suspects``: the first violation of each property, be it observable or not.
    - ``conditional``: others, that are violations if the nodes of these bits (a mask for each
      property) begin with their very first start, when they are met at last.
    - ``unknown``: where it could first not be known whether a property is violated, and why.
    - ``is_merged``: whether entries are of several files, and could have come in another order.
    - ``problems``: what is wrong with the entry itself, until somebody takes note of it.
    - ``acting``: the node of the entry, and ``numbered``: those that number their records, as bits.
    - ``open``: violations that records which turn out to be missing may undo.
    """

    def __init__(self, names: Collection[str], *, is_merged: bool = False) -> None:
        self._names = frozenset(names)
        self.is_merged = is_merged
        self.number = 0
        self.place: Place = (0, 0)
        self.suspects: dict[str, Finding] = {}
        self.conditional: dict[tuple[str, int], Finding] = {}
        self.unknown: dict[str, tuple[Place, str]] = {}
        self.problems: list[str] = []
        self.acting = 0
        self.numbered = 0
        self.open: list[_Open] = []

    def wants(self, name: str) -> bool:
        """Whether a property is judged, and was not violated so far."""
        return name in self._names and name not in self.suspects

    def violated(self, name: str, **about: Any) -> None:
        """The entry violates a property; the first time counts."""
        if self.wants(name):
            self.suspects[name] = self.finding(name, about)

    def lacking(
        self, name: str, is_filled: Callable[[int], bool], if_new: int = 0, **about: Any
    ) -> None:
        """The same by what is not there, if the nodes ``if_new`` have done nothing so far;
        ``is_filled``: whether it may be there, if records of the nodes of these bits are missing.
        """
        if not self.wants(name) or (name, if_new) in self.conditional:
            return
        finding = self.finding(name, about)
        if if_new:
            self.conditional[name, if_new] = finding
        else:
            self.suspects[name] = finding
        awaited = self.numbered & ~self.acting
        if is_filled(awaited):
            self.open.append(_Open(finding, awaited, is_filled))

    def is_open(self, finding: Finding) -> bool:
        """Whether what it lacks may turn out to be in records that are missing."""
        return any(known.finding is finding for known in self.open)

    def next_came(self, bit: int, missing: str) -> None:
        """The next record of a node has come; ``missing`` says what is between its last and this,
        if anything is."""
        for known in list(self.open):
            if known.awaited & bit:
                known.awaited &= ~bit
                known.lost |= bit if missing else 0
                if known.is_filled(known.lost):
                    self._withdraw(known.finding, f"what is lacking may be in what is: {missing}")
                elif not known.is_filled(known.lost | known.awaited):
                    self.open.remove(known)

    def finding(self, name: str, about: Mapping[str, Any]) -> Finding:
        """A violation by the entry that is judged."""
        return Finding(name, self.number, self.place, about)

    def cannot_know(self, name: str, why: str) -> None:
        """Whether the entry violates a property depends on what the log does not say."""
        if self.wants(name) and name not in self.unknown:
            self.unknown[name] = (self.place, why)

    def give_up(self, names: Collection[str], why: str) -> None:
        """From now on nobody can know whether these properties are violated."""
        for name in names:
            self.cannot_know(name, why)
        self._names = self._names.difference(names)

    def excuse(self, names: Collection[str], why: str) -> None:
        """What seemed to violate these properties need not."""
        for finding in (*self.suspects.values(), *self.conditional.values()):
            if finding.property in names:
                self._withdraw(finding, why)

    def _withdraw(self, finding: Finding, why: str) -> None:
        """It need not be a violation."""
        self.open = [known for known in self.open if known.finding is not finding]
        keys = [key for key, known in self.conditional.items() if known is finding]
        for key in keys:
            del self.conditional[key]
        is_suspect = self.suspects.get(finding.property) is finding
        if is_suspect:
            del self.suspects[finding.property]
        if is_suspect or keys:
            self.doubt(finding, why)

    def met(self, bit: int, *, is_new: bool) -> None:
        """A node is met for the first time, and has done nothing before; or nobody knows."""
        for (name, if_new), finding in list(self.conditional.items()):
            if not if_new & bit:
                continue
            del self.conditional[name, if_new]
            rest = if_new & ~bit
            if not is_new:
                self.doubt(finding, NOT_MET)
            elif rest:
                known = self.conditional.setdefault((name, rest), finding)
                if finding.number < known.number:
                    self.conditional[name, rest] = finding
            elif name not in self.suspects or finding.number < self.suspects[name].number:
                self.suspects[name] = finding

    def end(self) -> None:
        """Whoever was not met by now never is."""
        for finding in self.conditional.values():
            self.doubt(finding, NOT_MET)

    def doubt(self, finding: Finding, why: str) -> None:
        """Nobody can know whether it is one."""
        known = self.unknown.get(finding.property)
        if known is None or finding.place < known[0]:
            self.unknown[finding.property] = (finding.place, why)
