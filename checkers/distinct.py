"""Distinct: which counterexamples differ in more than the order of their events, and in what.

Two differ if they violate different properties, if what the violation depends on is made of
different kinds of events, or of other chains of messages. Nodes that swap their parts, other
contents of the same messages, and events beside the point make no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from indelible.checkers.explain import story_of
from indelible.checkers.findings import RAISES
from indelible.checkers.property import Property
from indelible.checkers.watch import Watch, replay
from indelible.model.causality import event_kind, shape
from indelible.model.events import Action
from indelible.model.implementation import Implementation, implementation_name
from indelible.model.run import replayed
from indelible.model.scope import Scope
from indelible.model.trace import Trace

__all__ = ["Counterexamples", "Difference"]

Difference: TypeAlias = Literal["", "property", "kinds of events", "chains of messages"]
"""In what a counterexample differs from all before it, the plainest of these; the first in none."""

RANKS: Final[tuple[Difference, ...]] = ("", "property", "kinds of events", "chains of messages")


class Signature(NamedTuple):
    """What makes two counterexamples the same."""

    property: str
    kinds: frozenset[str]
    shape: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A counterexample that may be kept, and what it is made of."""

    trace: Trace
    signature: Signature


class Counterexamples:
    """Up to ``most`` counterexamples that differ, in the order in which they were found."""

    def __init__(
        self,
        implementation: Implementation,
        scope: Scope,
        properties: Sequence[Property],
        most: int,
    ) -> None:
        self._implementation, self._scope, self.most = implementation, scope, most
        self._properties: dict[str, Property | None] = {known.name: known for known in properties}
        self._properties[RAISES] = None
        self._kept: list[Candidate] = []
        self.differences: list[Difference] = []

    @property
    def traces(self) -> tuple[Trace, ...]:
        return tuple(candidate.trace for candidate in self._kept)

    @property
    def is_full(self) -> bool:
        return len(self._kept) >= self.most

    def offer(self, found: Iterable[tuple[str, tuple[Action, ...]]]) -> None:
        """Keep those of these (property, actions) that differ, the plainest differences first."""
        self._offer([self._candidate(self._scope, name, actions) for name, actions in found])

    def offer_trace(self, trace: Trace) -> None:
        """Keep the trace, which may be one in another scope, if it differs."""
        self._offer([self._candidate(trace.scope, trace.violation.property, trace.actions)])

    def _offer(self, candidates: Sequence[Candidate]) -> None:
        for wanted in RANKS:
            for candidate in candidates:
                if not self.is_full and self._difference(candidate.signature) == wanted:
                    self._kept.append(candidate)
                    self.differences.append(wanted)

    def _candidate(self, scope: Scope, name: str, actions: tuple[Action, ...]) -> Candidate:
        known = self._properties[name]
        judged = replay(Watch(self._implementation, scope, known), actions)
        assert judged.violation is not None, "a search yields what violates"
        actions = judged.actions  # A step on the way may have violated the property already.
        trace = Trace(implementation_name(self._implementation), scope, actions, judged.violation)
        run = replayed(self._implementation, scope, actions)
        story = story_of(self._implementation, run, known, judged.violation)
        told = tuple(run.steps[number - 1].action for number in story)
        dense = replayed(self._implementation, scope, told)
        kinds = frozenset(event_kind(event) for _, event in told)
        return Candidate(trace, Signature(name, kinds, shape(dense)))

    def _difference(self, signature: Signature) -> Difference | None:
        """In what a signature differs from all that are kept, or ``None`` if in nothing."""
        known = [candidate.signature for candidate in self._kept]
        if not known:
            return ""
        if signature.property not in {other.property for other in known}:
            return "property"
        if signature.kinds not in {other.kinds for other in known}:
            return "kinds of events"
        if signature.shape not in {other.shape for other in known}:
            return "chains of messages"
        return None
