"""Failures: of all that went wrong in a campaign, the few that differ, each as short as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from indelible.checkers.distinct import Counterexamples, Difference
from indelible.checkers.findings import RAISES
from indelible.checkers.limits import Limits
from indelible.checkers.minimize.pipeline import Minimized, Stage, minimize
from indelible.checkers.property import Property
from indelible.checkers.walks.share import Found
from indelible.checkers.watch import Watch, replay
from indelible.model.errors import ImplementationError
from indelible.model.implementation import Implementation, cause_of_another_end, implementation_name
from indelible.model.scope import Scope
from indelible.model.trace import Trace

__all__ = ["Kept", "distinct_failures"]

TRIED: Final = 3
"""How many failures of one property are minimized, to see whether they differ."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A failure worth keeping: the run that showed it, its events before, what is left of them, and
    in what it differs from those kept before it."""

    number: int
    minimized: Minimized
    difference: Difference


def distinct_failures(
    implementation: Implementation,
    scope: Scope,
    properties: Sequence[Property],
    found: Iterable[Found],
    *,
    most: int,
    limits: Limits,
    report: Callable[[Stage], None] | None = None,
) -> tuple[Kept, ...]:
    """Up to ``most`` failures that differ, minimized, in the order of the properties violated.

    The first of each property by the number of its run is always tried, then others. ``limits``
    bound the search for a shortest trace of each. Raises ``ImplementationError`` if one does not
    happen again.
    """
    by_name: dict[str, Property | None] = {known.name: known for known in properties}
    by_name[RAISES] = None
    ranks = {name: rank for rank, name in enumerate((RAISES, *by_name))}
    turns: list[tuple[int, int, Found]] = []
    tried: dict[str, int] = {}
    for each in sorted(found):
        name = each.failure.violated[0]
        turn = tried[name] = tried.get(name, 0) + 1
        if turn <= TRIED:
            turns.append((turn, ranks[name], each))
    known = Counterexamples(implementation, scope, properties, most)
    kept: list[Kept] = []
    for _, _, each in sorted(turns, key=lambda turn: turn[:2]):
        if known.is_full:
            break
        name = each.failure.violated[0]
        trace = _trace(implementation, scope, by_name[name], each)
        smaller = minimize(
            implementation, trace, by_name[name], limits=limits.from_now(), report=report
        )
        before = len(known.differences)
        known.offer_trace(smaller.trace)
        new = known.differences[before:]
        kept += [Kept(each.number, smaller, difference) for difference in new]
    return tuple(kept)


def _trace(
    implementation: Implementation, scope: Scope, known: Property | None, found: Found
) -> Trace:
    again = replay(Watch(implementation, scope, known), found.failure.actions)
    if again.violation is None:
        raise ImplementationError(
            f"run {found.number} violated {found.failure.violated[0]}, but does not when the same "
            "events happen again",
            cause=cause_of_another_end(implementation),
            remedy="let each step depend on node, state and event only",
        )
    return Trace(implementation_name(implementation), scope, again.actions, again.violation)
