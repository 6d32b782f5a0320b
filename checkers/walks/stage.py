"""Stage: one run while it goes on, as numbers and lists; what may happen next, and what it does.

It says the same as ``Cluster``, step for step (its dumb twin; the tests compare them), but keeps
the network of one run only, so that nothing is listed or sorted. What it offers is in an order that
the run itself decides (what was sent first comes first), so that drawing from it gives the same run
whatever was met before.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from copy import copy
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from indelible.checkers.walks.reactions import Reactions
from indelible.model.effects import Effect, Storage
from indelible.model.errors import ImplementationRaised
from indelible.model.events import (
    Action,
    Event,
    NodeId,
    Receive,
    Restart,
    Timer,
    Torn,
)
from indelible.model.record import Envelope, Receipt, Record
from indelible.model.scope import Links

__all__ = ["WHOLE", "Stage"]

Chain: TypeAlias = tuple[()] | tuple["Chain", Any]
"""What was before, and what came last: grows without being copied, and is shared by copies."""

COPIED: Final = (
    *("states", "histories", "storages", "timers", "submissions", "open_commands", "actions"),
    *("_sent", "_received"),
)
COPIED_BY_NODE: Final[Mapping[Links, tuple[str, ...]]] = MappingProxyType(
    {
        "ordered": ("firings", "queues"),
        "unordered": ("firings", "fresh", "senders"),
        "unordered_duplicating": ("firings", "fresh", "senders", "seen", "_offered"),
    }
)
"""What a copy has of its own, where no network is kept that the links do not use."""

WHOLE: Final = -1
"""In place of how many effects a crash keeps: none cuts the step short."""


class Stage:
    """A run in its scope; nodes and commands are known by their places in the scope.

    - ``states`` and ``histories``, by node: numbers that the ``reactions`` give.
    - ``fresh`` and ``seen``, by node: the events of receiving what was sent to it, as numbers, in
      the order of sending: not delivered yet; and delivered, where links duplicate. On ordered
      links ``queues`` holds them instead, by receiver and sender.
    - ``senders``, by node: who sent what is in ``fresh``, each by its place in the scope.
    - ``timers``, by node: those armed that may still fire, in the order of arming.
    - ``submissions``: how often each command was submitted, by its place.
    - ``open_commands``: those that may be submitted once more, somewhere.
    - ``actions``: the steps so far; ``last`` tells the event and effects of the last one from any
      other that happened at the same node, by numbers.
    """

    def __init__(self, reactions: Reactions) -> None:
        self.reactions, self.scope = reactions, reactions.scope
        scope = self.scope
        count = len(scope.nodes)
        indices = range(count)
        self.links = scope.links
        self.states = [0] * count
        self.histories = [reactions.histories.empty] * count
        self.storages: list[Storage | None] = [None] * count
        self.timers: list[tuple[Timer, ...]] = [()] * count
        self.fresh: list[list[int]] = [[] for _ in indices]
        self.senders: list[list[int]] = [[] for _ in indices]
        self.seen: list[list[int]] = [[] for _ in indices]
        self.queues: list[list[tuple[int, ...]]] = [[()] * count for _ in indices]
        self.submissions = [0] * len(scope.commands)
        self.open_commands = [] if scope.submissions_max == 0 else list(range(len(scope.commands)))
        self.restarts_left = float("inf") if scope.restarts_max is None else scope.restarts_max
        self.firings: list[dict[Hashable, int]] = [{} for _ in indices]
        self.actions: list[Action] = []
        self.last: tuple[int, ...] = ()
        self._offered: list[set[int]] = [set() for _ in indices]
        self._sent: list[Chain] = [()] * count
        self._received: list[Chain] = [()] * count
        for index in indices:
            self.states[index], consequence = reactions.start(index, None)
            self._apply(index, consequence)

    def copy(self) -> Stage:
        """The same run so far, to be gone on with in another way."""
        other = copy(self)
        for name in COPIED:
            setattr(other, name, getattr(self, name).copy())
        for name in COPIED_BY_NODE[self.links]:
            setattr(other, name, [part.copy() for part in getattr(self, name)])
        return other

    # --- what may happen -----------------------------------------------------------------------

    def may_submit(self, index: int, place: int) -> bool:
        """Whether clients may submit the command at ``place`` to a node now."""
        return place in self.open_commands and self.reactions.accepts[index][place]

    def may_fire(self, index: int, timer: Timer) -> bool:
        """Whether the scope lets a timer of a node fire once more, if it is armed."""
        key, most = self._budget(index, timer)
        return most is None or self.firings[index].get(key, 0) < most

    def cuts(self, index: int, event: int) -> tuple[int, ...]:
        """After how many effects a crash may cut this step short, as far as the scope lets it."""
        if not self.scope.torn or self.restarts_left <= 0:
            return ()
        try:
            _, consequence = self.reactions.handle(index, self.states[index], event)
        except ImplementationRaised:
            return ()
        return self.reactions.cuts(consequence, event)

    def _budget(self, index: int, timer: Timer) -> tuple[Timer, int | None]:
        return self.reactions.budget(index, timer)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The effects of the last step, in order: those a crash kept, then those of a new start."""
        known = self.reactions.consequences
        *happened, last = self.last
        if len(self.last) < 4:  # A whole event, or a restart.
            return known[last].effects
        _, kept, whole = happened
        return known[whole].effects[:kept] + known[last].effects

    # --- what it does --------------------------------------------------------------------------

    def deliver(self, index: int, place: int, kept: int = WHOLE) -> bool:
        """Deliver the message at ``place`` of ``fresh``.

        Says, as all that follow, whether anything changed: what changed nothing is no step of the
        run. Raises ``ImplementationRaised``, as all do, with the event noted among the actions.
        """
        event = self._taken(index, place)
        if self.links == "unordered_duplicating":
            self.seen[index].append(event)
            return self._handle(index, event, kept, marked=False)
        self._received[index] = self._received[index], event
        return self._handle(index, event, kept, marked=True)

    def deliver_again(self, index: int, place: int, kept: int = WHOLE) -> bool:
        """Deliver the message at ``place`` of ``seen`` once more."""
        return self._handle(index, self.seen[index][place], kept, marked=False)

    def deliver_next(self, index: int, source: int, kept: int = WHOLE) -> bool:
        """Deliver the first message in the ordered link from the node at ``source``."""
        event, *later = self.queues[index][source]
        self.queues[index][source] = tuple(later)
        self._received[index] = self._received[index], event
        return self._handle(index, event, kept, marked=True)

    def lose(self, index: int, place: int) -> None:
        """Lose the message at ``place`` of ``fresh``: it will never be delivered."""
        self._taken(index, place)

    def fire(self, index: int, timer: Timer, kept: int = WHOLE) -> bool:
        """Let an armed timer fire."""
        budget, most = self._budget(index, timer)
        if most is not None:
            used = self.firings[index]
            used[budget] = used.get(budget, 0) + 1
        before = self.timers[index]
        self.timers[index] = self._alive(index, [other for other in before if other != timer])
        event = self.reactions.timeout(timer)
        return self._handle(index, event, kept, marked=most is not None, armed=before)

    def submit(self, index: int, place: int, kept: int = WHOLE) -> bool:
        """Submit the command at ``place`` in the scope."""
        self.submissions[place] += 1
        history = self.reactions.history_submitted(self.histories[index], place)
        self.histories[index] = history
        if self.submissions[place] == self.scope.submissions_max:
            self.open_commands.remove(place)
        event = self.reactions.submission(place)
        return self._handle(index, event, kept, marked=self.scope.submissions_max is not None)

    def restart(self, index: int) -> bool:
        """Restart the node."""
        before = self.states[index], set(self.timers[index])
        self._note(index, Restart())
        self.last = ()
        changed = self._restart(index) or before != (self.states[index], set(self.timers[index]))
        return self._settled(changed or self.scope.restarts_max is not None)

    def _taken(self, index: int, place: int) -> int:
        self.senders[index].pop(place)
        return self.fresh[index].pop(place)

    def _handle(
        self,
        index: int,
        event: int,
        kept: int,
        *,
        marked: bool,
        armed: tuple[Timer, ...] | None = None,
    ) -> bool:
        """What every input event has in common; ``armed``: the timers before, if it took one."""
        reactions = self.reactions
        whole = reactions.events[event]
        self._note(index, whole if kept == WHOLE else Torn(whole, kept))
        before = self.states[index]
        if armed is None:
            armed = self.timers[index]
        after, consequence = reactions.handle(index, before, event)
        self.last = (event, kept, consequence)
        if kept == WHOLE:
            self.states[index] = after
            changed = self._apply(index, consequence)
        else:
            changed = self._apply(index, reactions.part(index, consequence, kept))
            changed = self._restart(index) or changed or self.scope.restarts_max is not None
        if changed or marked or self.states[index] != before:
            return True
        timers = self.timers[index]
        return self._settled(timers != armed and set(timers) != set(armed))

    def _note(self, index: int, event: Event) -> None:
        self.actions.append((self.scope.nodes[index], event))

    def _settled(self, changed: bool) -> bool:
        if not changed:
            self.actions.pop()
        return changed

    def _restart(self, index: int) -> bool:
        """A crash, and a new start with what was persisted; says what ``_apply`` says."""
        self.restarts_left -= 1
        self.histories[index] = self.reactions.history_restarted(self.histories[index])
        self.timers[index] = ()
        self.states[index], consequence = self.reactions.start(index, self.storages[index])
        self.last = (*self.last, consequence)
        return self._apply(index, consequence)

    def _apply(self, index: int, number: int) -> bool:
        """Let effects take place; says whether they change anything but state and timers."""
        consequence = self.reactions.consequences[number]
        changed = False
        if consequence.testimony:
            before = self.histories[index]
            after = self.histories[index] = self.reactions.history_after(before, number)
            changed = after != before
        if consequence.persists and consequence.storage != self.storages[index]:
            self.storages[index] = consequence.storage
            changed = True
        if consequence.sends:
            changed = self._send(index, consequence.sends) or changed
        armed, gone = self.timers[index], consequence.disarmed
        # Those that are armed may fire; most often they are only armed anew.
        if gone or not all(map(armed.__contains__, consequence.armed)):
            kept = [timer for timer in armed if timer not in gone]
            kept += [timer for timer in consequence.armed if timer not in kept]
            self.timers[index] = self._alive(index, kept)
        return changed

    def _alive(self, index: int, timers: Iterable[Timer]) -> tuple[Timer, ...]:
        """Those that may still fire: no event can tell the others from disarmed ones."""
        return tuple([timer for timer in timers if self.may_fire(index, timer)])

    def _send(self, index: int, sends: tuple[tuple[int, int], ...]) -> bool:
        if self.links == "unordered_duplicating":
            changed = False
            for to, event in sends:
                offered = self._offered[to]
                if event not in offered:
                    offered.add(event)
                    self.fresh[to].append(event)
                    self.senders[to].append(index)
                    self._sent[index] = self._sent[index], (to, event)
                    changed = True
            return changed
        for to, event in sends:
            self._sent[index] = self._sent[index], (to, event)
            if self.links == "ordered":
                self.queues[to][index] = *self.queues[to][index], event
            else:
                self.fresh[to].append(event)
                self.senders[to].append(index)
        return True

    # --- the record, as the world has it ---------------------------------------------------------

    def record(self, index: int) -> Record:
        """The node's whole record, as ``Cluster`` has it."""
        return Record(*(self.field(index, name) for name in Record._fields))

    def field(self, index: int, name: str) -> Any:
        """One field of the node's record; those of the network are put together anew each time."""
        match name:
            case "sent":
                return frozenset(self._envelopes(index))
            case "received":
                return frozenset(self._receipts(index))
            case "storage":
                return self.storages[index]
            case "timers":
                return frozenset(self.timers[index])
            case "timeouts":
                return frozenset(self.firings[index].items())
        return getattr(self.reactions.histories[self.histories[index]], name)

    def _envelopes(self, index: int) -> Iterator[Envelope]:
        numbers: dict[Hashable, int] = {}
        for to, event in _in_order(self._sent[index]):
            received = self.reactions.events[event]
            assert isinstance(received, Receive)
            number = 0
            if self.links != "unordered_duplicating":
                kind = to if self.links == "ordered" else (to, event)
                number = numbers[kind] = numbers.get(kind, 0) + 1
            yield Envelope(self.scope.nodes[to], received.message, number)

    def _receipts(self, index: int) -> Iterator[Receipt]:
        times: dict[tuple[NodeId, Hashable], int] = {}
        for event in _in_order(self._received[index]):
            received = self.reactions.events[event]
            assert isinstance(received, Receive)
            message = None if self.links == "ordered" else received.message
            known = received.source, message
            times[known] = times.get(known, 0) + 1
        return (Receipt(source, message, count) for (source, message), count in times.items())


def _in_order(chain: Chain) -> list[Any]:
    """What a chain is made of, the first one first."""
    parts = []
    while chain:
        chain, last = chain
        parts.append(last)
    return parts[::-1]
