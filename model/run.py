"""Run: a trace, replayed: for each step what happened, what caused it, what came of it.

The one replay that every rendering, explanation and minimization of a trace starts from. It chooses
no words and no format.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from indelible.model.cluster import Cluster, ClusterState, LocalState
from indelible.model.effects import Effect, Send
from indelible.model.errors import ImplementationRaised
from indelible.model.events import Action, Event, Message, NodeId, Receive, Restart, Torn
from indelible.model.implementation import Implementation, ask_handle
from indelible.model.scope import Links, Scope

__all__ = ["Run", "RunStep", "handled_event", "replayed"]


@dataclass(frozen=True, slots=True)
class RunStep:
    """One event at one node.

    - ``number``: from 1.
    - ``before`` and ``after``: the node's state and record; ``after`` is ``before`` where the
      implementation raised, and ``raised`` says what.
    - ``effects``: those that took place, in order; ``lost``: those that a crash cut off;
      ``restarted``: those of the restart that followed.
    - ``cause``: where a message is received, the number of the step that sent it, or 0 if it was
      sent when the nodes first started; ``None`` for every other event. Where several steps sent
      the same message and the links cannot tell, it is the first of them.
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
    cause: int | None = None

    @property
    def action(self) -> Action:
        """The step as it stands in a trace."""
        return self.node, self.event

    @property
    def all_effects(self) -> tuple[Effect, ...]:
        """Everything that took place, also what a restart did after a crash."""
        return self.effects + self.restarted

    @property
    def sends(self) -> tuple[Send, ...]:
        """The messages handed to the links, in order."""
        return tuple(effect for effect in self.all_effects if isinstance(effect, Send))


@dataclass(frozen=True, slots=True)
class Run:
    """Every step of a trace inside its scope.

    ``initial`` is the cluster before the first step, or ``None`` where some node could not even
    start; ``started`` are the effects of the first start, node by node.
    """

    scope: Scope
    initial: ClusterState | None
    started: tuple[tuple[Effect, ...], ...]
    steps: tuple[RunStep, ...]

    @property
    def end(self) -> ClusterState | None:
        """The cluster after the last step."""
        if self.initial is None:
            return None
        nodes = dict(zip(self.scope.nodes, self.initial.nodes, strict=True))
        nodes |= {step.node: step.after for step in self.steps}
        return ClusterState(tuple(nodes[node] for node in self.scope.nodes))


def replayed(implementation: Implementation, scope: Scope, actions: tuple[Action, ...]) -> Run:
    """Replay ``actions`` from the start. An exception of the implementation ends the run.

    Raises ``TraceError`` if an action is not enabled where it stands.
    """
    cluster = Cluster(implementation, scope, twice=False)
    post = _Post(scope.links)
    steps: list[RunStep] = []
    try:
        first = cluster.first_steps()
    except ImplementationRaised:
        return Run(scope, None, (), ())
    initial = state = ClusterState(tuple(local for local, _ in first))
    started = tuple(effects for _, effects in first)
    for node, effects in zip(scope.nodes, started, strict=True):
        post.sent(0, node, effects)
    try:
        for number, (_, outcome) in enumerate(cluster.replay(actions), start=1):
            node, event = actions[number - 1]
            index = scope.nodes.index(node)
            before, after = state.nodes[index], outcome.state.nodes[index]
            parts = _parts(implementation, scope, node, before, event, outcome.effects)
            cause = post.received(node, event)
            steps.append(RunStep(number, node, event, before, after, *parts, cause=cause))
            post.sent(number, node, outcome.effects)
            state = outcome.state
    except ImplementationRaised as raised:
        number = len(steps) + 1
        node, event = actions[number - 1]
        local = state.nodes[scope.nodes.index(node)]
        cause = post.received(node, event)
        steps.append(RunStep(number, node, event, local, local, raised=str(raised), cause=cause))
    return Run(scope, initial, started, tuple(steps))


def handled_event(event: Event) -> Event:
    """The event that a node handled, also where a crash cut the handling short."""
    return event.event if isinstance(event, Torn) else event


def _parts(
    implementation: Implementation,
    scope: Scope,
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
            step = ask_handle(implementation, node, scope.nodes, before.state, whole)
            return effects[:kept], step.effects[kept:], effects[kept:]
    return effects, (), ()


class _Post:
    """Who sent what when, so that each message that arrives is traced to the step that sent it."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._sent: dict[tuple[NodeId, NodeId], list[tuple[int, Message]]] = {}
        self._received: dict[tuple[NodeId, NodeId], list[Message]] = {}

    def sent(self, number: int, node: NodeId, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._sent.setdefault((node, effect.to), []).append((number, effect.message))

    def received(self, node: NodeId, event: Event) -> int | None:
        """The number of the step whose message this event delivers, which counts as received."""
        event = handled_event(event)
        if not isinstance(event, Receive):
            return None
        sent = self._sent[event.source, node]
        received = self._received.setdefault((event.source, node), [])
        match self._links:
            case "unordered_duplicating":
                place = 0
            case "unordered":
                place = received.count(event.message)
            case "ordered":
                place, sent = 0, sent[len(received) :]
        received.append(event.message)
        return [number for number, message in sent if message == event.message][place]
