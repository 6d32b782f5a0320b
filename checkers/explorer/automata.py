"""Local automata: what each node can be, and what each event makes of it, learned once.

A node's local state is a *behaviour*, which decides what it does next (its implementation's state
and its record without what it sent), and what it has *sent*, which decides what others may see.
The two are numbered apart: a reaction is worked out once per behaviour and event, and only lifted
to local states, and the implementation is called once per state and event. This is plain Python;
``tables`` copies it into arrays for the kernels. It knows nothing of global states.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeAlias

from indelible.checkers.asking import ask_twice, require_same_types
from indelible.checkers.explorer.parts import (
    Behaviour,
    Branching,
    Interner,
    LocalParts,
    Move,
    Occurrence,
    Reaction,
    Sent,
)
from indelible.model.canonical import canonical
from indelible.model.cluster import cuts
from indelible.model.effects import Effect, Send, SetTimer
from indelible.model.errors import ImplementationRaised
from indelible.model.events import (
    Event,
    InputEvent,
    Message,
    NodeId,
    Receive,
    Restart,
    Submit,
    Timeout,
    Timer,
    Torn,
)
from indelible.model.implementation import Implementation, Step, ask_handle, ask_start
from indelible.model.record import (
    Envelope,
    Record,
    after_effects,
    after_event,
    after_restart,
    is_deliverable,
    submissions_of,
)
from indelible.model.scope import Scope

__all__ = ["Automaton", "LocalAutomata"]

Answer: TypeAlias = tuple[int, tuple[Effect, ...]] | ImplementationRaised


class Automaton:
    """One node: its local states, the events it may see, and the steps between.

    ``locals`` are numbered from 1. ``occurrences`` are numbered from 0: the place of an event in
    every bit set of this node. ``timer_bits`` are those of time-outs, ``always_bits`` (a bit set)
    those of every event that needs no sender.
    """

    def __init__(self, owner: LocalAutomata, index: int, node: NodeId) -> None:
        self.owner, self.index, self.node = owner, index, node
        self.states: Interner[Any] = Interner()
        self.behaviours: Interner[Behaviour] = Interner()
        self.sents: Interner[Sent] = Interner()
        self.locals: Interner[LocalParts] = Interner(first=1)
        self.occurrences: Interner[Occurrence] = Interner()
        self.timer_bits: dict[Timer, int] = {}
        self.always_bits = 0
        self._events: Interner[Event] = Interner()
        self._events_of: list[int] = []
        self._handled: dict[tuple[int, int], Answer] = {}
        self._started: dict[Any, Answer] = {}
        self._reactions: dict[tuple[int, int], Reaction] = {}
        self._idle: dict[int, int] = {}
        self._ruled_out: dict[int, int] = {}
        self._sending: dict[tuple[int, int], int] = {}
        self._copies: dict[tuple[int, Message], int] = {}
        self._turns: dict[tuple[NodeId, Message | None, int], int] = {}
        self._first_turns, self._later_turns = 0, 0
        # Numbered alike at every node, whether it may see them or not, so that a budget of the
        # whole cluster forbids the same bits everywhere.
        for command in owner.scope.commands:
            bit = self.occurrences(Occurrence(Submit(command), 0))
            self.always_bits |= owner.scope.accepts_submissions(node, command) << bit
        if owner.scope.restarts_max != 0:
            self.always_bits |= 1 << self.occurrences(Occurrence(Restart(), 0))

    def record(self, local: int) -> Record:
        """The record of a local state, without what it sent."""
        return self.behaviours[self.locals[local].behaviour].rest

    def messages(self) -> list[Message]:
        """The distinct messages that were sent to this node."""
        events = (occurrence.event for occurrence in self.occurrences.values)
        return list(dict.fromkeys(event.message for event in events if isinstance(event, Receive)))

    def envelopes(self, sent: int) -> frozenset[Envelope]:
        """The envelopes of a sent set, as the record has them."""
        found = []
        for to, allowed in zip(self.owner.automata, self.sents[sent], strict=True):
            for bit in range(allowed.bit_length()):
                event, number = to.occurrences[bit]
                if allowed >> bit & 1 and isinstance(event, Receive):
                    found.append(Envelope(to.node, event.message, number))
        return frozenset(found)

    def envelope_bit(self, occurrence: Occurrence) -> int:
        """The bit of an envelope that this node may receive."""
        event, number = occurrence
        assert isinstance(event, Receive)
        bit = 1 << self.occurrences(occurrence)
        if number:
            message = None if self.owner.scope.links == "ordered" else event.message
            turn = event.source, message, number
            self._turns[turn] = self._turns.get(turn, 0) | bit
            self._first_turns |= bit if number == 1 else 0
            self._later_turns |= bit if number > 1 else 0
        return bit

    def idle(self, behaviour: int) -> int:
        """The occurrences known to change no local state with this behaviour, as a bit set.

        To leave some out is no error: they will be asked.
        """
        known = self._ruled_out.get(behaviour)
        if known is None:
            known = self._ruled_out[behaviour] = self._impossible(behaviour)
        return known | self._idle.get(behaviour, 0)

    def _impossible(self, behaviour: int) -> int:
        """Timers that are not armed, and envelopes whose turn it is not."""
        record = self.behaviours[behaviour].rest
        timers = sum(
            1 << bit for timer, bit in self.timer_bits.items() if timer not in record.timers
        )
        turn = self._first_turns
        for source, message, times in record.received:
            turn &= ~self._turns.get((source, message, 1), 0)
            turn |= self._turns.get((source, message, times + 1), 0)
        return timers | (self._first_turns | self._later_turns) & ~turn

    def start(self) -> int:
        """The initial local state. Raises what the implementation raised."""
        first = self._after_start(Record(), ())
        nothing = self.sents((0,) * len(self.owner.scope.nodes))
        return self.locals(LocalParts(first.behaviour, self._sent_after(nothing, first.effects)))

    def learn(self, local: int, bit: int) -> int:
        """What the occurrence ``bit`` does to ``local``, apart from budgets of the whole cluster.

        The next local id; 0 if nothing changes or the event is not possible; minus the number of a
        ``Branching`` (counted from 1) if there is more to say.
        """
        behaviour, sent = self.locals.values[local - 1]
        reaction = self._reactions.get((behaviour, bit))
        if reaction is None:
            reaction = self._reactions[behaviour, bit] = self._reaction(behaviour, bit)
            if self._does_nothing(behaviour, reaction):
                self._idle[behaviour] = self._idle.get(behaviour, 0) | 1 << bit
        if reaction.whole is None and not reaction.raised:
            return 0
        whole = self._moved(local, sent, reaction.whole) if reaction.whole else 0
        if not reaction.torn and not reaction.raised:
            return whole
        torn = tuple((kept, self._moved(local, sent, move)) for kept, move in reaction.torn)
        self.owner.branchings.append(Branching(whole, torn, reaction.raised))
        return -len(self.owner.branchings)

    def effects_number(self, local: int, bit: int, kept: int) -> int:
        """The number of the effects of a learned step; ``kept`` as in ``Suspect``."""
        reaction = self._reactions[self.locals[local].behaviour, bit]
        move = reaction.whole if kept < 0 else dict(reaction.torn)[kept]
        assert move is not None
        return move.effects

    def _does_nothing(self, behaviour: int, reaction: Reaction) -> bool:
        """Whether a reaction changes no local state with this behaviour, whatever it sent."""
        if reaction.torn or reaction.raised:
            return False
        move = reaction.whole
        return move is None or (move.behaviour == behaviour and not self.owner.sends[move.effects])

    def _moved(self, local: int, sent: int, move: Move) -> int:
        """The local state after a move, or 0 if it is the same one."""
        behaviour, effects = move
        if self.owner.sends[effects]:
            sent = self._sent_after(sent, effects)
        after = self.locals(LocalParts(behaviour, sent))
        return 0 if after == local else after

    # --- reactions -----------------------------------------------------------------------------

    def _reaction(self, behaviour: int, bit: int) -> Reaction:
        state, rest = self.behaviours.values[behaviour]
        event, number = self.occurrences.values[bit]
        try:
            if isinstance(event, Restart):
                return Reaction(self._restarted(rest, ()))
            assert not isinstance(event, Torn)
            if not self._is_possible(rest, event, number):
                return Reaction()
            next_state, effects = self._handle(state, bit, event)
        except ImplementationRaised as raised:
            return Reaction(raised=((None, raised),))
        scope = self.owner.scope
        marked = after_event(rest, self.node, event, scope)
        done = after_effects(marked, self.node, effects, scope)
        whole = Move(self._behaviour(next_state, done), self.owner.number_effects(effects))
        torn: list[tuple[int, Move]] = []
        raised_torn: list[tuple[int | None, ImplementationRaised]] = []
        for kept in cuts(effects, event, scope.links) if scope.torn else ():
            part = after_effects(marked, self.node, effects[:kept], scope)
            try:
                torn.append((kept, self._restarted(part, effects[:kept])))
            except ImplementationRaised as raised:
                raised_torn.append((kept, raised))
        return Reaction(whole, tuple(torn), tuple(raised_torn))

    def _is_possible(self, rest: Record, event: InputEvent, number: int) -> bool:
        if isinstance(event, Receive):
            links = self.owner.scope.links
            return is_deliverable(rest, event.source, event.message, number, links)
        if isinstance(event, Timeout):
            return event.timer in rest.timers
        return True

    def _restarted(self, rest: Record, effects: tuple[Effect, ...]) -> Move:
        """A crash and a new start, after ``effects`` took place."""
        return self._after_start(after_restart(rest, self.owner.scope), effects)

    def _after_start(self, rest: Record, before: tuple[Effect, ...]) -> Move:
        state, effects = self._start(rest.storage)
        done = after_effects(rest, self.node, effects, self.owner.scope)
        return Move(self._behaviour(state, done), self.owner.number_effects(before + effects))

    def _behaviour(self, state: int, rest: Record) -> int:
        new = rest.timers - self.timer_bits.keys() if rest.timers else ()
        for timer in canonical(new) if new else ():
            bit = self.timer_bits[timer] = self.occurrences(Occurrence(Timeout(timer), 0))
            self.always_bits |= 1 << bit
        return self.behaviours(Behaviour(state, rest))

    def question(self, local: int, bit: int) -> tuple[int, InputEvent] | None:
        """The state and the event that ``learn`` will ask the implementation about, if it will."""
        behaviour = self.locals[local].behaviour
        event, number = self.occurrences[bit]
        if (behaviour, bit) in self._reactions or not isinstance(event, InputEvent):
            return None
        state, rest = self.behaviours[behaviour]
        asked = (state, self._event(bit)) in self._handled
        return None if asked or not self._is_possible(rest, event, number) else (state, event)

    def _event(self, bit: int) -> int:
        """The number of the event of an occurrence: several may be of one."""
        if bit >= len(self._events_of):
            for occurrence in self.occurrences.values[len(self._events_of) :]:
                self._events_of.append(self._events(occurrence.event))
        return self._events_of[bit]

    # --- what was sent -------------------------------------------------------------------------

    def _sent_after(self, sent: int, effects: int) -> int:
        """The sent set after the sends among ``effects``: ``new_envelopes``, in bit sets."""
        known = self._sending.get((sent, effects))
        if known is None:
            allowed = list(self.sents[sent])
            for at, message in self.owner.sends[effects]:
                allowed[at] |= self._envelope_bit(at, message, allowed[at])
            known = self._sending[sent, effects] = self.sents(tuple(allowed))
        return known

    def _envelope_bit(self, at: int, message: Message, allowed: int) -> int:
        """The bit, at the receiver, of sending ``message`` after what is ``allowed`` there."""
        number = 0
        copies = self._copies.get((at, message), 0)
        match self.owner.scope.links:
            case "unordered_duplicating":
                if copies:
                    return copies
            case "unordered":
                number = 1 + (allowed & copies).bit_count()
            case "ordered":
                number = 1 + allowed.bit_count()
        occurrence = Occurrence(Receive(self.node, message), number)
        bit = self.owner.automata[at].envelope_bit(occurrence)
        self._copies[at, message] = copies | bit
        return bit

    # --- asking the implementation -------------------------------------------------------------

    def _handle(self, state: int, bit: int, event: InputEvent) -> tuple[int, tuple[Effect, ...]]:
        owner = self.owner
        return self._asked(
            self._handled,
            (state, self._event(bit)),
            lambda twice: ask_handle(
                owner.implementation,
                self.node,
                owner.scope.nodes,
                self.states[state],
                event,
                twice=twice,
            ),
        )

    def _start(self, storage: Hashable) -> tuple[int, tuple[Effect, ...]]:
        owner = self.owner
        return self._asked(
            self._started,
            storage,
            lambda twice: ask_start(
                owner.implementation, self.node, owner.scope.nodes, storage, twice=twice
            ),
        )

    def _asked(
        self, answers: dict[Any, Answer], question: Hashable, ask: Callable[[bool], Step]
    ) -> tuple[int, tuple[Effect, ...]]:
        """The answer, asked only once. Raises what the implementation raised, each time."""
        known = answers.get(question)
        if known is None:
            try:
                step = ask(self.owner.count_call())
                known = self.states(step.state), self.owner.first_alike(step.effects)
                first = self.states.values[known[0]]
                if first is not step.state:
                    require_same_types(first, step.state)
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
        self.sends: list[tuple[tuple[int, Message], ...]] = []
        self.effect_types: set[type] = set()
        self.timers_set: set[Timer] = set()
        self.branchings: list[Branching] = []
        self.values: dict[Hashable, Hashable] = {}
        self._lists: dict[tuple[Effect, ...], tuple[Effect, ...]] = {}
        self.calls = 0
        self._asked = 0
        self.automata = [Automaton(self, index, node) for index, node in enumerate(scope.nodes)]

    def start(self) -> tuple[int, ...]:
        """The local ids of the initial state. Raises what the implementation raised."""
        return tuple(automaton.start() for automaton in self.automata)

    def foresee(self, steps: Iterable[tuple[int, int, int]]) -> None:
        """Tell the implementation, if it cares, what it will be asked when these are learned.

        Steps are (node index, local id, bit). When a restart has to be learned, too, which of the
        questions are asked twice may turn out otherwise.
        """
        foresee = getattr(self.implementation, "foresee", None)
        if foresee is None:
            return
        questions = [
            (index, question)
            for index, local, bit in steps
            if (question := self.automata[index].question(local, bit)) is not None
        ]
        told = []
        for number, (index, (state, event)) in enumerate(dict.fromkeys(questions), self._asked):
            automaton = self.automata[index]
            told += [(automaton.node, automaton.states[state], event)] * (1 + ask_twice(number))
        foresee(told)

    def is_enabled(self, locals_: Sequence[int], index: int, bit: int, *, torn: bool) -> bool:
        """Whether node ``index`` may see the occurrence in this global state, budgets and all.

        That the local state itself allows it is not asked again: it was learned.
        """
        records = [
            automaton.record(local) for automaton, local in zip(self.automata, locals_, strict=True)
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
            return bool(sender.sents[sender.locals[locals_[at]].sent][index] >> bit & 1)
        return True

    def count_call(self) -> bool:
        """Count a call of the implementation; says whether this one is to be asked twice."""
        twice = ask_twice(self._asked)
        self._asked += 1
        self.calls += 2 if twice else 1
        return twice

    def first_alike(self, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        """The equal effects that were met first. Raises ``ImplementationError`` if any of these
        equals something that was met, and is not of the same types."""
        first = self._lists.get(effects)
        if first is None:
            first = self._lists[effects] = effects
            for effect in effects:
                require_same_types(self.values.setdefault(effect, effect), effect)
                if isinstance(effect, Send):
                    message = effect.message
                    require_same_types(self.values.setdefault(message, message), message)
        for one, again in zip(first, effects, strict=True):
            if one is not again:
                require_same_types(one, again)
        return first

    def number_effects(self, effects: tuple[Effect, ...]) -> int:
        number = self.effects(effects)
        if number == len(self.sends):
            self.sends.append(
                tuple(
                    (self.scope.nodes.index(effect.to), effect.message)
                    for effect in effects
                    if isinstance(effect, Send)
                )
            )
            self.effect_types.update(type(effect) for effect in effects)
            self.timers_set.update(
                effect.timer for effect in effects if isinstance(effect, SetTimer)
            )
        return number
