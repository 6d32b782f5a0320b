"""Haystacks: long traces that fail at their end, for whoever makes traces short.

Everything is drawn from a seed. What could happen next is drawn from a pool that is kept up to date
with what nodes send, and never listed: ``Cluster.enabled`` sorts it all for every step.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from indelible import explore
from indelible.checkers.properties import BUILT_IN
from indelible.checkers.watch import Watch, replay
from indelible.impl.known_bugs import KNOWN_BUGS, KnownBug
from indelible.model.cluster import ClusterState
from indelible.model.effects import Effect, Send
from indelible.model.events import (
    Action,
    Event,
    InputEvent,
    NodeId,
    Receive,
    Restart,
    Submit,
    Timeout,
    Torn,
)
from indelible.model.implementation import implementation_name
from indelible.model.run import handled_event, replayed
from indelible.model.scope import Scope
from indelible.model.trace import Trace

__all__ = ["haystack", "known_haystack", "needle_of", "random_walk", "roomy"]

TRIES = 40
"""How many events are drawn for one place in a trace before it is left empty."""

EPOCH = (5, 40)
"""For how many events, at least and at most, the same nodes are awake."""


def roomy(scope: Scope, *, nodes: int | None = None) -> Scope:
    """A larger scope: more commands, time-outs of every kind, restarts, torn steps, any node."""
    return Scope(
        nodes=scope.nodes if nodes is None else nodes,
        commands=(*scope.commands, "x", "y", "z"),
        submissions_max=5,
        timeouts_max={"election": 30, "heartbeat": 30, "retransmit": 30},
        restarts_max=12,
        torn=True,
        links=scope.links,
    )


def needle_of(bug: KnownBug) -> Trace:
    """A shortest trace of a known bug, in its own scope; searched for once."""
    return _needle(bug.name)


@cache
def _needle(name: str) -> Trace:
    bug = KNOWN_BUGS[name]
    verdict = explore(bug.implementation, bug.scope, properties=[bug.property])
    assert verdict.trace is not None
    return verdict.trace


def known_haystack(bug: KnownBug, seed: int, events: int = 300) -> Trace:
    """A long trace of a known bug in a scope that is larger in all but the number of nodes; made
    once."""
    return _known_haystack(bug.name, seed, events)


@cache
def _known_haystack(name: str, seed: int, events: int) -> Trace:
    bug = KNOWN_BUGS[name]
    watch = Watch(bug.implementation, roomy(bug.scope), BUILT_IN[bug.property])
    return haystack(watch, needle_of(bug).actions, seed=seed, events=events)


def haystack(watch: Watch, needle: Sequence[Action], *, seed: int, events: int) -> Trace:
    """The events of ``needle`` woven into random others, about ``events`` in all.

    A random event is kept if what is left of the needle still leads to the violation after it, in
    its last step and not before; so the trace fails at its end, whatever was drawn.
    """
    draw = random.Random(seed)
    stage = _Stage.opened(watch)
    thread = _Thread.of(watch, tuple(needle))
    hay = _Pool(watch, draw)
    hay.sent(stage.started)
    for at in range(len(needle)):
        gap = (events - len(stage.actions)) // (len(needle) - at) - 1
        for _ in range(draw.randint(gap // 2, gap + gap // 2)):
            for action in hay.drawn(stage.state):
                later = stage.after(watch, action)
                if later is not None and later.violation is None and thread.leads(watch, later, at):
                    stage = later
                    hay.sent([(action[0], stage.effects)])
                    break
        followed = thread.followed(watch, stage, at)
        assert followed is not None, "the needle was looked ahead for"
        stage, thread = followed
        hay.sent([(needle[at][0], stage.effects)])
    return _trace(watch, stage)


def random_walk(watch: Watch, *, seed: int, events: int) -> Trace | None:
    """A walk in epochs, in each of which only some nodes are awake, to the first violation."""
    draw = random.Random(seed)
    stage = _Stage.opened(watch)
    hay = _Pool(watch, draw)
    hay.sent(stage.started)
    for _ in range(events // EPOCH[0]):
        awake = draw.sample(watch.scope.nodes, draw.randint(1, len(watch.scope.nodes)))
        for _ in range(draw.randint(*EPOCH)):
            for action in hay.drawn(stage.state, awake):
                later = stage.after(watch, action)
                if later is not None:
                    stage = later
                    hay.sent([(action[0], stage.effects)])
                    break
            if stage.violation is not None or len(stage.actions) == events:
                return _trace(watch, stage) if stage.violation is not None else None
    return None


def _trace(watch: Watch, stage: _Stage) -> Trace:
    found = replay(watch, stage.actions)
    assert found.violation is not None
    assert found.step == len(stage.actions)
    name = implementation_name(watch.implementation)
    return Trace(name, watch.scope, stage.actions, found.violation)


class _Stage(NamedTuple):
    """Where a trace has come to."""

    actions: tuple[Action, ...]
    state: ClusterState
    effects: tuple[Effect, ...] = ()
    violation: object = None
    started: tuple[tuple[NodeId, tuple[Effect, ...]], ...] = ()

    @classmethod
    def opened(cls, watch: Watch) -> _Stage:
        first = watch.cluster.first_steps()
        started = zip(watch.scope.nodes, (effects for _, effects in first), strict=True)
        return cls((), watch.cluster.initial(), started=tuple(started))

    def after(self, watch: Watch, action: Action) -> _Stage | None:
        """After one event more; ``None`` if it raises, changes nothing, or cannot happen."""
        if not watch.cluster.is_enabled(self.state, action):
            return None
        judged = watch.step(self.state, action)
        if judged.state is None or judged.state == self.state:
            return None
        return _Stage((*self.actions, action), judged.state, judged.effects, judged.violation)


class _Thread(NamedTuple):
    """A needle while it is woven in: its messages are known by who sent them, as the n-th to whom.

    ``origins`` is, step by step, the step that sent what is received there (-1: a first start), and
    the number of the message; ``letters`` are the messages that each step has sent this time.
    """

    needle: tuple[Action, ...]
    origins: tuple[tuple[int, int] | None, ...]
    letters: dict[tuple[int, NodeId], tuple[Hashable, ...]]

    @classmethod
    def of(cls, watch: Watch, needle: tuple[Action, ...]) -> _Thread:
        run = replayed(watch.implementation, watch.scope, needle)
        letters: dict[tuple[int, NodeId], tuple[Hashable, ...]] = {}
        origins: list[tuple[int, int] | None] = []
        for effects in run.started:
            letters = _with_letters(letters, -1, effects)
        started = letters
        for at, step in enumerate(run.steps):
            event = handled_event(step.event)
            if isinstance(event, Receive):
                assert step.cause is not None
                sent = letters[step.cause - 1, step.node]
                origins.append((step.cause - 1, sent.index(event.message)))
            else:
                origins.append(None)
            letters = _with_letters(letters, at, step.all_effects)
        return cls(needle, tuple(origins), started)

    def leads(self, watch: Watch, stage: _Stage, at: int) -> bool:
        """Whether the needle from step ``at`` on ends in a violation, and has none before."""
        thread: _Thread = self
        for step in range(at, len(self.needle)):
            if stage.violation is not None:
                return False
            followed = thread.followed(watch, stage, step)
            if followed is None:
                return False
            stage, thread = followed
        return stage.violation is not None

    def followed(self, watch: Watch, stage: _Stage, at: int) -> tuple[_Stage, _Thread] | None:
        """After step ``at`` of the needle, as what it has become."""
        node, event = self.needle[at]
        origin = self.origins[at]
        if origin is not None:
            step, place = origin
            letters = self.letters.get((step, node), ())
            if place >= len(letters):
                return None
            now = Receive(handled_event(event).source, letters[place])
            event = Torn(now, event.kept) if isinstance(event, Torn) else now
        later = stage.after(watch, (node, event))
        if later is None:
            return None
        return later, self._replace(letters=_with_letters(self.letters, at, later.effects))


def _with_letters(
    letters: dict[tuple[int, NodeId], tuple[Hashable, ...]], step: int, effects: Iterable[Effect]
) -> dict[tuple[int, NodeId], tuple[Hashable, ...]]:
    letters = dict(letters)
    for effect in effects:
        if isinstance(effect, Send):
            key = step, effect.to
            letters[key] = (*letters.get(key, ()), effect.message)
    return letters


class _Pool:
    """What may happen next, roughly: messages not yet lost, timers, commands, crashes."""

    def __init__(self, watch: Watch, draw: random.Random) -> None:
        self._scope, self._draw = watch.scope, draw
        self._index = {node: at for at, node in enumerate(watch.scope.nodes)}
        self._mail: list[tuple[NodeId, Receive]] = []

    def sent(self, steps: Iterable[tuple[NodeId, Sequence[Effect]]]) -> None:
        """Put what nodes sent under way."""
        for node, effects in steps:
            self._mail += [
                (effect.to, Receive(node, effect.message))
                for effect in effects
                if isinstance(effect, Send)
            ]

    def drawn(self, state: ClusterState, awake: Sequence[NodeId] = ()) -> Iterator[Action]:
        """Events that may be enabled, one after the other."""
        for _ in range(TRIES):
            action = self._one(state, awake or self._scope.nodes)
            if action is not None and (not awake or action[0] in awake):
                yield action

    def _one(self, state: ClusterState, awake: Sequence[NodeId]) -> Action | None:
        draw, kind = self._draw, self._draw.random()
        node = draw.choice(awake)
        if kind < 0.7 and self._mail:
            at = draw.randrange(len(self._mail))
            node, event = self._mail[at]
            if draw.random() < 0.7:  # Else it stays under way, and may be delivered again.
                self._mail[at] = self._mail[-1]
                self._mail.pop()
            return (node, self._torn(event)) if draw.random() < 0.02 else (node, event)
        if kind < 0.85:
            timers = sorted(state.nodes[self._index[node]].record.timers)
            return (node, Timeout(draw.choice(timers))) if timers else None
        if kind < 0.97:
            return (node, Submit(draw.choice(self._scope.commands)))
        return (node, Restart())

    def _torn(self, event: InputEvent) -> Event:
        return Torn(event, self._draw.randint(1, 3)) if self._scope.torn else event


def walks_of(
    name: str, *, nodes: int, seeds: Iterable[int], events: int, breaks: str | None = None
) -> Iterator[Trace]:
    """Those random walks that show a known bug, in a larger scope; ``breaks``: its property."""
    bug = KNOWN_BUGS[name]
    scope = replace(roomy(bug.scope, nodes=nodes), links="unordered_duplicating")
    watch = Watch(bug.implementation, scope, BUILT_IN[breaks or bug.property])
    for seed in seeds:
        trace = random_walk(watch, seed=seed, events=events)
        if trace is not None:
            yield trace
