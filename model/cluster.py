"""Cluster: the plain meaning of everything a checker does. Short, obviously right, slow.

A cluster state is one (state, record) pair per node. Random testing, replay and minimizing run on
it, and the fast explorer must agree with it state for state.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from indelible.model.canonical import canonical, same_types
from indelible.model.effects import Effect, outlives_crash
from indelible.model.errors import ImplementationRaised, TraceError
from indelible.model.events import (
    Action,
    Command,
    Event,
    InputEvent,
    NodeId,
    Receive,
    Restart,
    Submit,
    Timeout,
    Torn,
    node_name,
)
from indelible.model.implementation import Implementation, State, Step, ask_handle, ask_start
from indelible.model.record import (
    Record,
    after_effects,
    after_event,
    after_restart,
    is_deliverable,
    new_envelopes,
    next_envelope,
    submissions_of,
)
from indelible.model.scope import Links, Scope

__all__ = ["Cluster", "ClusterState", "LocalState", "Outcome", "cuts"]


class LocalState(NamedTuple):
    """Everything about one node: its implementation's state, and what the world remembers."""

    state: State
    record: Record


class ClusterState(NamedTuple):
    """One local state per node, in the order of ``scope.nodes``."""

    nodes: tuple[LocalState, ...]


class Outcome(NamedTuple):
    """What an event led to: the next cluster state, and the effects that took place, in order."""

    state: ClusterState
    effects: tuple[Effect, ...]


class Cluster:
    """An implementation inside a scope.

    Every method is a pure function of its arguments. ``twice`` asks the implementation for each
    step twice and compares. All may raise ``ImplementationError`` and ``ImplementationRaised``.
    """

    def __init__(self, implementation: Implementation, scope: Scope, *, twice: bool = True) -> None:
        self.implementation = implementation
        self.scope = scope
        self.twice = twice

    def initial(self) -> ClusterState:
        """Every node freshly started, nothing sent, nothing persisted but by ``start`` itself."""
        return ClusterState(tuple(local for local, _ in self.first_steps()))

    def first_steps(self) -> tuple[tuple[LocalState, tuple[Effect, ...]], ...]:
        """What every node first starts as, and the effects of that, in the order of the nodes."""
        return tuple(self._started(node, Record()) for node in self.scope.nodes)

    def enabled(self, state: ClusterState) -> tuple[Action, ...]:
        """Every (node, event) that may happen next, in canonical order; some may change nothing."""
        return tuple(
            (node, event)
            for index, node in enumerate(self.scope.nodes)
            for event in self._events(state, index, node)
        )

    def is_enabled(self, state: ClusterState, action: Action) -> bool:
        """Whether ``action`` is one of those that ``enabled`` lists, without listing them."""
        node, event = action
        if node not in self.scope.nodes:
            return False
        match event:
            case Restart():
                return self._may_restart(state)
            case Torn(whole, kept):
                return (
                    self.scope.torn
                    and self._may_restart(state)
                    and self._is_input_enabled(state, node, whole)
                    and kept in self._cuts(node, self._local(state, node).state, whole)
                )
        return self._is_input_enabled(state, node, event)

    def own(self, state: ClusterState, action: Action) -> Action:
        """An enabled ``action`` made of the values that the nodes themselves sent and armed.

        It is equal to ``action``, which may be made of others: a named tuple equals any tuple with
        the same parts, but an implementation that looks at its class takes it for something else.
        """
        node, event = action
        match event:
            case Torn(whole, kept):
                return node, Torn(self._own(state, node, whole), kept)
            case Receive() | Timeout() | Submit():
                return node, self._own(state, node, event)
        return action

    def step(self, state: ClusterState, action: Action) -> ClusterState:
        """The state after ``action``, which must be enabled."""
        return self.outcome(state, action).state

    def outcome(self, state: ClusterState, action: Action) -> Outcome:
        """The state after ``action`` and the effects on the way."""
        node, event = action
        index = self.scope.nodes.index(node)
        local, effects = self._local_step(node, state.nodes[index], event)
        nodes = (*state.nodes[:index], local, *state.nodes[index + 1 :])
        return Outcome(ClusterState(nodes), effects)

    def replay(self, actions: tuple[Action, ...]) -> Iterator[tuple[ClusterState, Outcome]]:
        """Each step's (state before, outcome). Raises ``TraceError`` where one is not enabled."""
        state = self.initial()
        for number, action in enumerate(actions, start=1):
            if not self.is_enabled(state, action):
                node, event = action
                enabled = self.enabled(state)
                raise TraceError(
                    f"step {number} does not fit: {event!r} cannot happen at {node_name(node)}",
                    cause="the trace was made with another implementation or another scope",
                    available=", ".join(f"{node_name(at)} {what!r}" for at, what in enabled),
                )
            outcome = self.outcome(state, action)
            yield state, outcome
            state = outcome.state

    def arrivals(
        self, node: NodeId, record: Record, source: NodeId, sender: Record
    ) -> Iterable[Receive]:
        """What ``node`` may receive next of all that ``source`` has sent, in canonical order."""
        links = self.scope.links
        mine = (envelope for envelope in sender.sent if envelope.to == node)
        for envelope in canonical(mine):
            if is_deliverable(record, source, envelope.message, envelope.number, links):
                yield Receive(source, envelope.message)

    def _events(self, state: ClusterState, index: int, node: NodeId) -> Iterator[Event]:
        whole = tuple(self._input_events(state, index, node))
        yield from whole
        if not self._may_restart(state):
            return
        yield Restart()
        if self.scope.torn:
            for event in whole:
                for kept in self._cuts(node, state.nodes[index].state, event):
                    yield Torn(event, kept)

    def _cuts(self, node: NodeId, state: State, event: InputEvent) -> tuple[int, ...]:
        try:
            step = self._handled(node, state, event)
        except ImplementationRaised:
            return ()  # The whole event is the finding; there is no list of effects to cut.
        return cuts(step.effects, event, self.scope.links)

    def _input_events(self, state: ClusterState, index: int, node: NodeId) -> Iterator[InputEvent]:
        record = state.nodes[index].record
        for source, (_, sender) in zip(self.scope.nodes, state.nodes, strict=True):
            yield from self.arrivals(node, record, source, sender)
        for timer in canonical(record.timers):
            yield Timeout(timer)
        for command in self.scope.commands:
            if self._may_submit(state, node, command):
                yield Submit(command)

    def _is_input_enabled(self, state: ClusterState, node: NodeId, event: InputEvent) -> bool:
        record = self._local(state, node).record
        match event:
            case Receive(source, message):
                if source not in self.scope.nodes:
                    return False
                envelope = next_envelope(record, node, source, message, self.scope.links)
                return envelope in self._local(state, source).record.sent
            case Timeout(timer):
                return timer in record.timers
            case Submit(command):
                return command in self.scope.commands and self._may_submit(state, node, command)

    def _own(self, state: ClusterState, node: NodeId, event: InputEvent) -> InputEvent:
        match event:
            case Receive(source, message):
                sent = self._local(state, source).record.sent
                mine = (envelope.message for envelope in sent if envelope.to == node)
                return Receive(source, _same(message, mine))
            case Timeout(timer):
                return Timeout(_same(timer, self._local(state, node).record.timers))
            case Submit(command):
                return Submit(_same(command, self.scope.commands))

    def _may_submit(self, state: ClusterState, node: NodeId, command: Command) -> bool:
        if not self.scope.accepts_submissions(node, command):
            return False
        submitted = sum(submissions_of(at.record, command, self.scope) for at in state.nodes)
        return self.scope.submissions_max is None or submitted < self.scope.submissions_max

    def _local(self, state: ClusterState, node: NodeId) -> LocalState:
        return state.nodes[self.scope.nodes.index(node)]

    def _may_restart(self, state: ClusterState) -> bool:
        most = self.scope.restarts_max
        return most is None or sum(local.record.restarts for local in state.nodes) < most

    def _handled(self, node: NodeId, state: State, event: InputEvent) -> Step:
        return ask_handle(
            self.implementation, node, self.scope.nodes, state, event, twice=self.twice
        )

    def _started(self, node: NodeId, record: Record) -> tuple[LocalState, tuple[Effect, ...]]:
        step = ask_start(
            self.implementation, node, self.scope.nodes, record.storage, twice=self.twice
        )
        return LocalState(step.state, self._recorded(node, record, step.effects)), step.effects

    def _recorded(self, node: NodeId, record: Record, effects: tuple[Effect, ...]) -> Record:
        record = after_effects(record, node, effects, self.scope)
        new = new_envelopes(record.sent, effects, self.scope.links)
        return record._replace(sent=record.sent.union(new)) if new else record

    def _local_step(
        self, node: NodeId, local: LocalState, event: Event
    ) -> tuple[LocalState, tuple[Effect, ...]]:
        record = local.record
        effects: tuple[Effect, ...] = ()
        if not isinstance(event, Restart):
            handled = event.event if isinstance(event, Torn) else event
            step = self._handled(node, local.state, handled)
            effects = step.effects[: event.kept] if isinstance(event, Torn) else step.effects
            record = after_event(record, node, handled, self.scope)
            record = self._recorded(node, record, effects)
            if not isinstance(event, Torn):
                return LocalState(step.state, record), effects
        started, more = self._started(node, after_restart(record, self.scope))
        return started, effects + more


def _same(value: Hashable, own: Iterable[Hashable]) -> Hashable:
    """The one of ``own`` that equals ``value``, down to the types where there is such a one."""
    equal = canonical(other for other in own if other == value)
    return next((other for other in equal if same_types(other, value)), equal[0])


def cuts(effects: tuple[Effect, ...], event: InputEvent, links: Links) -> tuple[int, ...]:
    """After how many effects a crash is worth looking at.

    Without loss of generality a crash falls right after an effect that outlives it, and before
    another that would have: elsewhere it equals a shorter cut, a restart before the event, or a
    restart after it. The one exception is a message taken off an ordered link and lost in the
    crash, which no restart alone can lose.
    """
    lasting = [position for position, effect in enumerate(effects) if outlives_crash(effect)]
    inner = tuple(position + 1 for position in lasting[:-1])
    loses_message = links == "ordered" and isinstance(event, Receive)
    return (0, *inner) if loses_message else inner
