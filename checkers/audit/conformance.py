"""Conformance: whether an implementation, told what a log says happened, does what the log says.

Each node is asked for itself, in the order of the log, from its very first start on: what happens
to it is recorded, so that it needs no network. Its law: what the log does not tell is never a
difference, and never conforms. A node of which something is lost is left alone from there on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from indelible.checkers.audit.notes import Place
from indelible.model.effects import CancelTimer, Effect, Persist, Send, SetTimer
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
    node_name,
)
from indelible.model.implementation import Implementation, State, Step, ask_handle, ask_start
from indelible.model.log_json import LoggedEvent, Start, recorded_effect, recorded_text

__all__ = ["HAPPENED_MAX", "Comparison", "Difference", "Happened"]

HAPPENED_MAX: Final = 2_000
"""So many events are kept, to make a trace of them."""

SENT_MAX: Final = 1 << 17
"""So many messages are remembered that were sent."""

FIRST_START: Final = "its log does not begin with its very first start"


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that says something else than the implementation does: ``recorded`` effects, and
    those ``expected``, in the words of logs; ``raised`` is what it raised instead."""

    place: Place
    node: NodeId
    event: LoggedEvent
    recorded: tuple[Effect, ...]
    expected: tuple[Effect, ...] = ()
    raised: str = ""

    @property
    def is_none(self) -> bool:
        """Whether both are the same."""
        both = ([_said(effect) for effect in side] for side in (self.recorded, self.expected))
        return not self.raised and next(both) == next(both)


class Happened(NamedTuple):
    """What happened to a node, in the implementation's own values; ``effects`` are those of the
    whole event, where a crash cut it short."""

    node: NodeId
    event: Event
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class _Node:
    """A node as the implementation has it. ``timers`` are those armed, by what a log says of them;
    ``doubt``: whether a line that may have been written twice has changed it."""

    state: State
    storage: Hashable = None
    timers: Mapping[str, Timer] = field(default_factory=dict)
    doubt: bool = False


class _CannotTell(Exception):
    """What the log does not say, and so nobody knows."""


class Comparison:
    """Takes records one by one, until there is a ``difference``.

    - ``compared`` records are as the implementation has them.
    - ``unknown``: where it could first not be known, and why; ``skipped`` records were left alone.
    - ``left_out``: kinds of effects that it gives, and no record has: they are not compared.
    - ``happened``: all that did, or ``None`` if that is not known, or more than is kept.

    ``kinds`` are those of the effects that the log has anywhere; ``commands`` the implementation's
    own: others must be scalars, unless they are ``plain``.
    Raises ``ImplementationError``, and ``WireError`` for values that no log can say.
    """

    def __init__(
        self,
        implementation: Implementation,
        kinds: Set[type[Effect]],
        commands: Iterable[Hashable] = (),
        *,
        plain: bool = False,
        sent_max: int = SENT_MAX,
    ) -> None:
        self.nodes: tuple[NodeId, ...] = ()
        self.compared = self.skipped = 0
        self.difference: Difference | None = None
        self.unknown: tuple[Place, str] | None = None
        self.happened: list[Happened] | None = []
        self._implementation = implementation
        self._commands = {recorded_text(command): command for command in commands}
        self._plain = plain
        self._sent_max = sent_max
        self._known: dict[NodeId, _Node | None] = {}
        self._sent: dict[tuple[NodeId, NodeId, str], Message] = {}
        self._kinds = kinds
        self._given: set[type[Effect]] = set()
        self._all_lost = False

    @property
    def left_out(self) -> frozenset[type[Effect]]:
        """Kinds of effects that the implementation gives, and no record has."""
        return frozenset(self._given - self._kinds)

    @property
    def missing(self) -> tuple[NodeId, ...]:
        """Nodes of which there is no record."""
        return tuple([node for node in self.nodes if node not in self._known])

    def take(
        self,
        place: Place,
        node: NodeId,
        event: LoggedEvent,
        effects: tuple[Effect, ...],
        *,
        repeats: bool = False,
    ) -> None:
        """Compare the next record; ``repeats``: its line is the same as the one before it."""
        if self._all_lost or self._known.get(node, False) is None:
            self.skipped += 1
            return
        try:
            self._compare(place, node, event, effects, repeats=repeats)
        except _CannotTell as why:
            self._known[node] = None
            self._lose(place, f"{node_name(node)}: {why}")
            self.skipped += 1

    def lose(self, place: Place, why: str, node: NodeId | None = None) -> None:
        """Something of a node is not there; or of any of them."""
        if node is None:
            self._all_lost = True
        else:
            self._known[node] = None
        self._lose(place, why)

    def _lose(self, place: Place, why: str) -> None:
        self.happened = None
        self.unknown = self.unknown or (place, why)

    def _compare(
        self,
        place: Place,
        node: NodeId,
        event: LoggedEvent,
        effects: tuple[Effect, ...],
        *,
        repeats: bool,
    ) -> None:
        before = self._known.get(node)
        may_be_twice = repeats or (before is not None and before.doubt)
        try:
            after, expected, happened = self._answered(node, before, event)
        except ImplementationRaised as raised:
            found = Difference(place, node, event, effects, raised=str(raised))
            self._note_difference(found, may_be_twice=may_be_twice)
            return
        said = tuple([recorded_effect(effect) for effect in self._recorded(expected)])
        found = Difference(place, node, event, effects, said)
        if not found.is_none:
            self._note_difference(found, may_be_twice=may_be_twice)
            self._answered(node, before, event, twice=True)  # Would it do so again?
            return
        changed = before is not None and after != before
        self._known[node] = replace(after, doubt=True) if repeats and changed else after
        self._given.update(map(type, expected))
        for effect in expected:
            if isinstance(effect, Send):
                self._post(node, effect)
        self.compared += 1
        if happened is not None and self.happened is not None:
            self.happened.append(happened)
            if len(self.happened) > HAPPENED_MAX:
                self.happened = None

    def _note_difference(self, found: Difference, *, may_be_twice: bool) -> None:
        if may_be_twice:
            raise _CannotTell(
                "a line is the same as the one before it: it happened twice, or was written twice"
            )
        self.difference = found

    def _recorded(self, effects: Iterable[Effect]) -> list[Effect]:
        """Those of a kind that is recorded."""
        return [effect for effect in effects if type(effect) in self._kinds]

    def _kept(self, effects: tuple[Effect, ...], kept: int) -> tuple[Effect, ...]:
        """The effects before a crash, ``kept`` of them recorded."""
        ends = [
            end for end in range(len(effects) + 1) if len(self._recorded(effects[:end])) == kept
        ]
        if not ends:
            return effects
        if any(isinstance(effect, Persist | Send) for effect in effects[ends[0] : ends[-1]]):
            raise _CannotTell("it crashed before or after an effect of a kind that no record has")
        return effects[: ends[0]]

    def _answered(
        self, node: NodeId, known: _Node | None, event: LoggedEvent, *, twice: bool = False
    ) -> tuple[_Node, tuple[Effect, ...], Happened | None]:
        """What the node becomes, its effects, and what happened to it."""
        if isinstance(event, Start) and known is None:
            self._agree_on(node, event, first=True)
            step = ask_start(self._implementation, node, self.nodes, None, twice=twice)
            return self._after(_Node(step.state), step), step.effects, None
        if known is None:
            raise _CannotTell(FIRST_START)
        match event:
            case Start(_, storage):
                self._agree_on(node, event, first=False)
                if recorded_text(storage) != recorded_text(known.storage):
                    raise _CannotTell("it starts with other storage than it was known to have")
                return self._restarted(node, known, (), Happened(node, Restart()), twice=twice)
            case Restart():
                return self._restarted(node, known, (), Happened(node, event), twice=twice)
            case Torn(whole, kept):
                own, step = self._handled(node, known, whole, twice=twice)
                done = self._kept(step.effects, kept)
                happened = Happened(node, Torn(own, len(done)), step.effects)
                return self._restarted(node, known, done, happened, twice=twice)
        own, step = self._handled(node, known, event, twice=twice)
        if isinstance(event, Timeout):
            fired = recorded_text(event.timer)
            armed = {text: timer for text, timer in known.timers.items() if text != fired}
            known = replace(known, timers=armed)
        return self._after(known, step), step.effects, Happened(node, own)

    def _handled(
        self, node: NodeId, known: _Node, event: InputEvent, *, twice: bool
    ) -> tuple[InputEvent, Step]:
        own = self._own(node, known, event)
        step = ask_handle(self._implementation, node, self.nodes, known.state, own, twice=twice)
        return own, step

    def _restarted(
        self,
        node: NodeId,
        known: _Node,
        done: tuple[Effect, ...],
        happened: Happened,
        *,
        twice: bool,
    ) -> tuple[_Node, tuple[Effect, ...], Happened]:
        """What becomes of a node that crashes once it has ``done`` something."""
        storage = self._after(known, Step(known.state, done)).storage
        step = ask_start(self._implementation, node, self.nodes, storage, twice=twice)
        started = _Node(step.state, storage, {}, known.doubt)
        return self._after(started, step), done + step.effects, happened

    def _after(self, known: _Node, step: Step) -> _Node:
        storage, timers = known.storage, dict(known.timers)
        for effect in step.effects:
            match effect:
                case Persist(saved):
                    storage = saved
                case SetTimer(timer, _):
                    timers[recorded_text(timer)] = timer
                case CancelTimer(timer):
                    timers.pop(recorded_text(timer), None)
        return _Node(step.state, storage, timers, known.doubt)

    def _agree_on(self, node: NodeId, event: Start, *, first: bool) -> None:
        if first and event.storage is not None:
            raise _CannotTell(FIRST_START)
        if node not in event.nodes:
            raise _CannotTell("it is not among the nodes that its start names")
        self.nodes = self.nodes or event.nodes
        if event.nodes != self.nodes:
            raise _CannotTell("its start names other nodes than the first start, or in other order")

    def _own(self, node: NodeId, known: _Node, event: InputEvent) -> InputEvent:
        """The event in the implementation's own values."""
        match event:
            case Receive(source, message):
                own = self._sent.get((source, node, recorded_text(message)), _NOBODY)
                if own is _NOBODY:
                    raise _CannotTell(
                        f"no record before it says that {node_name(source)} sent the message"
                    )
                if own is _SEVERAL:
                    raise _CannotTell(f"several messages of {node_name(source)} read just so")
                return Receive(source, own)
            case Timeout(timer):
                text = recorded_text(timer)
                if text not in known.timers:
                    raise _CannotTell(f"the timer {text} fires, and the target has not armed it")
                return Timeout(known.timers[text])
            case Submit(command):
                text = recorded_text(command)
                if text in self._commands:
                    return Submit(self._commands[text])
                if self._plain or isinstance(command, str | int | float | bool):
                    return event
                raise _CannotTell(f"no command in the scope of the target reads {text}")

    def _post(self, node: NodeId, send: Send) -> None:
        key = (node, send.to, recorded_text(send.message))
        known = self._sent.pop(key, send.message)
        self._sent[key] = known if known == send.message else _SEVERAL
        if len(self._sent) > self._sent_max:
            del self._sent[next(iter(self._sent))]


_NOBODY: Final[Any] = object()
_SEVERAL: Final[Any] = object()


def _said(effect: Effect) -> tuple[type[Effect], str]:
    """The effect by what a log says of it: 1, 1.0 and true are three."""
    said = recorded_effect(effect)
    parts = [getattr(said, name) for name in said.__dataclass_fields__]
    return type(effect), "\n".join(map(recorded_text, parts))
