"""Schedule: a trace as what each event was meant to be, so that it can be played without some.

When an event is left out, others lose their cause and go with it, and messages that are still sent
may say something else: a ballot is lower, a slot is another. So a message is known here by the step
that sent it, and only then by what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from indelible.checkers.watch import Watch
from indelible.model.cluster import Cluster, ClusterState
from indelible.model.effects import Effect, Send
from indelible.model.events import Action, Event, Message, NodeId, Receive, Torn
from indelible.model.run import handled_event
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
    """What became of a schedule: the events that took place, up to the first violation."""

    intents: tuple[Intent, ...]
    violation: Violation | None

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
    same place. One that is not enabled is skipped, and so is one that changes nothing; both are
    missing from what is returned. Every intent returned is enabled where it stands.
    """
    judged = watch.start()
    if judged.state is None:
        return Played((), judged.violation)
    mail = _Mail(watch.cluster)
    for node, (_, effects) in zip(watch.scope.nodes, watch.cluster.first_steps(), strict=True):
        mail.sent(None, None, node, effects)
    played: list[Intent] = []
    for index in range(len(intents)) if kept is None else kept:
        if judged.violation is not None or judged.state is None:
            break
        state, wanted = judged.state, intents[index]
        intent = mail.resolved(state, wanted)
        if intent is None:
            continue
        judged = watch.step(state, (intent.node, intent.event))
        if judged.state == state:
            continue
        mail.sent(index, len(played), intent.node, judged.effects)
        played.append(intent)
    return Played(tuple(played), judged.violation)


class _Mail:
    """Which messages each intent sends this time, and which intent first sent each message."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        # By the index of the intent and the receiver, in order.
        self._letters: dict[tuple[int | None, NodeId], list[Message]] = {}
        self._origins: dict[tuple[NodeId, NodeId, Message], Origin] = {}

    def sent(
        self, index: int | None, now: int | None, node: NodeId, effects: Iterable[Effect]
    ) -> None:
        """The intent at ``index``, which is the ``now``-th one played, has had these effects."""
        for effect in effects:
            if isinstance(effect, Send):
                letters = self._letters.setdefault((index, effect.to), [])
                origin = Origin(now, len(letters))
                letters.append(effect.message)
                self._origins.setdefault((node, effect.to, effect.message), origin)

    def resolved(self, state: ClusterState, wanted: Intent) -> Intent | None:
        """What ``wanted`` has become, or ``None`` where nothing like it is enabled."""
        for event in self._candidates(wanted):
            if self._cluster.is_enabled(state, (wanted.node, event)):
                handled = handled_event(event)
                if not isinstance(handled, Receive):
                    return Intent(wanted.node, event)
                origin = self._origins[handled.source, wanted.node, handled.message]
                return Intent(wanted.node, event, origin)
        return None

    def _candidates(self, wanted: Intent) -> Iterator[Event]:
        event, origin = wanted.event, wanted.origin
        handled = handled_event(event)
        if isinstance(handled, Receive) and origin is not None:
            letters = self._letters.get((origin.step, wanted.node), [])
            if origin.place < len(letters):
                now = Receive(handled.source, letters[origin.place])
                yield Torn(now, event.kept) if isinstance(event, Torn) else now
        yield event
