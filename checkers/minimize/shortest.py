"""Shortest: the explorer on the scope that a trace uses, for a trace with fewer events.

The only stage that may prove something. It knows of scopes and verdicts, and of no trace but by its
length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from indelible.checkers.explore import memory_default
from indelible.checkers.findings import RAISES
from indelible.checkers.limits import GaveUp, Limits
from indelible.checkers.verdicts import conclude
from indelible.checkers.watch import Watch
from indelible.model.events import Action
from indelible.model.scope import Scope
from indelible.model.verdict import Verdict

__all__ = ["Searched", "search_shorter"]


class Searched(NamedTuple):
    """What a search came to.

    - ``actions`` and ``scope``: a shorter trace and where it was found, or those that were given.
    - ``proven``: whether no trace in ``scope`` is shorter.
    - ``says``: the effort, and what kept the search from finishing.
    """

    actions: tuple[Action, ...]
    scope: Scope
    proven: bool
    says: str


def search_shorter(watch: Watch, actions: tuple[Action, ...], limits: Limits) -> Searched:
    """A shortest trace in the scope of ``watch``, in which ``actions`` violate the property.

    Order: small scopes inside it first, those with all counts at most 1, 2, 4 and so on; each is
    searched for traces that have fewer events than the best so far. Most bugs show in a small scope
    if they show at all (Jackson's small-scope hypothesis), where a search finishes; what it finds
    leaves less to search in the larger ones.

    Invariant: what comes out is never longer. It is *proven* if it was found by a search, since
    that goes by length, or if the whole scope has no shorter one. ``limits`` bound each search, but
    for the time, which is that of all together.
    """
    from indelible.checkers.explorer.search import Exploration

    if limits.memory_bytes_max is None:
        limits = replace(limits, memory_bytes_max=memory_default())
    properties = () if watch.property is None else (watch.property,)
    name = RAISES if watch.property is None else watch.property.name
    best = Searched(actions, watch.scope, proven=False, says="")
    states, missing = 0, ""
    for scope in _small_ones_first(watch.scope):
        events = len(best.actions)
        depth = events - 1 if limits.depth_max is None else min(events - 1, limits.depth_max)
        search = Exploration(
            watch.implementation, scope, properties, replace(limits, depth_max=depth)
        )
        verdict = conclude(search)
        states += verdict.states_distinct
        if verdict.violation is not None and verdict.violation.property == name:
            assert verdict.trace is not None
            best = Searched(verdict.trace.actions, scope, proven=True, says="")
            continue
        missing = _missing(verdict, events)
        if not missing and search.findings.has(name):
            # The explorer waits with what it found until the implementation has testified to all
            # that the property reads; the replay of a trace does not.
            missing = f"{name} is not observable so far"
        if missing:
            break
        best = best._replace(proven=best.proven or scope == watch.scope)
    return best._replace(says=f"{states:,} states" + (f"; {missing}" if missing else ""))


def _missing(verdict: Verdict, events: int) -> str:
    """Why a search that found nothing has not looked at every trace of fewer than ``events``; empty
    if it has."""
    if verdict.violation is not None:
        return f"the implementation raises an exception within {len(verdict.trace or ())} events"
    if verdict.exhausted or verdict.reason == _at_depth(events - 1):
        return ""
    return verdict.reason


def _at_depth(depth: int) -> str:
    """What a search says that has looked at all traces up to ``depth``."""
    try:
        Limits(depth_max=depth).check_depth(depth)
    except GaveUp as reached:
        return str(reached)
    raise AssertionError("a search stops at its greatest depth")


def _small_ones_first(scope: Scope) -> Iterator[Scope]:
    """Scopes inside ``scope`` with all counts capped, and then ``scope`` itself."""
    timeouts = scope.timeouts_max
    counts = timeouts.values() if isinstance(timeouts, Mapping) else (timeouts,)
    largest = max(count or 0 for count in (*counts, scope.submissions_max, scope.restarts_max))
    cap = 1
    while cap < largest:
        yield replace(
            scope,
            submissions_max=_capped(scope.submissions_max, cap),
            timeouts_max={timer: _capped(count, cap) for timer, count in timeouts.items()}
            if isinstance(timeouts, Mapping)
            else _capped(timeouts, cap),
            restarts_max=_capped(scope.restarts_max, cap),
        )
        cap *= 2
    yield scope


def _capped(count: int | None, cap: int) -> int | None:
    return None if count is None else min(count, cap)
