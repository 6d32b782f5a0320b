"""Random walks: runs in which each event is drawn from those that are enabled."""

from __future__ import annotations

import random

from indelible.model.cluster import Cluster
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Action
from indelible.model.implementation import Implementation
from indelible.model.scope import Scope


def walk(
    implementation: Implementation, scope: Scope, seed: int, length: int, *, restarts: float = 1.0
) -> tuple[Action, ...]:
    """Up to ``length`` events, drawn by ``seed``; it ends before one at which the code raises.

    ``restarts`` is how likely a restart or torn step is, as a part of how likely another event is.
    """
    draw = random.Random(seed)
    cluster = Cluster(implementation, scope, twice=False)
    actions: list[Action] = []
    try:
        state = cluster.initial()
        while len(actions) < length:
            enabled = cluster.enabled(state)
            if not enabled:
                break
            weights = [
                restarts if type(event).__name__ in ("Restart", "Torn") else 1.0
                for _, event in enabled
            ]
            (action,) = draw.choices(enabled, weights)
            state = cluster.step(state, action)
            actions.append(action)
    except ImplementationRaised:
        pass
    return tuple(actions)
