"""Local automata: what each node can be, and what each event makes of it, learned once.

A node's local state is three small numbers: its implementation's state, its record without what it
sent, and what it sent. Most of a step is therefore a look-up of numbers already met, and the
implementation is called once per (state, event). This is plain Python; ``tables`` copies what it
learns into arrays for the kernels. It knows nothing of global states.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from indelible.model.canonical import canonical
from indelible.model.cluster import LocalState, cuts
from indelible.model.effects import Effect, Send
from indelible.model.errors import ImplementationRaised
from indelible.model.events import (
    Event,
    InputEvent,
    NodeId,
    Receive,
    Restart,
    Submit,
    Timeout,
    Torn,
)
from indelible.model.implementation import Implementation, Step, ask_handle, ask_start
from indelible.model.record import (
    Envelope,
    Record,
    after_effects,
    after_event,
    after_restart,
    after_sends,
    is_deliverable,
    submissions_of,
)
from indelible.model.scope import Scope

__all__ = ["Automaton", "Interner", "Learned", "LocalAutomata", "ask_twice"]

T = TypeVar("T", bound=Hashable)
Answer: TypeAlias = tuple[int, int] | ImplementationRaised

ALWAYS_TWICE: Final = 2_000
SOMETIMES_TWICE: Final = 16


def ask_twice(call: int) -> bool:
    """Whether the ``call``-th step is asked twice, to see whether it is deterministic.

    The first ones always, then one in sixteen: what depends on a clock, on chance or on hidden
    state shows soon, and asking everything twice would double the cost of learning.
    """
    return call < ALWAYS_TWICE or call % SOMETIMES_TWICE == 0


class Interner(Generic[T]):
    """Distinct values numbered from ``first`` in the order in which they were met."""

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self.values: list[T] = []
        self.ids: dict[T, int] = {}

    def __call__(self, value: T) -> int:
        known = self.ids.get(value)
        if known is None:
            known = self.ids[value] = len(self.values) + self._first
            self.values.append(value)
        return known

    def __getitem__(self, number: int) -> T:
        return self.values[number - self._first]

    def __len__(self) -> int:
        return len(self.values)


class LocalParts(NamedTuple):
    """A local state as three numbers of its node: state, rest of the record, sent."""

    state: int
    rest: int
    sent: int


class Occurrence(NamedTuple):
    """An event as the kernels know it: with the number of the envelope, where links need one."""

    event: Event
    number: int


@dataclass(frozen=True, slots=True)
class Learned:
    """What one event does to one local state, apart from budgets of the whole cluster.

    ``whole`` is the next local id, 0 where nothing changes or the event is not possible; ``torn``
    are the (effects kept, next local id or 0) of crashes inside the step; ``raised`` holds the
    exceptions that the implementation raised, by effects kept (``None``: the whole step).
    """

    whole: int = 0
    torn: tuple[tuple[int, int], ...] = ()
    raised: tuple[tuple[int | None, ImplementationRaised], ...] = ()


NOTHING: Final = Learned()


@dataclass(slots=True)
class Sent:
    """What a node has sent: the envelopes, and per receiving node the occurrences they allow."""

    envelopes: frozenset[Envelope]
    allows: tuple[int, ...] = field(default=())


class Automaton:
    """One node: its local states, the events it may see, and the steps between.

    ``locals`` are numbered from 1. ``occurrences`` are numbered from 0: the place of an event in
    every bit set of this node.
    """

    def __init__(self, owner: LocalAutomata, index: int, node: NodeId) -> None:
        self.owner, self.index, self.node = owner, index, node
        self.states: Interner[Any] = Interner()
        self.rests: Interner[Record] = Interner()
        self.sent_ids: dict[frozenset[Envelope], int] = {}
        self.sents: list[Sent] = []
        self.locals: Interner[LocalParts] = Interner(first=1)
        self.occurrences: Interner[Occurrence] = Interner()
        self.timer_bits: dict[Hashable, int] = {}
        self.always_bits = 0
        self._event_ids: Interner[InputEvent] = Interner()
        self._handled: dict[tuple[int, int], Answer] = {}
        self._started: dict[Hashable, Answer] = {}
        self._rested: dict[tuple[int, int, int], int] = {}
        self._restarted: dict[tuple[int, int], int] = {}
        self._sending: dict[tuple[int, int], int] = {}

    # --- numbering ---------------------------------------------------------------------------

    def add_own_events(self) -> None:
        """The events that need no sender and no timer: submissions and restarts."""
        for command in self.owner.scope.commands:
            self.always_bits |= 1 << self.occurrences(Occurrence(Submit(command), 0))
        if self.owner.scope.restarts_max != 0:
            self.always_bits |= 1 << self.occurrences(Occurrence(Restart(), 0))

    def local_state(self, local: int) -> LocalState:
        """The local state as ``Cluster`` has it."""
        parts = self.locals[local]
        record = self.rests[parts.rest]
        sent = self.sents[parts.sent].envelopes
        return LocalState(self.states[parts.state], replace(record, sent=sent))

    def _sent_id(self, envelopes: frozenset[Envelope], parent: Sent) -> int:
        known = self.sent_ids.get(envelopes)
        if known is None:
            known = self.sent_ids[envelopes] = len(self.sents)
            allows = list(parent.allows)
            for envelope in canonical(envelopes - parent.envelopes):
                at = self.owner.scope.nodes.index(envelope.to)
                event = Receive(self.node, envelope.message)
                occurrence = Occurrence(event, envelope.number)
                allows[at] |= 1 << self.owner.automata[at].occurrences(occurrence)
            self.sents.append(Sent(envelopes, tuple(allows)))
        return known

    def _local(self, state: int, rest: int, sent: int) -> int:
        for timer in canonical(self.rests[rest].timers - self.timer_bits.keys()):
            bit = self.timer_bits[timer] = self.occurrences(Occurrence(Timeout(timer), 0))
            self.always_bits |= 1 << bit
        return self.locals(LocalParts(state, rest, sent))

    # --- learning ----------------------------------------------------------------------------

    def start(self) -> int:
        """The initial local state."""
        empty = Sent(frozenset(), (0,) * len(self.owner.scope.nodes))
        self.sent_ids[empty.envelopes] = 0
        self.sents.append(empty)
        state, effects = self._ask_start(None)
        rest = self._after_start(Record(), effects)
        return self._local(state, rest, self._sent_after(0, effects))

    def learn(self, local: int, bit: int) -> Learned:
        """What the occurrence ``bit`` does to ``local``."""
        parts = self.locals[local]
        event, number = self.occurrences[bit]
        try:
            if isinstance(event, Restart):
                return Learned(self._changed(local, self._restart(parts.rest, parts.sent)))
            assert not isinstance(event, Torn)
            if not self._possible(self.rests[parts.rest], event, number):
                return NOTHING
            event_id = self._event_ids(event)
            state, effects = self._ask(parts.state, event_id, event)
            rest = self._rest_after(parts.rest, event_id, event, effects)
            whole = self._local(state, rest, self._sent_after(parts.sent, effects))
        except ImplementationRaised as raised:
            return Learned(raised=((None, raised),))
        if not self.owner.scope.torn:
            return NOTHING if whole == local else Learned(whole)
        return self._with_cuts(local, self._changed(local, whole), event, effects)

    def _possible(self, rest: Record, event: InputEvent, number: int) -> bool:
        if isinstance(event, Receive):
            links = self.owner.scope.links
            return is_deliverable(rest, event.source, event.message, number, links)
        if isinstance(event, Timeout):
            return event.timer in rest.timers
        return True

    def _changed(self, before: int, after: int) -> int:
        return 0 if before == after else after

    def _with_cuts(self, local: int, whole: int, event: InputEvent, effects: int) -> Learned:
        parts = self.locals[local]
        event_id = self._event_ids(event)
        done = self.owner.effects[effects]
        torn, raised = [], []
        for kept in cuts(done, event, self.owner.scope.links):
            prefix = self.owner.number_effects(done[:kept])
            rest = self._rest_after(parts.rest, event_id, event, prefix)
            try:
                after = self._restart(rest, self._sent_after(parts.sent, prefix))
                torn.append((kept, self._changed(local, after)))
            except ImplementationRaised as error:
                raised.append((kept, error))
        return Learned(whole, tuple(torn), tuple(raised))

    def _restart(self, rest: int, sent: int) -> int:
        state, effects = self._ask_start(self.rests[rest].storage)
        next_rest = self._restarted.get((rest, effects))
        if next_rest is None:
            before = self.rests[rest]
            next_rest = self._after_start(after_restart(before, self.owner.scope), effects)
            self._restarted[rest, effects] = next_rest
        return self._local(state, next_rest, self._sent_after(sent, effects))

    def _after_start(self, record: Record, effects: int) -> int:
        done = self.owner.effects[effects]
        return self.rests(after_effects(record, self.node, done, self.owner.scope))

    def _rest_after(self, rest: int, event_id: int, event: InputEvent, effects: int) -> int:
        key = (rest, event_id, effects)
        known = self._rested.get(key)
        if known is None:
            scope, done = self.owner.scope, self.owner.effects[effects]
            record = after_event(self.rests[rest], self.node, event, scope)
            known = self.rests(after_effects(record, self.node, done, scope))
            self._rested[key] = known
        return known

    def _sent_after(self, sent: int, effects: int) -> int:
        if not self.owner.sends[effects]:
            return sent
        known = self._sending.get((sent, effects))
        if known is None:
            parent = self.sents[sent]
            done, links = self.owner.effects[effects], self.owner.scope.links
            known = self._sent_id(after_sends(parent.envelopes, done, links), parent)
            self._sending[sent, effects] = known
        return known

    def _ask(self, state: int, event_id: int, event: InputEvent) -> tuple[int, int]:
        """(state id, effects id) after ``event``. Raises what the implementation raised."""
        owner = self.owner
        return self._remembered(
            self._handled,
            (state, event_id),
            lambda: ask_handle(
                owner.implementation,
                self.node,
                owner.scope.nodes,
                self.states[state],
                event,
                twice=owner.count_call(),
            ),
        )

    def _ask_start(self, storage: Hashable) -> tuple[int, int]:
        owner = self.owner
        return self._remembered(
            self._started,
            storage,
            lambda: ask_start(
                owner.implementation,
                self.node,
                owner.scope.nodes,
                storage,
                twice=owner.count_call(),
            ),
        )

    def _remembered(
        self, answers: dict[Any, Answer], question: Hashable, ask: Callable[[], Step]
    ) -> tuple[int, int]:
        known = answers.get(question)
        if known is None:
            try:
                step = ask()
                known = self.states(step.state), self.owner.number_effects(step.effects)
            except ImplementationRaised as raised:
                known = raised
            answers[question] = known
        if isinstance(known, ImplementationRaised):
            raise known
        return known


class LocalAutomata:
    """The automata of all nodes, and what they share: the scope, and the lists of effects met."""

    def __init__(self, implementation: Implementation, scope: Scope) -> None:
        self.implementation, self.scope = implementation, scope
        self.effects: Interner[tuple[Effect, ...]] = Interner()
        self.sends: list[bool] = []
        self.effect_types: set[type] = set()
        self.calls = 0
        self._asked = 0
        self.automata = [Automaton(self, index, node) for index, node in enumerate(scope.nodes)]

    def start(self) -> tuple[int, ...]:
        """The local ids of the initial state. Raises what the implementation raised."""
        for automaton in self.automata:
            automaton.add_own_events()
        return tuple(automaton.start() for automaton in self.automata)

    def is_enabled(self, locals_: Sequence[int], index: int, bit: int, *, torn: bool) -> bool:
        """Whether node ``index`` may see the occurrence in this global state, budgets and all.

        That the local state itself allows it is not asked again: it was learned.
        """
        records = [
            automaton.rests[automaton.locals[local].rest]
            for automaton, local in zip(self.automata, locals_, strict=True)
        ]
        event = self.automata[index].occurrences[bit].event
        if torn or isinstance(event, Restart):
            most = self.scope.restarts_max
            if most is not None and sum(record.restarts for record in records) >= most:
                return False
        if isinstance(event, Submit):
            most = self.scope.submissions_max
            used = sum(submissions_of(record, event.command, self.scope) for record in records)
            return most is None or used < most
        if isinstance(event, Receive):
            at = self.scope.nodes.index(event.source)
            sender = self.automata[at]
            return bool(sender.sents[sender.locals[locals_[at]].sent].allows[index] >> bit & 1)
        return True

    def count_call(self) -> bool:
        """Count a call of the implementation; says whether this one is to be asked twice."""
        twice = ask_twice(self._asked)
        self._asked += 1
        self.calls += 2 if twice else 1
        return twice

    def number_effects(self, effects: tuple[Effect, ...]) -> int:
        number = self.effects(effects)
        if number == len(self.sends):
            self.sends.append(any(isinstance(effect, Send) for effect in effects))
            self.effect_types.update(type(effect) for effect in effects)
        return number
