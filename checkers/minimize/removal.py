"""Removal: delta debugging over the events of a trace, in keeping with causality.

After Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), without the
tests of small subsets alone, which for traces hardly ever fail.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from indelible.checkers.minimize.schedule import Intent, play
from indelible.checkers.watch import Watch

__all__ = ["remove_events"]

PAIRS_MAX = 30
"""Up to how many events every two are tried together: a quadratic number of plays."""


def remove_events(
    watch: Watch, intents: tuple[Intent, ...], interrupted: Callable[[], bool] = lambda: False
) -> tuple[Intent, ...]:
    """Leave out whatever the violation can do without.

    Order: runs of events from long to short, and of equal length from the end to the beginning,
    since late events cause the fewest others; then single events, and pairs where there are few,
    until none is left that could go. An event goes with all that it caused, since what is not
    enabled is skipped (``play``).

    Invariant: what is kept violates the property, and never has more events than before. In the end
    no single event can be left out, unless somebody ``interrupted``, which is asked before each
    play.
    """
    size = len(intents) // 2
    while size > 1:
        intents = _sweep(watch, intents, size, interrupted)
        size //= 2
    while True:
        fewer = _sweep(watch, intents, 1, interrupted)
        if len(fewer) == len(intents):
            fewer = _without_a_pair(watch, intents, interrupted)
        if len(fewer) == len(intents) or interrupted():
            return fewer
        intents = fewer


def _sweep(
    watch: Watch, intents: tuple[Intent, ...], size: int, interrupted: Callable[[], bool]
) -> tuple[Intent, ...]:
    """Try once to leave out each run of ``size`` events."""
    end = len(intents)
    while end > 0 and not interrupted():
        start = max(0, end - size)
        kept = [*range(start), *range(end, len(intents))]
        played = play(watch, intents, kept)
        if played.violation is not None and len(played.intents) < len(intents):
            # What comes before the run has happened as before, and was tried with what came after.
            intents = played.intents
            start = min(start, len(intents))
        end = start
    return intents


def _without_a_pair(
    watch: Watch, intents: tuple[Intent, ...], interrupted: Callable[[], bool]
) -> tuple[Intent, ...]:
    """Without the first two events that can go together, though none of them can alone."""
    if len(intents) > PAIRS_MAX:
        return intents
    for pair in combinations(range(len(intents)), 2):
        if interrupted():
            return intents
        played = play(watch, intents, [at for at in range(len(intents)) if at not in pair])
        if played.violation is not None and len(played.intents) < len(intents):
            return played.intents
    return intents
