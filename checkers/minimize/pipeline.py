"""Pipeline: the order in which a trace is made smaller, and what is known of the result.

The one place that decides what is tried next. Each stage has a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from indelible.checkers.explore import memory_default
from indelible.checkers.limits import GaveUp, Limits
from indelible.checkers.minimize.removal import remove_events
from indelible.checkers.minimize.reorder import in_causal_order
from indelible.checkers.minimize.restrict import used_scope
from indelible.checkers.minimize.schedule import Intent, Played, play, schedule
from indelible.checkers.minimize.simplify import simpler
from indelible.checkers.property import Property
from indelible.checkers.watch import Watch, replay
from indelible.model.errors import TraceError
from indelible.model.events import Action
from indelible.model.implementation import Implementation
from indelible.model.run import replayed
from indelible.model.scope import Scope
from indelible.model.trace import Length, Trace

__all__ = ["SEARCH_LIMITS", "Minimized", "Stage", "minimize"]

SEARCH_LIMITS: Final = Limits(states_max=20_000_000, seconds_max=60)
"""How far the search for a shortest trace goes, if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage did: how many events were left, in a scope of how many nodes; in words, what
    else there is to say."""

    name: str
    events: int
    nodes: int
    says: str = ""


@dataclass(frozen=True, slots=True)
class Minimized:
    """The smaller trace, what is known of its length, and how each stage got there.

    ``before`` is the number of events that the trace had.
    """

    trace: Trace
    length: Length
    before: int
    stages: tuple[Stage, ...]


def minimize(
    implementation: Implementation,
    trace: Trace,
    property: Property | None,
    *,
    search: bool = True,
    limits: Limits = SEARCH_LIMITS,
    report: Callable[[Stage], None] | None = None,
) -> Minimized:
    """The shortest trace that violates ``property`` as ``trace`` does, as far as can be found.

    Order: the trace is cut off at its first violation; events are removed (``removal``); what is
    left is simplified and events are removed again, until nothing gets simpler (``simplify``); the
    explorer searches the scope that the trace still uses for a shorter one (``restrict``), which
    is skipped without ``search``; the events are put in an order to read (``reorder``).

    Invariant: after each stage the trace fits the implementation and its scope, violates the same
    property at its end and nowhere before, and has no more events than before. ``limits`` bound
    the search; where it does not finish the length is *irreducible*: no single event can be left
    out. Where it does it is *shortest*, in the scope of the trace that comes out. Where somebody
    interrupts what comes before the search, nothing is known of it: it is *as found*.

    ``property`` is ``None`` for an exception raised by the implementation. ``report`` is told of
    each stage. Raises ``TraceError`` if ``trace`` does not fit, or violates nothing.
    """
    stages: list[Stage] = []

    def tell(name: str, events: int, scope: Scope, says: str = "") -> None:
        stages.append(Stage(name, events, len(scope.nodes), says))
        if report is not None:
            report(stages[-1])

    scope = trace.scope
    watch = Watch(implementation, scope, property)
    intents = _violating(watch, trace)
    tell("cut off at the first violation", len(intents), scope)
    intents = remove_events(watch, intents, limits.interrupted)
    tell("events removed", len(intents), scope, _interruption(limits))
    watch, intents = _simplified(watch, intents, limits.interrupted)
    cut_short = _interruption(limits)
    tell("simplified", len(intents), watch.scope, cut_short)
    actions = play(watch, intents).actions
    run = replayed(implementation, watch.scope, actions)
    scope = used_scope(run)
    watch = Watch(implementation, scope, property)
    length: Length = "as found" if cut_short else "irreducible"
    if search and not cut_short:
        actions, length, says = _searched(watch, actions, limits)
        tell("searched for a shorter one", len(actions), scope, says)
    actions = in_causal_order(watch, replayed(implementation, scope, actions))
    found = replay(watch, actions)
    assert found.violation is not None, "a minimized trace violates the property"
    assert found.step == len(actions), "and not before its end"
    smaller = Trace(trace.implementation, scope, actions, found.violation)
    return Minimized(smaller, length, len(trace), tuple(stages))


def _violating(watch: Watch, trace: Trace) -> tuple[Intent, ...]:
    """The trace up to its first violation, without what changes nothing."""
    found = replay(watch, trace.actions)
    if found.violation is None:
        name = "raise" if watch.property is None else f"violate {watch.property.name}"
        if found.expected is None:
            fact, cause = f"the trace does not {name}", "the implementation has changed"
        else:
            fact = f"the trace does not fit: step {found.step} cannot happen"
            cause = "it was made with another implementation or another scope"
        raise TraceError(
            fact, cause=cause, remedy="replay it ('indelible replay') to see where it differs"
        )
    played = play(watch, schedule(found.actions))
    assert played.violation is not None, "what changes nothing makes nothing wrong"
    return played.intents


def _interruption(limits: Limits) -> str:
    return "interrupted" if limits.interrupted() else ""


def _simplified(
    watch: Watch, intents: tuple[Intent, ...], interrupted: Callable[[], bool]
) -> tuple[Watch, tuple[Intent, ...]]:
    """Take what is simpler and still fails, and remove events again, until nothing is."""
    while True:
        for candidate in simpler(watch.scope, intents):
            if interrupted():
                return watch, intents
            smaller = Watch(watch.implementation, candidate.scope, watch.property)
            played: Played = play(smaller, candidate.intents)
            if played.violation is not None and len(played.intents) <= len(intents):
                watch, intents = smaller, remove_events(smaller, played.intents, interrupted)
                break
        else:
            return watch, intents


def _searched(
    watch: Watch, actions: tuple[Action, ...], limits: Limits
) -> tuple[tuple[Action, ...], Length, str]:
    """A shortest trace in the scope of ``watch``, what is known of its length, and the effort."""
    from indelible.checkers.explorer.search import explore_exhaustively

    if limits.memory_bytes_max is None:
        limits = replace(limits, memory_bytes_max=memory_default())
    limits = replace(limits, depth_max=len(actions) - 1).from_now()
    properties = () if watch.property is None else (watch.property,)
    verdict = explore_exhaustively(watch.implementation, watch.scope, properties, limits)
    effort = f"{verdict.states_distinct:,} states"
    if verdict.trace is not None:
        return verdict.trace.actions, "shortest", effort
    if verdict.depth >= len(actions) - 1 and verdict.reason == _depth_reached(limits):
        return actions, "shortest", effort
    return actions, "irreducible", f"{effort}; {verdict.reason}"


def _depth_reached(limits: Limits) -> str:
    try:
        limits.check_depth(limits.depth_max or 0)
    except GaveUp as reached:
        return str(reached)
    return ""
