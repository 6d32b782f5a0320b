"""A trace, replayed: for each step what happened, what became of it, and what was lost.

The one replay that every rendering of a trace starts from. It chooses no words and no format.
"""

from __future__ import annotations

from dataclasses import dataclass

from indelible.model.cluster import Cluster, ClusterState, LocalState
from indelible.model.effects import Effect
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Event, NodeId, Restart, Torn
from indelible.model.implementation import Implementation, ask_handle
from indelible.model.trace import Trace
from indelible.value_text import Change, changes

__all__ = ["Replayed", "TraceStep", "replayed"]


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One event at one node.

    - ``before`` and ``after``: the node's state and record; ``after`` is ``before`` where the
      implementation raised, and ``raised`` says what.
    - ``effects``: those that took place, in order; ``lost``: those that a crash cut off;
      ``restarted``: those of the restart that followed.
    """

    number: int
    node: NodeId
    event: Event
    before: LocalState
    after: LocalState
    effects: tuple[Effect, ...] = ()
    lost: tuple[Effect, ...] = ()
    restarted: tuple[Effect, ...] = ()
    raised: str = ""

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs in the implementation's state."""
        return tuple(changes(self.before.state, self.after.state))


@dataclass(frozen=True, slots=True)
class Replayed:
    """Every step of a trace, and the cluster at its end, or ``None`` where no node could start."""

    steps: tuple[TraceStep, ...]
    end: ClusterState | None


def replayed(implementation: Implementation, trace: Trace) -> Replayed:
    """Replay ``trace``. Raises ``TraceError`` if it does not fit the implementation."""
    cluster = Cluster(implementation, trace.scope, twice=False)
    steps: list[TraceStep] = []
    state: ClusterState | None = None
    try:
        state = cluster.initial()
        for number, (_, outcome) in enumerate(cluster.replay(trace.actions), start=1):
            node, event = trace.actions[number - 1]
            index = trace.scope.nodes.index(node)
            before, after = state.nodes[index], outcome.state.nodes[index]
            parts = _parts(implementation, trace, node, before, event, outcome.effects)
            steps.append(TraceStep(number, node, event, before, after, *parts))
            state = outcome.state
    except ImplementationRaised as raised:
        if state is not None:
            node, event = trace.actions[len(steps)]
            local = state.nodes[trace.scope.nodes.index(node)]
            steps.append(TraceStep(len(steps) + 1, node, event, local, local, raised=str(raised)))
    return Replayed(tuple(steps), state)


def _parts(
    implementation: Implementation,
    trace: Trace,
    node: NodeId,
    before: LocalState,
    event: Event,
    effects: tuple[Effect, ...],
) -> tuple[tuple[Effect, ...], tuple[Effect, ...], tuple[Effect, ...]]:
    """The effects of one step: before a crash, cut off by it, after it."""
    match event:
        case Restart():
            return (), (), effects
        case Torn(whole, kept):
            step = ask_handle(implementation, node, trace.scope.nodes, before.state, whole)
            return effects[:kept], step.effects[kept:], effects[kept:]
    return effects, (), ()
