"""As a trace: what a log says happened, as a run of a cluster that violates a property.

It has no other scope than what the log used, with the faults of links that the target is tried
with, or as many more as the log shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from indelible.checkers.audit.conformance import Happened
from indelible.checkers.property import Property
from indelible.checkers.watch import Watch, replay
from indelible.model.cluster import cuts
from indelible.model.effects import Effect, outlives_crash
from indelible.model.errors import TraceError
from indelible.model.events import Action, Event, NodeId, Restart, Submit, Torn
from indelible.model.implementation import Implementation, implementation_name
from indelible.model.scope import LINKS, Links, Scope
from indelible.model.trace import Trace

__all__ = ["as_trace", "crash_events"]


def as_trace(
    implementation: Implementation,
    tried: Scope,
    nodes: tuple[NodeId, ...],
    happened: Sequence[Happened],
    property: Property,
) -> Trace:
    """The run as a trace that violates ``property``; ``tried`` is the scope that the target is
    tried in. Raises ``TraceError`` where it is none, or violates nothing."""
    misfit = ""
    worse: Sequence[Any] = LINKS[LINKS.index(tried.links) :: -1]
    for links in worse:
        actions = tuple(_actions(happened, links))
        scope = _used(tried, nodes, actions, links)
        found = replay(Watch(implementation, scope, property), actions)
        if found.violation is not None:
            return Trace(implementation_name(implementation), scope, found.actions, found.violation)
        if found.outcome == "holds":
            raise TraceError(
                f"in the run of the target {property.name} holds",
                cause="in a log it is judged more exactly, or another record violates it",
            )
        misfit = found.raised or f"event {found.step} of {len(actions)} cannot happen"
    raise TraceError(f"the log is no run of the target: {misfit}")


def crash_events(event: Torn, effects: tuple[Effect, ...], links: Links) -> tuple[Event, ...]:
    """A crash wherever it was, as events of a cluster, which tears events only where it matters
    (``cluster.cuts``); ``effects`` are those of the whole event."""
    lasting = [at for at, effect in enumerate(effects, start=1) if outlives_crash(effect)]
    if event.kept >= max(lasting, default=0):
        return event.event, Restart()
    places = [place for place in cuts(effects, event.event, links) if place <= event.kept]
    return (Torn(event.event, max(places)),) if places else (Restart(),)


def _actions(happened: Sequence[Happened], links: Links) -> Iterator[Action]:
    for node, event, effects in happened:
        told = crash_events(event, effects, links) if isinstance(event, Torn) else (event,)
        for each in told:
            yield node, each


def _used(
    tried: Scope, nodes: tuple[NodeId, ...], actions: Sequence[Action], links: Links
) -> Scope:
    """A scope with whatever the actions use. Time-outs have no bound: what is counted, and how,
    is as in the scope that the target is tried in."""
    handled = [event.event if isinstance(event, Torn) else event for _, event in actions]
    submitted = Counter(event.command for event in handled if isinstance(event, Submit))
    timeouts = tried.timeouts_max
    return Scope(
        nodes=nodes,
        commands=submitted,
        submissions_max=max(submitted.values(), default=0),
        timeouts_max=dict.fromkeys(timeouts) if isinstance(timeouts, Mapping) else None,
        restarts_max=sum(isinstance(event, Restart | Torn) for _, event in actions),
        torn=any(isinstance(event, Torn) for _, event in actions),
        links=links,
    )
