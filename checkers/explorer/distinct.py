"""Several counterexamples that differ: the shortest for each property, then others for the first.

Which differ is said in ``checkers/distinct.py``; here is how they are searched for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.distinct import Counterexamples
from indelible.checkers.explorer.search import Exploration, explore_exhaustively
from indelible.checkers.findings import RAISES, Finding
from indelible.checkers.limits import Limits
from indelible.checkers.property import Property
from indelible.checkers.verdicts import conclude, run_to_limit
from indelible.model.events import Action
from indelible.model.implementation import Implementation
from indelible.model.scope import Scope
from indelible.model.verdict import Verdict

__all__ = ["explore_distinct"]

SPREAD: Final = 48
"""At how many of the violations on a level, spread evenly, one looks for what differs."""


def explore_distinct(
    implementation: Implementation,
    scope: Scope,
    properties: Sequence[Property],
    limits: Limits,
    *,
    most: int,
) -> Verdict:
    """The verdict of one search, and up to ``most`` counterexamples that differ.

    Order: a shortest one for all properties together; a shortest one for those that are not
    violated so far, again and again (past exceptions, once there was one); then, level by level,
    those that violate the first property in another way. ``limits`` bound each search, but for the
    time, which is that of all together.
    """
    verdict = explore_exhaustively(implementation, scope, properties, limits)
    if most == 1 or verdict.trace is None:
        return verdict
    found = Counterexamples(implementation, scope, properties, most)
    first = verdict.trace.violation.property
    left = [known for known in properties if known.kind == "always"]
    latest = verdict
    search: type[Exploration] = Exploration
    while latest.trace is not None:
        name = latest.trace.violation.property
        found.offer([(name, latest.trace.actions)])
        left = [known for known in left if known.name != name]
        if found.is_full or not left:
            break
        if name == RAISES:
            search = PassingExceptions
        latest = conclude(search(implementation, scope, left, limits))
    gave_up = latest.reason if latest.outcome == "inconclusive" and not latest.exhausted else ""
    if not found.is_full:
        known = tuple(known for known in properties if known.name == first)
        gave_up = run_to_limit(Collecting(implementation, scope, known, limits, found)) or gave_up
    notes = verdict.notes
    if not found.is_full:
        says = f"{most} counterexamples that differ were asked for, {len(found.traces)} found"
        notes += (f"{says}: {gave_up}" if gave_up else says,)
    return replace(
        verdict, others=found.traces[1:], differences=tuple(found.differences[1:]), notes=notes
    )


class PassingExceptions(Exploration):
    """A search that goes on past exceptions of the implementation."""

    def violation(self) -> Finding | None:
        return self.findings.violation(self.effect_types, but={RAISES})


class Collecting(Exploration):
    """A search that goes on past violations, and looks at each level for those that differ.

    It does not look beyond a state that violates the property: what comes after it is a violation
    no more than it is.
    """

    def __init__(
        self,
        implementation: Implementation,
        scope: Scope,
        properties: Sequence[Property],
        limits: Limits,
        found: Counterexamples,
    ) -> None:
        super().__init__(implementation, scope, properties, limits)
        self._found = found
        self._of_steps = [known.name for known in properties if known.reads == "step"] + [RAISES]
        self._recent_findings = self.findings.recent = []
        self._violating: NDArray[np.int64] = np.empty(0, np.int64)

    def is_done(self) -> bool:
        """Whether there are as many as asked for; keeps those of the last level that differ."""
        by_property = self.judge.violating(self.states, *self.levels[-2:])
        self._violating = np.unique(np.concatenate([self._violating[:0], *by_property.values()]))
        found = [
            Finding(name, self.depth, (index, None))
            for name, indices in by_property.items()
            for index in indices[:: stride(indices.size)].tolist()
        ]
        for name in self._of_steps:  # Which no state tells of.
            taken = [known for known in self._recent_findings if known.property == name]
            found += taken[:: stride(len(taken))]
        self._recent_findings.clear()
        traces: list[tuple[str, tuple[Action, ...]]] = []
        try:
            for finding in found:
                self.limits.check_time()
                if self.findings.is_observable(finding.property, self.effect_types):
                    traces.append((finding.property, self.actions_to(finding)))
        finally:
            self._found.offer(traces)
        return self._found.is_full

    def worth_expanding(self, begin: int, end: int) -> NDArray[np.int64]:
        """The states of a level that do not violate the property."""
        return np.setdiff1d(super().worth_expanding(begin, end), self._violating)


def stride(count: int) -> int:
    """Which distance picks at most ``SPREAD`` of so many."""
    return max(1, -(-count // SPREAD))
