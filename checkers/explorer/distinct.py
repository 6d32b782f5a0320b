"""Several counterexamples that differ: the shortest for each property, then others for the first.

Which differ is said in ``checkers/distinct.py``; here is how they are searched for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indelible.checkers.distinct import Counterexamples
from indelible.checkers.explorer.search import Exploration, explore_exhaustively
from indelible.checkers.findings import RAISES, Finding
from indelible.checkers.limits import GaveUp, Limits
from indelible.checkers.property import Property
from indelible.model.implementation import Implementation
from indelible.model.scope import Scope
from indelible.model.verdict import Verdict

__all__ = ["explore_distinct"]

SPREAD: Final = 48
"""At how many of the violating states of a level, spread evenly, one looks for what differs."""


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
    violated so far, again and again; then, level by level, those that violate the first property in
    another way. ``limits`` bound each search, but for the time, which is that of all together.
    """
    verdict = explore_exhaustively(implementation, scope, properties, limits)
    if most == 1 or verdict.trace is None:
        return verdict
    found = Counterexamples(implementation, scope, properties, most)
    first = verdict.trace.violation.property
    left = [known for known in properties if known.kind == "always"]
    latest = verdict
    while latest.trace is not None:
        name = latest.trace.violation.property
        found.offer([(name, latest.trace.actions)])
        left = [known for known in left if known.name != name]
        if found.is_full or not left or name == RAISES:
            break
        latest = explore_exhaustively(implementation, scope, left, limits)
    if not found.is_full:
        known = tuple(known for known in properties if known.name == first)
        with suppress(GaveUp):  # What was found so far is what there is to show.
            Collecting(implementation, scope, known, limits, found).run()
    notes = verdict.notes
    if not found.is_full:
        notes += (f"{most} counterexamples that differ were asked for, {len(found.traces)} found",)
    return replace(
        verdict, others=found.traces[1:], differences=tuple(found.differences[1:]), notes=notes
    )


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
        self._violating: NDArray[np.int64] = np.empty(0, np.int64)

    def is_done(self) -> bool:
        """Whether there are as many as asked for; keeps those of the last level that differ."""
        by_property = self.judge.violating(self.states, *self.levels[-2:])
        self._violating = np.unique(np.concatenate([self._violating[:0], *by_property.values()]))
        found = list(self.findings.recent)
        self.findings.recent.clear()
        for name, indices in by_property.items():
            chosen = indices[:: -(-indices.size // SPREAD)]
            found += [Finding(name, self.depth, (index, None)) for index in chosen.tolist()]
        self._found.offer(
            (finding.property, self.actions_to(finding))
            for finding in dict.fromkeys(found)
            if self.findings.is_observable(finding.property, self.effect_types)
        )
        return self._found.is_full

    def worth_expanding(self, begin: int, end: int) -> NDArray[np.int64]:
        """The states of a level that do not violate the property."""
        return np.setdiff1d(super().worth_expanding(begin, end), self._violating)
