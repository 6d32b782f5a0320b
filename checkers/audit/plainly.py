"""The dumb twin of the judge: records of all nodes, and every property evaluated after every entry.

It keeps everything, and says in words what is wrong. It takes a log to be whole: what it does not
say has not happened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import count, pairwise
from typing import Any, Final

from indelible.checkers.audit.judge import RULES
from indelible.checkers.properties import BUILT_IN, out_of_order
from indelible.checkers.property import Property, World
from indelible.checkers.verdicts import violations_after
from indelible.model.cluster import ClusterState, LocalState
from indelible.model.effects import NO_OP, Effect, Execute
from indelible.model.events import Command, Event, NodeId, Restart, Submit, Timeout, Torn, node_name
from indelible.model.log_json import Install, LoggedEffect, LoggedEvent, Start
from indelible.model.quorums import QuorumSystem
from indelible.model.record import Record, after_effects
from indelible.model.run import handled_event
from indelible.model.scope import Scope
from indelible.model.trace import Violation

__all__ = ["PlainAudit"]

LIFETIME: Final = "execution_not_repeated"


@dataclass(frozen=True, slots=True)
class _Known:
    """A node's record, what it would be had the node never executed anything before it last
    started, and how many commands were in a snapshot that it has installed."""

    record: Record
    lifetime: Record
    contained: int = 0


class PlainAudit:
    """Takes events one by one. ``nodes`` are those that quorums are made of; ``others`` are judged
    like them."""

    def __init__(
        self,
        quorums: QuorumSystem,
        nodes: tuple[NodeId, ...],
        others: tuple[NodeId, ...] = (),
        names: Collection[str] = RULES,
    ) -> None:
        self._quorums = quorums
        self._members = nodes
        self._nodes = (*nodes, *others)
        self._names = [name for name in RULES if name in names]
        self._known = dict.fromkeys(self._nodes, _Known(Record(), Record()))
        self._commands: dict[Command, None] = {}
        self._scope = Scope(nodes=self._nodes, commands=())

    def step(
        self, node: NodeId, event: LoggedEvent, logged: tuple[LoggedEffect, ...]
    ) -> Mapping[str, tuple[Violation, ...]]:
        """What is wrong after an event with its effects, by property, in the order of the rules."""
        happened: Event = Restart() if isinstance(event, Start) else event
        installs = [effect for effect in logged if isinstance(effect, Install)]
        effects = tuple([effect for effect in logged if not isinstance(effect, Install)])
        handled = handled_event(happened)
        if isinstance(handled, Submit):
            self._commands[handled.command] = None
        before = dict(self._known)
        known = before[node]
        record = after_effects(known.record, node, effects, self._scope)
        contained = max([known.contained, *(install.index for install in installs)])
        starts = _starts(happened, logged)
        lived = self._lived(node, known, starts, logged)
        self._known[node] = _Known(record, lived, contained)
        found = {}
        for name in self._names:
            if installs and name == LIFETIME:
                wrong = self._repeated(node, known, starts, logged)
            else:
                wrong = self._violations(BUILT_IN[name], before, (node, happened), effects)
            if contained and name in AFTER_SNAPSHOT:
                after = AFTER_SNAPSHOT[name](node, record, contained)
                wrong += tuple([replace(each, property=name) for each in after])
            if wrong:
                found[name] = wrong
        return found

    def _lived(
        self, node: NodeId, known: _Known, starts: list[int], logged: tuple[LoggedEffect, ...]
    ) -> Record:
        before = Record() if starts else known.lifetime
        since = _executed(logged[max(starts, default=0) :])
        return after_effects(before, node, since, self._scope)

    def _repeated(
        self, node: NodeId, known: _Known, starts: list[int], logged: tuple[LoggedEffect, ...]
    ) -> tuple[Violation, ...]:
        """What is executed again between two starts."""
        wrong: tuple[Violation, ...] = ()
        lifetime = known.lifetime
        for begin, end in pairwise([0, *starts, len(logged)]):
            before = {**self._known, node: replace(known, lifetime=lifetime)}
            happened = (node, Timeout(""))
            effects = _executed(logged[begin:end])
            wrong += self._violations(BUILT_IN[LIFETIME], before, happened, effects)
            lifetime = Record()
        return wrong

    def _violations(
        self,
        known: Property,
        before: Mapping[NodeId, _Known],
        action: tuple[NodeId, Event],
        effects: tuple[Effect, ...],
    ) -> tuple[Violation, ...]:
        earlier, later = (self._state(known.name, each) for each in (before, self._known))
        # World.nodes also says whose record is whose; quorums are asked about the members only.
        world = World(self._nodes, tuple(self._commands), None, 0, self._as_asked())
        return violations_after(known, world, earlier, action, later, effects)

    def _state(self, name: str, known: Mapping[NodeId, _Known]) -> ClusterState:
        records = [each.lifetime if name == LIFETIME else each.record for each in known.values()]
        if name in AFTER_SNAPSHOT:  # Those who have one are asked for themselves.
            whole = zip(known.values(), records, strict=True)
            records = [Record() if each.contained else record for each, record in whole]
        return ClusterState(tuple(LocalState(None, record) for record in records))

    def _as_asked(self) -> QuorumSystem:
        return _Within(self._quorums, self._members)


def _executed(logged: tuple[LoggedEffect, ...]) -> tuple[Execute, ...]:
    return tuple([effect for effect in logged if isinstance(effect, Execute)])


def _starts(event: Event, logged: tuple[LoggedEffect, ...]) -> list[int]:
    """Before which effects a node began anew: from a snapshot, or after a crash."""
    starts = [at for at, effect in enumerate(logged) if isinstance(effect, Install)]
    match event:
        case Restart():
            starts.append(0)
        case Torn(_, kept):
            starts.append(kept)
    return sorted(starts)


def _without_gap(node: NodeId, record: Record, contained: int) -> tuple[Violation, ...]:
    """Between what a snapshot contains and what the node executes nothing is left out."""
    indices = {index for index, _ in record.executed}
    missing = next(number for number in count(contained) if number not in indices)
    if max(indices, default=0) <= missing:
        return ()
    says = f"{node_name(node)} executed number {max(indices)} before number {missing}"
    return (Violation(says, nodes=(node,)),)


def _follows_log(node: NodeId, record: Record, contained: int) -> tuple[Violation, ...]:
    """What the node executes after what a snapshot contains it has decided, in this order."""
    log: dict[int, list[Any]] = {}
    for slot, value in record.decided:
        log.setdefault(slot, []).append(value)
    done: dict[int, list[Any]] = {}
    for index, command in record.executed:
        if index >= contained:
            done.setdefault(index, []).append(command)
    slots = iter(log)
    for index, commands in done.items():
        fits = any(all(each in log[slot] for each in commands) for slot in slots)
        if not fits or NO_OP in commands:
            wrong = NO_OP if NO_OP in commands else commands[0]
            says = f"{node_name(node)} {out_of_order(index, wrong, max(log, default=-1) + 1, log)}"
            return (Violation(says, nodes=(node,), values=(wrong,)),)
    return ()


AFTER_SNAPSHOT: Final[Mapping[str, Callable[[NodeId, Record, int], tuple[Violation, ...]]]] = {
    "execution_without_gap": _without_gap,
    "execution_follows_log": _follows_log,
}
"""Properties that do not ask for what a snapshot contains."""


@dataclass(frozen=True, slots=True)
class _Within:
    """Quorums of ``nodes`` only, whoever else there is."""

    quorums: QuorumSystem
    nodes: tuple[NodeId, ...]

    def is_phase1_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        mine = tuple(node for node in self.nodes if node in members)
        return self.quorums.is_phase1_quorum(mine, self.nodes)

    def is_phase2_quorum(self, members: Collection[NodeId], nodes: tuple[NodeId, ...]) -> bool:
        mine = tuple(node for node in self.nodes if node in members)
        return self.quorums.is_phase2_quorum(mine, self.nodes)
