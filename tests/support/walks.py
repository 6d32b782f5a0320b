"""Random walks: runs in which each event is drawn from those that are enabled."""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType

from indelible.model.cluster import Cluster
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Action
from indelible.model.implementation import Implementation
from indelible.model.scope import Scope


def walk(
    implementation: Implementation,
    scope: Scope,
    seed: int,
    length: int,
    *,
    weights: Mapping[type, float] = MappingProxyType({}),
) -> tuple[Action, ...]:
    """Up to ``length`` events, drawn by ``seed``; it ends before one at which the code raises.

    ``weights`` say how likely an event of a type is, where 1 is what any other has.
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
            likely = [weights.get(type(event), 1.0) for _, event in enabled]
            (action,) = draw.choices(enabled, likely)
            state = cluster.step(state, action)
            actions.append(action)
    except ImplementationRaised:
        pass
    return tuple(actions)
