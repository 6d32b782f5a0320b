"""Reorder: the same events, each right before what it leads to, so that it reads as a story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from indelible.checkers.minimize.schedule import Intent, play, schedule
from indelible.checkers.watch import Watch
from indelible.model.causality import predecessors
from indelible.model.events import Action
from indelible.model.run import Run, replayed

__all__ = ["in_causal_order"]


def in_causal_order(watch: Watch, intents: Sequence[Intent]) -> tuple[Action, ...]:
    """The events of a schedule that violates the property, reordered where that does not matter.

    Built from the end: before each event comes what caused it, or what happened at its node before,
    if nothing later waits for that; else the latest event that nothing waits for. The last event
    stays the last.

    Invariant: the same events, each after all that happened before it, and a violation at the end,
    which is checked by playing them; if the property does not see it so, the order stays.
    """
    given = play(watch, intents).actions
    run = replayed(watch.implementation, watch.scope, given)
    actions = tuple(run.steps[number - 1].action for number in reversed(_backwards(run)))
    played = play(watch, schedule(actions))
    return actions if played.violation is not None and played.actions == actions else given


def _backwards(run: Run) -> list[int]:
    """The numbers of the steps, the last one first."""
    before = predecessors(run)
    causes = {step.number: step.cause for step in run.steps}
    waited_for = Counter(number for earlier in before.values() for number in earlier)
    left = set(before)
    order: list[int] = []
    while left:
        last = order[-1] if order else None
        ready = [number for number in left if not waited_for[number]]

        def rank(number: int, last: int | None = last) -> tuple[bool, bool, int]:
            if last is None:
                return False, False, number
            return causes[last] == number, number in before[last], number

        chosen = max(ready, key=rank)
        order.append(chosen)
        left.remove(chosen)
        waited_for.subtract(before[chosen])
    return order
