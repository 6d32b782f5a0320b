"""Findings: what a search has found so far about each property, and what becomes the verdict.

Shared by every search, so that they agree on which violation counts: the one with the shortest
trace, then the property named first, then the state found first. A property whose testimony the
implementation has not given so far waits: its finding counts once the first such effect is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from indelible.checkers.property import Property
from indelible.model.effects import Decide, Execute
from indelible.model.verdict import PropertyResult, Result

__all__ = ["RAISES", "Finding", "Findings"]

RAISES: Final = "implementation_raises"
"""The name under which an exception inside an implementation is reported."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation of ``property`` at the end of a trace of ``depth`` events.

    ``witness`` is the search's own note of where; it decides between findings of equal depth and
    property, so it must be comparable within those.
    """

    property: str
    depth: int
    witness: Any


class Findings:
    """Violations by property, and which *sometimes* properties were reached.

    ``recent``, if it is a list, gets every one that is added: for who wants more than the first.
    """

    def __init__(self, properties: Sequence[Property]) -> None:
        self.properties = tuple(properties)
        self._rank = {RAISES: -1} | {known.name: at for at, known in enumerate(properties)}
        self._testimony = {known.name: known.testimony for known in properties}
        self._first: dict[str, Finding] = {}
        self.reached: set[str] = set()
        self.recent: list[Finding] | None = None

    def add(self, finding: Finding) -> None:
        """Keep the finding if it is the first of its property."""
        if self.recent is not None:
            self.recent.append(finding)
        known = self._first.get(finding.property)
        if known is None or (finding.depth, finding.witness) < (known.depth, known.witness):
            self._first[finding.property] = finding

    def violation(
        self, effect_types: AbstractSet[type], *, but: AbstractSet[str] = frozenset()
    ) -> Finding | None:
        """The finding that decides the verdict, given which effects were seen so far.

        Those of the properties ``but`` do not count.
        """
        ready = [
            finding
            for name, finding in self._first.items()
            if name not in but and self.is_observable(name, effect_types)
        ]
        return min(ready, key=lambda found: (found.depth, self._rank[found.property]), default=None)

    def has(self, name: str) -> bool:
        """Whether the property was found violated, be it observable so far or not."""
        return name in self._first

    def is_observable(self, name: str, effect_types: AbstractSet[type]) -> bool:
        """Whether the property reads no testimony that was not given so far."""
        return self._testimony.get(name, frozenset()) <= effect_types

    def results(
        self, effect_types: AbstractSet[type], violated: str | None, *, exhausted: bool
    ) -> tuple[PropertyResult, ...]:
        """What is known of each property at the end."""
        return tuple(
            self._result(known, effect_types, violated, exhausted=exhausted)
            for known in self.properties
        )

    def _result(
        self,
        known: Property,
        effect_types: AbstractSet[type],
        violated: str | None,
        *,
        exhausted: bool,
    ) -> PropertyResult:
        missing = sorted(kind.__name__ for kind in known.testimony - effect_types)
        never = f"the implementation never gave {' or '.join(missing)}"
        never += "" if exhausted else " so far"
        result: Result
        if known.kind == "sometimes":
            result = "unreached" if exhausted else "inconclusive"
            reason = known.says.rstrip(".") if exhausted else ""
            if known.name in self.reached:
                result, reason = "reached", ""
            elif missing and not known.testimony & {Decide, Execute}:
                result, reason = "not observable", never
        elif known.name == violated:
            result, reason = "violated", ""
        elif missing:
            result, reason = "not observable", never
        else:
            result, reason = ("holds", "") if exhausted else ("inconclusive", "")
        return PropertyResult(known.name, known.kind, result, reason)
