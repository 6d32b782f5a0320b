"""Restrict: the smallest scope that a trace fits in, where a shortest one can be searched for.

It never leaves the scope it starts from: whatever fits the smaller one fits that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from indelible.checkers.minimize.schedule import Intent, play
from indelible.checkers.watch import Watch
from indelible.model.effects import SetTimer
from indelible.model.errors import ScopeError
from indelible.model.events import Command, NodeId, Restart, Submit, Timeout, Timer, Torn
from indelible.model.run import Run, handled_event, replayed
from indelible.model.scope import Scope

__all__ = ["restricted", "used_scope"]

BOUNDS: Final = (
    "commands",
    "submissions_max",
    "may_submit",
    "timeouts_max",
    "may_time_out",
    "torn",
    "restarts_max",
)
"""In an order in which each can be narrowed alone: no torn steps before no restarts."""


def restricted(watch: Watch, intents: tuple[Intent, ...]) -> tuple[Watch, tuple[Intent, ...]]:
    """The intents in the scope that they use.

    A property may read what only bounded things leave behind, and judge the same events otherwise
    in another scope. So where they violate it no more, each bound is narrowed alone, if they still
    do then.

    Invariant: the property is violated at the end, and there are no more events than before.
    """
    run = replayed(watch.implementation, watch.scope, play(watch, intents).actions)
    used = used_scope(run)
    for names in (BOUNDS, *((name,) for name in BOUNDS)):
        try:
            scope = replace(watch.scope, **{name: getattr(used, name) for name in names})
        except ScopeError:
            continue  # Torn steps had to stay, and so have restarts.
        narrower = Watch(watch.implementation, scope, watch.property)
        played = play(narrower, intents)
        if played.violation is not None and len(played.intents) <= len(intents):
            watch, intents = narrower, played.intents
            if names == BOUNDS:
                break
    return watch, intents


def used_scope(run: Run) -> Scope:
    """The bounds that ``run`` uses up, and no more: every run inside them fits its scope, too.

    Only the commands submitted, each to the nodes that it was submitted to; as many time-outs of
    each timer as any one node had, at the nodes that had some; as many restarts, torn steps only if
    some step was. Time-outs stay bounded timer by timer, or all together, as they were; one that
    was armed and never fired may not fire.
    """
    scope = run.scope
    submitted: Counter[Command] = Counter()
    submitted_to: dict[Command, set[NodeId]] = {}
    fired: dict[NodeId, Counter[Timer]] = {}
    restarts = 0
    for step in run.steps:
        event = handled_event(step.event)
        restarts += isinstance(step.event, Restart | Torn)
        if isinstance(event, Submit):
            submitted[event.command] += 1
            submitted_to.setdefault(event.command, set()).add(step.node)
        elif isinstance(event, Timeout):
            fired.setdefault(step.node, Counter())[event.timer] += 1
    return replace(
        scope,
        commands=tuple(command for command in scope.commands if command in submitted),
        submissions_max=max(submitted.values(), default=0),
        may_submit=_may_submit(scope, submitted_to),
        timeouts_max=_timeouts(run, fired),
        may_time_out=tuple(node for node in scope.nodes if node in fired),
        restarts_max=restarts,
        torn=any(isinstance(step.event, Torn) for step in run.steps),
    )


def _may_submit(
    scope: Scope, submitted_to: Mapping[Command, set[NodeId]]
) -> tuple[NodeId, ...] | Mapping[Command, tuple[NodeId, ...]]:
    """Command by command where it makes a difference."""
    by_command = {
        command: tuple(node for node in scope.nodes if node in submitted_to[command])
        for command in scope.commands
        if command in submitted_to
    }
    distinct = set(by_command.values())
    return by_command if len(distinct) > 1 else next(iter(distinct), ())


def _timeouts(
    run: Run, fired: Mapping[NodeId, Counter[Timer]]
) -> int | Mapping[Timer, int | None] | None:
    """One bound for all timers stays one. By timer it could not name those that this run never
    arms, and what is not named is unbounded."""
    bound = run.scope.timeouts_max
    if not isinstance(bound, Mapping):
        return max((own.total() for own in fired.values()), default=0)
    armed = (
        effect.timer
        for effects in (*run.started, *(step.all_effects for step in run.steps))
        for effect in effects
        if isinstance(effect, SetTimer)
    )
    most = {timer: max((own[timer] for own in fired.values()), default=0) for timer in armed}
    return {**dict.fromkeys(bound, 0), **most}
