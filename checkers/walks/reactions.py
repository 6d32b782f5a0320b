"""Reactions: what every node answers to every event, asked once and kept as numbers.

States, events, histories and the consequences of a step are numbered as they are met, so that a
step that was taken before costs a few look-ups. Which number a thing has depends on what was met
before it, so nothing that is drawn or shown may depend on numbers. Nothing here knows of networks.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from indelible.checkers.asking import ask_twice, require_same_types
from indelible.checkers.explorer.parts import Interner
from indelible.checkers.walks.histories import Histories
from indelible.model.cluster import cuts
from indelible.model.effects import (
    CancelTimer,
    Decide,
    Effect,
    Execute,
    Lead,
    Persist,
    Promise,
    Send,
    SetTimer,
    Storage,
    Vote,
)
from indelible.model.errors import ImplementationRaised
from indelible.model.events import InputEvent, Message, Receive, Submit, Timeout, Timer
from indelible.model.implementation import Implementation, Step, ask_handle, ask_start
from indelible.model.record import after_effects, after_event, after_restart
from indelible.model.scope import Scope

__all__ = ["Consequence", "Reactions"]

TESTIMONY: Final = (Decide, Execute, Promise, Vote, Lead)

Answer: TypeAlias = tuple[int, int]
"""The next state, and the consequence, as numbers."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a list of effects of one node does to the world, worked out once.

    - ``sends``: the index of the receiver, and the number of the event of receiving it, in order.
    - ``armed`` and ``disarmed``: the timers that are so afterwards, of those it touches.
    - ``storage``: what is persisted last, if anything is (``persists``).
    - ``testimony``: the effects that the history of the node is made of.
    """

    effects: tuple[Effect, ...]
    sends: tuple[tuple[int, int], ...]
    armed: tuple[Timer, ...]
    disarmed: tuple[Timer, ...]
    persists: bool
    storage: Storage | None
    testimony: tuple[Effect, ...]


class Reactions:
    """An implementation in a scope, as numbers.

    ``accepts`` says, by node and command, whether clients submit it there. ``effect_types`` are
    those met so far; ``calls`` counts how often the implementation was called.
    All methods that ask it may raise ``ImplementationError`` and ``ImplementationRaised``.
    """

    def __init__(self, implementation: Implementation, scope: Scope) -> None:
        self.implementation, self.scope = implementation, scope
        nodes = range(len(scope.nodes))
        self.accepts = tuple(
            tuple(scope.accepts_submissions(node, command) for command in scope.commands)
            for node in scope.nodes
        )
        self.states: Interner[Any] = Interner()
        self.events: Interner[InputEvent] = Interner()
        self.histories = Histories()
        self.consequences: list[Consequence] = []
        self.effect_types: set[type] = set()
        self.calls = 0
        self._asked = 0
        self._places = {node: place for place, node in enumerate(scope.nodes)}
        self._values: dict[Hashable, Hashable] = {}
        # By node and number: equal states of two nodes have one number, and are two all the same.
        self._own_states: dict[tuple[int, int], Any] = {}
        self._numbers: dict[tuple[int, tuple[Effect, ...]], int] = {}
        self._handled: list[dict[tuple[int, int], Answer | ImplementationRaised]] = [
            {} for _ in nodes
        ]
        self._started: list[dict[Storage | None, Answer | ImplementationRaised]] = [
            {} for _ in nodes
        ]
        self._after: dict[tuple[int, int], int] = {}
        self._submitted: dict[tuple[int, int], int] = {}
        self._restarted: dict[int, int] = {}
        self._parts: dict[tuple[int, int, int], int] = {}
        self._cuts: dict[tuple[int, int], tuple[int, ...]] = {}
        self._sources: dict[int, int] = {}
        self._budgets: dict[tuple[int, Timer], tuple[Timer, int | None]] = {}

    @property
    def size(self) -> int:
        """How many answers are kept."""
        return sum(map(len, self._handled)) + len(self._after)

    def timeout(self, timer: Timer) -> int:
        """The number of the event that a timer fires."""
        return self.events(Timeout(timer))

    def submission(self, place: int) -> int:
        """The number of the event that the command at ``place`` in the scope is submitted."""
        return self.events(Submit(self.scope.commands[place]))

    def source(self, event: int) -> int:
        """The place in the scope of the node whose message this event receives."""
        known = self._sources.get(event)
        if known is None:
            received = self.events[event]
            assert isinstance(received, Receive)
            known = self._sources[event] = self.scope.nodes.index(received.source)
        return known

    def start(self, index: int, storage: Storage | None) -> Answer:
        """What the node at ``index`` starts as."""
        known = self._started[index].get(storage)
        if known is None:
            nodes = self.scope.nodes
            try:
                twice = self._is_asked_twice()
                step = ask_start(self.implementation, nodes[index], nodes, storage, twice=twice)
                known = self._numbered(index, step, twice)
            except ImplementationRaised as raised:
                known = raised
            self._started[index][storage] = known
        if isinstance(known, ImplementationRaised):
            raise known
        return known

    def handle(self, index: int, state: int, event: int) -> Answer:
        """What the node at ``index`` answers to an event in a state."""
        known = self._handled[index].get((state, event))
        if known is None:
            known = self._handled[index][state, event] = self._ask(index, state, event)
        if isinstance(known, ImplementationRaised):
            raise known
        return known

    def history_after(self, history: int, consequence: int) -> int:
        """The history of a node after the testimony of one more step."""
        testimony = self.consequences[consequence].testimony
        if not testimony:
            return history
        after = self._after.get((history, consequence))
        if after is None:
            # Without a node's timers there is nothing in it that depends on which node it is.
            record = after_effects(self.histories[history], 0, testimony, self.scope)
            after = self._after[history, consequence] = self.histories.after(history, record)
        return after

    def history_submitted(self, history: int, place: int) -> int:
        """The history of a node that was given the command at ``place`` in the scope."""
        after = self._submitted.get((history, place))
        if after is None:
            event = Submit(self.scope.commands[place])
            record = after_event(self.histories[history], 0, event, self.scope)
            after = self._submitted[history, place] = self.histories.after(history, record)
        return after

    def history_restarted(self, history: int) -> int:
        """The history of a node that was restarted."""
        after = self._restarted.get(history)
        if after is None:
            record = after_restart(self.histories[history], self.scope)
            after = self._restarted[history] = self.histories.after(history, record)
        return after

    def cuts(self, consequence: int, event: int) -> tuple[int, ...]:
        """After how many effects of a step a crash is worth looking at (``cluster.cuts``)."""
        known = self._cuts.get((consequence, event))
        if known is None:
            effects = self.consequences[consequence].effects
            known = cuts(effects, self.events[event], self.scope.links)
            self._cuts[consequence, event] = known
        return known

    def budget(self, index: int, timer: Timer) -> tuple[Timer, int | None]:
        """How often the timer of a node may fire, and the key to count it by (``Scope``)."""
        known = self._budgets.get((index, timer))
        if known is None:
            known = self.scope.timeout_budget(self.scope.nodes[index], timer)
            self._budgets[index, timer] = known
        return known

    def part(self, index: int, consequence: int, kept: int) -> int:
        """The consequence of the first ``kept`` effects only."""
        known = self._parts.get((index, consequence, kept))
        if known is None:
            known = self.number(index, self.consequences[consequence].effects[:kept])
            self._parts[index, consequence, kept] = known
        return known

    def number(self, index: int, effects: tuple[Effect, ...]) -> int:
        """The number of the consequence that these effects of the node at ``index`` have."""
        new = len(self.consequences)
        known = self._numbers.setdefault((index, effects), new)
        if known == new:
            self.consequences.append(self._consequence(index, effects))
            self.effect_types.update(map(type, effects))
        return known

    def _consequence(self, index: int, effects: tuple[Effect, ...]) -> Consequence:
        source, received = self.scope.nodes[index], -1
        before: Message = None
        sends: list[tuple[int, int]] = []
        timers: dict[Timer, bool] = {}
        stored: list[Storage] = []
        for effect in effects:
            match effect:
                case Send(to, message):
                    if received < 0 or message is not before:  # Most are said to many at once.
                        require_same_types(self._values.setdefault(message, message), message)
                        received, before = self.events(Receive(source, message)), message
                    sends.append((self._places[to], received))
                case SetTimer(timer, _):
                    timers[timer] = True
                case CancelTimer(timer):
                    timers[timer] = False
                case Persist(storage):
                    stored.append(storage)
        return Consequence(
            effects,
            tuple(sends),
            tuple(timer for timer, armed in timers.items() if armed),
            tuple(timer for timer, armed in timers.items() if not armed),
            bool(stored),
            stored[-1] if stored else None,
            tuple(effect for effect in effects if isinstance(effect, TESTIMONY)),
        )

    def _ask(self, index: int, state: int, event: int) -> Answer | ImplementationRaised:
        nodes, twice = self.scope.nodes, self._is_asked_twice()
        before, happened = self._own_states[index, state], self.events[event]
        try:
            step = ask_handle(
                self.implementation, nodes[index], nodes, before, happened, twice=twice
            )
        except ImplementationRaised as raised:
            return raised
        return self._numbered(index, step, twice)

    def _numbered(self, index: int, step: Step, careful: bool) -> Answer:
        state, consequence = self.states(step.state), self.number(index, step.effects)
        self._own_states.setdefault((index, state), step.state)
        if careful:
            require_same_types(self.states[state], step.state)
            require_same_types(self.consequences[consequence].effects, step.effects)
        return state, consequence

    def _is_asked_twice(self) -> bool:
        twice = ask_twice(self._asked)
        self._asked += 1
        self.calls += 2 if twice else 1
        return twice
