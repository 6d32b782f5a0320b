"""Schedule: a trace as what each event was meant to be, so that it can be played without some.

When an event is left out, others lose their cause and go with it, and messages that are still sent
may say something else: a ballot is lower, a slot is another. So a message is known here by the step
that sent it, and only then by what it says. Properties are judged by ``watch``, never here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from indelible.checkers.watch import Watch
from indelible.model.cluster import Cluster, ClusterState
from indelible.model.effects import Effect, Send
from indelible.model.events import (
    Action,
    Event,
    Message,
    NodeId,
    Receive,
    Torn,
)
from indelible.model.run import handled_event
from indelible.model.scope import Links
from indelible.model.trace import Violation

__all__ = ["Intent", "Played", "play", "schedule"]


class Origin(NamedTuple):
    """Where a message came from: the ``place``-th one to its receiver that a step sent.

    ``step`` is the index of the intent, or ``None`` for what was sent when the nodes first started.
    """

    step: int | None
    place: int


class Intent(NamedTuple):
    """An event at a node as it once was, and where the message came from that it receives."""

    node: NodeId
    event: Event
    origin: Origin | None = None


class Played(NamedTuple):
    """What became of a schedule: the events that took place, up to the first violation; and the
    first exception in one that was skipped, if there was any."""

    intents: tuple[Intent, ...]
    violation: Violation | None
    raised: str = ""

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple((intent.node, intent.event) for intent in self.intents)


def schedule(actions: Iterable[Action]) -> tuple[Intent, ...]:
    """The schedule that asks for just these events; playing it finds out where messages came from.

    An event that comes first is played first: the order is that of the trace, always.
    """
    return tuple(Intent(node, event) for node, event in actions)


def play(watch: Watch, intents: Sequence[Intent], kept: Iterable[int] | None = None) -> Played:
    """Play the intents, or those at the indices ``kept``, in order, to the first violation.

    Each is played as what it has become: a message as the one that the same step now sends in the
    same place. Skipped is one that is not enabled, one that changes nothing, and one in which the
    implementation raises while something else is watched for; none of these is returned. Every
    intent returned is enabled where it stands.
    """
    judged = watch.start()
    if judged.state is None:
        return Played((), judged.violation, judged.raised)
    mail = _Mail(watch.cluster, watch.scope.links)
    for node, (_, effects) in zip(watch.scope.nodes, watch.cluster.first_steps(), strict=True):
        mail.sent(None, None, node, effects)
    played: list[Intent] = []
    state, violation, raised = judged.state, judged.violation, ""
    for index in range(len(intents)) if kept is None else kept:
        if violation is not None:
            break
        intent = mail.resolved(state, intents[index])
        if intent is None:
            continue
        judged = watch.step(state, (intent.node, intent.event))
        if judged.violation is None and (judged.state is None or judged.state is state):
            raised = raised or judged.raised
            continue
        mail.happened(index, len(played), intent, judged.effects)
        played.append(intent)
        state, violation = judged.state or state, judged.violation
    return Played(tuple(played), violation, raised)


class _Mail:
    """Which messages each intent sends this time, and which intent sent each that is received."""

    def __init__(self, cluster: Cluster, links: Links) -> None:
        self._cluster, self._links = cluster, links
        # By the index of the intent and the receiver, in order.
        self._letters: dict[tuple[int | None, NodeId], list[Message]] = {}
        # By source, receiver and message: who sent it, in order, and how often it was received.
        self._origins: dict[tuple[NodeId, NodeId, Message], list[Origin]] = {}
        self._received: Counter[tuple[NodeId, NodeId, Message]] = Counter()

    def sent(
        self, index: int | None, now: int | None, node: NodeId, effects: Iterable[Effect]
    ) -> None:
        """The intent at ``index``, which is the ``now``-th one played, has had these effects."""
        for effect in effects:
            if isinstance(effect, Send):
                letters = self._letters.setdefault((index, effect.to), [])
                origin = Origin(now, len(letters))
                letters.append(effect.message)
                self._origins.setdefault((node, effect.to, effect.message), []).append(origin)

    def happened(self, index: int, now: int, intent: Intent, effects: Iterable[Effect]) -> None:
        """An intent was played: what it received is gone from the links, what it sent is there."""
        handled = handled_event(intent.event)
        if isinstance(handled, Receive):
            self._received[handled.source, intent.node, handled.message] += 1
        self.sent(index, now, intent.node, effects)

    def resolved(self, state: ClusterState, wanted: Intent) -> Intent | None:
        """What ``wanted`` has become, or ``None`` where nothing like it is enabled."""
        for event in self._candidates(wanted):
            if self._cluster.is_enabled(state, (wanted.node, event)):
                return Intent(wanted.node, event, self._origin(wanted.node, handled_event(event)))
        return None

    def _origin(self, node: NodeId, event: Event) -> Origin | None:
        """Who sent what is received: of several equal messages the first, where links duplicate,
        and else the one whose turn it is."""
        if not isinstance(event, Receive):
            return None
        letter = event.source, node, event.message
        turn = 0 if self._links == "unordered_duplicating" else self._received[letter]
        return self._origins[letter][turn]

    def _candidates(self, wanted: Intent) -> Iterator[Event]:
        event, origin = wanted.event, wanted.origin
        handled = handled_event(event)
        if isinstance(handled, Receive) and origin is not None:
            letters = self._letters.get((origin.step, wanted.node), [])
            if origin.place < len(letters):
                now = Receive(handled.source, letters[origin.place])
                yield Torn(now, event.kept) if isinstance(event, Torn) else now
        yield event
