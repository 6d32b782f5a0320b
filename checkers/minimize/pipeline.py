"""Pipeline: the order in which a trace is made smaller, and what is known of the result.

The one place that decides what is tried next. Each stage has a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from indelible.checkers.limits import Limits
from indelible.checkers.minimize.removal import remove_events
from indelible.checkers.minimize.reorder import in_causal_order
from indelible.checkers.minimize.restrict import restricted
from indelible.checkers.minimize.schedule import Intent, play, schedule
from indelible.checkers.minimize.shortest import search_shorter
from indelible.checkers.minimize.simplify import simpler, weight
from indelible.checkers.property import Property
from indelible.checkers.watch import Watch, replay
from indelible.model.errors import IndelibleError, TraceError
from indelible.model.implementation import Implementation
from indelible.model.scope import Scope
from indelible.model.trace import Length, Trace

__all__ = ["SEARCH_LIMITS", "Minimized", "Stage", "minimize"]

SEARCH_LIMITS: Final = Limits(states_max=20_000_000, seconds_max=45)
"""How far the search for a shortest trace goes, if nothing else is said."""

BOOKKEEPING: Final = frozenset({"timers", "submissions", "timeouts", "restarts"})
"""The fields of a record that depend on the bounds of the scope."""


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

    @property
    def ratio(self) -> float:
        """How many events are left of each that there was; 1 of a trace that had none."""
        return len(self.trace) / self.before if self.before else 1.0


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
    explorer searches the scope that the trace still uses (``restrict``) for a shorter one
    (``shortest``), which is skipped without ``search``, and what it finds is simplified again; the
    events are put in an order to read (``reorder``).

    Invariant: after each stage the trace fits the implementation and its scope, violates the same
    property at its end and nowhere before, and has no more events than before. Its scope is inside
    that of ``trace``, but for nodes that are gone, whose numbers others may have taken.

    ``limits`` bound the search; where it does not finish the length is *irreducible*: no single
    event can be left out. Where it does it is *shortest*, in the scope of the trace that comes out.
    Where somebody interrupts what comes before the search, nothing is known of it: it is *as
    found*.

    ``property`` is ``None`` for an exception raised by the implementation. ``report`` is told of
    each stage. Raises ``TraceError`` if ``trace`` does not fit, or violates nothing.
    """
    stages: list[Stage] = []

    def tell(name: str, events: int, scope: Scope, says: str = "") -> None:
        stages.append(Stage(name, events, len(scope.nodes), says))
        if report is not None:
            report(stages[-1])

    watch = Watch(implementation, trace.scope, property)
    intents = _violating(watch, trace)
    tell("cut off at the first violation", len(intents), watch.scope)
    intents = remove_events(watch, intents, limits.interrupted)
    tell("events removed", len(intents), watch.scope, _interruption(limits))
    watch, intents = _simplified(watch, intents, limits.interrupted)
    cut_short = _interruption(limits)
    tell("simplified", len(intents), watch.scope, cut_short)
    if search and not cut_short:
        result = _searched(watch, intents, limits.from_now())
        if play(result.watch, result.intents).violation is None:
            # A property of steps may see no step where a narrower scope counts less.
            result = _Result(watch, intents, "irreducible", result.says)
        tell("searched for a shorter one", len(result.intents), result.watch.scope, result.says)
    else:
        watch, intents = _restricted(watch, intents, limits.interrupted)
        result = _Result(watch, intents, "as found" if cut_short else "irreducible")
    watch = result.watch
    actions = in_causal_order(watch, result.intents)
    found = replay(watch, actions)
    assert found.violation is not None, "a minimized trace violates the property"
    assert found.step == len(actions), "and not before its end"
    smaller = Trace(trace.implementation, watch.scope, actions, found.violation)
    return Minimized(smaller, result.length, len(trace), tuple(stages))


def _violating(watch: Watch, trace: Trace) -> tuple[Intent, ...]:
    """The trace up to its first violation, without what changes nothing."""
    found = replay(watch, trace.actions)
    if found.violation is None:
        name = "raise" if watch.property is None else f"violate {watch.property.name}"
        if found.raised:
            fact, cause = found.raised, "the implementation has changed"
        elif found.expected is None:
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
    """Take what weighs less and still fails, and remove events again, until nothing does."""
    intents = play(watch, schedule(in_causal_order(watch, intents))).intents
    while True:
        for candidate in simpler(watch.scope, intents):
            if interrupted():
                return watch, intents
            smaller = Watch(watch.implementation, candidate.scope, watch.property)
            try:
                played = play(smaller, candidate.intents)
            except IndelibleError:
                continue  # Made for other nodes: what cannot even be judged is not simpler.
            if (
                played.violation is not None
                and len(played.intents) <= len(intents)
                and weight(smaller.scope, played.intents) < weight(watch.scope, intents)
            ):
                watch, intents = smaller, remove_events(smaller, played.intents, interrupted)
                break
        else:
            return watch, intents


class _Result(NamedTuple):
    """A schedule in the scope of ``watch``, what is known of its length, and the effort."""

    watch: Watch
    intents: tuple[Intent, ...]
    length: Length
    says: str = ""


def _searched(wide: Watch, intents: tuple[Intent, ...], limits: Limits) -> _Result:
    """A shortest trace in the part that is used of the scope of ``wide``, made simpler in turn.

    What is found may do with fewer nodes, or read better where others play their parts. That is
    another scope, where again nothing may be shorter: it is searched too, and if that does not
    finish, what is proven is kept. So is a part of the scope, if the property can tell them apart.
    """
    watch, intents = _restricted(wide, intents, limits.interrupted)
    given = play(watch, intents).actions
    searched = search_shorter(watch, given, limits)
    length: Length = "shortest" if searched.proven else "irreducible"
    if searched.actions == given:
        return _Result(watch, intents, length, searched.says)
    watch = Watch(wide.implementation, searched.scope, wide.property)
    found = play(watch, schedule(searched.actions)).intents
    other, simplified = _simplified(wide, found, limits.interrupted)
    if other.scope.nodes == watch.scope.nodes:
        played = play(watch, simplified)
        if played.violation is not None and len(played.intents) == len(found):
            narrower, simplified = _restricted(watch, played.intents, limits.interrupted)
            if narrower.scope == watch.scope or not _tells_scopes_apart(wide.property):
                return _Result(narrower, simplified, length, searched.says)
            other = narrower
    again = _searched(other, simplified, limits)
    says = f"{searched.says}; then {again.says}"
    if again.length == "shortest" or len(again.intents) < len(found):
        return again._replace(says=says)
    return _Result(watch, found, length, says)


def _restricted(
    watch: Watch, intents: tuple[Intent, ...], interrupted: Callable[[], bool]
) -> tuple[Watch, tuple[Intent, ...]]:
    """The intents in the scope that they use, without what the violation can do without there."""
    while True:
        narrower, kept = restricted(watch, intents)
        if not _tells_scopes_apart(watch.property):
            return narrower, kept
        fewer = remove_events(narrower, kept, interrupted)
        if narrower.scope == watch.scope and len(fewer) == len(intents):
            return watch, intents
        watch, intents = narrower, fewer


def _tells_scopes_apart(property: Property | None) -> bool:
    """Whether it may judge the same events otherwise in another scope, because it reads what only
    bounded things leave behind, or is told of the commands; or because it judges steps: whether an
    event changes anything, and so is one, may depend on what is counted."""
    return property is not None and (
        property.wants_world
        or property.reads == "step"
        or not BOOKKEEPING.isdisjoint(property.fields)
    )
