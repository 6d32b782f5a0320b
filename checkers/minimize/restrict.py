"""Restrict: the smallest scope that a trace fits in, where a shortest one can be searched for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from indelible.model.effects import SetTimer
from indelible.model.events import NodeId, Restart, Submit, Timeout, Timer, Torn
from indelible.model.run import Run, handled_event
from indelible.model.scope import Scope

__all__ = ["used_scope"]


def used_scope(run: Run) -> Scope:
    """The bounds that ``run`` uses up, and no more: every run inside them fits its scope, too.

    Only the commands submitted, to the nodes that they were submitted to; as many time-outs of each
    timer as any one node had, at the nodes that had some; as many restarts, torn steps only if some
    step was. A timer that was armed and never fired may not fire.
    """
    scope = run.scope
    submitted: Counter[object] = Counter()
    fired: dict[NodeId, Counter[Timer]] = {}
    submitted_to: set[NodeId] = set()
    restarts = 0
    for step in run.steps:
        event = handled_event(step.event)
        restarts += isinstance(step.event, Restart | Torn)
        if isinstance(event, Submit):
            submitted[event.command] += 1
            submitted_to.add(step.node)
        elif isinstance(event, Timeout):
            fired.setdefault(step.node, Counter())[event.timer] += 1
    return replace(
        scope,
        commands=tuple(command for command in scope.commands if command in submitted),
        submissions_max=max(submitted.values(), default=0),
        may_submit=tuple(node for node in scope.nodes if node in submitted_to),
        timeouts_max=_timeouts(run, fired),
        may_time_out=tuple(node for node in scope.nodes if node in fired),
        restarts_max=restarts,
        torn=any(isinstance(step.event, Torn) for step in run.steps),
    )


def _timeouts(
    run: Run, fired: Mapping[NodeId, Counter[Timer]]
) -> int | Mapping[Timer, int | None] | None:
    """Bounds timer by timer, unless together they allow more than one bound for all timers did."""
    armed = dict.fromkeys(
        effect.timer
        for effects in (*run.started, *(step.all_effects for step in run.steps))
        for effect in effects
        if isinstance(effect, SetTimer)
    )
    most = {timer: max((own[timer] for own in fired.values()), default=0) for timer in armed}
    bound = run.scope.timeouts_max
    if isinstance(bound, Mapping):
        return {**dict.fromkeys(bound, 0), **most}
    if bound is None or sum(most.values()) <= bound:
        return most
    return max((own.total() for own in fired.values()), default=0)
